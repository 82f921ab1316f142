// The main job as scenarios: propose, try, vote, commit, roll out, and the ways in which it ends
// otherwise.

import { describe, expect, it } from "vitest";
import { adoption, explainProposal, renderAssignments, renderNodeConfigs } from "../src/index.ts";
import { DATA, Fleet, NS, nodes } from "./support/fleet.ts";

const same = (): number => 0;
const events = (fleet: Fleet): string[] =>
  fleet.machine.objects("Event", NS).map((event) => event.spec.reason);

describe("a change that most nodes accept", () => {
  const fleet = Fleet.settled({ nodes: nodes(5) });
  const worse = fleet.nodeNames[2] ?? "";

  it("commits with four Accept and one Reject", () => {
    const phase = fleet.decide({ batch: 16 }, "bigger", (node) => (node === worse ? 0.3 : 0));
    expect(phase).toBe("RollingOut");
    const verdict = fleet.proposal("bigger").status?.verdict;
    expect(verdict?.votes).toEqual({ accept: 4, reject: 1, abstain: 0 });
    expect(verdict?.outcome).toBe("Accepted");
    expect(fleet.config().status?.version).toBe(2);
    expect(fleet.config().spec.data).toEqual({ ...DATA, batch: 16 });
  });

  it("turns the one Reject into a standing veto and never assigns that node the version", () => {
    const [veto] = fleet.vetoes();
    expect(veto?.spec).toMatchObject({ node: worse, cause: "Voted", version: 2, runsVersion: 1 });
    expect(veto?.spec.lnE).toBeGreaterThan(4.6);
    const [assigned] = renderAssignments(fleet.machine, worse).assignments;
    expect(assigned).toMatchObject({ version: 1, heldByVeto: true });
    expect(assigned?.data).toEqual(DATA);
    expect(fleet.rollout(2).status?.excluded).toEqual([worse]);
  });

  it("rolls out in stages and completes when the other four have confirmed", () => {
    expect(fleet.rollout(2).status?.stages.map((stage) => stage.nodes.length)).toEqual([1, 1, 2]);
    fleet.settle();
    expect(fleet.rollout(2).status?.phase).toBe("Completed");
    expect(fleet.rollout(2).status?.confirmed).toHaveLength(4);
    expect(fleet.phase("bigger")).toBe("Completed");
    // The one that said no is named with the place where it did; nobody has vetoed in the rollout.
    expect(fleet.proposal("bigger").status?.message).toBe(
      `version 2 is confirmed by 4 node(s); voted no in the trial and never got it: ${worse}`,
    );
    const config = fleet.config();
    expect(adoption(fleet.machine, config)).toEqual({
      assigned: 4,
      applied: 4,
      confirmed: 4,
      vetoed: 1,
      failed: 0,
    });
    expect(config.status?.conditions.find((one) => one.type === "Synced")?.status).toBe("True");
    const states = renderNodeConfigs(fleet.machine).map((one) => one.status?.state);
    expect(states.filter((state) => state === "confirmed")).toHaveLength(4);
    expect(states.filter((state) => state === "vetoed")).toHaveLength(1);
  });

  it("explains itself with numbers", () => {
    const why = explainProposal(fleet.machine, NS, "bigger");
    expect(why?.changes).toEqual([{ key: "batch", from: 8, to: 16 }]);
    expect(why?.thresholds?.rejectE).toBeCloseTo(100);
    const lost = why?.votes.find((vote) => vote.node === worse);
    expect(lost?.decision).toBe("Reject");
    expect(lost?.objectives[0]?.effectPercent).toBeGreaterThan(20);
    expect(lost?.objectives[0]?.harmE).toBeGreaterThan(1);
    expect(why?.vetoes).toHaveLength(1);
    // The standing veto shows the same effect as the vote that it comes from.
    expect(why?.vetoes[0]?.objectives).toEqual(lost?.objectives);
  });

  it("records every transition as an Event", () => {
    for (const reason of ["Validated", "TrialStarted", "FirstVote", "Accepted", "StandingVeto"]) {
      expect(events(fleet)).toContain(reason);
    }
  });
});

