// Bad input of every sort: each gets its own clear code, changes nothing, and the server stays up.
import { connect as connectHttp2, constants } from "node:http2";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";
import { Metadata } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import { fromServiceError } from "@kingly/protocol";
import type { WriteRequestInput } from "@kingly/protocol";
import { CONFIG, DEFAULT, createExample, objective } from "./example.ts";
import { TOKENS, TestApi, at } from "./support.ts";
import type { CallOptions } from "./support.ts";

let api: TestApi;
let before: { readonly revision: number; readonly hash: string };

function mark(): typeof before {
  return { revision: api.replica.state.meta().revision, hash: api.replica.state.stateHash() };
}

beforeAll(async () => {
  api = await TestApi.start();
  await createExample(api);
});

beforeEach(() => {
  before = mark();
});

afterEach(async () => {
  expect(mark()).toEqual(before);
  const answer = await api.call("GET", `${DEFAULT}/configs/web`);
  expect(answer.status).toBe(200);
});

afterAll(async () => {
  await api.close();
});

/** HTTP status, code of ours, and field of a refused call. */
async function refusal(
  method: string,
  path: string,
  options: CallOptions,
): Promise<readonly unknown[]> {
  const { status, body } = await api.call(method, path, options);
  expect(at(body, "kind")).toBe("Status");
  expect(at(body, "code")).toBe(status);
  return [status, at(body, "details", "kingly", "code"), at(body, "details", "kingly", "field")];
}

const create = (plural: string, body: CallOptions["body"]): Promise<readonly unknown[]> =>
  refusal(
    "POST",
    `${DEFAULT}/${plural}?fieldValidation=Strict`,
    body === undefined ? {} : { body },
  );

function spec(object: JsonObject, change: JsonObject): JsonObject {
  return { ...object, spec: { ...(object["spec"] as JsonObject), ...change } };
}

describe("documents", () => {
  it("refuses an empty body, broken JSON and things that are no object", async () => {
    expect(await create("objectives", undefined)).toEqual([400, "MalformedJson", "body"]);
    expect(await create("objectives", '{"a":')).toEqual([400, "MalformedJson", "a"]);
    expect(await create("objectives", Buffer.from([0xff, 0xfe]))).toEqual([
      400,
      "MalformedJson",
      "",
    ]);
    expect(await create("objectives", "[1]")).toEqual([400, "Usage", "body"]);
    expect(await create("objectives", '{"metadata":7}')).toEqual([400, "Usage", "metadata"]);
  });

  it("refuses duplicate keys, __proto__, unsafe numbers and lone surrogates, with their path", async () => {
    expect(await create("objectives", '{"spec":{"unit":"a","unit":"b"}}')).toEqual([
      400,
      "DuplicateKey",
      "spec.unit",
    ]);
    const reserved = '{"spec":{"__proto__":{"role":"primary"}}}';
    expect((await create("objectives", reserved)).slice(0, 2)).toEqual([400, "ForbiddenKey"]);
    expect(await create("objectives", '{"spec":{"weight":9007199254740993}}')).toEqual([
      400,
      "UnsafeNumber",
      "spec.weight",
    ]);
    expect((await create("objectives", '{"spec":{"unit":"\\ud800"}}'))[0]).toBe(400);
    const deep = `${"[".repeat(200)}${"]".repeat(200)}`;
    expect((await create("objectives", deep)).slice(0, 2)).toEqual([413, "DocumentTooLarge"]);
  });

  it("refuses unknown kinds, wrong kinds, unknown fields and wrong types", async () => {
    expect((await create("nonsense", {})).slice(0, 2)).toEqual([404, "UnknownKind"]);
    const other = { ...objective("x"), kind: "Policy" };
    expect(await create("objectives", other)).toEqual([400, "Usage", "kind"]);
    const old = { ...objective("x"), apiVersion: "kingly.dev/v0" };
    expect(await create("objectives", old)).toEqual([400, "Usage", "apiVersion"]);
    const typo = spec(objective("x", "guardrail"), { wieght: 1 });
    expect(await create("objectives", typo)).toEqual([400, "UnknownField", "spec.wieght"]);
    const wrong = spec(objective("x", "guardrail"), { weight: "heavy" });
    expect(await create("objectives", wrong)).toEqual([422, "InvalidField", "spec.weight"]);
    const name = { ...objective("x"), metadata: { name: "Not A Name" } };
    expect(await create("objectives", name)).toEqual([422, "InvalidField", "metadata.name"]);
    const elsewhere = { ...objective("x"), metadata: { name: "x", namespace: "other" } };
    expect(await create("objectives", elsewhere)).toEqual([400, "Usage", "metadata.namespace"]);
    const versioned = { ...objective("x"), metadata: { name: "x", resourceVersion: "1" } };
    expect(await create("objectives", versioned)).toEqual([
      400,
      "Usage",
      "metadata.resourceVersion",
    ]);
  });

  it("warns about unknown fields instead when asked to, and drops them", async () => {
    const typo = spec(objective("warned", "guardrail"), { wieght: 1 });
    const answer = await api.call("POST", `${DEFAULT}/objectives?dryRun=All`, { body: typo });
    expect(answer.status).toBe(201);
    expect(answer.headers["warning"]).toBe('299 - "unknown field \\"spec.wieght\\""');
    expect(at(answer.body, "spec", "wieght")).toBeNull();
    const ignored = await api.call(
      "POST",
      `${DEFAULT}/objectives?dryRun=All&fieldValidation=Ignore`,
      { body: typo },
    );
    expect([ignored.status, ignored.headers["warning"]]).toEqual([201, undefined]);
  });

  it("refuses documents above 1 MiB, and bodies above 3 MiB before reading on", async () => {
    const large = spec(objective("x"), { unit: "x".repeat(1_100_000) });
    expect((await create("objectives", large)).slice(0, 2)).toEqual([413, "DocumentTooLarge"]);
    const { status, body } = await api.call("POST", `${DEFAULT}/objectives`, {
      body: Buffer.alloc(3_200_000, 0x20),
    });
    expect([status, at(body, "details", "kingly", "code")]).toEqual([413, "DocumentTooLarge"]);
  });

  it("refuses content that breaks its schema, and references to nothing", async () => {
    const data = spec({ ...CONFIG, metadata: { name: "second" } }, { data: { batchWindowMs: 99 } });
    expect((await create("configs", data)).slice(0, 2)).toEqual([422, "SchemaViolation"]);
    const schema = spec({ ...CONFIG, metadata: { name: "second" } }, { schemaRef: "absent" });
    expect(await create("configs", schema)).toEqual([422, "InvalidField", "spec.schemaRef"]);
    const overlap = { ...CONFIG, metadata: { name: "second" } };
    await api.enroll("overlap-node");
    before = mark();
    expect((await create("configs", overlap)).slice(0, 2)).toEqual([409, "Conflict"]);
  });
});

