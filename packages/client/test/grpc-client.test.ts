// The gRPC client against the real API of a server over a fake replica: retries, idempotency, watches.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KinglyError } from "@kingly/base";
import { loadService, toServiceError } from "@kingly/protocol";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { createExample, objective } from "../../server/test/api/example.ts";
import { TOKENS, TestApi, eventually } from "../../server/test/api/support.ts";
import { GrpcClient, backoffMs } from "../src/index.ts";
import type { GrpcClientOptions, ObjectEvent } from "../src/index.ts";
import { judge } from "../src/grpc-channel.ts";

let api: TestApi;
let client: GrpcClient;

const FAST: Pick<GrpcClientOptions, "random" | "clock"> = {
  random: () => 0,
  clock: {
    nowMs: () => Date.now(),
    setTimer: (_delayMs, fn) => {
      const timer = setTimeout(fn, 1);
      return { cancel: () => clearTimeout(timer) };
    },
  },
};

function connect(addresses: readonly string[], token: string = TOKENS.admin): GrpcClient {
  return new GrpcClient({ addresses, authority: api.authorityPem, token, ...FAST });
}

beforeAll(async () => {
  api = await TestApi.start();
  await createExample(api);
  client = connect([`127.0.0.1:${api.api.grpcPort}`]);
});

afterAll(async () => {
  client.close();
  await api.close();
});

const NS = "default";
const scope = { kind: "Objective", namespace: NS };

describe("reads", () => {
  it("gets and lists", async () => {
    const { object, revision } = await client.get({ ...scope, name: "latency" });
    expect(object.metadata.name).toBe("latency");
    expect(revision).toBe(api.replica.state.meta().revision);
    const { objects } = await client.list(scope, { limit: 1 });
    expect(objects.map((one) => one.metadata.name)).toEqual(["goodput", "latency"]);
  });

  it("serves stale reads with their age when there is no leader", async () => {
    api.replica.readFailure = new KinglyError("NoLeader", "no leader");
    const { ageMs } = await client.get({ ...scope, name: "latency" }, { stale: true });
    expect(ageMs).toBe(7);
    const slow = client.get({ ...scope, name: "latency" });
    api.replica.readFailure = undefined;
    expect((await slow).ageMs).toBe(0);
  });

  it("throws what a repetition would not change", async () => {
    await expect(client.get({ ...scope, name: "nope" })).rejects.toMatchObject({
      code: "NotFound",
    });
    const viewer = connect([api.grpcAddress], TOKENS.viewer);
    await expect(
      viewer.write({ ...scope, operation: "create", object: objective("x", "guardrail") }),
    ).rejects.toMatchObject({ code: "Forbidden" });
    viewer.close();
    const stranger = connect([api.grpcAddress], "wrong");
    await expect(stranger.status()).rejects.toMatchObject({ code: "TokenInvalid" });
    stranger.close();
  });
});

describe("writes", () => {
  it("creates, replaces under a precondition, deletes", async () => {
    const made = await client.write({
      ...scope,
      operation: "create",
      object: objective("by-grpc", "guardrail"),
    });
    expect(made.object?.metadata.name).toBe("by-grpc");
    const stale = {
      ...objective("by-grpc", "guardrail"),
      metadata: { name: "by-grpc", resourceVersion: "1" },
    };
    await expect(
      client.write({ ...scope, operation: "replace", name: "by-grpc", object: stale }),
    ).rejects.toMatchObject({ code: "Conflict" });
    const gone = await client.write({ ...scope, operation: "delete", name: "by-grpc" });
    expect(gone.object).toBeUndefined();
  });

  it("repeats with the same key when nothing was written, and when that is unknown", async () => {
    api.replica.submitted.length = 0;
    api.replica.failures.push(
      new KinglyError("NoLeader", "no leader", { retryAfterMs: 1 }),
      new KinglyError("Overloaded", "full", { retryAfterMs: 1 }),
    );
    api.replica.failuresAfter.push(new KinglyError("Indeterminate", "who knows"));
    const made = await client.write({
      ...scope,
      operation: "create",
      object: objective("repeated", "guardrail"),
    });
    expect(made.object?.metadata.name).toBe("repeated");
    const keys = api.replica.submitted.map(({ request }) => request.idempotencyKey);
    expect(keys.length).toBe(4);
    expect(new Set(keys).size).toBe(1);
    await client.write({ ...scope, operation: "delete", name: "repeated" });
  });

  it("says Indeterminate, with the key, when the outcome stays unknown", async () => {
    api.replica.failures.push(
      ...Array.from({ length: 20 }, () => new KinglyError("Indeterminate", "who knows")),
    );
    await expect(
      client.write({
        ...scope,
        operation: "create",
        object: objective("unknown", "guardrail"),
        idempotencyKey: "mine",
      }),
    ).rejects.toMatchObject({ code: "Indeterminate", details: { idempotencyKey: "mine" } });
    api.replica.failures.length = 0;
  });

  it("opens one proposal for repeated calls with one key", async () => {
    const call = {
      namespace: NS,
      config: "web",
      patch: { batchWindowMs: 10 },
      reason: "faster",
      idempotencyKey: "pipeline-1",
    };
    const first = await client.propose(call);
    const second = await client.propose(call);
    expect(second.proposal.metadata.uid).toBe(first.proposal.metadata.uid);
    const state = await client.getProposal(NS, first.proposal.metadata.name);
    expect(state.proposal.spec.patch).toEqual({ batchWindowMs: 10 });
    await expect(client.propose({ ...call, patch: { batchWindowMs: 12 } })).rejects.toMatchObject({
      code: "Conflict",
    });
    await client.write({
      kind: "Proposal",
      namespace: NS,
      operation: "delete",
      name: first.proposal.metadata.name,
    });
    const { patch: _patch, ...neither } = call;
    await expect(client.propose(neither)).rejects.toMatchObject({ code: "Usage" });
  });
});

