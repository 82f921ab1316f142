// What a leader refuses so that the group does not come to a stand (thesis sections 4.2.1, 4.4), and
// how a learner becomes fit to vote.
import { describe, expect, it } from "vitest";
import { logIndex } from "../src/index.ts";
import type { ConfChange } from "../src/index.ts";
import { many, one } from "./changes.ts";
import { Cluster, confState } from "./cluster.ts";
import type { Options } from "./cluster.ts";
import { CatchUp } from "../src/tracker/catch-up.ts";

const GUARDED: Options = { membershipGuard: true };

const refusal = (cluster: Cluster, cc: ConfChange): string | undefined => {
  const result = cluster.node(1).proposeConfChange(cc);
  cluster.settle();
  return result.ok ? undefined : result.reason;
};

/** Heartbeats and their answers for a number of ticks of node 1. */
const live = (cluster: Cluster, ticks: number): void => {
  for (let i = 0; i < ticks; i++) {
    cluster.tick(1);
    cluster.settle();
  }
};

describe("quorum", () => {
  it("the last voter cannot be removed", () => {
    const cluster = new Cluster([1], GUARDED);
    cluster.elect(1);
    expect(refusal(cluster, one("remove-node", 1))).toBe("conf-change-no-voters");
    expect(cluster.node(1).status().confState).toEqual(confState([1]));
  });

  it("a live voter cannot be removed when the rest would have no live majority; a dead one can", () => {
    const cluster = new Cluster([1, 2, 3], GUARDED);
    cluster.elect(1);
    cluster.isolated.add(3);
    live(cluster, 11);
    expect(refusal(cluster, one("remove-node", 2))).toBe("conf-change-loses-quorum");
    expect(refusal(cluster, one("remove-node", 3))).toBeUndefined();
    expect(cluster.node(1).status().confState).toMatchObject(confState([1, 2]));
  });

  it("both halves of a joint configuration need a live majority", () => {
    const cluster = new Cluster([1, 2, 3, 4, 5], GUARDED);
    cluster.elect(1);
    cluster.isolated.add(4).add(5);
    live(cluster, 11);
    const change = many("joint-implicit", ["remove-node", 2], ["remove-node", 3]);
    expect(refusal(cluster, change)).toBe("conf-change-loses-quorum");
  });

  it("the leader can remove itself and step down, when the others live", () => {
    const cluster = new Cluster([1, 2, 3], { ...GUARDED, stepDownOnRemoval: true });
    cluster.elect(1);
    expect(refusal(cluster, one("remove-node", 1))).toBeUndefined();
    expect(cluster.node(1).basicStatus()).toMatchObject({ state: "follower", lead: 0 });
    cluster.elect(2);
    expect(cluster.node(2).status().confState).toMatchObject(confState([2, 3]));
  });

  it("leaving a joint configuration is never refused for want of a live majority", () => {
    const cluster = new Cluster([1, 2, 3], GUARDED);
    cluster.elect(1);
    expect(refusal(cluster, many("joint-explicit", ["remove-node", 3]))).toBeUndefined();
    cluster.isolated.add(2);
    live(cluster, 11);
    expect(refusal(cluster, many("auto"))).toBeUndefined();
  });
});

