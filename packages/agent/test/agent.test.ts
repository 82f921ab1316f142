// A whole agent in this process against a server and a target, all on loopback.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { JsonObject } from "@kingly/base";
import { checkEvidence } from "@kingly/evidence";
import type { TrialEvidence, TrialPlan } from "@kingly/evidence";
import { createAuthority } from "@kingly/protocol/pki";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadAgentConfig, Output, startAgent } from "../src/index.ts";
import type { Agent } from "../src/index.ts";
import { assignment, httpConfig, order } from "./support/documents.ts";
import { CLUSTER, FakeServer, FakeTarget, until } from "./support/servers.ts";

const FOUND = { window: 7 };
const V1 = { window: 0 };
const V2 = { window: 2 };

let folder = "";
let server: FakeServer;
let target: FakeTarget;
let agent: Agent | null = null;
let output: Output;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kingly-agent-"));
  server = await FakeServer.start();
  target = await FakeTarget.start(FOUND);
});

afterEach(async () => {
  await agent?.stop();
  agent = null;
  server.stop();
  await target.stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(more: JsonObject = {}): Promise<Agent> {
  const stateDir = join(folder, "state");
  const base = httpConfig({ target, servers: [server.address], stateDir, joinToken: server.token });
  const path = join(folder, "agent.json");
  await writeFile(path, JSON.stringify({ ...base, ...more }));
  output = new Output({ format: "json", level: "debug", write: () => {} });
  agent = await startAgent(await loadAgentConfig(path), output);
  return agent;
}

const saw = (event: string): number => output.past.filter((entry) => entry.event === event).length;

/** Enrolled, connected, version 1 confirmed. */
async function settled(): Promise<void> {
  await start();
  await until(() => server.connected, "connection");
  server.push(assignment(1, V1));
  await until(() => server.acks().includes("1:CONFIRMED"), "v1 confirmed");
}

describe("an agent", () => {
  it("enrols by token, greets, applies what it is assigned and acknowledges each step", async () => {
    await settled();
    expect(server.acks()).toEqual(["1:RECEIVED", "1:APPLIED", "1:CONFIRMED"]);
    expect(target.puts).toEqual([V1]);
    const hello = server.heard[0]?.hello;
    expect(hello).toMatchObject({ clusterId: CLUSTER, node: "n1", targets: ["inference/main"] });
    await until(
      () => server.heard.some((m) => m.heartbeat?.active[0]?.state === "confirmed"),
      "beat",
    );
    const page = await fetch(`http://127.0.0.1:${agent?.statusPort}/status`);
    expect(await page.json()).toMatchObject({ node: "n1", active: [{ version: 1 }] });
    const metrics = await fetch(`http://127.0.0.1:${agent?.statusPort}/metrics`);
    expect(await metrics.text()).toMatch(/^kingly_agent_connected 1$/m);
  });

  it("calibrates, runs a trial and votes with a signature and evidence that replicas accept", async () => {
    target.latency = (config) => (config["window"] === 2 ? 0.02 : 0.01);
    await settled();
    await until(() => server.of("Calibration").length > 0, "calibration");
    const trial = order(V2, { version: 1, data: V1 });
    server.order(trial);
    await until(() => server.of("Vote").length > 0, "vote");
    const vote = server.of("Vote")[0];
    expect(vote?.decision).toBe("Reject");
    const evidence = vote?.evidence as unknown as TrialEvidence;
    const checked = checkEvidence(evidence, trial.plan as unknown as TrialPlan);
    expect(checked).toMatchObject({ ok: true, decision: "reject" });
    expect(server.badSignatures).toEqual([]);
    await until(() => target.config["window"] === 0, "baseline");
    expect(server.heard.some((message) => message.trialProgress?.length)).toBe(true);
  });

  it("reverts by itself while it is cut off, and reports the veto when servers are back", async () => {
    target.latency = (config) => (config["window"] === 2 ? 0.03 : 0.01);
    await settled();
    await until(() => server.of("Calibration").length > 0, "calibration");
    server.push(assignment(2, V2));
    await until(() => server.acks().includes("2:APPLIED"), "v2 applied");
    server.stop();
    await until(() => saw("Vetoed") > 0, "veto");
    await until(() => target.config["window"] === 0, "revert");
    expect(server.of("Veto")).toEqual([]);
    await server.listen();
    await until(() => server.of("Veto").length > 0, "delivery");
    expect(server.of("Veto")[0]).toMatchObject({ version: 2, runsVersion: 1, cause: "Regression" });
    expect(server.of("Veto")[0]?.revertDelayMs).toBeLessThan(1_000);
    expect(server.badSignatures).toEqual([]);
  });

  it("reverts at once when the health check fails", async () => {
    await settled();
    server.push(assignment(2, V2));
    await until(() => server.acks().includes("2:APPLIED"), "v2 applied");
    target.healthy = false;
    await until(() => server.of("Veto").length > 0, "veto");
    expect(server.of("Veto")[0]?.cause).toBe("Tripwire");
    expect(target.config).toEqual(V1);
    target.healthy = true;
  });

  it("starts and keeps its node on a good content with no server at all", async () => {
    await settled();
    await agent?.stop();
    server.stop();
    target.config = { window: 99 };
    await start();
    await until(() => target.config["window"] === 0, "restore");
    expect(agent?.runtime.active).toMatchObject([{ version: 1, state: "confirmed" }]);
  });

  it("falls back to what was found when its record is lost", async () => {
    await settled();
    await agent?.stop();
    const state = join(folder, "state");
    await writeFile(join(state, "state"), "kingly-agent-state/1 0000\n{}");
    await writeFile(join(state, "state.previous"), "rubbish");
    await start();
    expect(saw("StateDamaged")).toBe(2);
    await until(() => target.config["window"] === 7, "as found");
  });

  it("delivers what was not answered again after a reconnect, with the same key", async () => {
    await settled();
    server.answers = false;
    await until(() => server.deliveries.size > 0, "calibration");
    server.stop();
    server.answers = true;
    await server.listen();
    await until(() => server.of("Calibration").length > 0, "delivery");
    expect([...server.deliveries.values()]).toEqual([2]);
    expect(server.sessions).toBe(2);
  });

  it("turns to another server when one is gone", async () => {
    const second = await FakeServer.start(server.authority);
    try {
      await start({ servers: [server.address, second.address] });
      await until(() => server.connected || second.connected, "connection");
      const [first, other] = server.connected ? [server, second] : [second, server];
      first.stop();
      await until(() => other.connected, "the other server");
    } finally {
      second.stop();
    }
  });

  it("refuses a server of another cluster, in greeting and in pushes", async () => {
    await start();
    await until(() => server.connected, "connection");
    const text = JSON.stringify({
      clusterId: "other",
      node: "n1",
      assignments: [assignment(1, V1)],
    });
    server.send({ push: { nonce: "x", document: Buffer.from(text) } });
    await until(() => server.nacks().length > 0, "refusal");
    expect(server.nacks()).toEqual(["1:WrongCluster"]);
    server.greets = "other";
    server.stop();
    await server.listen();
    await until(
      () => output.past.some((e) => JSON.stringify(e.fields).includes("WrongCluster")),
      "refusal",
    );
    expect(target.puts).toEqual([]);
  });

  it("gives its token to nobody but servers of the CA that the token names", async () => {
    const stranger = await createAuthority({ clusterId: CLUSTER, nowMs: Date.now() });
    const other = await FakeServer.start(stranger);
    try {
      // The token of our cluster, and a server of another CA.
      await expect(start({ servers: [other.address] })).rejects.toThrow(/CA that the token names/);
      expect(other.heard).toEqual([]);
      await expect(start({ joinToken: "kjt1.x" })).rejects.toThrow(/joinToken: must be kjt1/);
    } finally {
      other.stop();
    }
  });

  it("survives malformed messages of a server", async () => {
    await settled();
    server.send({ push: { nonce: "a", document: Buffer.from("{") } });
    server.send({
      push: { nonce: "b", document: Buffer.from('{"clusterId":"c-test","node":"n1"}') },
    });
    server.send({ trialOrder: Buffer.from("[]") });
    await until(
      () => output.past.filter((e) => e.message.startsWith("malformed")).length >= 3,
      "errors",
    );
    server.push(assignment(2, V2));
    await until(() => server.acks().includes("2:CONFIRMED"), "v2 confirmed");
  });
});
