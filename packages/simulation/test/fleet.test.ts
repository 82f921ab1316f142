// The simulated fleet: decisions end honestly whatever the change really does, with agents that crash
// and sessions that break, and the invariants hold at every step.
import { describe, expect, it } from "vitest";
import { STORIES, runFleet } from "../src/index.ts";
import type { FleetResult, Story } from "../src/index.ts";
import { FleetWatch } from "../src/fleet/fleet-watch.ts";
import type { SimNode } from "../src/fleet/sim-node.ts";

async function tell(story: Story, seeds: readonly number[]): Promise<readonly FleetResult[]> {
  const results: FleetResult[] = [];
  for (const seed of seeds) {
    const result = await runFleet({ seed, story });
    expect(result.violation?.message, `seed ${seed}`).toBeUndefined();
    results.push(result);
  }
  return results;
}

const phases = (results: readonly FleetResult[]): string[] => results.map(({ phase }) => phase);

describe("a fleet", () => {
  it("to which nothing is proposed neither votes nor vetoes", async () => {
    for (const { votes, vetoes } of await tell("default", [1, 2])) expect(votes + vetoes).toBe(0);
  });

  it("rejects a change that is worse everywhere, and nobody keeps it", async () => {
    const results = await tell("harmful", [1, 2, 3, 4]);
    expect(phases(results)).not.toContain("Completed");
    expect(phases(results)).toContain("Rejected");
    for (const { trialApplies } of results) expect(trialApplies).toBeGreaterThan(0);
  });

  it("commits a change that is better everywhere, without a veto", async () => {
    const results = await tell("harmless", [1, 2, 3, 4]);
    expect(phases(results)).toContain("Completed");
    expect(phases(results)).not.toContain("Rejected");
    for (const { vetoes } of results) expect(vetoes).toBe(0);
  });

  it("forces no node of the class that is harmed", async () => {
    const results = await tell("split", [1, 2, 3, 4, 5, 6]);
    expect(results.reduce((sum, { votes }) => sum + votes, 0)).toBeGreaterThan(20);
  });

  it("never assigns a change to the one node that voted against it", async () => {
    const results = await tell("odd-one", [1, 2, 3]);
    expect(phases(results)).toContain("Completed");
    // The standing veto of the node that was outvoted.
    expect(results.some(({ vetoes }) => vetoes > 0)).toBe(true);
  });

  it("vetoes a version that turns bad after its commit", async () => {
    const results = await tell("turns-bad", [1, 2, 3]);
    expect(results.some(({ vetoes }) => vetoes > 0)).toBe(true);
  });

  it("replays a seed exactly", async () => {
    const lines: string[][] = [[], []];
    for (const log of lines) await runFleet({ seed: 6, trace: (line) => log.push(line) });
    expect(lines[0]?.length).toBeGreaterThan(100);
    expect(lines[1]).toEqual(lines[0]);
  });

  it("knows all its stories", () => {
    expect([...STORIES].sort()).toEqual([
      "default",
      "harmful",
      "harmless",
      "odd-one",
      "split",
      "turns-bad",
    ]);
  });
});

describe("the observer of a fleet", () => {
  const content = (hash: string): { version: number; hash: string; data: { batch: number } } => ({
    version: 0,
    hash,
    data: { batch: 1 },
  });
  const nodeThat = (hash: string, state: string): SimNode =>
    ({ name: "n", alive: true, plant: { content: content(hash) }, active: [{ state }] }) as never;

  it("sees a content that nobody committed, found or wanted to try", () => {
    const watch = new FleetWatch();
    watch.found("n", content("as-found"));
    expect(() => watch.runs(nodeThat("x", "confirmed"), content("as-found"))).not.toThrow();
    expect(() => watch.runs(nodeThat("x", "confirmed"), content("x"))).toThrow(/neither committed/);
  });

  it("sees a candidate that stays after its trial", () => {
    const watch = new FleetWatch();
    watch.ordered("n", { candidate: { hash: "x" } } as never);
    watch.look([nodeThat("x", "trial")], 0);
    watch.look([nodeThat("x", "confirmed")], 1_000);
    expect(() => watch.look([nodeThat("x", "confirmed")], 20_000)).not.toThrow();
    expect(() => watch.look([nodeThat("x", "confirmed")], 60_000)).toThrow(/trial that is over/);
  });

  it("sees a revert that began late, and a document that counted twice", () => {
    const watch = new FleetWatch();
    const veto = (revertDelayMs: number): never =>
      ({ kind: "Veto", document: JSON.stringify({ revertDelayMs }) }) as never;
    expect(() => watch.wrote("n", veto(900))).not.toThrow();
    expect(() => watch.wrote("n", veto(1_500))).toThrow(/1500 ms after its evidence/);
    const result = { outcome: { ok: true }, changes: [{ type: "ADDED", key: "votes/a" }] } as never;
    expect(() => watch.submitted("n/1", result)).not.toThrow();
    expect(() => watch.submitted("n/1", result)).toThrow(/counted 2 times/);
  });
});
