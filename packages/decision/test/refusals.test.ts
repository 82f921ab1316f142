// What is refused, with which code, and that a refusal changes nothing: the hash over all rows is the
// same before and after.

import { beforeEach, describe, expect, it } from "vitest";
import { canonicalJson, toBase64, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { TrialEvidence } from "@kingly/evidence";
import type { TrialOrder } from "@kingly/resources";
import { renderAssignments } from "../src/index.ts";
import type { ApplyResult, CommandType } from "../src/index.ts";
import { CLUSTER, DATA, Fleet, NS, TEST_POLICY, configSpec, nodes } from "./support/fleet.ts";

/** Expects that the attempt is refused with this code and changes no row. */
function refused(fleet: Fleet, code: string, attempt: () => ApplyResult): ApplyResult {
  const before = fleet.machine.stateHash();
  const revision = fleet.machine.meta().revision;
  const result = attempt();
  expect(result.outcome).toMatchObject({ ok: false, code });
  expect(fleet.machine.stateHash()).toBe(before);
  expect(fleet.machine.meta().revision).toBe(revision);
  expect(result.changes).toEqual([]);
  expect(result.firstRevision).toBe(0);
  return result;
}

const bytes = (value: JsonValue): Uint8Array => utf8Encode(canonicalJson(value));

describe("a vote is refused and changes nothing", () => {
  let fleet: Fleet;
  let voter: string;
  let order: TrialOrder;
  let evidence: TrialEvidence;

  beforeEach(() => {
    fleet = Fleet.settled({ nodes: nodes(8) });
    fleet.propose({ batch: 16 }, "p2");
    fleet.lead();
    voter = fleet.asked()[0] ?? "";
    order = fleet.orders(voter)[0] as TrialOrder;
    evidence = fleet.measure(order, 0);
    fleet.nowMs += evidence.pairs * 60_000;
  });

  const vote = (change: JsonObject, signer?: string): ApplyResult =>
    fleet.signed("vote", fleet.voteDocument(voter, evidence, change), signer);

  it("BadSignature: signed by another node, or not at all", () => {
    refused(fleet, "BadSignature", () => vote({}, fleet.nodeNames[7]));
    const document = fleet.voteDocument(voter, evidence);
    refused(fleet, "BadSignature", () => fleet.submit("vote", bytes(document)));
    const signature = new Uint8Array(64);
    refused(fleet, "BadSignature", () => fleet.submit("vote", bytes(document), { signature }));
  });

  it("WrongCluster: written for another cluster", () => {
    refused(fleet, "WrongCluster", () => vote({ clusterId: "another" }));
  });

  it("WrongNode: not enrolled, or not in the electorate", () => {
    refused(fleet, "WrongNode", () => vote({ node: "ghost" }, "ghost"));
    const outside = fleet.nodeNames.find((name) => !fleet.asked().includes(name)) ?? "";
    refused(fleet, "WrongNode", () => vote({ node: outside }, outside));
  });

  it("NotFound: no such proposal", () => {
    refused(fleet, "NotFound", () => vote({ proposalUid: "00000000-0000-8000-8000-000000000000" }));
  });

  it("Conflict: another attempt or other contents", () => {
    refused(fleet, "Conflict", () => vote({ attempt: 2 }));
    refused(fleet, "Conflict", () => vote({ candidateHash: "a".repeat(64) }));
    refused(fleet, "Conflict", () => vote({ baselineHash: "a".repeat(64) }));
  });

  it("EvidenceMismatch: the decision does not follow, the numbers do not recompute", () => {
    refused(fleet, "EvidenceMismatch", () => vote({ decision: "Reject" }));
    const lie = structuredClone(evidence) as unknown as {
      objectives: { records: { lnE: number; sum: number }[] }[];
    };
    const record = lie.objectives[0]?.records[1];
    if (record === undefined) throw new Error("no record");
    record.lnE += 1;
    const bent = lie as unknown as JsonObject;
    const { details } = refused(fleet, "EvidenceMismatch", () => vote({ evidence: bent }))
      .outcome as { details: { field: string } };
    expect(details.field).toContain("objectives[0]");
    refused(fleet, "EvidenceMismatch", () => vote({ evidence: { pairs: "many" } }));
    refused(fleet, "EvidenceMismatch", () => vote({ evidence: {}, decision: "Accept" }));
  });

  it("EvidenceMismatch: more pairs than the clock allows", () => {
    fleet.nowMs -= 30_000;
    const early = Fleet.settled({ nodes: nodes(8) });
    early.propose({ batch: 16 }, "p2");
    early.lead();
    const [first = ""] = early.asked();
    const quick = early.measure(early.orders(first)[0] as TrialOrder, 0);
    early.nowMs += (quick.pairs - 1) * 60_000;
    const { outcome } = refused(early, "EvidenceMismatch", () =>
      early.signed("vote", early.voteDocument(first, quick)),
    );
    expect(outcome).toMatchObject({ details: { field: "evidence.pairs" } });
  });

  it("AlreadyExists: a second vote of the same node; the same document again is the first", () => {
    const document = fleet.voteDocument(voter, evidence);
    const other = { ...document, idempotencyKey: "another", reason: "changed my mind" };
    expect(fleet.signed("vote", document).outcome.ok).toBe(true);
    refused(fleet, "AlreadyExists", () => fleet.signed("vote", other));
    const before = fleet.machine.stateHash();
    const again = fleet.signed("vote", document).outcome;
    expect(again).toMatchObject({ ok: true, value: { changed: false } });
    expect(fleet.machine.stateHash()).toBe(before);
  });

  it("InvalidField and UnknownField: a document of another shape", () => {
    refused(fleet, "InvalidField", () => vote({ attempt: "first" }));
    refused(fleet, "UnknownField", () => vote({ weight: 100 }));
    refused(fleet, "MalformedJson", () => fleet.submit("vote", utf8Encode("{not json")));
  });
});

describe("a vote after the verdict", () => {
  it("of a node that was never asked is WrongNode, and is not kept", () => {
    const fleet = Fleet.settled({ nodes: nodes(8) });
    fleet.propose({ batch: 16 }, "p3");
    fleet.lead();
    const [asked = ""] = fleet.asked();
    const other = fleet.nodeNames.find((node) => !fleet.asked().includes(node)) ?? "";
    const evidence = fleet.measure(fleet.orders(asked)[0] as TrialOrder, 0.3);
    const document = { ...fleet.voteDocument(asked, evidence), node: other };
    fleet.advance(9_100_000);
    expect(fleet.phase("p3")).toBe("Inconclusive");
    refused(fleet, "WrongNode", () => fleet.signed("vote", document));
  });

  it("is answered LateVote, kept in a list, and has no effect", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    fleet.propose({ batch: 16 }, "p2");
    fleet.lead();
    const [slow = ""] = fleet.asked();
    const evidence = fleet.measure(fleet.orders(slow)[0] as TrialOrder, 0.3);
    const document = fleet.voteDocument(slow, evidence);
    const proposalUid = fleet.proposal("p2").metadata.uid;
    fleet.advance(9_100_000);
    expect(fleet.phase("p2")).toBe("Inconclusive");
    const revision = fleet.machine.meta().revision;
    const { outcome } = fleet.signed("vote", document);
    expect(outcome).toMatchObject({ ok: false, code: "LateVote" });
    expect(fleet.machine.meta().revision).toBe(revision);
    const row = fleet.machine.get(`~trial/${proposalUid}`) as { lateVotes: { node: string }[] };
    expect(row.lateVotes.map((late) => late.node)).toEqual([slow]);
    fleet.signed("vote", document);
    const again = fleet.machine.get(`~trial/${proposalUid}`) as { lateVotes: unknown[] };
    expect(again.lateVotes).toHaveLength(1);
  });
});

