// The set-up on the first `npm start` and `npm test`: the real script in a folder of its own, as real
// processes, with an npm on the PATH that does what the test wants.

import { createHash } from "node:crypto";
import { spawn, type ChildProcess } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../../scripts/ensure-deps.mjs", import.meta.url));
const POLL_MS = 10;
const PATIENCE_MS = 20_000;

// Notes each call, leaves something half done, and then ends as the file `plan.json` says.
const FAKE_NPM = `
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
const plan = JSON.parse(readFileSync("plan.json", "utf8"));
process.on("SIGTERM", () => process.exit(143));
appendFileSync("calls", JSON.stringify({ pid: process.pid, args: process.argv.slice(2) }) + "\\n");
mkdirSync("node_modules", { recursive: true });
writeFileSync("node_modules/half", "");
while (plan.gate && !existsSync(plan.gate)) await new Promise((go) => setTimeout(go, ${POLL_MS}));
if (plan.says) console.error(plan.says);
process.exitCode = plan.exit;
`;

interface Plan {
  readonly exit: number;
  readonly says?: string;
  /** npm takes until this file exists. */
  readonly gate?: string;
}

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

interface Run {
  readonly process: ChildProcess;
  readonly stderr: () => string;
  readonly ended: Promise<Ended>;
}

let root = "";
let runs: Run[] = [];

function at(...names: readonly string[]): string {
  return join(root, ...names);
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kingly-set-up-"));
  for (const folder of ["scripts", "bin"]) mkdirSync(at(folder));
  copyFileSync(SCRIPT, at("scripts", "ensure-deps.mjs"));
  writeFileSync(at("package-lock.json"), '{"lock": 1}');
  writeFileSync(at("bin", "npm.mjs"), FAKE_NPM);
  const program = `"${process.execPath}" "${at("bin", "npm.mjs")}"`;
  writeFileSync(at("bin", "npm"), `#!/bin/sh\nexec ${program} "$@"\n`, { mode: 0o755 });
  writeFileSync(at("bin", "npm.cmd"), `@${program} %*\r\n`);
  plan({ exit: 0 });
});

afterEach(async () => {
  for (const gate of ["open", "never"]) writeFileSync(at(gate), "");
  for (const run of runs) run.process.kill("SIGKILL");
  await Promise.all(runs.map(({ ended }) => ended));
  runs = [];
  rmSync(root, { recursive: true, force: true, maxRetries: 5 });
});

function plan(next: Plan): void {
  writeFileSync(at("plan.json"), JSON.stringify(next));
}

function start(path = `${at("bin")}${delimiter}${process.env["PATH"] ?? ""}`): Run {
  const child = spawn(process.execPath, [at("scripts", "ensure-deps.mjs")], {
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // `close` comes after the last line of output, also of an npm that outlives its run.
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code) => resolve({ code, stderr }));
  });
  const run = { process: child, stderr: () => stderr, ended };
  runs.push(run);
  return run;
}

function calls(): readonly { readonly pid: number; readonly args: readonly string[] }[] {
  if (!existsSync(at("calls"))) return [];
  const lines = readFileSync(at("calls"), "utf8").split("\n").slice(0, -1);
  return lines.map((line) => JSON.parse(line) as ReturnType<typeof calls>[number]);
}

