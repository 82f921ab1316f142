// Whatever arrives at the ports: garbage, strangers, expired tokens, and nodes with a valid certificate
// that lie. Each is refused with a code of its own, nothing changes, and the servers go on.

import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect as tcpConnect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as tlsConnect } from "node:tls";
import { utf8Encode, type JsonObject } from "@kingly/base";
import { loadContext, RestClient } from "@kingly/client";
import { generateSigningKey } from "@kingly/protocol";
import { createAuthority, issueCertificate } from "@kingly/protocol/pki";
import type { TrialOrder, Vote } from "@kingly/resources";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, mainOf } from "../harness/cluster.ts";
import { enroll, LyingNode, measured, type Connect, type Enrolled } from "../harness/liar.ts";
import { config, OBJECTIVE, policy, proposal, SCHEMA } from "../harness/manifests.ts";
import { joinToken, untilReachable } from "../harness/node.ts";
import { untilFinal } from "../harness/settled.ts";
import { until } from "../harness/until.ts";

let cluster: Cluster;
let door: Connect;
let first: Enrolled;
let second: Enrolled;

/** Long enough for every lie of this file, short enough to wait for its end. */
const DEADLINE_SECONDS = 20;

beforeAll(async () => {
  cluster = await Cluster.start();
  await cluster.create(SCHEMA, OBJECTIVE);
  await cluster.create(policy({ name: "quick", maxPairs: 30, deadlineSeconds: DEADLINE_SECONDS }));
  await cluster.create(config({ name: "work", policy: "quick" }));
  const { authority = "" } = loadContext(cluster.files.kubeconfig);
  door = { address: cluster.files.grpcAddresses[0] ?? "", authorityPem: authority };
  first = await enrolled("liar-1");
  second = await enrolled("liar-2");
});

afterAll(async () => {
  await cluster?.dispose();
});

async function enrolled(name: string): Promise<Enrolled> {
  const { token } = await joinToken(cluster, { node: name });
  return enroll(door, { name, token });
}

async function revision(): Promise<number> {
  return (await cluster.status(await cluster.leader())).revision;
}

/** Every server still runs as the same process and serves. */
async function expectUp(pids: readonly number[]): Promise<void> {
  expect(cluster.members.map((member) => cluster.server(member).pid)).toEqual(pids);
  expect(cluster.members.map((member) => cluster.isAlive(member))).toEqual([true, true, true]);
  await cluster.untilServing();
}

/** Sends bytes and waits until the other side has had enough, or has taken it all. */
function pour(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    socket.setTimeout(2_000, done);
    socket.on("error", done);
    socket.on("close", done);
    socket.on("data", () => undefined);
    socket.end(bytes);
  });
}

function plain(port: number, bytes: Buffer): Promise<void> {
  return pour(tcpConnect({ host: "127.0.0.1", port }), bytes);
}

/** The same inside TLS, without a client certificate. */
function inside(port: number, bytes: Buffer, protocol: string): Promise<void> {
  const options = { host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: [protocol] };
  return pour(tlsConnect(options), bytes);
}

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