describe("learners (thesis 4.2.1)", () => {
  it("a stranger cannot become a voter at once, alone or in a joint change", () => {
    const cluster = new Cluster([1, 2, 3], GUARDED);
    cluster.elect(1);
    expect(refusal(cluster, one("add-node", 4))).toBe("conf-change-voter-behind");
    const replace = many("auto", ["add-node", 4], ["remove-node", 3]);
    expect(refusal(cluster, replace)).toBe("conf-change-voter-behind");
  });

  it("a learner that is behind or silent cannot; one that keeps up can", () => {
    const cluster = new Cluster([1, 2, 3], GUARDED);
    cluster.elect(1);
    for (let i = 0; i < 20; i++) cluster.propose(1, `${i}`);
    cluster.settle();
    refusal(cluster, one("add-learner-node", 4));
    live(cluster, 11);
    expect(refusal(cluster, one("add-node", 4))).toBe("conf-change-voter-behind");
    cluster.add(4, confState([1, 2, 3]));
    live(cluster, 3);
    expect(refusal(cluster, one("add-node", 4))).toBeUndefined();
    expect(cluster.node(4).status().confState).toMatchObject(confState([1, 2, 3, 4]));
  });

  it("is told by status and event when a learner keeps up, and no more when it fell silent", () => {
    const cluster = new Cluster([1], GUARDED, [2]);
    cluster.elect(1);
    const catchUp = () =>
      cluster
        .node(1)
        .status()
        .progress.find((p) => p.id === 2)?.catchUp;
    live(cluster, 3);
    expect(catchUp()).toMatchObject({ ready: true });
    const event = cluster.peer(1).events.find((e) => e.kind === "learner-caught-up");
    expect(event).toMatchObject({ peer: 2, rounds: 2 });
    cluster.isolated.add(2);
    live(cluster, 11);
    expect(catchUp()).toMatchObject({ ready: false });
  });

  it("the leader promotes those it is asked to, on its own and one by one", () => {
    const autoPromote = (id: number): boolean => id !== 5;
    const cluster = new Cluster([1, 2, 3], { ...GUARDED, autoPromote }, [4, 5, 6]);
    cluster.elect(1);
    live(cluster, 10);
    expect(cluster.node(4).status().confState).toMatchObject(confState([1, 2, 3, 4, 6], [5]));
    expect(cluster.peer(1).events.filter((e) => e.kind === "learner-promoted")).toHaveLength(2);
    // Waiting for a promotion that is not wanted costs no entry.
    const { lastIndex } = cluster.node(1).status();
    live(cluster, 30);
    expect(cluster.node(1).status().lastIndex).toBe(lastIndex);
  });

  it("a new leader begins to count anew and promotes as well", () => {
    const cluster = new Cluster([1, 2, 3], { ...GUARDED, autoPromote: () => true }, [4]);
    cluster.elect(1);
    cluster.elect(2);
    expect(cluster.node(2).status().progress.at(-1)?.catchUp?.ready).toBe(false);
    for (let i = 0; i < 5; i++) {
      cluster.tick(2);
      cluster.settle();
    }
    expect(cluster.node(3).status().confState.voters).toEqual([1, 2, 3, 4]);
  });
});

describe("rounds of catch-up", () => {
  const at = (catchUp: CatchUp, tick: number, match: number, lastIndex: number): void => {
    catchUp.observe({ match: logIndex(match), lastIndex: logIndex(lastIndex), tick });
  };

  it("end when the learner has what the leader had at their beginning", () => {
    const catchUp = new CatchUp({ rounds: 2, roundTicks: 10 });
    at(catchUp, 0, 0, 100);
    at(catchUp, 20, 99, 150);
    expect(catchUp.rounds).toBe(0);
    at(catchUp, 40, 100, 160);
    expect(catchUp).toMatchObject({ rounds: 1, lastRoundTicks: 40 });
    at(catchUp, 45, 160, 162);
    expect(catchUp.isReady(45)).toBe(false);
    at(catchUp, 50, 162, 163);
    expect(catchUp.isReady(50)).toBe(true);
    expect(catchUp.isReady(61)).toBe(false);
  });

  it("a slow round starts the count again", () => {
    const catchUp = new CatchUp({ rounds: 2, roundTicks: 10 });
    at(catchUp, 0, 0, 1);
    at(catchUp, 5, 1, 2);
    at(catchUp, 30, 2, 3);
    at(catchUp, 31, 3, 4);
    expect(catchUp.isReady(31)).toBe(false);
    at(catchUp, 32, 4, 4);
    expect(catchUp.isReady(32)).toBe(true);
  });
});