describe("a harmful change", () => {
  const fleet = Fleet.settled({ nodes: nodes(5) });

  it("is rejected by measured harm and changes nothing", () => {
    expect(fleet.decide({ batch: 32 }, "harmful", () => 0.2)).toBe("Rejected");
    expect(fleet.proposal("harmful").status?.verdict?.reason).toBe("HarmMeasured");
    expect(fleet.config().status?.version).toBe(1);
    expect(renderAssignments(fleet.machine, "node-01").assignments[0]?.version).toBe(1);
  });

  it("is quarantined within one schema step, and what lies beyond is not", () => {
    for (const batch of [31, 32, 33]) {
      const { outcome } = fleet.propose({ batch }, `again-${batch}`);
      expect(outcome).toMatchObject({ ok: false, code: "Quarantined" });
    }
    const also = fleet.propose({ batch: 32, threads: 8 }, "with-more").outcome;
    expect(also).toMatchObject({ ok: false, code: "Quarantined" });
    expect(fleet.propose({ batch: 34 }, "further").outcome.ok).toBe(true);
  });

  it("can be proposed again once the quarantine is released", () => {
    fleet.ok("release-quarantine", {
      namespace: NS,
      config: "web",
      proposal: "harmful",
      reason: "the driver was fixed",
    });
    expect(fleet.propose({ batch: 32 }, "second-chance").outcome.ok).toBe(true);
  });
});

describe("an intent", () => {
  it("opens a proposal that is named in a warning and in status, and is synced after the commit", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    const { outcome } = fleet.replaceData({ ...DATA, batch: 12 });
    if (!outcome.ok) throw new Error(outcome.message);
    const name = fleet.config().status?.proposal ?? "";
    expect((outcome.value as { warnings: string[] }).warnings[0]).toContain(name);
    const synced = (): string | undefined =>
      fleet.config().status?.conditions.find((one) => one.type === "Synced")?.reason;
    expect(synced()).toBe("Proposed");
    expect(fleet.config().status?.version).toBe(1);
    fleet.advance(1_000);
    fleet.vote(same);
    expect(fleet.phase(name)).toBe("RollingOut");
    expect(synced()).toBe("Committed");
  });

  it("stays as written with the reason when it is rejected", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    fleet.replaceData({ ...DATA, batch: 12 });
    const name = fleet.config().status?.proposal ?? "";
    fleet.advance(1_000);
    fleet.vote(() => 0.25);
    expect(fleet.phase(name)).toBe("Rejected");
    expect(fleet.config().spec.data["batch"]).toBe(12);
    const synced = fleet.config().status?.conditions.find((one) => one.type === "Synced");
    expect(synced).toMatchObject({ status: "False", reason: "Rejected" });
  });

  it("gives way to a newer intent that is written before its trial", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    fleet.replaceData({ ...DATA, batch: 12 });
    const first = fleet.config().status?.proposal ?? "";
    fleet.replaceData({ ...DATA, batch: 14 });
    expect(fleet.phase(first)).toBe("Superseded");
    fleet.replaceData(DATA);
    const synced = fleet.config().status?.conditions.find((one) => one.type === "Synced");
    expect(synced?.status).toBe("True");
  });
});

describe("trials without a decision", () => {
  it("end inconclusive at the deadline when the quorum is missed", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    expect(fleet.propose({ batch: 9 }, "slow").outcome.ok).toBe(true);
    fleet.advance(1_000);
    const [first = ""] = fleet.asked();
    const order = fleet.orders(first)[0];
    if (order === undefined) throw new Error("no order");
    const evidence = fleet.measure(order, 0);
    fleet.nowMs += 7_200_000;
    expect(fleet.signed("vote", fleet.voteDocument(first, evidence)).outcome.ok).toBe(true);
    expect(fleet.phase("slow")).toBe("Voting");
    fleet.advance(order.deadlineMs - fleet.nowMs - 1);
    expect(fleet.phase("slow")).toBe("Voting");
    fleet.advance(1);
    expect(fleet.phase("slow")).toBe("Inconclusive");
    expect(fleet.proposal("slow").status?.verdict?.reason).toBe("QuorumMissed");
    expect(fleet.config().status?.version).toBe(1);
  });

  it("expire when no node can be asked within a day", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    fleet.reachable.clear();
    expect(fleet.propose({ batch: 9 }, "lonely").outcome.ok).toBe(true);
    fleet.advance(3_600_000);
    expect(fleet.phase("lonely")).toBe("Validated");
    fleet.advance(86_400_000);
    expect(fleet.phase("lonely")).toBe("Expired");
  });

  it("can be withdrawn, and the nodes are no longer asked", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    fleet.propose({ batch: 9 }, "regret");
    fleet.advance(1_000);
    expect(fleet.asked()).toHaveLength(5);
    const proposalUid = fleet.proposal("regret").metadata.uid;
    fleet.ok("withdraw", { proposalUid, reason: "wrong cluster" });
    expect(fleet.phase("regret")).toBe("Withdrawn");
    expect(fleet.asked()).toEqual([]);
    expect(fleet.decide({ batch: 10 }, "next", same)).toBe("RollingOut");
  });
});