describe("a veto is refused and changes nothing", () => {
  let fleet: Fleet;
  const node = "node-01";
  const other = "node-02";

  beforeEach(() => {
    fleet = Fleet.settled({
      nodes: nodes(5),
      policy: (spec) => ({ ...TEST_POLICY(spec), directCommits: true }),
    });
    fleet.propose({ batch: 16 }, "p2");
    fleet.settle();
  });

  it("BadSignature, WrongCluster, NotFound, Conflict: not its own, not here, not assigned", () => {
    refused(fleet, "BadSignature", () => fleet.signed("veto", fleet.vetoDocument(node), other));
    const elsewhere = fleet.vetoDocument(node, { clusterId: "another" });
    refused(fleet, "WrongCluster", () => fleet.signed("veto", elsewhere));
    const unknown = fleet.vetoDocument(node, { configUid: "00000000-0000-8000-8000-000000000000" });
    refused(fleet, "NotFound", () => fleet.signed("veto", unknown));
    refused(fleet, "Conflict", () =>
      fleet.signed("veto", fleet.vetoDocument(node, { version: 1 })),
    );
    const content = fleet.vetoDocument(node, { contentHash: "a".repeat(64) });
    refused(fleet, "Conflict", () => fleet.signed("veto", content));
  });

  it("EvidenceMismatch: a regression that was not shown at the local error probability", () => {
    const harmless = fleet.regressionVeto(node, 0);
    refused(fleet, "EvidenceMismatch", () => fleet.signed("veto", harmless));
    const good = fleet.regressionVeto(node, 0.4);
    const plan = good["plan"] as JsonObject;
    const lax = { ...good, plan: { ...plan, alpha: 0.4 } };
    refused(fleet, "EvidenceMismatch", () => fleet.signed("veto", lax));
    const bare = { ...good, plan: {}, evidence: {} };
    refused(fleet, "EvidenceMismatch", () => fleet.signed("veto", bare));
    expect(fleet.signed("veto", good).outcome.ok).toBe(true);
  });

  it("EvidenceMismatch: a margin looser than the objective's, while an owner may be stricter", () => {
    const loose = fleet.regressionVeto(node, 0.9, 0.06);
    expect(fleet.signed("veto", loose).outcome).toMatchObject({
      code: "EvidenceMismatch",
      details: { field: "plan.objectives[0].harmMarginRatio", limit: "0 to 0.05", value: 0.06 },
    });
    // 4 % are within the fleet's margin of 5 %, and beyond this owner's 1 %.
    expect(fleet.signed("veto", fleet.regressionVeto(node, 0.04)).outcome.ok).toBe(false);
    const strict = fleet.regressionVeto(node, 0.04, 0.01);
    expect(fleet.signed("veto", strict).outcome).toMatchObject({ ok: true });
  });

  it("InvalidField: no reason, or a version that it cannot run instead", () => {
    const silent = fleet.vetoDocument(node, { message: "" });
    refused(fleet, "InvalidField", () => fleet.signed("veto", silent));
    const ahead = fleet.vetoDocument(node, { runsVersion: 7 });
    refused(fleet, "InvalidField", () => fleet.signed("veto", ahead));
  });
});

