// The API over a real cluster of three servers: any server takes any call, also for agents.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { request as httpsRequest } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import { loadService } from "@kingly/protocol";
import type { ServerMessage } from "@kingly/protocol";
import { loadConfig } from "../../src/config.ts";
import type { ServerConfig } from "../../src/config.ts";
import { initCluster } from "../../src/init.ts";
import { startApi } from "../../src/api/index.ts";
import { startServer } from "../../src/server.ts";
import type { RunningServer } from "../../src/server.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { noLogger } from "@kingly/base";
import { CONFIG, DEFAULT, POLICY, SCHEMA, objective } from "./example.ts";
import { at, enrolNode, eventually, text } from "./support.ts";

let folder: string;
let token: string;
let authorityPem: string;
let configs: readonly ServerConfig[];
const servers: RunningServer[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kingly-api-"));
  const created = await initCluster({
    dir: folder,
    clusterId: "three",
    members: [{ id: "m1" }, { id: "m2" }, { id: "m3" }],
    nowMs: Date.now(),
    timing: { tickMs: 40, electionTicks: 12 },
  });
  configs = created.configs.map(loadConfig);
  token = created.adminToken;
  authorityPem = readFileSync(join(folder, "m1", "secrets", "ca.pem"), "utf8");
  servers.push(
    ...(await Promise.all(
      configs.map((config) => startServer({ config, logger: noLogger, startApi })),
    )),
  );
});

afterAll(async () => {
  for (const server of servers) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

function call(
  server: number,
  method: string,
  path: string,
  body?: JsonObject,
): Promise<{ readonly status: number; readonly body: JsonObject }> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: "127.0.0.1",
        port: servers[server]?.restPort,
        ca: authorityPem,
        agent: false,
        method,
        path,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          const content = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(content) as JsonObject });
        });
      },
    );
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

describe("three servers", () => {
  it("take writes anywhere, and every server reads them at once", async () => {
    await eventually("a leader", async () => {
      const { body } = await call(0, "GET", "/cluster/status");
      return text(body, "leaderId") !== "";
    });
    const objects: readonly (readonly [string, JsonObject])[] = [
      ["configschemas", SCHEMA],
      ["objectives", objective("latency")],
      ["objectives", objective("goodput", "guardrail")],
      ["policies", POLICY],
      ["configs", CONFIG],
    ];
    for (const [index, [plural, body]] of objects.entries()) {
      const made = await call(index % 3, "POST", `${DEFAULT}/${plural}`, body);
      expect([plural, made.status]).toEqual([plural, 201]);
      const name = text(made.body, "metadata", "name");
      for (const server of [0, 1, 2]) {
        const read = await call(server, "GET", `${DEFAULT}/${plural}/${name}`);
        expect([plural, server, read.status]).toEqual([plural, server, 200]);
      }
    }
  });

  it("let a node join through one server and hold its session on another", async () => {
    const leader = servers.findIndex((server) => server.replica.status().role === "leader");
    const [follower, other] = [0, 1, 2].filter((server) => server !== leader) as [number, number];
    const made = await call(follower, "POST", "/apis/kingly.dev/v1/jointokens", {
      class: "gpu",
      labels: { role: "inference" },
    });
    const joinToken = text(made.body, "token");
    const { AgentService } = loadService("agent");
    const ca = Buffer.from(authorityPem);
    const address = (server: number): string => `localhost:${servers[server]?.grpcPort}`;
    const fresh = new AgentService(address(follower), credentials.createSsl(ca));
    const who = { name: "edge-1", token: joinToken, signals: ["latencyMean"] };
    const { response: enrolled, key } = await enrolNode(fresh, who);
    fresh.close();
    expect(enrolled.servers).toEqual(configs[0]?.members.map((member) => member.address));

    const client = new AgentService(
      address(other),
      credentials.createSsl(ca, Buffer.from(key), Buffer.from(enrolled.certificatePem)),
    );
    const session = client.Session();
    const messages: ServerMessage[] = [];
    session.on("data", (message: ServerMessage) => messages.push(message));
    session.on("error", () => {});
    session.write({
      hello: {
        clusterId: "three",
        node: "edge-1",
        incarnation: 1,
        agentVersion: "0.1.0",
        targets: ["inference/main"],
        signals: ["latencyMean"],
        active: [],
      },
    });
    await eventually("a push with version 1", () =>
      messages.some((message) => {
        if (message.message !== "push") return false;
        const push = JSON.parse(message.push?.document.toString("utf8") ?? "{}") as JsonObject;
        return at(push, "assignments", 0, "version") === 1;
      }),
    );
    // The leader hears of the node through the other server's digests.
    await eventually("Ready everywhere", async () => {
      const { body } = await call(leader, "GET", "/apis/kingly.dev/v1/nodes/edge-1");
      return JSON.stringify(at(body, "status", "conditions")).includes('"Ready","status":"True"');
    });
    const config = await call(follower, "GET", `${DEFAULT}/configs/web`);
    session.write({
      ack: {
        nonce: "n",
        configUid: text(config.body, "metadata", "uid"),
        version: 1,
        generation: 1,
        state: "STATE_CONFIRMED",
      },
    });
    // A veto asked of one server reaches the node through the server that holds its session.
    const asked = await call(follower, "POST", `${DEFAULT}/configs/web/veto`, {
      node: "edge-1",
      reason: "drill",
    });
    expect(asked.status).toBe(202);
    await eventually("the request", () =>
      messages.some((message) => message.message === "vetoRequest"),
    );
    session.end();
    client.close();
  });
});
