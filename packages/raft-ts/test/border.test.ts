// The border of the core: configuration, addresses, contracts of Ready, and the codec of changes.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ConfChangeDecodeError,
  InvalidConfChangeError,
  InvalidConfigError,
  InvalidMessageError,
  LEAVE_JOINT,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  MESSAGE_TYPES,
  MemoryLogStorage,
  RaftInvariantError,
  RawNode,
  StepLocalMessageError,
  StepPeerNotFoundError,
  decodeConfChange,
  encodeConfChange,
  isLocalMessage,
  logIndex,
  makeMessage,
  nodeId,
  term,
  validate,
} from "../src/index.ts";
import type { ConfChange, RaftConfig } from "../src/index.ts";
import { quoteBytes } from "../src/quote.ts";
import { Cluster, TestStorage, bytes, confState } from "./cluster.ts";

const base: RaftConfig = {
  id: nodeId(1),
  electionTicks: 10,
  heartbeatTicks: 1,
  storage: new MemoryLogStorage(),
  random: () => 0,
};

describe("configuration", () => {
  const cases: [string, Partial<RaftConfig>][] = [
    ["id", { id: nodeId(0) }],
    ["id", { id: LOCAL_APPEND_THREAD }],
    ["id", { id: LOCAL_APPLY_THREAD }],
    ["heartbeatTicks", { heartbeatTicks: 0 }],
    ["heartbeatTicks", { heartbeatTicks: 1.5 }],
    ["electionTicks", { electionTicks: 1 }],
    ["electionTicks", { electionTicks: Number.NaN }],
    ["maxMessageBytes", { maxMessageBytes: -1 }],
    ["maxCommittedBytesPerReady", { maxCommittedBytesPerReady: -1 }],
    ["maxUncommittedBytes", { maxUncommittedBytes: Number.POSITIVE_INFINITY }],
    ["maxInflightMessages", { maxInflightMessages: 0 }],
    ["maxInflightBytes", { maxMessageBytes: 100, maxInflightBytes: 99 }],
    ["checkQuorum", { readOnlyOption: "lease-based", checkQuorum: false }],
    ["leaseDriftTicks", { readOnlyOption: "lease-based" }],
    ["leaseDriftTicks", { leaseDriftTicks: 10 }],
    ["promotionRounds", { promotionRounds: 0 }],
    ["diskStallTicks", { diskStallTicks: -1 }],
  ];
  it.each(cases)("%s out of range is refused by name: %o", (field, change) => {
    let fault: unknown;
    try {
      validate({ ...base, ...change });
    } catch (error) {
      fault = error;
    }
    expect(fault).toBeInstanceOf(InvalidConfigError);
    expect(fault).toMatchObject({ field, message: expect.stringContaining(field) as string });
  });

  it("an applied index outside the log is refused by name", () => {
    const start = () => new RawNode({ ...base, applied: logIndex(7) });
    expect(start).toThrow("applied must be from 0 (compacted) to 0 (last of the log), got 7");
  });
});

describe("messages from outside", () => {
  const node = () => new Cluster([1, 2]).node(1);

  it.each(MESSAGE_TYPES.filter(isLocalMessage))("%s is refused", (type) => {
    const message = makeMessage({ type, from: nodeId(2), to: nodeId(1) });
    expect(() => node().step(message)).toThrow(StepLocalMessageError);
  });

  it("a response of a stranger is refused", () => {
    const message = makeMessage({
      type: "MsgAppResp",
      from: nodeId(9),
      to: nodeId(1),
      term: term(1),
    });
    expect(() => node().step(message)).toThrow(StepPeerNotFoundError);
  });

  it("a message for somebody else, or in our own name, is refused", () => {
    const beat = (from: number, to: number) =>
      makeMessage({ type: "MsgHeartbeat", from: nodeId(from), to: nodeId(to), term: term(1) });
    expect(() => node().step(beat(2, 3))).toThrow(InvalidMessageError);
    expect(() => node().step(beat(1, 1))).toThrow(InvalidMessageError);
  });

  it("a snapshot message without a snapshot is refused", () => {
    const message = makeMessage({ type: "MsgSnap", from: nodeId(2), to: nodeId(1), term: term(1) });
    expect(() => node().step(message)).toThrow(InvalidMessageError);
  });

  it("no single message of any shape breaks an invariant of a fresh node", () => {
    const number = fc.nat(5);
    const message = fc.record({
      type: fc.constantFrom(...MESSAGE_TYPES),
      from: fc.constantFrom(2, 3, 9),
      term: number,
      logTerm: number,
      index: number,
      commit: fc.constant(0),
      reject: fc.boolean(),
      rejectHint: number,
      context: fc.option(fc.uint8Array({ maxLength: 9 }), { nil: undefined }),
    });
    const check = fc.property(fc.array(message, { maxLength: 20 }), (list) => {
      const cluster = new Cluster([1, 2, 3]);
      for (const m of list) {
        try {
          cluster
            .node(1)
            .step(makeMessage({ ...m, to: nodeId(1) } as Parameters<typeof makeMessage>[0]));
        } catch (error) {
          if (error instanceof RaftInvariantError) throw error;
        }
        cluster.work(1);
      }
      return cluster.node(1).basicStatus().commit <= cluster.node(1).status().lastIndex;
    });
    fc.assert(check, { numRuns: 1000 });
  });
});