describe("a proposal is refused", () => {
  const fleet = Fleet.settled({ nodes: nodes(4) });
  const propose = (body: JsonObject): (() => ApplyResult) => {
    const full = { namespace: NS, config: "web", baseVersion: 1, reason: "r", ...body };
    return () => fleet.submit("propose", full);
  };

  it("StaleBase, Unchanged, SchemaViolation, NotFound, InvalidField, UnknownField", () => {
    refused(fleet, "StaleBase", propose({ baseVersion: 0, patch: { batch: 9 } }));
    refused(fleet, "Unchanged", propose({ patch: { batch: 8 } }));
    const range = refused(fleet, "SchemaViolation", propose({ patch: { batch: 65 } }));
    expect(range.outcome).toMatchObject({
      details: { field: "data.batch", limit: "must be <= 64" },
    });
    refused(fleet, "SchemaViolation", propose({ patch: { batch: "many" } }));
    refused(fleet, "NotFound", propose({ config: "nowhere", patch: { batch: 9 } }));
    refused(fleet, "InvalidField", propose({}));
    refused(fleet, "InvalidField", propose({ patch: { batch: 9 }, data: DATA }));
    refused(fleet, "InvalidField", propose({ data: { ...DATA, mode: null } }));
    refused(fleet, "UnknownField", propose({ patch: { batch: 9 }, priority: "high" }));
  });

  it("AlreadyExists: a name that is taken", () => {
    fleet.propose({ batch: 9 }, "taken");
    refused(fleet, "AlreadyExists", propose({ name: "taken", patch: { batch: 10 } }));
  });

  it("Overloaded: a queue that is full", () => {
    const full = Fleet.settled({ nodes: nodes(2) });
    full.reachable.clear();
    for (let i = 0; i < 64; i += 1) full.propose({ batch: 9 + (i % 50) }, `p-${i}`);
    const last = full.propose({ batch: 10 }, "one-too-many").outcome;
    expect(last).toMatchObject({ ok: false, code: "Overloaded", details: { limit: 64 } });
  });
});