describe("several servers", () => {
  it("goes to the next address when one does not answer", async () => {
    const dead = connect(["127.0.0.1:1", api.grpcAddress]);
    expect((await dead.status()).leaderId).toBe("m1");
    const { object } = await dead.write({
      ...scope,
      operation: "create",
      object: objective("elsewhere", "guardrail"),
    });
    expect(object?.metadata.name).toBe("elsewhere");
    await client.write({ ...scope, operation: "delete", name: "elsewhere" });
    dead.close();
  });

  it("needs at least one address", () => {
    expect(() => new GrpcClient({ addresses: [] })).toThrow("at least one");
  });

  it("resumes a watch on another server after the last revision it delivered", async () => {
    const other = await TestApi.start();
    const moving = new GrpcClient({
      addresses: [other.grpcAddress, api.grpcAddress],
      // Both test clusters have a CA of their own: trust both.
      authority: `${other.authorityPem}${api.authorityPem}`,
      token: TOKENS.admin,
      ...FAST,
    });
    const controller = new AbortController();
    const events: ObjectEvent[] = [];
    const done = (async () => {
      const call = { kind: "Namespace", signal: controller.signal };
      for await (const event of moving.watch(call)) events.push(event);
    })();
    await eventually("a bookmark", () => events.some((event) => event.type === "BOOKMARK"));
    const resumeFrom = events.at(-1)?.revision ?? 0;
    await other.close();
    await client.write({
      kind: "Namespace",
      operation: "create",
      object: { metadata: { name: "after" } },
    });
    await eventually("the change", () => {
      return events.some((one) => one.type !== "BOOKMARK" && one.object.metadata.name === "after");
    });
    expect(events.filter((event) => event.revision <= resumeFrom).length).toBe(2);
    controller.abort();
    await done;
    moving.close();
  });
});

describe("judging failures", () => {
  it("trusts only errors that a Kingly server wrote", async () => {
    const server = new Server();
    const { ConfigService } = loadService("config");
    const answers = [
      toServiceError(new KinglyError("NotFound", "no")),
      Object.assign(new Error("proxy"), { code: status.UNAVAILABLE, details: "proxy" }),
    ];
    server.addService(ConfigService.service, {
      Get: (_call: never, callback: (error: unknown) => void) => callback(answers.shift()),
    } as never);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    const { credentials } = await import("@grpc/grpc-js");
    const stub = new ConfigService(`127.0.0.1:${port}`, credentials.createInsecure());
    const failure = (): Promise<unknown> =>
      new Promise((resolve) => stub.Get({}, (error: unknown) => resolve(error)));
    expect(judge(await failure())).toMatchObject({ error: { code: "NotFound" }, unknown: false });
    expect(judge(await failure())).toMatchObject({ error: { code: "Unavailable" }, unknown: true });
    stub.close();
    server.forceShutdown();
  });

  it("doubles pauses up to a limit and spreads them", () => {
    expect([1, 2, 3].map((attempt) => backoffMs(attempt, 0))).toEqual([25, 50, 100]);
    expect(backoffMs(1, 0.5)).toBe(37.5);
    expect(backoffMs(50, 0.999)).toBeLessThanOrEqual(2_000);
  });
});
