// Votes that do not count, with which code each is refused, and those that come too late.

import { beforeEach, describe, expect, it } from "vitest";
import { canonicalJson, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { TrialEvidence } from "@kingly/evidence";
import type { TrialOrder } from "@kingly/resources";
import type { ApplyResult } from "../src/index.ts";
import { Fleet, nodes } from "./support/fleet.ts";
import { refused } from "./support/refused.ts";

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