describe("the leader's commands are checked again", () => {
  it("a trial starts only with entropy, in its turn, with enough nodes", () => {
    const fleet = Fleet.settled({ nodes: nodes(4) });
    fleet.propose({ batch: 9 }, "first");
    fleet.propose({ batch: 10 }, "second");
    const entropy = new Uint8Array(32).fill(7);
    const start = (name: string, change: JsonObject = {}, withEntropy = true): ApplyResult => {
      const proposalUid = fleet.proposal(name).metadata.uid;
      const body = { proposalUid, attempt: 1, reachable: [...fleet.nodeNames], ...change };
      return fleet.submit("trial-start", body, withEntropy ? { entropy } : {});
    };
    refused(fleet, "InvalidField", () => start("first", {}, false));
    refused(fleet, "Conflict", () => start("second"));
    refused(fleet, "Conflict", () => start("first", { attempt: 2 }));
    refused(fleet, "Unavailable", () => start("first", { reachable: ["node-01"] }));
    refused(fleet, "Retry", () => start("first", { candidateHash: "a".repeat(64) }));
    const candidateHash = fleet.proposal("first").status?.candidateHash ?? "";
    expect(start("first", { candidateHash }).outcome.ok).toBe(true);
    refused(fleet, "Conflict", () => start("first"));
  });

  it("a candidate that admission found broken ends Denied, and the next has its turn", () => {
    const fleet = Fleet.settled({ nodes: nodes(4) });
    fleet.propose({ batch: 9 }, "first");
    fleet.propose({ batch: 10 }, "second");
    const body = {
      proposalUid: fleet.proposal("first").metadata.uid,
      attempt: 1,
      reachable: [...fleet.nodeNames],
      candidateHash: fleet.proposal("first").status?.candidateHash ?? "",
      invalid: "data.batch must be >= 10",
    };
    const entropy = new Uint8Array(32).fill(7);
    expect(fleet.submit("trial-start", body, { entropy }).outcome.ok).toBe(true);
    expect(fleet.proposal("first").status).toMatchObject({
      phase: "Denied",
      reason: "SchemaViolation",
      message: "on top of version 1 the content breaks its schema: data.batch must be >= 10",
    });
    fleet.lead();
    expect(fleet.phase("second")).toBe("Trialing");
  });

  it("a deadline that is not due or not of this phase is ignored", () => {
    const fleet = Fleet.settled({
      nodes: nodes(4),
      policy: (spec) => {
        const policy = TEST_POLICY(spec);
        return { ...policy, trial: { ...policy.trial, maxPairs: 5, deadlineSeconds: 600 } };
      },
    });
    fleet.propose({ batch: 9 }, "first");
    fleet.lead();
    const { uid } = fleet.proposal("first").metadata;
    const before = fleet.machine.stateHash();
    const deadlineMs = fleet.proposal("first").status?.trial?.deadlineMs ?? 0;
    const ignored = (body: JsonObject): void => {
      expect(fleet.ok("deadline", body)).toHaveProperty("ignored");
    };
    ignored({ uid, phase: "Trialing", deadlineMs });
    fleet.nowMs = deadlineMs;
    ignored({ uid, phase: "Voting", deadlineMs });
    ignored({ uid, phase: "Trialing", deadlineMs: deadlineMs - 1 });
    expect(fleet.machine.stateHash()).toBe(before);
    expect(fleet.ok("deadline", { uid, phase: "Trialing", deadlineMs })).not.toHaveProperty(
      "ignored",
    );
    expect(fleet.phase("first")).toBe("Inconclusive");
  });
});

