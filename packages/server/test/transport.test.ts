// What the peer listener lets in: only servers of this cluster, only well-formed frames. Everything
// else is refused and counted, and the server goes on.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { credentials } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { fromServiceError, loadService } from "@kingly/protocol";
import type { ForwardResponse, RaftFrameInput, RaftTransportClient } from "@kingly/protocol";
import { createAuthority, issueCertificate } from "@kingly/protocol/pki";
import type { IssuedCertificate } from "@kingly/protocol/pki";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningServer } from "../src/server.ts";
import { createCluster, eventually, write } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";

let cluster: Cluster;
let server: RunningServer;
let ca: Buffer;
const clients: RaftTransportClient[] = [];

async function secret(member: string, name: string): Promise<Buffer> {
  return readFile(join(cluster.dir, member, "secrets", name));
}

function client(issued: IssuedCertificate): RaftTransportClient {
  const creds = credentials.createSsl(
    ca,
    Buffer.from(issued.privateKeyPem),
    Buffer.from(issued.certificatePem),
  );
  const made = new (loadService("raft").RaftTransport)(`localhost:${server.peerPort}`, creds, {
    "grpc.use_local_subchannel_pool": 1,
  });
  clients.push(made);
  return made;
}

async function memberClient(): Promise<RaftTransportClient> {
  return client({
    certificatePem: (await secret("m2", "server.pem")).toString(),
    privateKeyPem: (await secret("m2", "server-key.pem")).toString(),
  });
}

/** Sends frames on a stream; the error that the server ended it with, "" when it ended well. */
function stream(from: RaftTransportClient, frames: readonly RaftFrameInput[]): Promise<string> {
  return new Promise((resolve) => {
    const call = from.control((error: ServiceError | null) => {
      resolve(error === null ? "" : fromServiceError(error).code);
    });
    call.on("error", () => {});
    for (const frame of frames) call.write(frame);
    call.end();
  });
}

function refused(): Promise<number> {
  return server.metrics.refusedFrames.get().then((metric) => {
    return metric.values.reduce((sum, value) => sum + value.value, 0);
  });
}

const ROUTE = { clusterId: "test-cluster", from: "m2", to: "m1" };
const MESSAGE = {
  type: 8,
  to: 1,
  from: 2,
  term: 1,
  logTerm: 0,
  index: 0,
  commit: 0,
  vote: 0,
  reject: false,
  rejectHint: 0,
  context: Buffer.alloc(0),
  entries: [],
  snapshot: null,
};

beforeAll(async () => {
  // Two of three members, so that there is a leader while m2's certificate plays the villain.
  cluster = await createCluster(3);
  ca = await secret("m1", "ca.pem");
  server = await cluster.start(0);
  await cluster.start(2);
  await cluster.leader();
});

afterAll(async () => {
  for (const one of clients) one.close();
  await cluster.close();
});

describe("the listener for other servers", () => {
  it("takes well-formed frames of a member", async () => {
    expect(await stream(await memberClient(), [])).toBe("");
  });

  it("refuses frames of another cluster, sender or receiver, and counts them", async () => {
    const before = await refused();
    const member = await memberClient();
    const messages = { messages: [MESSAGE] };
    expect(await stream(member, [{ ...ROUTE, clusterId: "other", messages }])).toBe("WrongCluster");
    expect(await stream(member, [{ ...ROUTE, from: "m3", messages }])).toBe("Forbidden");
    expect(await stream(member, [{ ...ROUTE, to: "m2", messages }])).toBe("Forbidden");
    expect(await refused()).toBe(before + 3);
  });

  it("refuses malformed frames and goes on", async () => {
    const member = await memberClient();
    const bad: readonly RaftFrameInput[] = [
      { ...ROUTE },
      { ...ROUTE, messages: { messages: [{ ...MESSAGE, type: 77 }] } },
      { ...ROUTE, messages: { messages: [{ ...MESSAGE, type: 0 }] } },
      { ...ROUTE, messages: { messages: [{ ...MESSAGE, from: 3 }] } },
      { ...ROUTE, messages: { messages: [{ ...MESSAGE, index: 2 ** 60 }] } },
    ];
    for (const [at, frame] of bad.entries()) {
      expect([at, await stream(member, [frame])]).toEqual([at, "MalformedFrame"]);
    }
    const chunk = { index: 999_999, term: 9, number: 0, data: Buffer.from("garbage"), last: true };
    const code = await stream(member, [{ ...ROUTE, snapshot: { ...chunk, sha256: "" } }]);
    expect(["MalformedFrame", "Corrupted"]).toContain(code);
    await write(server, "create", "still-here");
  });

  it("survives bytes that are no gRPC and no TLS at all", async () => {
    const socket = connect({
      port: server.peerPort,
      host: "127.0.0.1",
      ca,
      cert: await secret("m2", "server.pem"),
      key: await secret("m2", "server-key.pem"),
      ALPNProtocols: ["h2"],
      servername: "localhost",
    });
    await new Promise<void>((resolve) => {
      socket.on("error", () => resolve());
      socket.on("close", () => resolve());
      socket.resume();
      socket.write(Buffer.alloc(4_096, 0x5a));
    });
    await write(server, "create", "after-garbage");
  });

  it("lets no node certificate and no unknown member in", async () => {
    const authority = {
      certificatePem: ca.toString(),
      privateKeyPem: (await secret("m1", "ca-key.pem")).toString(),
    };
    for (const [kind, name] of [
      ["node", "node-1"],
      ["server", "m9"],
    ] as const) {
      const issued = await issueCertificate(authority, {
        identity: { kind, clusterId: "test-cluster", name },
        nowMs: Date.now(),
      });
      expect(await stream(client(issued), [])).toBe("Forbidden");
    }
    const foreign = await createAuthority({ clusterId: "test-cluster", nowMs: Date.now() });
    const issued = await issueCertificate(foreign, {
      identity: { kind: "server", clusterId: "test-cluster", name: "m2" },
      nowMs: Date.now(),
    });
    expect(await stream(client(issued), [])).toBe("Unavailable");
  });

  it("answers a forwarded write of an unknown type or cluster with an error, not a crash", async () => {
    const member = await memberClient();
    const forward = (change: object): Promise<ForwardResponse | undefined> =>
      new Promise((resolve) => {
        const actor = Buffer.from(JSON.stringify({ name: "x", method: "token", server: "m2" }));
        const request = { clusterId: "test-cluster", actor, command: "write", deadlineMs: 1_000 };
        member.forward({ ...request, ...change }, (_error, response) => resolve(response));
      });
    expect((await forward({ command: "explode" }))?.errorCode).toBe("MalformedFrame");
    expect((await forward({ clusterId: "other" }))?.errorCode).toBe("WrongCluster");
    expect((await forward({ actor: Buffer.from("{}") }))?.errorCode).toBe("MalformedFrame");
    const leads = server.replica.status().role === "leader";
    const expected = leads ? "MalformedJson" : "NotLeader";
    expect((await forward({ body: Buffer.from("{") }))?.errorCode).toBe(expected);
  });

  it("keeps its leader through all of this", async () => {
    const leader = await cluster.leader();
    await eventually("agreement", () => {
      return server.replica.status().leaderId === leader.replica.memberId;
    });
  });
});