describe("garbage on every port", () => {
  it("changes nothing, and all servers stay up", async () => {
    const pids = cluster.members.map((member) => cluster.server(member).pid);
    const before = await revision();
    for (const member of cluster.members) {
      const ready = cluster.server(member).lines.find((line) => "ready" in line)?.["ready"];
      const ports = Object.values(ready as Readonly<Record<string, number>>);
      expect(ports).toHaveLength(3);
      for (const port of ports) {
        await Promise.all([
          plain(port, randomBytes(8_192)),
          plain(port, Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n")),
          plain(port, Buffer.alloc(0)),
          inside(port, randomBytes(8_192), "h2"),
          inside(port, Buffer.concat([PREFACE, randomBytes(8_192)]), "h2"),
          inside(
            port,
            Buffer.from(`GET / HTTP/1.1\r\nx: ${"y".repeat(200_000)}\r\n\r\n`),
            "http/1.1",
          ),
          inside(
            port,
            Buffer.from("POST /apis HTTP/1.1\r\ncontent-length: -5\r\n\r\n{"),
            "http/1.1",
          ),
        ]);
      }
    }
    await expectUp(pids);
    expect(await revision()).toBe(before);
  });

  it("is refused by name where it comes as a request", async () => {
    const before = await revision();
    const context = loadContext(cluster.files.kubeconfig);
    const server = cluster.files.restUrls[1] ?? "";
    const stranger = new RestClient({ ...context, server, token: "kingly-not-a-token" });
    const nobody = new RestClient({ ...context, server, token: undefined });
    const scope = { kind: "Policy", namespace: "default" };
    await expect(stranger.list(scope)).rejects.toMatchObject({ code: "TokenInvalid" });
    await expect(nobody.list(scope)).rejects.toMatchObject({ code: "Unauthenticated" });
    await Promise.all([stranger.close(), nobody.close()]);
    const client = cluster.client(1);
    const wrong = { ...(config({ name: "wrong", policy: "quick" }) as Record<string, JsonObject>) };
    const create = (object: JsonObject): Promise<unknown> =>
      client.create({ kind: "Config", namespace: "default" }, object);
    const spec = wrong["spec"] as JsonObject;
    await expect(
      create({ ...wrong, spec: { ...spec, data: { rounds: 0, flavor: "x" } } }),
    ).rejects.toMatchObject({ code: "SchemaViolation" });
    await expect(create({ ...wrong, spec: { ...spec, target: 5 } })).rejects.toMatchObject({
      code: "InvalidField",
    });
    expect(await revision()).toBe(before);
  });
});

describe("an agent that does not belong here", () => {
  it("ends with WrongCluster when its token names another cluster's authority", async () => {
    const before = await revision();
    const { token } = await joinToken(cluster, { node: "lost" });
    const folder = join(cluster.dir, "nodes", "lost");
    mkdirSync(folder, { recursive: true });
    const foreign = `${token.slice(0, token.lastIndexOf("."))}.${"0".repeat(64)}`;
    const file = join(folder, "agent.json");
    const binding = {
      targets: { "work/main": { applier: { http: { url: "http://127.0.0.1:9" } } } },
    };
    const servers = [...cluster.files.grpcAddresses];
    writeFileSync(
      file,
      JSON.stringify({
        node: "lost",
        servers,
        stateDir: join(folder, "state"),
        joinToken: foreign,
        binding,
      }),
    );
    const agent = cluster.processes.launch("lost", [mainOf("agent"), "--config", file]);
    const exit = await until("its end", async () => (agent.alive ? false : agent.exited));
    expect(exit.code, agent.lastWords).not.toBe(0);
    expect(agent.lastWords).toMatch(/does not present the CA that the token names/);
    expect(await revision()).toBe(before);
  });

  it("is refused with WrongCluster or WrongNode by what it says, whatever its certificate", async () => {
    const before = await revision();
    for (const [claims, code] of [
      [{ clusterId: "another" }, "WrongCluster"],
      [{ node: "liar-2" }, "WrongNode"],
    ] as const) {
      const liar = new LyingNode(door, first);
      liar.greet(claims);
      await until(code, () => liar.error?.code === code);
      liar.close();
    }
    expect(await revision()).toBe(before);
  });

  it("gets no session with a certificate of another authority", async () => {
    const nowMs = Date.now();
    const { clusterId } = cluster.files;
    const authority = await createAuthority({ clusterId, nowMs });
    const identity = { kind: "node", clusterId, name: "liar-1" } as const;
    const issued = await issueCertificate(authority, { identity, nowMs });
    const liar = new LyingNode(door, { ...first, ...issued });
    liar.greet();
    await until("a refusal", () => liar.error !== undefined);
    expect(liar.error?.code).toMatch(/Unauthenticated|Unavailable/);
    expect(liar.messages).toEqual([]);
    liar.close();
  });

  it("is refused with TokenExpired, TokenInvalid and BadSignature when it enrols", async () => {
    const { token, expiresAtMs } = await joinToken(cluster, { node: "late", ttlSeconds: 1 });
    await until("the token's end", () => Date.now() > expiresAtMs + 200);
    const before = await revision();
    await expect(enroll(door, { name: "late", token })).rejects.toMatchObject({
      code: "TokenExpired",
    });
    const unknown = token.replace(/\.[A-Za-z0-9_-]{43}\./, `.${"x".repeat(43)}.`);
    expect(unknown).not.toBe(token);
    await expect(enroll(door, { name: "late", token: unknown })).rejects.toMatchObject({
      code: "TokenInvalid",
    });
    await expect(enroll(door, { name: "late", token: "kjt1.x" })).rejects.toMatchObject({
      code: "TokenInvalid",
    });
    expect(await revision()).toBe(before);
  });
});

describe("a lying node", () => {
  /** Every lie by the code that answers it. */
  function lies(
    liar: LyingNode,
    order: TrialOrder,
  ): readonly (readonly [string, () => Promise<string>])[] {
    const honest = measured(order, 0.6);
    const vote = (change: JsonObject = {}): JsonObject => liar.vote(order, honest, change);
    const tampered = JSON.parse(JSON.stringify(honest)) as {
      objectives: { records: JsonObject[] }[];
    };
    const raw = (kind: string, bytes: Uint8Array): Promise<string> =>
      liar.send({ kind, uid: `raw-${kind}-${bytes.length}`, bytes, signature: new Uint8Array(64) });
    // Numbers that add up, of more pairs than there was time for.
    const hasty = measured(order, 0, 2);
    expect(hasty.pairs).toBeGreaterThan(20);
    return [
      ["EvidenceMismatch", () => liar.submit(liar.vote(order, hasty))],
      ["BadSignature", () => liar.submit(vote(), generateSigningKey().privateKey)],
      ["BadSignature", () => liar.submit(vote(), second.signingKey)],
      ["WrongNode", () => liar.submit(vote({ node: second.name }), second.signingKey)],
      ["WrongCluster", () => liar.submit(vote({ clusterId: "another" }))],
      ["EvidenceMismatch", () => liar.submit(vote({ evidence: {} }))],
      ["EvidenceMismatch", () => liar.submit(vote({ decision: "Accept" }))],
      ["EvidenceMismatch", () => liar.submit(vote({ evidence: inflated(tampered) }))],
      ["Conflict", () => liar.submit(vote({ candidateHash: "0".repeat(64) }))],
      ["Conflict", () => liar.submit(vote({ attempt: 7 }))],
      ["NotFound", () => liar.submit(vote({ proposalUid: crypto.randomUUID() }))],
      ["UnknownKind", () => liar.submit(vote({ kind: "Verdict" }))],
      ["MalformedJson", () => raw("Vote", utf8Encode("{"))],
      ["DuplicateKey", () => raw("Vote", utf8Encode('{"kind":"Vote","kind":"Vote"}'))],
    ];
  }

  /** The same evidence with every logarithm of an E-value a little higher. */
  function inflated(evidence: object): JsonObject {
    const text = JSON.stringify(evidence, (name, value: unknown) =>
      name === "lnE" && typeof value === "number" ? value + 1 : value,
    );
    return JSON.parse(text) as JsonObject;
  }

  it("is refused with the lie's own code, an honest vote counts, and a late one does not", async () => {
    const pids = cluster.members.map((member) => cluster.server(member).pid);
    const liar = new LyingNode(door, first);
    // The other one is connected elsewhere: its words are forwarded to the leader.
    const address = cluster.files.grpcAddresses[1] ?? "";
    const other = new LyingNode({ ...door, address }, second);
    liar.greet();
    other.greet();
    await untilReachable(cluster, [first.name, second.name], true);
    await cluster.create(proposal({ name: "asked", config: "work", patch: { rounds: 40 } }));
    const order = await until("orders", () => (other.order() ? liar.order() : undefined));
    expect(order.proposal.name).toBe("asked");
    const before = await revision();
    for (const [at, [code, lie]] of lies(liar, order).entries()) {
      expect([at, await lie()]).toEqual([at, code]);
      expect([at, await revision()]).toEqual([at, before]);
    }
    const evidence = measured(order, 0.6);
    const neededMs = evidence.pairs * 2_000 * (order.blockSeconds + order.washoutSeconds);
    await until("time for so many pairs", () => Date.now() > order.startedAtMs + neededMs);
    const honest = liar.vote(order, evidence);
    expect(await liar.submit(honest)).toBe("");
    const counted = await revision();
    expect(counted).toBeGreaterThan(before);
    // The same words again are the same vote; other words are no second vote.
    expect(await liar.submit(honest)).toBe("");
    expect(await liar.submit(liar.vote(order, measured(order, 0.5)))).toBe("AlreadyExists");
    expect(await revision()).toBe(counted);
    await untilFinal(cluster, "asked");
    const ended = await until("a quiet cluster", async () => {
      const [one, two] = [await revision(), await revision()];
      return one === two ? one : false;
    });
    expect(await other.submit(other.vote(order, measured(order, 0.6)))).toBe("LateVote");
    expect(await revision()).toBe(ended);
    const votes = await cluster.list<Vote>("Vote");
    expect(votes.map(({ spec }) => [spec.node, spec.decision])).toEqual([["liar-1", "Reject"]]);
    liar.close();
    other.close();
    await expectUp(pids);
  });

  it("loses its session when it reports for another node", async () => {
    const liar = new LyingNode(door, first);
    liar.greet({ incarnation: 2 });
    await until("a welcome", () => liar.messages.some((message) => message.welcome));
    const before = await revision();
    liar.write({ trialProgress: Buffer.from(JSON.stringify({ node: "liar-2" })) });
    await until("the end of the session", () => liar.error?.code === "WrongNode");
    expect(await revision()).toBe(before);
    liar.close();
  });
});