function stamp(): string | undefined {
  const file = at("node_modules", ".kingly-lock-sha256");
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function digest(): string {
  return createHash("sha256")
    .update(readFileSync(at("package-lock.json")))
    .digest("hex");
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const startMs = performance.now();
  while (!holds()) {
    if (performance.now() - startMs > PATIENCE_MS) throw new Error(`still waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

const WAITING = "Another run is installing dependencies";

describe("the first run", () => {
  it("installs with npm ci, stamps only what is complete, and the next run does nothing", async () => {
    plan({ exit: 0, gate: "open" });
    const first = start();
    await until("npm runs", () => calls().length === 1);
    expect(stamp()).toBeUndefined();
    writeFileSync(at("open"), "");
    expect(await first.ended).toMatchObject({ code: 0 });
    expect(calls()[0]?.args[0]).toBe("ci");
    expect(stamp()).toBe(digest());
    expect(existsSync(at(".install-lock"))).toBe(false);

    expect(await start().ended).toEqual({ code: 0, stderr: "" });
    expect(calls()).toHaveLength(1);
  });

  it("says offline with a cold cache what is missing, and the next one tries again", async () => {
    plan({ exit: 1, says: "npm error code ENOTCACHED" });
    const { code, stderr } = await start().ended;
    expect(code).toBe(1);
    expect(stderr).toContain("npm error code ENOTCACHED");
    expect(stderr).toContain(
      "npm ci failed with exit code 1. The first run needs the package registry or a warm npm cache",
    );
    expect(stderr).not.toContain("    at ");
    // What npm left behind does not count as installed.
    expect(existsSync(at("node_modules", "half"))).toBe(true);
    expect(stamp()).toBeUndefined();
    expect(existsSync(at(".install-lock"))).toBe(false);

    plan({ exit: 0 });
    expect(await start().ended).toMatchObject({ code: 0 });
    expect(calls()).toHaveLength(2);
    expect(stamp()).toBe(digest());
  });

  it.skipIf(process.platform === "win32")("says when there is no npm", async () => {
    const { code, stderr } = await start(at("nowhere")).ended;
    expect(code).toBe(1);
    expect(stderr).toContain("npm could not be started (spawn npm ENOENT). Is it on the PATH?");
    expect(existsSync(at(".install-lock"))).toBe(false);
  });

  it.skipIf(process.platform === "win32")("takes npm with it when it is stopped", async () => {
    plan({ exit: 0, gate: "never" });
    const run = start();
    await until("npm runs", () => calls().length === 1);
    run.process.kill("SIGTERM");
    const { code, stderr } = await run.ended;
    expect(code).toBe(1);
    expect(stderr).toContain("npm ci was stopped by SIGTERM");
    expect(stamp()).toBeUndefined();
    expect(existsSync(at(".install-lock"))).toBe(false);
  });
});

describe("two first runs at once", () => {
  it("install once: the second waits, says so, and finds everything done", async () => {
    plan({ exit: 0, gate: "open" });
    const both = [start(), start()];
    await until("one waits", () => both.some((run) => run.stderr().includes(WAITING)));
    await until("the other installs", () => calls().length === 1);
    writeFileSync(at("open"), "");
    expect((await Promise.all(both.map(({ ended }) => ended))).map(({ code }) => code)).toEqual([
      0, 0,
    ]);
    expect(calls()).toHaveLength(1);
    expect(stamp()).toBe(digest());
    expect(existsSync(at(".install-lock"))).toBe(false);
  });

  it("do not share a failure: the second tries for itself", async () => {
    plan({ exit: 1, gate: "open" });
    const first = start();
    await until("npm runs", () => calls().length === 1);
    const second = start();
    await until("the second waits", () => second.stderr().includes(WAITING));
    plan({ exit: 0 });
    writeFileSync(at("open"), "");
    expect(await first.ended).toMatchObject({ code: 1 });
    expect(await second.ended).toMatchObject({ code: 0 });
    expect(calls()).toHaveLength(2);
    expect(stamp()).toBe(digest());
  });
});

describe("a run that was killed with -9", () => {
  it("is not waited for, but its npm is: never two at work in one folder", async () => {
    plan({ exit: 0, gate: "open" });
    const killed = start();
    const holder = at(".install-lock", "holder.json");
    await until("npm runs and is noted", () => {
      return calls().length === 1 && /"pids":\[\d+,\d+\]/.test(readFileSync(holder, "utf8"));
    });
    killed.process.kill("SIGKILL");
    await until("it is gone", () => killed.process.signalCode !== null);
    const heirs = [start(), start()];
    await until("both wait", () => heirs.every((run) => run.stderr().includes(WAITING)));
    expect(calls()).toHaveLength(1);

    plan({ exit: 0 });
    writeFileSync(at("open"), "");
    expect((await Promise.all(heirs.map(({ ended }) => ended))).map(({ code }) => code)).toEqual([
      0, 0,
    ]);
    // The orphan's work carries no stamp, so one of the heirs did it again.
    expect(calls()).toHaveLength(2);
    expect(stamp()).toBe(digest());
    expect(existsSync(at(".install-lock"))).toBe(false);
  });

  it("long ago and unsigned holds nobody up", async () => {
    mkdirSync(at(".install-lock"));
    const longAgo = new Date(Date.now() - 11 * 60 * 1000);
    utimesSync(at(".install-lock"), longAgo, longAgo);
    expect(await start().ended).toMatchObject({ code: 0 });
    expect(calls()).toHaveLength(1);
  });
});

describe("a changed lock file", () => {
  it("installs again, once; the content decides, not the time", async () => {
    await start().ended;
    const now = new Date();
    utimesSync(at("package-lock.json"), now, now);
    expect(await start().ended).toEqual({ code: 0, stderr: "" });
    expect(calls()).toHaveLength(1);

    writeFileSync(at("package-lock.json"), '{"lock": 2}');
    await start().ended;
    expect(calls()).toHaveLength(2);
    expect(stamp()).toBe(digest());
    await start().ended;
    expect(calls()).toHaveLength(2);
  });

  it("that fails to install leaves no stamp of the old one: going back installs again", async () => {
    await start().ended;
    writeFileSync(at("package-lock.json"), '{"lock": 2}');
    plan({ exit: 1 });
    expect(await start().ended).toMatchObject({ code: 1 });
    expect(stamp()).toBeUndefined();
    writeFileSync(at("package-lock.json"), '{"lock": 1}');
    plan({ exit: 0 });
    expect(await start().ended).toMatchObject({ code: 0 });
    expect(calls()).toHaveLength(3);
  });

  it("while npm works counts as not installed yet", async () => {
    plan({ exit: 0, gate: "open" });
    const run = start();
    await until("npm runs", () => calls().length === 1);
    writeFileSync(at("package-lock.json"), '{"lock": 2}');
    writeFileSync(at("open"), "");
    await run.ended;
    expect(stamp()).not.toBe(digest());
    await start().ended;
    expect(calls()).toHaveLength(2);
    expect(stamp()).toBe(digest());
  });
});