describe("enrolment", () => {
  const key = toBase64(new Uint8Array(32).fill(1));
  const hash = "ab".repeat(32);
  const token = (fleet: Fleet, change: JsonObject = {}): ApplyResult =>
    fleet.submit("join-token", {
      tokenHash: hash,
      expiresAtMs: fleet.nowMs + 1_000,
      class: "gpu",
      ownerGroup: "ops",
      pool: "main",
      ...change,
    });
  const join = (fleet: Fleet, change: JsonObject = {}): ApplyResult =>
    fleet.submit("enroll-node", {
      node: "fresh",
      publicKey: key,
      tokenHash: hash,
      targets: [],
      signals: [],
      agentVersion: "1",
      ...change,
    });

  it("refuses unknown, expired, used and foreign tokens, and keys of another length", () => {
    const fleet = new Fleet({ nodes: nodes(1) });
    refused(fleet, "TokenInvalid", () => join(fleet));
    refused(fleet, "InvalidField", () => token(fleet, { expiresAtMs: fleet.nowMs }));
    expect(token(fleet, { node: "fresh" }).outcome.ok).toBe(true);
    refused(fleet, "AlreadyExists", () => token(fleet));
    refused(fleet, "TokenInvalid", () => join(fleet, { node: "impostor" }));
    refused(fleet, "InvalidField", () => join(fleet, { publicKey: "AAAA" }));
    expect(join(fleet).outcome.ok).toBe(true);
    expect(fleet.machine.object("Node", "", "fresh")?.spec).toMatchObject({ class: "gpu" });
    refused(fleet, "TokenInvalid", () =>
      join(fleet, { publicKey: toBase64(new Uint8Array(32).fill(2)) }),
    );
    const before = fleet.machine.stateHash();
    expect(join(fleet).outcome).toMatchObject({ ok: true, value: { changed: false } });
    expect(fleet.machine.stateHash()).toBe(before);
    fleet.nowMs += 1_000;
    refused(fleet, "TokenExpired", () => join(fleet));
  });

  it("never takes class, owner group or pool from the node", () => {
    const fleet = new Fleet({ nodes: nodes(1) });
    token(fleet);
    refused(fleet, "UnknownField", () => join(fleet, { class: "privileged" }));
  });
});

describe("the frame around commands", () => {
  it("refuses everything but genesis before genesis, and genesis after it", () => {
    const fleet = new Fleet({ nodes: nodes(1) });
    const again = { clusterId: CLUSTER, namespaces: [] };
    refused(fleet, "AlreadyExists", () => fleet.submit("genesis", again));
  });

  it("answers Retry when something that admission read has moved", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const policy = fleet.machine.object("Policy", NS, "standard");
    const revision = Number(policy?.metadata.resourceVersion);
    const key = `policies/${NS}/standard`;
    const body = {
      namespace: NS,
      config: "web",
      baseVersion: 1,
      patch: { batch: 9 },
      reason: "r",
    };
    refused(fleet, "Retry", () =>
      fleet.submit("propose", body, { readSet: [{ key, revision: revision - 1 }] }),
    );
    refused(fleet, "Retry", () =>
      fleet.submit("propose", body, { readSet: [{ key: `${key}-gone`, revision: 4 }] }),
    );
    const readSet = [
      { key, revision },
      { key: `${key}-gone`, revision: 0 },
    ];
    expect(fleet.submit("propose", body, { readSet }).outcome.ok).toBe(true);
  });

  it("refuses bodies that are no JSON, too deep or of another shape, for every command", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const types: CommandType[] = [
      "write",
      "propose",
      "vote",
      "veto",
      "agent-proposal",
      "calibration",
      "trial-start",
      "deadline",
      "advance-rollout",
      "acks",
      "enroll-node",
      "join-token",
      "rollback-rollout",
      "resume-rollout",
      "withdraw",
      "node-status",
      "release-quarantine",
    ];
    const bodies = ["", "{", "[]", "null", "7", '{"a":1,"a":2}', "{}", "[".repeat(500)];
    const before = fleet.machine.stateHash();
    for (const type of types) {
      for (const body of bodies) {
        const result = fleet.submit(type, utf8Encode(body));
        expect(result.outcome.ok).toBe(false);
        expect(result.requestId).not.toBe("");
      }
    }
    expect(fleet.machine.stateHash()).toBe(before);
  });
});

