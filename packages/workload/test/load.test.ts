// The load: schedules as pure functions of a seed, and an open loop that charges for lateness.
import { describe, expect, it } from "vitest";
import { LATE_BURSTS_MAX, OUTSTANDING_MAX } from "../src/limits.ts";
import { LoadGenerator } from "../src/load/generator.ts";
import { PROFILE_NAMES, PROFILES } from "../src/load/profiles.ts";
import type { ProfileName } from "../src/load/profiles.ts";
import { Schedule } from "../src/load/schedule.ts";
import type { Burst } from "../src/load/schedule.ts";
import { LoadStats } from "../src/load/stats.ts";
import { threadCpuNanos } from "../src/load/thread-cpu.ts";
import { FakeClock } from "./support.ts";

function take(name: ProfileName, seed: number, count: number): readonly Burst[] {
  const schedule = new Schedule(PROFILES[name], seed);
  return Array.from({ length: count }, () => schedule.next());
}

describe("schedules", () => {
  it.each(PROFILE_NAMES)("of %s follow from the seed alone and never go back in time", (name) => {
    const bursts = take(name, 4, 200);
    expect(take(name, 4, 200)).toEqual(bursts);
    expect(take(name, 5, 200)).not.toEqual(bursts);
    bursts.forEach((burst, index) => {
      expect(burst.atMs).toBeGreaterThanOrEqual(bursts[index - 1]?.atMs ?? 0);
    });
  });

  it.each([
    ["dense", 192],
    ["dense-random", 192],
    ["dense-poisson", 192],
    ["dense-zipf", 192],
    ["sparse", 5],
  ] as const)("of %s bring about %i requests a second", (name, rate) => {
    const bursts = take(name, 1, 4_000);
    const requests = bursts.reduce((sum, burst) => sum + burst.texts.length, 0);
    const seconds = (bursts.at(-1)?.atMs ?? 0) / 1_000;
    expect(requests / seconds / rate).toBeGreaterThan(0.93);
    expect(requests / seconds / rate).toBeLessThan(1.07);
  });

  it("have the burst sizes their profile promises", () => {
    expect(new Set(take("dense", 1, 500).map((burst) => burst.texts.length))).toEqual(new Set([8]));
    const sizes = new Set(take("dense-random", 1, 500).map((burst) => burst.texts.length));
    expect([...sizes].sort((left, right) => left - right)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  it("never repeat a text, except from the catalogue, whose first texts come most often", () => {
    const unique = take("dense", 1, 500).flatMap((burst) => burst.texts);
    expect(new Set(unique).size).toBe(unique.length);
    const counts = new Map<string, number>();
    const drawn = take("dense-zipf", 1, 2_000).flatMap((burst) => burst.texts);
    for (const text of drawn) counts.set(text, (counts.get(text) ?? 0) + 1);
    expect(counts.size).toBeLessThanOrEqual(2_000);
    const common = [...counts.values()].sort((left, right) => right - left).slice(0, 100);
    const share = common.reduce((sum, count) => sum + count, 0) / drawn.length;
    expect(share).toBeGreaterThan(0.6);
    expect(share).toBeLessThan(0.85);
  });
});

describe("the open loop", () => {
  function setUp(): {
    clock: FakeClock;
    stats: LoadStats;
    open: ((ok: boolean) => void)[];
    generator: LoadGenerator;
    bursts: readonly Burst[];
  } {
    const clock = new FakeClock();
    const stats = new LoadStats();
    const open: ((ok: boolean) => void)[] = [];
    const schedule = new Schedule(PROFILES.dense, 9);
    const generator = new LoadGenerator(clock, schedule, (_, done) => open.push(done), stats);
    generator.start();
    return { clock, stats, open, generator, bursts: take("dense", 9, 100) };
  }

  it("sends on time whether or not the earlier requests were answered", () => {
    const { clock, stats, bursts } = setUp();
    clock.advance((bursts[2]?.atMs ?? 0) + 0.001);
    expect(stats.get("sent")).toBe(24);
    expect(stats.get("answered")).toBe(0);
  });

  it("measures latency from the scheduled time, so a stall of the sender is charged", () => {
    const { clock, stats, open, bursts } = setUp();
    clock.stall((bursts[0]?.atMs ?? 0) + 30);
    clock.advance(0);
    expect(open.length).toBeGreaterThanOrEqual(8);
    open[0]?.(true);
    expect(stats.get("latencyNanos") / 1e6).toBeCloseTo(30, 3);
  });

  it("drops and counts what is due while OUTSTANDING_MAX requests are unanswered", () => {
    const { clock, stats, open, generator, bursts } = setUp();
    clock.advance((bursts[19]?.atMs ?? 0) + 0.001);
    expect(generator.outstanding).toBe(OUTSTANDING_MAX);
    expect(stats.get("sent")).toBe(OUTSTANDING_MAX);
    expect(stats.get("dropped")).toBe(160 - OUTSTANDING_MAX);
    open[0]?.(false);
    expect(stats.get("failed")).toBe(1);
    expect(generator.outstanding).toBe(OUTSTANDING_MAX - 1);
  });

  it("does not send an avalanche after a long stall", () => {
    const clock = new FakeClock();
    const stats = new LoadStats();
    const schedule = new Schedule(PROFILES.sparse, 9);
    new LoadGenerator(clock, schedule, (_, done) => done(true), stats).start();
    clock.stall(60_000);
    clock.advance(0);
    expect(stats.get("sent")).toBe(LATE_BURSTS_MAX);
    expect(stats.get("dropped")).toBeGreaterThan(200);
  });

  it("sends nothing after stop", () => {
    const { clock, stats, generator } = setUp();
    generator.stop();
    clock.advance(10_000);
    expect(stats.get("sent")).toBe(0);
    expect(clock.timerCount).toBe(0);
  });
});

describe("counters", () => {
  it("are seen through the same shared memory", () => {
    const writer = new LoadStats();
    const reader = new LoadStats(writer.buffer);
    writer.add("sent", 3);
    writer.set("cpuNanos", 5_000_000_000_000.7);
    expect([reader.get("sent"), reader.get("cpuNanos")]).toEqual([3, 5_000_000_000_000]);
  });

  it.runIf(process.platform === "linux")(
    "know this thread's CPU time, which grows with work",
    () => {
      const before = threadCpuNanos() ?? NaN;
      let grown = before;
      let work = 0;
      while (grown <= before && work < 1e9) {
        for (let round = 0; round < 1e6; round++) work++;
        grown = threadCpuNanos() ?? NaN;
      }
      expect(grown).toBeGreaterThan(before);
    },
  );
});
