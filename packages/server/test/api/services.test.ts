// The standard gRPC services, ClusterService, and the small parsers below the API.
import { Client, Metadata } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import fc from "fast-check";
import { service as healthService } from "grpc-health-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KinglyError, isJsonObject } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import { fromServiceError } from "@kingly/protocol";
import type { StatusResponse } from "@kingly/protocol";
import { kindInfo } from "@kingly/resources";
import { applyJsonPatch } from "../../src/api/core/json-patch.ts";
import { parseSelection, selects } from "../../src/api/core/selectors.ts";
import { TokenFile, parseTokens } from "../../src/api/core/token-file.ts";
import { decodeProtobuf } from "../../src/api/rest/protobuf.ts";
import { TOKENS, TestApi, eventually } from "./support.ts";
import { noLogger, utf8Encode } from "@kingly/base";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

let api: TestApi;

beforeAll(async () => {
  api = await TestApi.start();
});

afterAll(async () => {
  await api.close();
});

describe("standard services", () => {
  function health(name: string): Promise<string> {
    const check = healthService["Check"];
    if (check === undefined) throw new Error("no Check");
    const client = new Client(api.grpcAddress, api.credentials());
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        check.path,
        check.requestSerialize,
        check.responseDeserialize,
        { service: name },
        (error: ServiceError | null, response?: object) => {
          client.close();
          if (error !== null) reject(error);
          else resolve(String((response as { readonly status: string }).status));
        },
      );
    });
  }

  it("says over grpc.health.v1 whether the server should get traffic", async () => {
    expect(await health("kingly.config.v1.ConfigService")).toBe("SERVING");
    api.ready = false;
    await eventually("not serving", async () => (await health("")) === "NOT_SERVING");
    api.ready = true;
    await eventually("serving", async () => (await health("")) === "SERVING");
  });

  it("lists its services by reflection", async () => {
    const client = new Client(api.grpcAddress, api.credentials());
    const stream = client.makeBidiStreamRequest(
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      (bytes: Buffer) => bytes,
      (bytes: Buffer) => bytes,
    );
    const answer = new Promise<string>((resolve, reject) => {
      stream.on("data", (bytes: Buffer) => resolve(bytes.toString("latin1")));
      stream.on("error", reject);
    });
    stream.write(Buffer.from([0x3a, 0x00])); // list_services = ""
    expect(await answer).toContain("kingly.agent.v1.AgentService");
    stream.end();
    client.close();
  });

  it("answers ClusterService.Status for people and for certificates, not for strangers", async () => {
    const ask = (
      metadata: Metadata,
      client = api.clusterClient(),
    ): Promise<StatusResponse | string> =>
      new Promise((resolve) => {
        client.Status({}, metadata, (error: ServiceError | null, response?: StatusResponse) => {
          resolve(error === null ? (response as StatusResponse) : fromServiceError(error).code);
        });
      });
    const metadata = new Metadata();
    metadata.set("authorization", `Bearer ${TOKENS.viewer}`);
    expect(await ask(metadata)).toMatchObject({ leaderId: "m1", role: "leader" });
    expect(await ask(new Metadata())).toBe("Unauthenticated");
    const person = await api.certificate("client", "olga");
    const byCertificate = api.clusterClient(api.credentials(person));
    expect(await ask(new Metadata(), byCertificate)).toMatchObject({ memberId: "m1" });
    const foreign = await api.certificate("client", "olga", "other");
    expect(await ask(new Metadata(), api.clusterClient(api.credentials(foreign)))).toBe(
      "WrongCluster",
    );
    // A certificate of another CA is no certificate.
    const elsewhere = await TestApi.start();
    const stranger = await elsewhere.certificate("client", "olga", "test-cluster");
    await elsewhere.close();
    expect(await ask(new Metadata(), api.clusterClient(api.credentials(stranger)))).toBe(
      "Unauthenticated",
    );
  });
});