describe("writing objects", () => {
  const write = (fleet: Fleet, body: JsonObject): ApplyResult =>
    fleet.submit("write", { namespace: NS, ...body });

  it("keeps preconditions, references and namespaces", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const policy = fleet.machine.object("Policy", NS, "standard");
    const spec = policy?.spec as unknown as JsonObject;
    const replace = { op: "replace", kind: "Policy", name: "standard", object: { spec } };
    const uid = "00000000-0000-8000-8000-000000000000";
    refused(fleet, "Conflict", () => write(fleet, { ...replace, preconditions: { uid } }));
    const preconditions = { resourceVersion: "1" };
    refused(fleet, "Conflict", () => write(fleet, { ...replace, preconditions }));
    refused(fleet, "NotFound", () => write(fleet, { ...replace, name: "other" }));
    refused(fleet, "NotFound", () => write(fleet, { ...replace, op: "create", namespace: "none" }));
    refused(fleet, "AlreadyExists", () => write(fleet, { ...replace, op: "create" }));
    for (const [kind, name] of [
      ["Policy", "standard"],
      ["ConfigSchema", "inference"],
      ["Objective", "latency"],
    ] as const) {
      refused(fleet, "Conflict", () => write(fleet, { op: "delete", kind, name }));
    }
    const namespace = { op: "delete", kind: "Namespace", name: NS };
    refused(fleet, "Conflict", () => fleet.submit("write", namespace));
    refused(fleet, "Forbidden", () => write(fleet, { op: "delete", kind: "Vote", name: "x" }));
    const demoted = { ...(fleet.machine.object("Objective", NS, "latency")?.spec as object) };
    const object = { spec: { ...demoted, role: "guardrail" } as JsonObject };
    const objective = { op: "replace", kind: "Objective", name: "latency", object };
    refused(fleet, "InvalidField", () => write(fleet, objective));
  });

  it("refuses a Config that refers to nothing, breaks its schema, or takes another's target", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const create = (change: JsonObject): (() => ApplyResult) => {
      const object = { spec: configSpec(DATA, { target: "inference/other", ...change }) };
      return () => write(fleet, { op: "create", kind: "Config", name: "second", object });
    };
    refused(fleet, "NotFound", create({ schemaRef: "none" }));
    refused(fleet, "NotFound", create({ policyRef: "none" }));
    refused(fleet, "NotFound", create({ objectiveRefs: ["latency", "none"] }));
    refused(fleet, "InvalidField", create({ objectiveRefs: ["goodput"] }));
    refused(fleet, "SchemaViolation", create({ data: { batch: 0 } }));
    refused(fleet, "InvalidField", create({ data: "text" }));
    const taken = refused(fleet, "Conflict", create({ target: "inference/main" }));
    expect(taken.outcome).toMatchObject({ details: { rule: "OneConfigPerTarget" } });
    expect(create({})().outcome.ok).toBe(true);
  });

  it("makes no revision when nothing changes, and a generation only when spec does", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const read = () => fleet.machine.object("Policy", NS, "standard");
    const before = read();
    const spec = before?.spec as unknown as JsonObject;
    const replace = (object: JsonObject): ApplyResult =>
      write(fleet, { op: "replace", kind: "Policy", name: "standard", object });
    const { revision } = fleet.machine.meta();
    expect(replace({ spec }).outcome).toMatchObject({ ok: true, value: { changed: false } });
    expect(fleet.machine.meta().revision).toBe(revision);
    replace({ spec, metadata: { labels: { team: "a" } } });
    expect(read()?.metadata).toMatchObject({ generation: 1, labels: { team: "a" } });
    replace({ spec: { ...spec, quorum: 0.7 }, metadata: { labels: { team: "a" } } });
    expect(read()?.metadata).toMatchObject({ generation: 2, uid: before?.metadata.uid });
    expect(Number(read()?.metadata.resourceVersion)).toBe(revision + 2);
  });

  it("deletes a Config with its history, frees its nodes, and lets the name be used again", () => {
    const fleet = Fleet.settled({ nodes: nodes(3) });
    fleet.propose({ batch: 9 }, "p2");
    fleet.lead();
    const gone = { op: "delete", kind: "Config", name: "web" };
    refused(fleet, "Conflict", () => write(fleet, gone));
    fleet.vote(() => 0);
    fleet.settle();
    expect(write(fleet, gone).outcome.ok).toBe(true);
    expect(fleet.machine.objects("ConfigVersion", NS)).toEqual([]);
    expect(fleet.machine.objects("Vote", NS)).toEqual([]);
    expect([...fleet.machine.list("~trial/")]).toEqual([]);
    expect([...fleet.machine.list("~assign/")]).toEqual([]);
    fleet.create("Config", "web", configSpec(DATA));
    expect(fleet.config().status?.version).toBe(1);
  });

  it("refuses a policy that is not whole, so that nothing behind it meets one", () => {
    const fleet = Fleet.settled({ nodes: nodes(1) });
    const object = { spec: { quorum: 7 } };
    const body = { op: "create", kind: "Policy", name: "broken", object };
    refused(fleet, "InvalidField", () => write(fleet, body));
  });
});

