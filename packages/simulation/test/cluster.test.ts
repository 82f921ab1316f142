// The simulated cluster as a whole: it holds its promises, replays byte for byte, comes back to life
// after the faults, and the checkers find every seeded bug.
import { describe, expect, it } from "vitest";
import { CANARIES, runCluster } from "../src/index.ts";
import type { RunResult } from "../src/index.ts";
import { clusterCommand } from "../src/cli/cluster-command.ts";
import { parseOptions } from "../src/cli/options.ts";

async function output(args: readonly string[]): Promise<{ text: string; exitCode: number }> {
  const lines: string[] = [];
  const print = (line: string): void => void lines.push(line);
  const { exitCode } = await clusterCommand(parseOptions(args), { print, trace: print });
  return { text: lines.join("\n"), exitCode };
}

describe("30 seeds of the simulated cluster", () => {
  const results: Promise<readonly RunResult[]> = (async () => {
    const all: RunResult[] = [];
    for (let seed = 1; seed <= 30; seed += 1) {
      all.push(
        await runCluster({ seed, servers: 0, seconds: 15, machine: undefined, bug: undefined }),
      );
    }
    return all;
  })();

  it("violate no property", async () => {
    const failed = (await results).filter((result) => result.violation !== undefined);
    expect(failed.map(({ seed, violation }) => `${seed}: ${violation?.message}`)).toEqual([]);
  });

  it("serve every client again after the faults have ended", async () => {
    for (const { counts, scenario } of await results) {
      expect(counts.virtualSeconds).toBeLessThan(15 + 60);
      // Three operations of each client at least, finished after the healing.
      expect(counts.reads + counts.writes - counts.unknown).toBeGreaterThanOrEqual(
        3 * scenario.clients,
      );
    }
  });

  it("see elections, restarts, snapshots, losses and unknown outcomes", async () => {
    const all = await results;
    const sum = (of: (result: RunResult) => number): number =>
      all.reduce((total, result) => total + of(result), 0);
    expect(sum((r) => r.counts.terms)).toBeGreaterThan(60);
    expect(sum((r) => r.counts.starts)).toBeGreaterThan(60);
    expect(sum((r) => r.counts.snapshots)).toBeGreaterThan(1);
    expect(sum((r) => r.counts.lost)).toBeGreaterThan(500);
    expect(sum((r) => r.counts.unknown)).toBeGreaterThan(20);
    expect(sum((r) => r.counts.committed)).toBeGreaterThan(1_000);
  });
});

describe("a seed", () => {
  it("gives the same bytes in every run, events of the trace included", async () => {
    const args = ["--seeds", "3", "--seed", "40", "--seconds", "8", "--trace"];
    const first = await output(args);
    const second = await output(args);
    expect(first.text.length).toBeGreaterThan(10_000);
    expect(second.text).toBe(first.text);
  });

  it("gives another run than its neighbour", async () => {
    const run = (seed: number): Promise<RunResult> =>
      runCluster({ seed, servers: 3, seconds: 5, machine: "register", bug: undefined });
    const [one, two] = [await run(1), await run(2)];
    expect(one.counts.events).not.toBe(two.counts.events);
  });

  it("runs with the size of cluster that was asked for", async () => {
    const { scenario } = await runCluster({
      seed: 5,
      servers: 5,
      seconds: 2,
      machine: "register",
      bug: undefined,
    });
    expect(scenario.servers).toBe(5);
  });
});

/** Seeds within which each seeded bug must be found. */
const SEEDS_PER_CANARY = 60;

describe("the seeded bug", () => {
  for (const bug of CANARIES) {
    it(`${bug} is found within ${SEEDS_PER_CANARY} seeds`, async () => {
      let found: string | undefined;
      for (let seed = 1; seed <= SEEDS_PER_CANARY && found === undefined; seed += 1) {
        const result = await runCluster({
          seed,
          servers: 0,
          seconds: 20,
          machine: "register",
          bug,
        });
        found = result.violation?.property;
      }
      expect(found).toBeDefined();
      // An assertion inside the code under test would be luck; a checker has to see it.
      expect(found).not.toBe("no-crash");
    });
  }

  it("makes the command fail and print how to see it again", async () => {
    const { text, exitCode } = await output(["--seeds", "5", "--canary", "stale-reads"]);
    expect(exitCode).toBe(1);
    expect(text).toContain("violated: linearizable");
    expect(text).toMatch(
      /replay: +npm run sim -- --seeds 1 --seed \d+ --seconds 20 --canary stale-reads/,
    );
  });
});

describe("the command line", () => {
  it("refuses what it does not understand, naming option, limit and value", () => {
    expect(() => parseOptions(["--seeds", "0"])).toThrow(/--seeds must be .* from 1 to \d+, not 0/);
    expect(() => parseOptions(["--servers", "4"])).toThrow(/--servers must be one of 3, 5, not 4/);
    expect(() => parseOptions(["--speed"])).toThrow(/unknown option --speed/);
  });
});
