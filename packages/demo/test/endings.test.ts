// Counting how often the main job ends right: the real script, with a main job that prints what the test
// wants.

import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../../scripts/endings.mjs", import.meta.url));

const DEFAULT = { verdict: "Accepted", committedVersion: 2, confirmed: 4, vetoed: ["node-5"] };
const RIGHT = { exit: 0, last: JSON.stringify({ ...DEFAULT, seconds: 93 }) };

interface Ending {
  /** "KILL" = killed by a signal. */
  readonly exit: number | "KILL";
  readonly last: string;
}

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kingly-endings-"));
  const dist = join(root, "packages/demo/dist");
  for (const folder of [join(root, "scripts"), dist]) mkdirSync(folder, { recursive: true });
  copyFileSync(SCRIPT, join(root, "scripts/endings.mjs"));
  writeFileSync(join(root, "package.json"), '{"type": "module"}');
  // Takes the next ending of the list, notes its arguments, tells a story, ends.
  writeFileSync(
    join(dist, "main.js"),
    `import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
     const file = ${JSON.stringify(join(root, "endings.json"))};
     const [{ exit, last }, ...rest] = JSON.parse(readFileSync(file, "utf8"));
     writeFileSync(file, JSON.stringify(rest));
     appendFileSync(file + ".args", process.argv.slice(2).join(" ") + "\\n");
     process.stdout.write("  1.0s  a story\\n" + last + "\\n", () => {
       if (exit === "KILL") process.kill(process.pid, "SIGKILL");
       else process.exit(exit);
     });
     setInterval(() => 0, 1000);`,
  );
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function count(
  endings: readonly Ending[],
  ...args: readonly string[]
): { readonly code: number | null; readonly lines: readonly string[]; readonly stderr: string } {
  writeFileSync(join(root, "endings.json"), JSON.stringify(endings));
  const script = join(root, "scripts/endings.mjs");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: "utf8",
  });
  // Seconds are measured: their place is checked, their value is not.
  const lines = stdout
    .trimEnd()
    .replaceAll(/\b\d+\.\d s\b/g, "S s")
    .split("\n");
  return { code: status, lines, stderr };
}

describe("npm run endings", () => {
  it("tells of each run whether it was right, its seconds and its JSON line, then the count", () => {
    const none = { ...DEFAULT, confirmed: 5, vetoed: [], seconds: 90 };
    const wrong = { exit: 0, last: JSON.stringify(none) };
    const { code, lines } = count([RIGHT, wrong, RIGHT], "--runs", "3", "--at-least", "2");
    expect(lines).toEqual([
      `1/3 right S s ${RIGHT.last}`,
      `2/3 WRONG (confirmed is 5, not 4; vetoed is [], not ["node-5"]) S s ${wrong.last}`,
      `3/3 right S s ${RIGHT.last}`,
      "2 of 3 right, max S s",
    ]);
    expect(code).toBe(0);
    expect(readFileSync(join(root, "endings.json.args"), "utf8").split("\n")[0]).toBe(
      "--once --scenario default",
    );
  });

  it("fails below --at-least, which is nineteen of twenty unless told", () => {
    const wrong = { exit: 1, last: JSON.stringify({ ...DEFAULT, verdict: "TimedOut" }) };
    const few = count([RIGHT, wrong], "--runs", "2", "--at-least", "2");
    expect(few.code).toBe(1);
    expect(few.lines.at(-1)).toBe("1 of 2 right, max S s");
    expect(few.stderr).toContain("fewer than 2 runs of default ended right");
    const twenty = (right: number): readonly Ending[] =>
      Array.from({ length: 20 }, (_, at) => (at < right ? RIGHT : wrong));
    expect(count(twenty(19)).code).toBe(0);
    expect(count(twenty(18)).code).toBe(1);
    expect(count([wrong], "--runs", "1").code).toBe(1);
  });

  it("does not believe a right summary of a run that failed, nor a run without one", () => {
    const { lines } = count(
      [
        { ...RIGHT, exit: 1 },
        { ...RIGHT, exit: "KILL" },
        { exit: 1, last: "nothing was proposed in time" },
        { exit: 0, last: "null" },
      ],
      "--runs",
      "4",
    );
    expect(lines).toEqual([
      `1/4 WRONG (exit code 1) S s ${RIGHT.last}`,
      `2/4 WRONG (ended by SIGKILL) S s ${RIGHT.last}`,
      "3/4 WRONG (exit code 1; no JSON summary) S s nothing was proposed in time",
      "4/4 WRONG (no JSON summary) S s null",
      "0 of 4 right, max S s",
    ]);
  });

  it("knows what each scenario should come to", () => {
    const harmful = { verdict: "Rejected", committedVersion: 0, confirmed: 0, vetoed: [] };
    const harmless = { verdict: "Accepted", committedVersion: 2, confirmed: 5, vetoed: [] };
    for (const [scenario, summary] of Object.entries({ harmful, harmless })) {
      const ending = { exit: 0, last: JSON.stringify(summary) };
      const args = ["--scenario", scenario, "--runs"];
      expect(count([ending], ...args, "1").code).toBe(0);
      expect(count([RIGHT], ...args, "1").code).toBe(1);
      expect(count([ending], "--runs", "1").code).toBe(1);
    }
  });

  it("refuses wrong usage with the field, the limit and the value", () => {
    for (const [args, message] of [
      [["--runs", "0"], '--runs: "0" is no whole number from 1 to 1000'],
      [["--runs", "2", "--at-least", "3"], '--at-least: "3" is no whole number from 0 to 2'],
      [["--scenario", "toString"], '--scenario: "toString" is not one of default, harmful'],
      [["--often"], "Unknown option '--often'"],
    ] as const) {
      const { code, stderr } = count([], ...args);
      expect(stderr).toContain(message);
      expect(stderr).toContain("usage: npm run endings");
      expect(code).toBe(2);
    }
  });
});
