// Soft state with an injected clock: leases, digests between servers, grace after an election.
import type { Clock } from "@kingly/base";
import { describe, expect, it } from "vitest";
import { NODE_LEASE_MS } from "../src/limits.ts";
import { SoftStore } from "../src/replica/soft-state.ts";

class TestClock implements Clock {
  ms = 1_000_000;
  nowMs(): number {
    return this.ms;
  }
  setTimer(): { cancel(): void } {
    throw new Error("not used");
  }
}

function store(memberId: string, clock: Clock): SoftStore {
  return new SoftStore({ memberId, clock, onAck: () => {} });
}

function beat(soft: SoftStore, node: string, incarnation = 1): void {
  const rest = { agentVersion: "1", targets: [], signals: [], active: [] };
  soft.reportHeartbeat({ node, incarnation, ...rest });
}

describe("soft state", () => {
  it("counts a node as reachable for one lease after its last heartbeat", () => {
    const clock = new TestClock();
    const soft = store("m1", clock);
    beat(soft, "n1");
    clock.ms += NODE_LEASE_MS - 1;
    soft.expire();
    expect([...soft.reachableNodes]).toEqual(["n1"]);
    clock.ms += 1;
    soft.expire();
    expect(soft.reachableNodes.size).toBe(0);
    expect(soft.heartbeat("n1")?.ageMs).toBe(NODE_LEASE_MS);
  });

  it("tells other servers what is new, once", () => {
    const clock = new TestClock();
    const [one, two] = [store("m1", clock), store("m2", clock)];
    beat(one, "n1");
    const digest = one.digest();
    expect(digest).toBeDefined();
    expect(one.digest()).toBeUndefined();
    expect(two.merge(digest ?? new Uint8Array(0))).toBe(true);
    expect(two.reachableNodes.has("n1")).toBe(true);
    expect(two.heartbeat("n1")?.server).toBe("m1");
    // What came from another server is not passed on: every server tells its own.
    expect(two.digest()).toBeUndefined();
  });

  it("does not let an old report of another server replace a newer one", () => {
    const clock = new TestClock();
    const [one, two] = [store("m1", clock), store("m2", clock)];
    beat(one, "n1", 1);
    const old = one.digest() ?? new Uint8Array(0);
    beat(two, "n1", 2);
    two.merge(old);
    expect(two.heartbeat("n1")).toMatchObject({ server: "m2", incarnation: 2 });
  });

  it("leaves a node alone that moved to another server when its old session ends", () => {
    const clock = new TestClock();
    const [one, two] = [store("m1", clock), store("m2", clock)];
    beat(one, "n1", 1);
    clock.ms += 10;
    beat(two, "n1", 2);
    one.merge(two.digest() ?? new Uint8Array(0));
    one.reportGone("n1");
    expect(one.reachableNodes.has("n1")).toBe(true);
    two.reportGone("n1");
    expect(two.reachableNodes.has("n1")).toBe(false);
  });

  it("gives nodes one full lease after an election", () => {
    const clock = new TestClock();
    const soft = store("m1", clock);
    beat(soft, "n1");
    clock.ms += NODE_LEASE_MS + 10;
    soft.expire();
    soft.grace();
    expect(soft.reachableNodes.has("n1")).toBe(true);
    clock.ms += NODE_LEASE_MS;
    soft.expire();
    expect(soft.reachableNodes.has("n1")).toBe(false);
  });

  it("refuses digests that are none", () => {
    const soft = store("m1", new TestClock());
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    for (const text of ["", "{", "null", "[]", '{"nodes":{}}', '{"nodes":[{}],"progress":[]}']) {
      expect(soft.merge(bytes(text))).toBe(false);
    }
  });
});