describe("proposals", () => {
  const proposal = (change: JsonObject): JsonObject => ({
    metadata: { generateName: "web-" },
    spec: { config: "web", patch: { batchWindowMs: 2 }, reason: "try", ...change },
  });

  it("refuses what cannot be tried", async () => {
    const cases: readonly (readonly [JsonObject, number, string])[] = [
      [{ config: "absent" }, 422, "InvalidField"],
      [{ baseVersion: 7 }, 409, "StaleBase"],
      [{ patch: { batchWindowMs: 0 } }, 409, "Unchanged"],
      [{ patch: { batchWindowMs: 51 } }, 422, "SchemaViolation"],
      [{ patch: { unknownKey: 1 } }, 422, "SchemaViolation"],
      [{ data: { batchWindowMs: 2 } }, 422, "InvalidField"],
      [{ reason: "" }, 422, "InvalidField"],
      [{ source: { type: "oracle", name: "x" } }, 422, "InvalidField"],
    ];
    for (const [change, status, code] of cases) {
      const [got, ours] = await create("proposals", proposal(change));
      expect([JSON.stringify(change), got, ours]).toEqual([JSON.stringify(change), status, code]);
    }
  });
});

describe("requests", () => {
  it("refuses verbs that a kind does not offer, and paths that do not exist", async () => {
    const vote = { body: {} };
    expect((await refusal("POST", `${DEFAULT}/votes`, vote)).slice(0, 2)).toEqual([
      405,
      "MethodNotAllowed",
    ]);
    expect((await refusal("PUT", `${DEFAULT}/proposals/x`, vote))[0]).toBe(405);
    expect((await refusal("PUT", `${DEFAULT}/configs/web/status`, vote))[0]).toBe(405);
    expect((await refusal("POST", "/version", vote))[0]).toBe(405);
    expect((await refusal("OPTIONS", `${DEFAULT}/configs`, {}))[0]).toBe(405);
    for (const path of [
      "/",
      "/nonsense",
      "/apis/kingly.dev/v2/configs",
      "/apis/kingly.dev/v1/configs/web",
      `${DEFAULT}/configs/web/nonsense`,
      `${DEFAULT}/configs/web/status/more`,
      "/apis/kingly.dev/v1/namespaces/default/nodes",
      "/openapi/v3/apis/other/v1",
    ]) {
      expect([path, (await refusal("GET", path, {}))[0]]).toEqual([path, 404]);
    }
    expect((await refusal("GET", "/apis/%ff/v1/configs", {}))[0]).toBe(400);
  });

  it("refuses content types and representations that it does not know, and says which it does", async () => {
    const yaml = { body: "a: 1", headers: { "content-type": "application/yaml" } };
    expect((await refusal("POST", `${DEFAULT}/objectives`, yaml)).slice(0, 2)).toEqual([
      415,
      "UnsupportedMediaType",
    ]);
    for (const type of ["application/strategic-merge-patch+json", "application/apply-patch+yaml"]) {
      const answer = await api.call("PATCH", `${DEFAULT}/configs/web`, {
        body: {},
        headers: { "content-type": type },
      });
      expect([answer.status, at(answer.body, "message")]).toEqual([
        415,
        expect.stringContaining("application/merge-patch+json"),
      ]);
    }
    const accept = { headers: { accept: "text/html" } };
    expect((await refusal("GET", `${DEFAULT}/configs`, accept)).slice(0, 2)).toEqual([
      406,
      "NotAcceptable",
    ]);
    const protobuf = {
      body: "not k8s",
      headers: { "content-type": "application/vnd.kubernetes.protobuf" },
    };
    expect((await refusal("POST", "/api/v1/namespaces", protobuf)).slice(0, 2)).toEqual([
      400,
      "MalformedFrame",
    ]);
  });

  it("refuses parameters that make no sense, naming them", async () => {
    for (const [query, field] of [
      ["limit=-1", "limit"],
      ["limit=many", "limit"],
      ["resourceVersion=abc", "resourceVersion"],
      ["watch=perhaps", "watch"],
      ["labelSelector=a%3D%3D%3Db", "labelSelector"],
      [`labelSelector=${"a,".repeat(100)}a`, "labelSelector"],
    ]) {
      const got = await refusal("GET", `${DEFAULT}/configs?${query}`, {});
      expect([query, got[0], got[2]]).toEqual([query, 400, field]);
    }
    const body = objective("x", "guardrail");
    for (const query of ["dryRun=Some", "fieldValidation=Sometimes"]) {
      expect((await refusal("POST", `${DEFAULT}/objectives?${query}`, { body }))[0]).toBe(400);
    }
  });

  it("refuses bad join tokens requests and bad veto requests", async () => {
    const tokens = "/apis/kingly.dev/v1/jointokens";
    const cases: readonly (readonly [JsonObject, string])[] = [
      [{ ttlSeconds: 0 }, "ttlSeconds"],
      [{ ttlSeconds: 10_000_000 }, "ttlSeconds"],
      [{ uses: 5 }, "uses"],
      [{ labels: { a: 1 } }, "labels.a"],
      [{ class: 1 }, "class"],
    ];
    for (const [body, field] of cases) {
      expect(await refusal("POST", tokens, { body })).toEqual([422, "InvalidField", field]);
    }
    expect(await refusal("POST", tokens, { body: { extra: 1 } })).toEqual([
      400,
      "UnknownField",
      "extra",
    ]);
    const veto = `${DEFAULT}/configs/web/veto`;
    const unknown = { body: { node: "nobody", reason: "x", version: 1 } };
    expect((await refusal("POST", veto, unknown))[0]).toBe(404);
    expect((await refusal("POST", veto, { body: { node: "overlap-node", reason: "" } }))[0]).toBe(
      422,
    );
  });
});

