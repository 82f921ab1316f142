// Raft messages through the real wire: converted, serialised by the generated service, parsed and
// converted back; and bytes that no honest peer sends.
import { createPrng } from "@kingly/base";
import type { Prng } from "@kingly/base";
import fc from "fast-check";
import { MESSAGE_TYPES, isLocalMessage, makeMessage } from "raft-ts";
import type { Entry, LogIndex, Message, NodeId, Term } from "raft-ts";
import { describe, expect, it } from "vitest";
import type { Frame__Output } from "../src/gen/kingly/raft/v1/Frame.ts";
import { decodeRaftMessage, encodeRaftMessage } from "../src/raft-codec.ts";
import { loadService } from "../src/services.ts";

const control = loadService("raft").RaftTransport.service.Control;
const REMOTE = MESSAGE_TYPES.filter((type) => !isLocalMessage(type));

function transmit(messages: readonly Message[]): readonly Message[] {
  const bytes = control.requestSerialize({
    clusterId: "c",
    from: "a",
    to: "b",
    messages: { messages: messages.map(encodeRaftMessage) },
  });
  const frame: Frame__Output = control.requestDeserialize(bytes);
  return (frame.messages?.messages ?? []).map(decodeRaftMessage);
}

function uint(prng: Prng): number {
  return prng.pick([0, 1, prng.below(1000), prng.nextUint32(), Number.MAX_SAFE_INTEGER]);
}

function randomEntries(prng: Prng): readonly Entry[] {
  const first = prng.below(1_000_000);
  return Array.from({ length: prng.below(6) }, (_, i) => ({
    term: uint(prng) as Term,
    index: (first + i) as LogIndex,
    type: prng.pick(["normal", "conf-change", "conf-change-v2"] as const),
    data: prng.bytes(prng.below(40)),
  }));
}

function ids(prng: Prng): readonly NodeId[] {
  return Array.from({ length: prng.below(4) }, () => uint(prng) as NodeId);
}

function randomMessage(prng: Prng): Message {
  const confState = {
    voters: ids(prng),
    learners: ids(prng),
    votersOutgoing: ids(prng),
    learnersNext: ids(prng),
    autoLeave: prng.chance(0.5),
    ...(prng.chance(0.5) ? { configId: (1 + prng.below(1000)) as LogIndex } : {}),
  };
  const metadata = { confState, index: uint(prng) as LogIndex, term: uint(prng) as Term };
  return makeMessage({
    type: prng.pick(REMOTE),
    to: uint(prng) as NodeId,
    from: uint(prng) as NodeId,
    term: uint(prng) as Term,
    logTerm: uint(prng) as Term,
    index: uint(prng) as LogIndex,
    entries: randomEntries(prng),
    commit: uint(prng) as LogIndex,
    vote: uint(prng) as NodeId,
    snapshot: prng.chance(0.3) ? { data: new Uint8Array(0), metadata } : undefined,
    reject: prng.chance(0.5),
    rejectHint: uint(prng) as LogIndex,
    context: prng.chance(0.5) ? prng.bytes(1 + prng.below(20)) : undefined,
  });
}

describe("raft messages on the wire", () => {
  it("arrive as they were sent, for every remote type and random fields", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prng = createPrng(seed);
        const sent = Array.from({ length: 3 }, () => randomMessage(prng));
        expect(transmit(sent)).toEqual(sent);
      }),
      { numRuns: 500 },
    );
    for (const type of REMOTE) expect(transmit([makeMessage({ type })])[0]?.type).toBe(type);
  });

  it("never leave the process when they are local", () => {
    for (const type of MESSAGE_TYPES.filter(isLocalMessage)) {
      expect(() => encodeRaftMessage(makeMessage({ type }))).toThrow(/must not leave/);
    }
  });

  it("are refused with the field's name when no honest peer sends them", () => {
    const honest = control.requestDeserialize(
      control.requestSerialize({
        messages: { messages: [encodeRaftMessage(makeMessage({ type: "MsgApp" }))] },
      }),
    ).messages?.messages[0];
    if (honest === undefined) throw new Error("nothing decoded");
    const entry = { term: 1, index: 5, type: 0, data: Buffer.alloc(0) };
    const cases: readonly [string, Partial<typeof honest>][] = [
      ["type", { type: 99 }],
      ["type", { type: 0 }],
      ["term", { term: 2 ** 53 }],
      ["index", { index: -1 }],
      ["commit", { commit: 0.5 }],
      ["entries.type", { entries: [{ ...entry, type: 3 }] }],
      ["entries.index", { entries: [entry, { ...entry, index: 7 }] }],
      ["snapshot.confState", { snapshot: { confState: null, index: 1, term: 1 } }],
      ["context", { context: Buffer.alloc(70_000) }],
    ];
    for (const [field, change] of cases) {
      expect(() => decodeRaftMessage({ ...honest, ...change })).toThrow(
        expect.objectContaining({
          code: "MalformedFrame",
          details: expect.objectContaining({ field }),
        }),
      );
    }
  });

  it("either decode or are refused when bytes are damaged, and never crash otherwise", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const prng = createPrng(seed);
        const bytes = control.requestSerialize({
          messages: { messages: [encodeRaftMessage(randomMessage(prng))] },
        });
        for (let i = 0; i < 3; i++) {
          if (bytes.length > 0) bytes[prng.below(bytes.length)] = prng.below(256);
        }
        try {
          const frame = control.requestDeserialize(bytes);
          for (const wire of frame.messages?.messages ?? []) {
            expect(REMOTE).toContain(decodeRaftMessage(wire).type);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(TypeError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
