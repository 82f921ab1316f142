// The mechanism of mutants: every one of the list fits the code as it is now, three are really hunted
// down in worker processes that run the built modules, and a harmless change survives.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { mutantsCommand, parseMutantOptions } from "../src/mutants/command.ts";
import { patched } from "../src/mutants/hooks.ts";
import { hunt } from "../src/mutants/hunt.ts";
import { MUTANTS } from "../src/mutants/list.ts";
import { change, patchesOf } from "../src/mutants/mutant.ts";
import type { Mutant } from "../src/mutants/mutant.ts";

const HARMLESS: Mutant = {
  name: "harmless",
  breaks: "nothing",
  seedsMax: 2,
  modules: change(
    "raft-ts/election.js",
    "const granted = !m.reject;",
    "const granted = m.reject === false;",
  ),
};

describe("the list of mutants", () => {
  it("has at least 25, each with a name of its own and a stated number of seeds", () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(25);
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    for (const { seedsMax, breaks } of MUTANTS) {
      expect(seedsMax).toBeGreaterThan(0);
      expect(breaks.length).toBeGreaterThan(20);
    }
  });

  for (const mutant of MUTANTS) {
    it(`can make ${mutant.name} in the built modules`, () => {
      for (const module of patchesOf(mutant)) {
        const before = readFileSync(new URL(module.url), "utf8");
        expect(patched(before, module)).toContain(module.patches[0]?.put);
      }
    });
  }

  it("refuses a change of text that fits nowhere or twice", () => {
    const make = (find: string): (() => string) => {
      return () => patched("a b b", { url: "file:///x.js", patches: [{ find, put: "c" }] });
    };
    expect(make("a")).not.toThrow();
    expect(make("b")).toThrow("file:///x.js has 2 times, not once: b");
    expect(make("d")).toThrow("file:///x.js has 0 times, not once: d");
  });
});

describe("the hunt", () => {
  const expected: readonly (readonly [string, string])[] = [
    ["ack-before-durable", "committed-on-quorum"],
    ["local-reads", "linearizable"],
    ["sessions-forgotten", "exactly-once"],
  ];
  for (const [name, property] of expected) {
    it(`kills ${name} by the checker of ${property}`, async () => {
      const mutant = MUTANTS.find((one) => one.name === name);
      expect(mutant).toBeDefined();
      if (mutant === undefined) return;
      const kill = await hunt(mutant);
      expect(kill.property).toBe(property);
      expect(kill.seeds).toBeLessThanOrEqual(mutant.seedsMax);
    });
  }

  it("lets a change survive that breaks nothing, and the command then fails", async () => {
    expect((await hunt(HARMLESS)).property).toBeUndefined();
    const lines: string[] = [];
    const options = { mutants: [HARMLESS], seeds: 1, verbose: false, help: false };
    expect(await mutantsCommand(options, 1, (line) => void lines.push(line))).toBe(1);
    expect(lines.join("\n")).toMatch(/harmless +SURVIVED +1\/1/);
    expect(lines.at(-1)).toBe("0 of 1 mutants killed");
  });

  it("fails when a changed module is never loaded", async () => {
    const modules = change("raft-ts/harness/run.js", "import", "import");
    await expect(hunt({ ...HARMLESS, modules })).rejects.toThrow(/not once|never loaded/);
  });
});

describe("the arguments of sim:mutants", () => {
  it("choose mutants and seeds, and are refused with option, limit and value", () => {
    const { mutants, seeds } = parseMutantOptions(["--only", "votes-twice", "--seeds", "9"]);
    expect(mutants.map(({ name }) => name)).toEqual(["votes-twice"]);
    expect(seeds).toBe(9);
    expect(parseMutantOptions([]).mutants).toHaveLength(MUTANTS.length);
    expect(() => parseMutantOptions(["--only", "nobody"])).toThrow(
      /--only must be one of .*not nobody/,
    );
    expect(() => parseMutantOptions(["--seeds", "0"])).toThrow(/from 1 to \d+, not 0/);
    expect(() => parseMutantOptions(["--fast"])).toThrow(/unknown option --fast/);
  });
});
