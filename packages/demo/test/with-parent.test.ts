// When the supervisor itself is killed with -9, nothing that it started stays: real processes, run from
// the built files, as a demonstration runs.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { STOP_GRACE_MS } from "../src/limits.ts";
import { Supervisor } from "../src/supervisor.ts";
import { alive, script } from "./support/processes.ts";

const POLL_MS = 20;
const PATIENCE_MS = 30_000;
const BUILT = new URL("../dist/", import.meta.url).href;

let folder = "";
let parents: ChildProcess[] = [];
let orphans: number[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kingly-orphans-"));
});
afterEach(() => {
  for (const parent of parents) parent.kill("SIGKILL");
  for (const pid of orphans.filter(alive)) process.kill(pid, "SIGKILL");
  parents = [];
  orphans = [];
  rmSync(folder, { recursive: true, force: true });
});

async function until(what: string, holds: () => boolean): Promise<number> {
  const startMs = performance.now();
  while (!holds()) {
    if (performance.now() - startMs > PATIENCE_MS) throw new Error(`still waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return performance.now() - startMs;
}

/** Runs the body in a process of its own with a `supervisor` in it; resolves with its children's pids. */
async function supervisorProcess(
  name: string,
  body: string,
): Promise<{ readonly parent: ChildProcess; readonly pids: Readonly<Record<string, number>> }> {
  const text = `
    import { createRequire } from "node:module";
    import { FLEET } from "${BUILT}fleet.js";
    import { startNodes } from "${BUILT}nodes.js";
    import { untilServing } from "${BUILT}run.js";
    import { prepareCluster, startServer } from "${BUILT}servers.js";
    import { Supervisor } from "${BUILT}supervisor.js";
    const client = createRequire("${BUILT}").resolve("@kingly/client");
    const { loadContext, RestClient } = await import(client);
    const folder = ${JSON.stringify(folder)};
    const supervisor = new Supervisor({ logFolder: folder, onDeath: console.error });
    const children = await (async () => { ${body} })();
    console.log(JSON.stringify(Object.fromEntries(children.map(({ name, pid }) => [name, pid]))));
  `;
  const parent = spawn(process.execPath, [script(folder, name, text)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  parents.push(parent);
  const lines = createInterface({ input: parent.stdout as NodeJS.ReadableStream });
  const first = await new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    parent.once("exit", (code, signal) => reject(new Error(`${name}: ${signal ?? code}`)));
  });
  const pids = JSON.parse(first) as Record<string, number>;
  orphans.push(...Object.values(pids));
  return { parent, pids };
}

const READY = `console.log('{"ready": 1}');`;

describe("children of a supervisor that is killed with -9", () => {
  it("all end: politely who can, at once who does not care, by force who refuses", async () => {
    const farewell = join(folder, "farewell");
    const files = {
      // Talks while it stops, although nobody reads any more, and takes a moment.
      polite: script(
        folder,
        "polite",
        `import { writeFileSync } from "node:fs";
         process.on("SIGTERM", (signal) => {
           for (let line = 0; line < 10; line += 1) {
             process.stdout.write("bye\\n");
             process.stderr.write("bye\\n");
           }
           setTimeout(() => {
             writeFileSync(${JSON.stringify(farewell)}, signal);
             process.exit(0);
           }, 50);
         });
         setInterval(() => 0, 1000); ${READY}`,
      ),
      careless: script(folder, "careless", `setInterval(() => 0, 1000); ${READY}`),
      threaded: script(
        folder,
        "threaded",
        `import { Worker } from "node:worker_threads";
         const worker = new Worker("setInterval(() => 0, 1000)", { eval: true });
         worker.once("online", () => { ${READY} });`,
      ),
      stubborn: script(
        folder,
        "stubborn",
        `process.on("SIGTERM", () => 0); setInterval(() => 0, 1000); ${READY}`,
      ),
    };
    const { parent, pids } = await supervisorProcess(
      "parent",
      `return Promise.all(Object.entries(${JSON.stringify(files)}).map(([name, file]) =>
         supervisor.start({ name, args: [file], readyKey: "ready" })));`,
    );
    expect(Object.keys(pids)).toEqual(Object.keys(files));
    expect(Object.values(pids).every(alive)).toBe(true);
    expect(existsSync(farewell)).toBe(false);

    parent.kill("SIGKILL");
    const pid = (name: string): number => pids[name] ?? 0;
    await until("the careless end", () => !alive(pid("careless")) && !alive(pid("threaded")));
    await until("the polite one ends", () => !alive(pid("polite")));
    expect(readFileSync(farewell, "utf8")).toBe("SIGTERM");
    const waitedMs = await until("the stubborn one ends", () => !alive(pid("stubborn")));
    expect(waitedMs).toBeLessThan(STOP_GRACE_MS + 5_000);
  });

  it("a real server, agent and workload go too, and the next start finds their data free", async () => {
    const fleet = `
      const files = await prepareCluster({ dir: folder, servers: 1 });
      const server = await startServer(supervisor, files, 0);
      const client = new RestClient(loadContext(files.kubeconfig));
      await untilServing(client, AbortSignal.timeout(${PATIENCE_MS}));
      await startNodes(FLEET.slice(0, 1), {
        dir: folder, supervisor, client, servers: files.grpcAddresses, tuner: false,
        onAgentLine: () => undefined,
      });
      const nodes = ["node-1", "node-1-workload"];
      return [server, ...nodes.map((name) => ({ name, pid: supervisor.pid(name) }))];`;
    for (const start of ["first", "second"]) {
      const { parent, pids } = await supervisorProcess(start, fleet);
      expect(Object.keys(pids)).toEqual(["server-1", "node-1", "node-1-workload"]);
      expect(Object.values(pids).every(alive)).toBe(true);
      parent.kill("SIGKILL");
      await until(`the fleet of the ${start} ends`, () => !Object.values(pids).some(alive));
    }
  });
});

describe("a child of a living supervisor", () => {
  it("ends by itself when it has nothing left to do: watching does not keep it", async () => {
    const end = await new Promise<string>((resolve, reject) => {
      const supervisor = new Supervisor({
        logFolder: folder,
        onDeath: (name, why) => resolve(`${name} ${why}`),
      });
      const file = script(folder, "brief", READY);
      supervisor.start({ name: "brief", args: [file], readyKey: "ready" }).catch(reject);
    });
    expect(end).toContain("brief ended with code 0");
  });
});