/** Sends bytes and reads until the server closes. */
function exchange(port: number, bytes: Buffer | string, secure: boolean): Promise<string> {
  return new Promise((resolve) => {
    const options = { host: "127.0.0.1", port };
    const socket = secure
      ? connectTls({ ...options, ca: api.authorityPem, ALPNProtocols: ["h2", "http/1.1"] })
      : connectTcp(options);
    const chunks: Buffer[] = [];
    socket.on(secure ? "secureConnect" : "connect", () => socket.write(bytes));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

describe("bytes that are not the protocol", () => {
  it("closes connections that do not speak TLS, on both ports", async () => {
    const attack = async (port: number): Promise<void> => {
      const garbage = Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 37) % 256));
      await exchange(port, garbage, false);
      await exchange(port, "GET / HTTP/1.1\r\nhost: x\r\n\r\n", false);
      // A handshake that never goes on is cut after a while.
      await exchange(port, Buffer.from("16030100ff01", "hex"), false);
    };
    await Promise.all([attack(api.api.restPort), attack(api.api.grpcPort)]);
  });

  it("answers garbage inside TLS with a Status on REST, and ends it on gRPC", async () => {
    const rest = await exchange(api.api.restPort, "\x00\x01garbage\r\n\r\n", true);
    expect(rest).toMatch(/^HTTP\/1\.1 400 /);
    expect(rest).toContain('"kind":"Status"');
    expect(rest).toContain('"MalformedFrame"');
    await exchange(api.api.grpcPort, "GET / HTTP/1.1\r\nhost: x\r\n\r\n", true);
    const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    await exchange(api.api.grpcPort, `${preface}${"\xff".repeat(200)}`, true);
  });

  it("refuses HTTP/2 requests that are not gRPC, and gRPC bodies that do not decode", async () => {
    const session = connectHttp2(`https://127.0.0.1:${api.api.grpcPort}`, {
      ca: api.authorityPem,
    });
    const ask = (headers: Record<string, string>, body: Buffer): Promise<Record<string, unknown>> =>
      new Promise((resolve) => {
        const stream = session.request({ ":method": "POST", ...headers });
        let head: Record<string, unknown> = {};
        let trailers: Record<string, unknown> = {};
        stream.on("response", (found) => (head = found));
        stream.on("trailers", (found) => (trailers = found));
        stream.on("error", () => {});
        stream.on("close", () => resolve({ ...head, ...trailers }));
        stream.resume();
        stream.end(body);
      });
    const html = await ask({ ":path": "/", "content-type": "text/html" }, Buffer.alloc(0));
    expect(html[constants.HTTP2_HEADER_STATUS]).toBe(415);
    const grpc = { "content-type": "application/grpc", te: "trailers" };
    const unknown = await ask({ ":path": "/kingly.Nothing/Call", ...grpc }, Buffer.alloc(5));
    expect(unknown["grpc-status"]).toBe("12");
    const path = "/kingly.config.v1.ConfigService/Get";
    const junk = Buffer.concat([
      Buffer.from([0, 0, 0, 0, 4]),
      Buffer.from([0xff, 0xff, 0xff, 0xff]),
    ]);
    expect((await ask({ ":path": path, ...grpc }, junk))["grpc-status"]).toBe("13");
    const huge = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]);
    expect((await ask({ ":path": path, ...grpc }, huge))["grpc-status"]).toBe("8");
    session.close();
  });
});