describe("nodes that decline", () => {
  it("are replaced by another node of their class, at most twice per place", () => {
    const fleet = Fleet.settled({ nodes: nodes(9) });
    fleet.propose({ batch: 9 }, "declined");
    fleet.advance(1_000);
    const asked = fleet.asked();
    expect(asked).toHaveLength(5);
    let current = asked[0] ?? "";
    for (let i = 0; i < 2; i += 1) {
      const before = new Set(fleet.asked());
      fleet.signed(
        "vote",
        fleet.voteDocument(current, undefined, { declined: true, reason: "hot" }),
      );
      const [drawn = ""] = fleet.asked().filter((node) => !before.has(node));
      expect(drawn).not.toBe("");
      expect(asked).not.toContain(drawn);
      current = drawn;
    }
    fleet.signed("vote", fleet.voteDocument(current, undefined, { declined: true, reason: "hot" }));
    expect(fleet.asked()).toHaveLength(4);
    fleet.vote(same);
    expect(fleet.phase("declined")).toBe("RollingOut");
    const votes = fleet.proposal("declined").status?.verdict?.votes;
    expect(votes).toEqual({ accept: 4, reject: 0, abstain: 1 });
  });
});

describe("the queue of a Config", () => {
  it("tries one change at a time, rebases the others and supersedes what is already in effect", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    fleet.propose({ batch: 10 }, "first");
    fleet.propose({ threads: 6 }, "second");
    fleet.propose({ batch: 10 }, "twin");
    fleet.advance(1_000);
    expect([fleet.phase("first"), fleet.phase("second")]).toEqual(["Trialing", "Validated"]);
    fleet.vote(same);
    expect(fleet.phase("twin")).toBe("Superseded");
    expect(fleet.proposal("twin").status?.reason).toBe("AlreadyInEffect");
    expect(fleet.proposal("second").status?.reason).toBe("Rebased");
    fleet.lead();
    expect(fleet.phase("second")).toBe("Validated");
    fleet.settle();
    fleet.lead();
    expect(fleet.phase("second")).toBe("Trialing");
    fleet.vote(same);
    expect(fleet.config().spec.data).toEqual({ ...DATA, batch: 10, threads: 6 });
    expect(fleet.config().status?.version).toBe(3);
  });

  it("asks a rival of a measured version to show improvement", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    fleet.decide({ batch: 10 }, "measured", same);
    fleet.settle();
    fleet.propose({ batch: 20 }, "rival");
    fleet.lead();
    const why = explainProposal(fleet.machine, NS, "rival")?.thresholds;
    expect(why?.requireImprovement).toBe(true);
    expect(why?.improvementReason).toContain("version 2");
    fleet.vote(same);
    expect(fleet.phase("rival")).toBe("Inconclusive");
    fleet.propose({ batch: 21 }, "better");
    fleet.lead();
    fleet.vote(() => -0.2);
    expect(fleet.phase("better")).toBe("RollingOut");
  });

  it("spends beta on every trial of a key and resets the account with a confirmed commit", () => {
    const fleet = Fleet.settled({ nodes: nodes(5) });
    fleet.decide({ batch: 30 }, "one", () => 0.2);
    fleet.propose({ batch: 40 }, "two");
    fleet.lead();
    const second = explainProposal(fleet.machine, NS, "two")?.thresholds;
    expect(second?.trialNumber).toBe(2);
    expect(second?.beta).toBeCloseTo((0.05 * 6) / (Math.PI * Math.PI * 4));
    fleet.vote(same);
    expect(fleet.phase("two")).toBe("RollingOut");
    fleet.settle();
    fleet.propose({ batch: 50 }, "three");
    fleet.lead();
    expect(explainProposal(fleet.machine, NS, "three")?.thresholds?.trialNumber).toBe(1);
  });
});
