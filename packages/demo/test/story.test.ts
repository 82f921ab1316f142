// The story repeats what the cluster decided, each thing once, and invents nothing.

import type { Proposal, Rollout, Veto, Vote } from "@kingly/resources";
import { describe, expect, it } from "vitest";
import { formatE, progressLine, Story } from "../src/story.ts";
import { plain, proposal } from "./support/proposals.ts";

function vote(decision: Vote["spec"]["decision"]): Vote {
  return {
    metadata: { name: `p1-a1-${decision}` },
    spec: {
      node: "node-5",
      decision,
      reason: "harm beyond the margin",
      evidence: {
        pairs: 10,
        objectives: [
          {
            objective: "latency",
            records: [
              { kind: "harm", pairs: 10, lnE: Math.log(250), sum: 4 },
              { kind: "nonInferior", pairs: 10, lnE: -9, sum: -4 },
            ],
          },
        ],
      },
    },
  } as unknown as Vote;
}

describe("the story", () => {
  it("says who proposed what, once", () => {
    const story = new Story(plain);
    const event = { kind: "Proposal", object: proposal({}) } as const;
    expect(story.tell(event)).toEqual([
      "PROPOSED p1 by agent node-1: batchWindowMs → 2 (measured)",
    ]);
    expect(story.tell(event)).toEqual([]);
  });

  it("tells the verdict with the votes that were counted", () => {
    const story = new Story(plain);
    story.tell({ kind: "Proposal", object: proposal({}) });
    const verdict = { votes: { accept: 3, reject: 1, abstain: 0 } };
    const object = proposal({
      phase: "RollingOut",
      committedVersion: 2,
      verdict: verdict as NonNullable<Proposal["status"]>["verdict"] & object,
    });
    expect(story.tell({ kind: "Proposal", object })).toEqual([
      "ACCEPTED 3 accept, 1 reject, 0 abstain; committed through Raft as version 2",
    ]);
  });

  it("shows the process that decided a vote", () => {
    const story = new Story(plain);
    expect(story.tell({ kind: "Vote", object: vote("Reject") })).toEqual([
      "VOTE node-5 Reject (10 pairs, latency E(harm) 2.5e+2)",
    ]);
    expect(story.tell({ kind: "Vote", object: vote("Abstain") })[0]).toContain(
      "harm beyond the margin",
    );
  });

  it("names what a vetoing node runs instead", () => {
    const object = {
      metadata: { name: "inference-v2-node-5" },
      spec: { node: "node-5", cause: "Voted", version: 2, message: "", runsVersion: 1, lnE: 0 },
    } as unknown as Veto;
    expect(new Story(plain).tell({ kind: "Veto", object })).toEqual([
      "VETO node-5 keeps version 1 instead of version 2 (Voted)",
    ]);
  });

  it("announces only stages that began", () => {
    const object = {
      metadata: { name: "inference-v2" },
      spec: { version: 2 },
      status: {
        phase: "Progressing",
        stage: 0,
        stages: [{ nodes: ["node-1"] }, { nodes: ["node-2"] }],
        confirmed: ["node-1"],
      },
    } as unknown as Rollout;
    expect(new Story(plain).tell({ kind: "Rollout", object })).toEqual([
      "ROLLOUT stage 1 of 2: node-1",
      "CONFIRMED node-1 measured version 2 and keeps it",
    ]);
  });
});

describe("numbers for people", () => {
  it("never print an E as zero or infinity", () => {
    expect(formatE(0)).toBe("1");
    expect(formatE(-50)).toBe("<0.001");
    expect(formatE(500)).toBe("1e217");
    expect(formatE(Math.log(42))).toBe("42");
  });

  it("show an effect in percent of the primary objective", () => {
    const objective = { objective: "latency", lnHarm: 0, lnNonInferior: 3, lnImprovement: 2 };
    const progress = {
      node: "node-1",
      proposalUid: "u",
      pairs: 4,
      droppedPairs: 0,
      objectives: [{ ...objective, meanLogRatio: Math.log(0.6) }],
    };
    expect(progressLine([progress])).toBe("node-1 4p -40% ok 20 harm 1");
  });
});
