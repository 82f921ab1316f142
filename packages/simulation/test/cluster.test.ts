// The simulated cluster as a whole: it holds its promises, replays byte for byte, comes back to life
// after the faults, in few long runs and in many short ones.
import { describe, expect, it } from "vitest";
import { FAULTS, runCluster } from "../src/index.ts";
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
        await runCluster({ seed, servers: 0, seconds: 15, machine: undefined, swarm: false }),
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
      runCluster({ seed, servers: 3, seconds: 5, machine: "register", swarm: false });
    const [one, two] = [await run(1), await run(2)];
    expect(one.counts.events).not.toBe(two.counts.events);
  });

  it("runs with the size of cluster that was asked for", async () => {
    const { scenario } = await runCluster({
      seed: 5,
      servers: 5,
      seconds: 2,
      machine: "register",
      swarm: false,
    });
    expect(scenario.servers).toBe(5);
  });
});

describe("200 seeds of the swarm", () => {
  const swarm = (seed: number): Promise<RunResult> =>
    runCluster({ seed, servers: 0, seconds: 3, machine: undefined, swarm: true });
  const results: Promise<readonly RunResult[]> = (async () => {
    const all: RunResult[] = [];
    for (let seed = 1; seed <= 200; seed += 1) all.push(await swarm(seed));
    return all;
  })();

  it("violate no property", async () => {
    const failed = (await results).filter((result) => result.violation !== undefined);
    expect(failed.map(({ seed, violation }) => `${seed}: ${violation?.message}`)).toEqual([]);
  });

  it("inflict every kind of fault, and each is absent from many", async () => {
    const all = await results;
    for (const kind of FAULTS) {
      const having = all.filter(({ scenario }) => scenario.faults.includes(kind)).length;
      expect(having, kind).toBeGreaterThan(10);
      if (kind !== "crash") expect(having, kind).toBeLessThan(150);
    }
  });

  it("see members change, joint configurations included", async () => {
    const changes = (await results).map(({ counts }) => counts.reconfigurations);
    expect(changes.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(50);
  });
});

describe("worker processes", () => {
  it("print the same bytes as one process", async () => {
    const args = ["--swarm", "--seeds", "12", "--seed", "7"];
    const one = await output([...args, "--jobs", "1"]);
    const three = await output([...args, "--jobs", "3"]);
    expect(one.text.split("\n")).toHaveLength(14);
    expect(three.text).toBe(one.text);
  });
});

describe("the command line", () => {
  it("refuses what it does not understand, naming option, limit and value", () => {
    expect(() => parseOptions(["--seeds", "0"])).toThrow(/--seeds must be .* from 1 to \d+, not 0/);
    expect(() => parseOptions(["--servers", "4"])).toThrow(/--servers must be one of 3, 5, not 4/);
    expect(() => parseOptions(["--speed"])).toThrow(/unknown option --speed/);
  });
});
