// Words and numbers that a tired person could take for something else.
import { describe, expect, it } from "vitest";
import type { VetoExplanation } from "@kingly/decision";
import { runClusterStatus } from "../src/commands/cluster.ts";
import { explainProposal, explainVeto } from "../src/printers/explanation.ts";
import { formatShare } from "../src/printers/numbers.ts";
import type { Session } from "../src/session.ts";

const VETO: VetoExplanation = {
  veto: { namespace: "default", name: "web-v2-node-1" },
  node: "node-1",
  class: "gpu",
  version: 2,
  cause: "Manual",
  message: "loud",
  active: true,
  pinnedKeys: [],
  runsVersion: 0,
  expiresAtMs: 1_000,
  harmE: 1,
  pairs: 0,
  objectives: [],
};

describe("shares", () => {
  it("never look like a quorum that was missed", () => {
    expect([0.5996, 0.6, 2 / 3, 0.58, 1, 0].map(formatShare)).toEqual([
      "59.9%",
      "60%",
      "66.6%",
      "58%",
      "100%",
      "0%",
    ]);
  });
});

describe("why", () => {
  it("says of a running trial which way its effects go", () => {
    const progress = (objective: string, meanLogRatio: number) => ({
      objective,
      meanLogRatio,
      lnHarm: 0,
      lnNonInferior: 0,
      lnImprovement: 0,
    });
    const text = explainProposal({
      proposal: { namespace: "default", name: "web-1", uid: "u" },
      phase: "Trialing",
      reason: "TrialStarted",
      message: "it is tried",
      changes: [],
      queuePosition: 0,
      votes: [],
      missing: ["node-1"],
      lateVotes: [],
      vetoes: [],
      progress: [
        {
          node: "node-1",
          proposalUid: "u",
          pairs: 7,
          droppedPairs: 0,
          objectives: [progress("latency", Math.log(1.05)), progress("goodput", Math.log(0.9))],
        },
      ],
    });
    expect(text).toMatch(/NODE +PAIRS +OBJECTIVE +EFFECT /);
    expect(text).toMatch(/node-1 +7 +latency +5\.0% worse /);
    expect(text).toMatch(/ goodput +10\.0% better /);
  });

  it("does not say that a node runs what it ran under a veto that is over", () => {
    expect(explainVeto(VETO, 0)).toContain(
      "Veto: node-1 (gpu) runs what it was found with instead of version 2",
    );
    expect(explainVeto({ ...VETO, active: false }, 0)).toContain(
      "Veto, over: node-1 (gpu) ran what it was found with instead of version 2",
    );
  });
});

describe("cluster status without a leader", () => {
  it("says what does not work, on standard error, with exit code 1", async () => {
    const status = { clusterId: "c", memberId: "m2", role: "follower", leaderId: "", members: [] };
    let err = "";
    const session = {
      client: { raw: () => Promise.resolve({ text: JSON.stringify(status) }) },
      io: { stdout: { write: () => {} }, stderr: { write: (text: string) => (err += text) } },
    };
    const code = await runClusterStatus(session as unknown as Session, { output: "json" });
    expect([code, err]).toEqual([1, "m2 knows no leader: nothing can be written until it does\n"]);
  });
});