describe("Ready", () => {
  const sync = () => {
    const storage = new TestStorage(confState([1]));
    return { storage, node: new RawNode({ ...base, storage, preVote: false }) };
  };

  it("synchronous: one at a time, each advanced", () => {
    const { node } = sync();
    node.campaign();
    node.ready();
    expect(() => node.ready()).toThrow(RaftInvariantError);
    node.advance();
    expect(node.basicStatus().state).toBe("leader");
  });

  it("asynchronous: advance is refused", () => {
    expect(() => new Cluster([1]).node(1).advance()).toThrow(RaftInvariantError);
  });

  it("must be synced when term, vote or entries change, not for commit alone", () => {
    const { node, storage } = sync();
    node.campaign();
    const vote = node.ready();
    expect(vote).toMatchObject({ mustSync: true, hardState: { term: 1, vote: 1 } });
    node.advance();
    const first = node.ready();
    expect(first).toMatchObject({ mustSync: true, entries: [{ index: 1 }] });
    storage.append(first.entries);
    node.advance();
    expect(node.ready()).toMatchObject({
      mustSync: false,
      hardState: { commit: 1 },
      committedEntries: [{ index: 1 }],
    });
  });

  it("asynchronous: the write and the apply are the last messages, in this order", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    cluster.propose(1, "a");
    cluster.work(1);
    for (const m of cluster.take({ to: nodeId(2) })) cluster.step(m);
    cluster.work(2);
    for (const m of cluster.take({ to: nodeId(1) })) cluster.step(m);
    cluster.propose(1, "b");
    const { messages } = cluster.node(1).ready();
    const types = messages.map((m) => m.type);
    expect(types.slice(-2)).toEqual(["MsgStorageAppend", "MsgStorageApply"]);
    expect(types.slice(0, -2).every((t) => t === "MsgApp")).toBe(true);
  });

  it("there is no Ready without work", () => {
    const cluster = new Cluster([1, 2, 3]);
    cluster.elect(1);
    expect(cluster.node(1).hasReady()).toBe(false);
    const empty = {
      entries: [],
      committedEntries: [],
      messages: [],
      readStates: [],
      mustSync: false,
    };
    expect(cluster.node(1).ready()).toMatchObject(empty);
  });
});

describe("bytes of membership changes", () => {
  const single = fc.record({
    type: fc.constantFrom("add-node", "remove-node", "update-node", "add-learner-node"),
    nodeId: fc.nat({ max: Number.MAX_SAFE_INTEGER }).map(nodeId),
  });
  const context = fc.uint8Array({ maxLength: 40 });
  const change: fc.Arbitrary<ConfChange> = fc.oneof(
    fc
      .tuple(single, context)
      .map(([s, c]) => ({ version: 1 as const, ...s, context: c }) as ConfChange),
    fc
      .record(
        {
          version: fc.constant(2),
          transition: fc.constantFrom("auto", "joint-implicit", "joint-explicit"),
          changes: fc.array(single, { maxLength: 10 }),
          context,
          expectedConfigId: fc.nat({ max: Number.MAX_SAFE_INTEGER }).map(logIndex),
        },
        { requiredKeys: ["version", "transition", "changes", "context"] },
      )
      .map((c) => c as unknown as ConfChange),
  );

  it("decode to what was encoded", () => {
    fc.assert(
      fc.property(change, (cc) => {
        expect(decodeConfChange(encodeConfChange(cc))).toEqual(cc);
      }),
    );
  });

  it("any bytes decode canonically or are refused as undecodable", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (data) => {
        try {
          expect(encodeConfChange(decodeConfChange(data))).toEqual(data);
        } catch (error) {
          if (!(error instanceof ConfChangeDecodeError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("leaving a joint configuration takes no bytes, so that no quota refuses it", () => {
    expect(encodeConfChange(LEAVE_JOINT)).toHaveLength(0);
  });

  it("too many changes or too long a context are refused with limit and value", () => {
    const changes = new Array(257).fill({ type: "add-node", nodeId: nodeId(1) });
    const tooMany = { version: 2, transition: "auto", changes, context: bytes("") } as ConfChange;
    expect(() => encodeConfChange(tooMany)).toThrow(InvalidConfChangeError);
    const tooLong = { ...LEAVE_JOINT, context: new Uint8Array(65_537) };
    expect(() => encodeConfChange(tooLong)).toThrow(
      "context must be at most 65536 bytes, got 65537",
    );
  });
});

it.each([
  ["foo", '"foo"'],
  ['a"b\\', '"a\\"b\\\\"'],
  ["\n\t\u0001\u007f", '"\\n\\t\\x01\\x7f"'],
  ["é∞😀", '"é∞😀"'],
  ["\u00a0\u200b", '"\\u00a0\\u200b"'],
])("payload %j is quoted as %s", (raw, quoted) => {
  expect(quoteBytes(bytes(raw))).toBe(quoted);
});

it("stray bytes are quoted as escapes", () => {
  expect(quoteBytes(Uint8Array.of(0xff, 0x41, 0xc3, 0xed, 0xa0, 0x80))).toBe(
    '"\\xffA\\xc3\\xed\\xa0\\x80"',
  );
});