describe("gRPC writes", () => {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${TOKENS.admin}`);

  function write(request: WriteRequestInput, headers: Metadata = metadata): Promise<string> {
    return new Promise((resolve) => {
      api.configClient().Write(request, headers, (error: ServiceError | null) => {
        resolve(error === null ? "" : fromServiceError(error).code);
      });
    });
  }

  const document = (value: JsonObject | string): Buffer =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value));

  it("refuses with the same codes as REST", async () => {
    const base: WriteRequestInput = {
      operation: "OPERATION_CREATE",
      kind: "Objective",
      namespace: "default",
    };
    const cases: readonly (readonly [WriteRequestInput, string])[] = [
      [{ ...base, operation: "OPERATION_UNSPECIFIED" }, "Usage"],
      [{ ...base, kind: "Nonsense" }, "UnknownKind"],
      [{ ...base, kind: "Vote", document: document("{}") }, "MethodNotAllowed"],
      [{ ...base, document: Buffer.alloc(0) }, "Usage"],
      [{ ...base, document: document('{"a":1,"a":2}') }, "DuplicateKey"],
      [{ ...base, document: document(spec(objective("x"), { typo: 1 })) }, "UnknownField"],
      [{ ...base, document: document(spec(objective("x"), { weight: -1 })) }, "InvalidField"],
      [{ ...base, document: Buffer.alloc(1_100_000, 0x20) }, "DocumentTooLarge"],
      [{ ...base, name: "y", document: document(objective("x")) }, "Usage"],
      [{ ...base, document: document(objective("latency")) }, "AlreadyExists"],
      [{ ...base, operation: "OPERATION_DELETE", name: "nope" }, "NotFound"],
      [{ ...base, kind: "Namespace", document: document({}) }, "InvalidField"],
    ];
    for (const [request, code] of cases) {
      expect([request.kind, request.operation, await write(request)]).toEqual([
        request.kind,
        request.operation,
        code,
      ]);
    }
    expect(await write(base, new Metadata())).toBe("Unauthenticated");
  });

  it("honours a deadline that has passed", async () => {
    const code = await new Promise<number | undefined>((resolve) => {
      const options = { deadline: Date.now() - 1_000 };
      api
        .configClient()
        .Get(
          { kind: "Objective", namespace: "default", name: "latency" },
          metadata,
          options,
          (error: ServiceError | null) => resolve(error?.code),
        );
    });
    expect(code).toBe(4);
  });
});
