// The agent as a process: kill -9 while it applies, a graceful stop, its memory at rest.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { JsonObject } from "@kingly/base";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assignment, httpConfig, order } from "./support/documents.ts";
import { FakeServer, FakeTarget, until } from "./support/servers.ts";

const MAIN = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const V1 = { window: 0 };
const V2 = { window: 2 };

let folder = "";
let server: FakeServer;
let target: FakeTarget;
let child: ChildProcess | null = null;
let lines: string[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kingly-process-"));
  server = await FakeServer.start();
  target = await FakeTarget.start({ window: 7 });
  expect(existsSync(MAIN), "build first: the process runs the compiled agent").toBe(true);
});

afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child?.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }
  server.stop();
  await target.stop();
  await rm(folder, { recursive: true, force: true });
});

async function run(
  edit: (config: JsonObject) => JsonObject = (config) => config,
): Promise<ChildProcess> {
  const stateDir = join(folder, "state");
  const path = join(folder, "agent.json");
  const parts = { target, servers: [server.address], stateDir, joinToken: server.token };
  await writeFile(path, JSON.stringify(edit(httpConfig(parts))));
  lines = [];
  const started = spawn(process.execPath, [MAIN, "--config", path, "--log-level", "debug"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let rest = "";
  started.stdout.on("data", (chunk: Buffer) => {
    rest += chunk.toString("utf8");
    const parts_ = rest.split("\n");
    rest = parts_.pop() ?? "";
    lines.push(...parts_);
  });
  child = started;
  await until(() => lines.some((line) => line.startsWith('{"ready"')), "ready line");
  return started;
}

async function settled(): Promise<ChildProcess> {
  const started = await run();
  await until(() => server.connected, "connection");
  server.push(assignment(1, V1));
  await until(() => server.acks().includes("1:CONFIRMED"), "v1 confirmed");
  return started;
}

async function ended(process_: ChildProcess): Promise<number | null> {
  if (process_.exitCode !== null) return process_.exitCode;
  return new Promise((resolve) => process_.once("exit", (code) => resolve(code)));
}

describe("kingly-agent as a process", () => {
  it("is put back on a good content by its next start when it is killed in a trial", async () => {
    const first = await settled();
    await until(() => server.of("Calibration").length > 0, "calibration");
    server.order(order(V2, { version: 1, data: V1 }));
    await until(() => target.config["window"] === 2, "the candidate");
    first.kill("SIGKILL");
    await ended(first);
    target.config = V2;
    const before = target.puts.length;
    await run();
    await until(() => target.puts.length > before, "the first apply");
    expect(target.puts[before]).toEqual(V1);
    await until(() => server.of("Vote").length > 0, "the vote");
    expect(server.of("Vote")[0]).toMatchObject({ decision: "Abstain", declined: false });
    expect(server.of("Vote")[0]?.reason).toMatch(/^Interrupted/);
  });

  it("is put back on a good content when it is killed while it applies a version", async () => {
    const first = await settled();
    const putsBefore = target.puts.length;
    server.push(assignment(2, V2));
    await until(() => target.puts.length > putsBefore, "the apply");
    first.kill("SIGKILL");
    await ended(first);
    const before = target.puts.length;
    await run();
    await until(() => target.puts.length > before, "the first apply");
    expect(target.puts[before]).toEqual(V1);
    // Then the version gets its next chance.
    await until(() => server.acks().includes("2:CONFIRMED"), "v2 confirmed");
  });

  it("ends an unconfirmed version on its last known good when it is told to stop, and leaves it", async () => {
    const process_ = await settled();
    const long = { ...assignment(2, V2).guard, soakSeconds: 600 };
    server.push(assignment(2, V2, { guard: long }));
    await until(() => server.acks().includes("2:APPLIED"), "v2 applied");
    process_.kill("SIGTERM");
    expect(await ended(process_)).toBe(0);
    expect(target.config).toEqual(V1);
  });

  it("rests below 90 MB", async () => {
    const process_ = await settled();
    await until(() => server.of("Calibration").length > 0, "calibration");
    const status = await readFile(`/proc/${process_.pid}/status`, "utf8").catch(() => "");
    if (status === "") {
      console.warn("skipped: no /proc on this system");
      return;
    }
    const kib = Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN);
    console.info(`agent at rest: ${Math.round(kib / 1024)} MiB resident`);
    expect(kib).toBeLessThan(90 * 1024);
  });

  it("says what is wrong with its file and ends with the code for usage", async () => {
    const path = join(folder, "bad.json");
    await writeFile(path, JSON.stringify({ node: "n1", servers: ["x"] }));
    const process_ = spawn(process.execPath, [MAIN, "--config", path], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    let text = "";
    process_.stderr.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
    expect(await ended(process_)).toBe(2);
    expect(text).toMatch(/servers\[0\]: must be host:port/);
  });
});