describe("idempotency", () => {
  it("gives the first result for the same key and principal, and refuses another request", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const first = fleet.propose({ batch: 9 }, "once", { idempotencyKey: "k" });
    expect(first.outcome.ok).toBe(true);
    const before = fleet.machine.stateHash();
    const second = fleet.propose({ batch: 9 }, "once", { idempotencyKey: "k" });
    expect(second.outcome).toEqual(first.outcome);
    expect(second.changes).toEqual([]);
    expect(fleet.machine.stateHash()).toBe(before);
    refused(fleet, "Conflict", () => fleet.propose({ batch: 10 }, "two", { idempotencyKey: "k" }));
    const other = { idempotencyKey: "k", actor: "bob" };
    expect(fleet.propose({ batch: 11 }, "bobs", other).outcome.ok).toBe(true);
  });

  it("forgets after a day, a few per entry", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    for (let i = 0; i < 40; i += 1) {
      const spec = { signal: `s${i}`, direction: "lower", role: "guardrail" };
      const body = {
        op: "create",
        kind: "Objective",
        namespace: NS,
        name: `o${i}`,
        object: { spec },
      };
      expect(fleet.submit("write", body, { idempotencyKey: `k${i}` }).outcome.ok).toBe(true);
    }
    const count = (prefix: string): number => [...fleet.machine.list(prefix)].length;
    expect(count("~idem/")).toBe(40);
    fleet.nowMs += 86_400_000;
    for (let i = 0; i < 3; i += 1) {
      fleet.create("Objective", `later-${i}`, {
        signal: "x",
        direction: "lower",
        role: "guardrail",
      });
    }
    expect(count("~idem/")).toBe(0);
  });

  it("forgets Events after an hour", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    expect(fleet.machine.objects("Event").length).toBeGreaterThan(0);
    fleet.nowMs += 3_600_000;
    for (let i = 0; i < 10; i += 1) {
      fleet.create("Objective", `later-${i}`, {
        signal: "x",
        direction: "lower",
        role: "guardrail",
      });
    }
    expect(fleet.machine.objects("Event")).toEqual([]);
  });
});

describe("names that could be read in two ways", () => {
  it("do not mix up votes and vetoes of different proposals and Configs", () => {
    const fleet = Fleet.settled({
      nodes: [{ name: "x" }, { name: "a1-x" }, { name: "v2-x" }],
    });
    fleet.create("Config", "web-v2", configSpec(DATA, { target: "inference/other" }));
    for (const node of fleet.nodeNames) {
      fleet.ok("node-status", {
        node,
        targets: ["inference/main", "inference/other"],
        signals: ["goodput", "latencyMean"],
        agentVersion: "1",
      });
    }
    const manual = (node: string, config: string): ApplyResult => {
      const { uid, name } = fleet.config(config).metadata;
      const version = fleet.machine.object("ConfigVersion", NS, `${name}-v2`)?.spec;
      const document = fleet.vetoDocument(node, {
        configUid: uid,
        version: 2,
        contentHash: version?.contentHash ?? "",
        pinnedKeys: ["batch"],
        runsVersion: 1,
      });
      return fleet.signed("veto", document);
    };
    expect(fleet.decide({ batch: 9 }, "p", () => 0)).toBe("RollingOut");
    fleet.settle();
    expect(manual("v2-x", "web").outcome.ok).toBe(true);
    expect(fleet.propose({ batch: 12 }, "p-a1").outcome.ok).toBe(true);
    fleet.lead();
    fleet.vote(() => -0.2);
    expect(fleet.phase("p-a1")).toBe("RollingOut");
    fleet.settle();
    const votes = fleet.machine.objects("Vote", NS).map((one) => one.metadata.name);
    expect(votes).toHaveLength(6);
    expect(votes.filter((name) => name.startsWith("p-a1-a1-x"))).toHaveLength(2);
    const update = { namespace: NS, config: "web-v2", baseVersion: 1, reason: "r" };
    fleet.ok("propose", { ...update, name: "other", patch: { batch: 9 } });
    fleet.lead();
    fleet.vote(() => 0);
    fleet.settle();
    expect(manual("x", "web-v2").outcome.ok).toBe(true);
    const vetoes = fleet.vetoes();
    expect(vetoes.map((one) => one.spec.config)).toEqual(["web", "web-v2"]);
    expect(vetoes.every((one) => one.metadata.name.startsWith("web-v2-v2-x"))).toBe(true);
    const held = renderAssignments(fleet.machine, "x").assignments;
    expect(held.map((one) => one.version).sort((a, b) => a - b)).toEqual([1, 3]);
  });
});