describe("JSON patch", () => {
  it("does what RFC 6902 shows", () => {
    const cases: readonly (readonly [JsonValue, JsonValue, JsonValue])[] = [
      [{ foo: "bar" }, [{ op: "add", path: "/baz", value: "qux" }], { foo: "bar", baz: "qux" }],
      [{ a: ["b", "d"] }, [{ op: "add", path: "/a/1", value: "c" }], { a: ["b", "c", "d"] }],
      [{ a: [1] }, [{ op: "add", path: "/a/-", value: 2 }], { a: [1, 2] }],
      [{ a: [1, 2, 3] }, [{ op: "remove", path: "/a/1" }], { a: [1, 3] }],
      [{ a: 1 }, [{ op: "replace", path: "", value: { b: 2 } }], { b: 2 }],
      [
        { a: { x: 1 }, b: {} },
        [{ op: "move", from: "/a/x", path: "/b/y" }],
        { a: {}, b: { y: 1 } },
      ],
      [{ a: 1 }, [{ op: "copy", from: "/a", path: "/b" }], { a: 1, b: 1 }],
      [
        { "a/b": 1, "m~n": 2 },
        [
          { op: "remove", path: "/a~1b" },
          { op: "remove", path: "/m~0n" },
        ],
        {},
      ],
      [{ a: [{ b: 1 }] }, [{ op: "replace", path: "/a/0/b", value: 2 }], { a: [{ b: 2 }] }],
    ];
    for (const [target, patch, expected] of cases) {
      const copy = structuredClone(target);
      expect(applyJsonPatch(target, patch)).toEqual(expected);
      expect(target).toEqual(copy);
    }
  });

  it("refuses what cannot be carried out, naming the operation", () => {
    for (const patch of [
      {},
      [1],
      [{ op: "fly", path: "/a" }],
      [{ op: "add", path: "/a" }],
      [{ op: "add", path: "a", value: 1 }],
      [{ op: "remove", path: "/nope" }],
      [{ op: "replace", path: "/list/7", value: 1 }],
      [{ op: "add", path: "/list/01", value: 1 }],
      [{ op: "add", path: "/list/9", value: 1 }],
      [{ op: "copy", path: "/a" }],
      [{ op: "add", path: "/a/b/c", value: 1 }],
      [{ op: "add", path: "/__proto__/x", value: 1 }],
      Array.from({ length: 1_001 }, () => ({ op: "remove", path: "/a" })),
    ] as readonly JsonValue[]) {
      expect(() => applyJsonPatch({ a: 1, list: [1] }, patch)).toThrow(KinglyError);
    }
  });

  it("never throws anything but a KinglyError, and never pollutes a prototype", () => {
    const pointer = fc.array(fc.constantFrom("a", "b", "0", "-", "__proto__", "constructor"), {
      maxLength: 4,
    });
    const path = pointer.map((parts) => parts.map((part) => `/${part}`).join(""));
    const operation = fc.record({
      op: fc.constantFrom("add", "remove", "replace", "move", "copy", "test"),
      path,
      from: path,
      value: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(operation, { maxLength: 5 }), (target, patch) => {
        try {
          applyJsonPatch(target as JsonValue, patch as JsonValue);
        } catch (error) {
          expect(error).toBeInstanceOf(KinglyError);
        }
        expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
      }),
    );
  });
});

describe("selectors", () => {
  it("never throw anything but a KinglyError", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), fc.string({ maxLength: 60 }), (labels, fields) => {
        try {
          const selection = parseSelection(kindInfo("Config"), labels, fields);
          expect(typeof selects(selection, { metadata: { name: "x" } })).toBe("boolean");
        } catch (error) {
          expect(error).toBeInstanceOf(KinglyError);
        }
      }),
    );
  });

  it("read the fields that events have", () => {
    const event = {
      metadata: { name: "e" },
      spec: { involvedObject: { name: "web" }, type: "Normal" },
    };
    const select = (fields: string): boolean =>
      selects(parseSelection(kindInfo("Event"), "", fields), event);
    expect(select("involvedObject.name=web,type=Normal")).toBe(true);
    expect(select("involvedObject.name!=web")).toBe(false);
    expect(() => select("spec.type=Normal")).toThrow("field label not supported");
  });
});

describe("protobuf bodies", () => {
  const field = (number: number, bytes: Buffer): Buffer =>
    Buffer.concat([Buffer.from([number * 8 + 2, bytes.length]), bytes]);

  it("decodes a Namespace as kubectl sends it", () => {
    const type = Buffer.concat([field(1, Buffer.from("v1")), field(2, Buffer.from("Namespace"))]);
    const label = Buffer.concat([field(1, Buffer.from("k")), field(2, Buffer.from("v"))]);
    const meta = Buffer.concat([field(1, Buffer.from("team")), field(11, label)]);
    const body = Buffer.concat([Buffer.from("k8s\0"), field(1, type), field(2, field(1, meta))]);
    expect(decodeProtobuf(body)).toEqual({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "team", labels: { k: "v" } },
    });
  });

  it("never throws anything but a KinglyError", () => {
    const type = field(1, field(2, Buffer.from("Namespace")));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.boolean(), (bytes, framed) => {
        const inner = Buffer.from(bytes);
        const body = framed ? Buffer.concat([Buffer.from("k8s\0"), type, field(2, inner)]) : inner;
        try {
          expect(isJsonObject(decodeProtobuf(body))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(KinglyError);
        }
      }),
    );
  });
});

describe("the file of tokens", () => {
  it("is read again when it changes; a broken one keeps what was known", () => {
    const folder = mkdtempSync(join(tmpdir(), "kingly-tokens-"));
    const path = join(folder, "tokens.json");
    const record = (name: string): string =>
      JSON.stringify([{ name, groups: ["kingly:admins"], sha256: "a".repeat(64) }]);
    writeFileSync(path, record("first"));
    let nowMs = 0;
    const clock = { nowMs: () => nowMs, setTimer: () => ({ cancel: () => {} }) };
    const tokens = new TokenFile(path, { clock, logger: noLogger });
    expect(tokens.records()[0]?.name).toBe("first");
    writeFileSync(path, record("second-name"));
    expect(tokens.records()[0]?.name).toBe("first");
    nowMs = 2_000;
    expect(tokens.records()[0]?.name).toBe("second-name");
    writeFileSync(path, "[{");
    nowMs = 4_000;
    expect(tokens.records()[0]?.name).toBe("second-name");
    expect(() => parseTokens(utf8Encode('[{"name":"x"}]'))).toThrow("tokens[0]");
    expect(() => parseTokens(utf8Encode("{}"))).toThrow("must be a list");
    rmSync(folder, { recursive: true });
  });
});
