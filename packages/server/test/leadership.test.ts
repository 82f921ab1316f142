// Early elections when the leader's connection breaks: soon, repeated when in vain, and never against a
// leader that is there. The driver is played; the elections themselves are the core's and tested there.
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { noLogger } from "@kingly/base";
import { EARLY_ELECTIONS_MAX } from "../src/limits.ts";
import { Leadership } from "../src/replica/leadership.ts";
import type { LeadershipPorts } from "../src/replica/leadership.ts";
import type { Member } from "../src/transport/types.ts";

const member = (raftId: number): Member => {
  return { id: `server-${raftId}`, raftId, incarnation: "a", address: "", peerAddress: "" };
};
const SELF = member(2);
const LEADER = member(1);
const TICK_MS = 100;

let lead: number;
let campaigns: number;
/** What an election leads to. */
let elected: () => number;
let leadership: Leadership;

beforeEach(() => {
  vi.useFakeTimers();
  lead = LEADER.raftId;
  campaigns = 0;
  elected = () => 0;
  const driver = {
    basicStatus: () => ({ lead, state: "follower" }),
    forgetLeader: () => {
      lead = 0;
    },
    campaign: () => {
      campaigns += 1;
      lead = elected();
    },
  };
  leadership = new Leadership({
    self: SELF,
    timing: { tickMs: TICK_MS, electionTicks: 10, nodeLeaseMs: 1_000 },
    driver: driver as unknown as LeadershipPorts["driver"],
    leaders: { leads: false, leaderId: LEADER.raftId } as unknown as LeadershipPorts["leaders"],
    logger: noLogger,
    stalledMs: () => 0,
  });
});

afterEach(() => {
  leadership.stop();
  vi.useRealTimers();
});

describe("when the leader's connection breaks", () => {
  it("asks for votes within three ticks", () => {
    elected = () => SELF.raftId;
    leadership.peerLost(LEADER);
    expect([lead, campaigns]).toEqual([0, 0]);
    vi.advanceTimersByTime(3 * TICK_MS);
    expect([lead, campaigns]).toEqual([SELF.raftId, 1]);
    vi.advanceTimersByTime(100 * TICK_MS);
    expect(campaigns).toBe(1);
  });

  it("asks again when the votes were split, a bounded number of times", () => {
    leadership.peerLost(LEADER);
    vi.advanceTimersByTime(6 * TICK_MS);
    expect(campaigns).toBeGreaterThan(1);
    vi.advanceTimersByTime(100 * TICK_MS);
    expect(campaigns).toBe(EARLY_ELECTIONS_MAX);
  });

  it("leaves a leader alone that appeared meanwhile", () => {
    leadership.peerLost(LEADER);
    lead = 3;
    vi.advanceTimersByTime(100 * TICK_MS);
    expect(campaigns).toBe(0);
  });

  it("does nothing when another server's connection broke, or after the end", () => {
    leadership.peerLost(member(3));
    expect(lead).toBe(LEADER.raftId);
    leadership.stop();
    leadership.peerLost(LEADER);
    vi.advanceTimersByTime(100 * TICK_MS);
    expect([lead, campaigns]).toEqual([LEADER.raftId, 0]);
  });
});
