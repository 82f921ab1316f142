// The REST API: verbs, representations, preconditions, dry runs, pages, selectors, discovery.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import { KinglyError } from "@kingly/base";
import { DEFAULT, createExample, objective } from "./example.ts";
import { TOKENS, TestApi, at, text } from "./support.ts";

let api: TestApi;
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

beforeAll(async () => {
  api = await TestApi.start();
  await createExample(api);
});

afterAll(async () => {
  await api.close();
});

const revision = (): number => api.replica.state.meta().revision;

describe("reading", () => {
  it("serves an object with what is computed on read", async () => {
    const { status, body } = await api.call("GET", `${DEFAULT}/configs/web`);
    expect(status).toBe(200);
    expect(at(body, "metadata", "name")).toBe("web");
    expect(at(body, "status", "version")).toBe(1);
    expect(at(body, "status", "adoption", "assigned")).toBe(0);
    expect((await api.call("GET", `${DEFAULT}/configs/web/status`)).body).toEqual(body);
  });

  it("inlines the content of a version", async () => {
    const { body } = await api.call("GET", `${DEFAULT}/configversions/web-v1`);
    expect(at(body, "spec", "data")).toEqual({ batchWindowMs: 0, workers: 1 });
  });

  it("lists with the revision that was read, in key order", async () => {
    const { body } = await api.call("GET", `${DEFAULT}/objectives`);
    expect(at(body, "kind")).toBe("ObjectiveList");
    expect(at(body, "metadata", "resourceVersion")).toBe(String(revision()));
    expect([
      at(body, "items", 0, "metadata", "name"),
      at(body, "items", 1, "metadata", "name"),
    ]).toEqual(["goodput", "latency"]);
  });

  it("pages over one revision while the objects change underneath", async () => {
    const first = await api.call("GET", `${DEFAULT}/objectives?limit=1`);
    expect(at(first.body, "metadata", "remainingItemCount")).toBe(1);
    const before = at(first.body, "metadata", "resourceVersion");
    await api.call("POST", `${DEFAULT}/objectives`, { body: objective("aaa", "guardrail") });
    const token = at(first.body, "metadata", "continue") as string;
    const next = await api.call("GET", `${DEFAULT}/objectives?limit=5&continue=${token}`);
    expect(at(next.body, "metadata", "resourceVersion")).toBe(before);
    expect(at(next.body, "items", 0, "metadata", "name")).toBe("latency");
    expect(at(next.body, "items", 1)).toBeNull();
    expect(at(next.body, "metadata", "continue")).toBeNull();
    await api.call("DELETE", `${DEFAULT}/objectives/aaa`);
  });

  it("forgets a paged list after its time: 410 Expired", async () => {
    const first = await api.call("GET", `${DEFAULT}/objectives?limit=1`);
    const token = at(first.body, "metadata", "continue") as string;
    api.clock.offsetMs += 301_000;
    const next = await api.call("GET", `${DEFAULT}/objectives?limit=1&continue=${token}`);
    expect([next.status, at(next.body, "reason")]).toEqual([410, "Expired"]);
    const foreign = await api.call("GET", `${DEFAULT}/objectives?continue=abc`);
    expect([foreign.status, at(foreign.body, "details", "kingly", "field")]).toEqual([
      400,
      "continue",
    ]);
  });

  it("selects by labels and fields", async () => {
    const names = async (query: string): Promise<number | string> => {
      const answer = await api.call("GET", `${DEFAULT}/configs?${query}`);
      return answer.status === 200
        ? (at(answer.body, "items") as readonly unknown[]).length
        : (at(answer.body, "message") as string);
    };
    expect(await names("labelSelector=tier%3Dfront")).toBe(1);
    expect(await names("labelSelector=tier%20in%20(front,back)")).toBe(1);
    expect(await names("labelSelector=tier%20notin%20(front,back)")).toBe(0);
    expect(await names("labelSelector=tier!%3Dfront")).toBe(0);
    expect(await names("labelSelector=!tier")).toBe(0);
    expect(await names("labelSelector=tier,!other")).toBe(1);
    expect(await names("fieldSelector=metadata.name%3Dweb")).toBe(1);
    expect(await names("fieldSelector=metadata.name%3Dnope")).toBe(0);
    expect(await names("fieldSelector=spec.nonsense%3D1")).toContain("field label not supported");
  });

  it("renders tables, with columns and partial objects", async () => {
    const { body } = await api.call("GET", `${DEFAULT}/configs`, { headers: { accept: TABLE } });
    expect(at(body, "kind")).toBe("Table");
    expect(at(body, "columnDefinitions", 0, "format")).toBe("name");
    expect(at(body, "rows", 0, "cells", 0)).toBe("web");
    expect(at(body, "rows", 0, "object", "kind")).toBe("PartialObjectMetadata");
    const one = await api.call("GET", `${DEFAULT}/configs/web?includeObject=Object`, {
      headers: { accept: TABLE },
    });
    expect(at(one.body, "rows", 0, "object", "kind")).toBe("Config");
    const metadata = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    const partial = await api.call("GET", `${DEFAULT}/configs`, { headers: { accept: metadata } });
    expect(at(partial.body, "kind")).toBe("PartialObjectMetadataList");
  });

  it("serves events in core/v1 form", async () => {
    const { body } = await api.call("GET", "/api/v1/namespaces/default/events");
    expect(at(body, "items", 0, "involvedObject", "kind")).not.toBeNull();
    expect(at(body, "items", 0, "spec")).toBeNull();
  });

  it("says 504 with the cause that clients look for when a revision is too new", async () => {
    const { status, body } = await api.call("GET", `${DEFAULT}/configs?resourceVersion=99999`);
    expect(status).toBe(504);
    expect(at(body, "details", "causes", 0, "reason")).toBe("ResourceVersionTooLarge");
  });

  it("answers from local state when asked to, though the cluster has no leader", async () => {
    api.replica.readFailure = new KinglyError("NoLeader", "the cluster has no leader");
    const strict = await api.call("GET", `${DEFAULT}/configs/web`);
    expect([strict.status, strict.headers["retry-after"]]).toEqual([503, "1"]);
    expect(at(strict.body, "details", "kingly", "code")).toBe("NoLeader");
    const stale = await api.call("GET", `${DEFAULT}/configs/web?resourceVersion=0`);
    expect(stale.status).toBe(200);
    api.replica.readFailure = undefined;
  });
});

describe("writing", () => {
  it("creates, replaces under a revision, refuses a stale one, deletes", async () => {
    const created = await api.call("POST", `${DEFAULT}/objectives`, {
      body: objective("latency-p99", "guardrail"),
    });
    expect(created.status).toBe(201);
    const wanted = {
      ...created.body,
      spec: { ...(created.body["spec"] as JsonObject), weight: 2 },
    };
    const path = `${DEFAULT}/objectives/latency-p99`;
    const replaced = await api.call("PUT", path, { body: wanted });
    expect([replaced.status, at(replaced.body, "spec", "weight")]).toEqual([200, 2]);
    expect(at(replaced.body, "metadata", "generation")).toBe(2);
    const stale = await api.call("PUT", path, { body: wanted });
    expect([stale.status, at(stale.body, "reason")]).toEqual([409, "Conflict"]);
    const deleted = await api.call("DELETE", path);
    expect(at(deleted.body, "status")).toBe("Success");
    expect(at(deleted.body, "details", "uid")).toBe(at(created.body, "metadata", "uid"));
    expect((await api.call("DELETE", path)).status).toBe(404);
  });

  it("makes no revision of a write that changes nothing", async () => {
    const { body } = await api.call("GET", `${DEFAULT}/objectives/latency`);
    const before = revision();
    expect((await api.call("PUT", `${DEFAULT}/objectives/latency`, { body })).status).toBe(200);
    expect(revision()).toBe(before);
  });

  it("completes generateName", async () => {
    const body = { ...objective("x", "guardrail"), metadata: { generateName: "made-" } };
    const made = await api.call("POST", `${DEFAULT}/objectives`, { body });
    expect(at(made.body, "metadata", "name")).toMatch(/^made-[a-z0-9]{5}$/);
    expect(at(made.body, "metadata", "generateName")).toBeNull();
    await api.call("DELETE", `${DEFAULT}/objectives/${text(made.body, "metadata", "name")}`);
  });

  it("honours dryRun in the query, and of a delete also in the body", async () => {
    const before = revision();
    const body = objective("dry", "guardrail");
    const made = await api.call("POST", `${DEFAULT}/objectives?dryRun=All`, { body });
    expect([made.status, at(made.body, "metadata", "name")]).toEqual([201, "dry"]);
    const path = `${DEFAULT}/objectives/latency`;
    const gone = await api.call("DELETE", path, { body: { dryRun: ["All"] } });
    expect(gone.status).toBe(200);
    const odd = await api.call("DELETE", path, { body: { dryRun: ["Some"] } });
    expect(odd.status).toBe(400);
    expect(revision()).toBe(before);
  });

  it("shows what a dry run would write in the customary order, however it was sent", async () => {
    const { apiVersion, kind, metadata, spec } = objective("dry", "guardrail");
    const sent = { spec, metadata, kind, apiVersion } as JsonObject;
    const made = await api.call("POST", `${DEFAULT}/objectives?dryRun=All`, { body: sent });
    const order = ["apiVersion", "kind", "metadata", "spec"];
    expect(Object.keys(made.body)).toEqual(order);
    const bare = await api.call("POST", `${DEFAULT}/objectives?dryRun=All`, {
      body: { spec, metadata } as JsonObject,
    });
    expect(Object.keys(bare.body)).toEqual(order);
    const again = objective("latency");
    const put = await api.call("PUT", `${DEFAULT}/objectives/latency?dryRun=All`, {
      body: { spec: again["spec"] ?? null, kind: "Objective" },
    });
    expect([put.status, Object.keys(put.body)]).toEqual([200, order]);
  });

  it("applies merge patches and JSON patches", async () => {
    const path = `${DEFAULT}/configs/web`;
    const merge = { "content-type": "application/merge-patch+json" };
    const merged = await api.call("PATCH", path, {
      body: { metadata: { labels: { tier: null, extra: "1" } } },
      headers: merge,
    });
    expect(at(merged.body, "metadata", "labels")).toEqual({ extra: "1" });
    const patched = await api.call("PATCH", path, {
      body: [
        { op: "test", path: "/metadata/labels/extra", value: "1" },
        { op: "remove", path: "/metadata/labels/extra" },
        { op: "add", path: "/metadata/labels/tier", value: "front" },
      ],
      headers: { "content-type": "application/json-patch+json" },
    });
    expect(at(patched.body, "metadata", "labels")).toEqual({ tier: "front" });
    const pinned = await api.call("PATCH", path, {
      body: { metadata: { resourceVersion: "1", labels: { a: "b" } } },
      headers: merge,
    });
    expect(pinned.status).toBe(409);
    const failed = await api.call("PATCH", path, {
      body: [{ op: "test", path: "/metadata/name", value: "other" }],
      headers: { "content-type": "application/json-patch+json" },
    });
    expect(failed.status).toBe(409);
  });

  it("patches again when somebody else was faster, unless the patch names a revision", async () => {
    const conflict = (): KinglyError =>
      new KinglyError("Conflict", "changed", { field: "metadata.resourceVersion" });
    api.replica.failures.push(conflict(), conflict());
    const answer = await api.call("PATCH", `${DEFAULT}/configs/web`, {
      body: { metadata: { annotations: { note: "kept" } } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    expect([answer.status, at(answer.body, "metadata", "annotations", "note")]).toEqual([
      200,
      "kept",
    ]);
  });

  it("names the proposal that a change of data opened, in a warning", async () => {
    const answer = await api.call("PATCH", `${DEFAULT}/configs/web`, {
      body: { spec: { data: { batchWindowMs: 4 } } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    const proposal = at(answer.body, "status", "proposal") as string;
    expect(answer.headers["warning"]).toContain(proposal);
    const found = await api.call("GET", `${DEFAULT}/proposals/${proposal}`);
    expect(at(found.body, "spec", "config")).toBe("web");
    expect((await api.call("DELETE", `${DEFAULT}/proposals/${proposal}`)).status).toBe(200);
  });

  it("opens one proposal for a repeated request with the same key", async () => {
    const body = {
      metadata: { generateName: "web-" },
      spec: { config: "web", patch: { batchWindowMs: 6 }, reason: "try", idempotencyKey: "ci-1" },
    };
    const first = await api.call("POST", `${DEFAULT}/proposals`, { body });
    expect([first.status, at(first.body, "spec", "source", "name")]).toEqual([201, "alice"]);
    const again = await api.call("POST", `${DEFAULT}/proposals`, { body });
    expect([again.status, at(again.body, "metadata", "uid")]).toEqual([
      200,
      at(first.body, "metadata", "uid"),
    ]);
    const other = { ...body, spec: { ...body.spec, patch: { batchWindowMs: 8 } } };
    expect((await api.call("POST", `${DEFAULT}/proposals`, { body: other })).status).toBe(409);
    await api.call("DELETE", `${DEFAULT}/proposals/${text(first.body, "metadata", "name")}`);
  });

  it("says that an outcome is unknown, with the key to repeat with, and never 503", async () => {
    api.replica.failures.push(
      new KinglyError("Indeterminate", "unknown", { idempotencyKey: "k1" }),
    );
    const { status, body, headers } = await api.call("POST", `${DEFAULT}/objectives`, {
      body: objective("maybe", "guardrail"),
    });
    expect(status).toBe(504);
    expect(headers["retry-after"]).toBeUndefined();
    expect(at(body, "details", "kingly", "idempotencyKey")).toBe("k1");
  });

  it("says 429 with Retry-After when a queue is full", async () => {
    api.replica.failures.push(new KinglyError("Overloaded", "full", { retryAfterMs: 200 }));
    const answer = await api.call("POST", `${DEFAULT}/objectives`, {
      body: objective("later", "guardrail"),
    });
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "1"]);
  });
});

describe("who may", () => {
  it("serves nothing but health to strangers", async () => {
    for (const path of ["/healthz", "/livez", "/readyz"]) {
      const answer = await api.call("GET", path, { token: undefined });
      expect([path, answer.status, answer.text]).toEqual([path, 200, "ok"]);
    }
    api.ready = false;
    expect((await api.call("GET", "/readyz", { token: undefined })).status).toBe(503);
    api.ready = true;
    for (const path of ["/api", "/metrics", `${DEFAULT}/configs`, "/version", "/nonsense"]) {
      const { status, body } = await api.call("GET", path, { token: undefined });
      expect([path, status, at(body, "reason")]).toEqual([path, 401, "Unauthorized"]);
    }
  });

  it("tells an unknown token from an expired one", async () => {
    const wrong = await api.call("GET", "/version", { token: "guess" });
    expect(at(wrong.body, "details", "kingly", "code")).toBe("TokenInvalid");
    const record = api.tokens[2];
    if (record === undefined) throw new Error("no token");
    api.tokens[2] = { ...record, expiresAtMs: api.clock.nowMs() - 1 };
    const old = await api.call("GET", "/version", { token: TOKENS.viewer });
    expect(at(old.body, "details", "kingly", "code")).toBe("TokenExpired");
    api.tokens[2] = record;
    const odd = await api.call("GET", "/version", {
      token: undefined,
      headers: { authorization: "Basic abc" },
    });
    expect(odd.status).toBe(401);
  });

  it("lets viewers read, editors write, and only administrators make join tokens", async () => {
    const body = objective("by-role", "guardrail");
    const path = `${DEFAULT}/objectives`;
    expect((await api.call("GET", path, { token: TOKENS.viewer })).status).toBe(200);
    const refused = await api.call("POST", path, { body, token: TOKENS.viewer });
    expect([refused.status, at(refused.body, "reason")]).toEqual([403, "Forbidden"]);
    expect((await api.call("POST", path, { body, token: TOKENS.editor })).status).toBe(201);
    await api.call("DELETE", `${path}/by-role`);
    const tokens = "/apis/kingly.dev/v1/jointokens";
    expect((await api.call("POST", tokens, { body: {}, token: TOKENS.editor })).status).toBe(403);
    expect((await api.call("POST", tokens, { body: {} })).status).toBe(201);
    expect((await api.call("GET", tokens)).status).toBe(405);
  });

  it("answers the self reviews", async () => {
    const access = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    const ask = async (verb: string, resource: string, token: string): Promise<unknown> => {
      const spec = { resourceAttributes: { group: "kingly.dev", verb, resource } };
      const { status, body } = await api.call("POST", access, { body: { spec }, token });
      expect(status).toBe(201);
      return at(body, "status", "allowed");
    };
    expect(await ask("create", "configs", TOKENS.editor)).toBe(true);
    expect(await ask("create", "configs", TOKENS.viewer)).toBe(false);
    expect(await ask("create", "votes", TOKENS.admin)).toBe(false);
    const rules = await api.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", {
      body: { spec: { namespace: "default" } },
    });
    expect(at(rules.body, "status", "resourceRules", 0, "verbs")).toContain("list");
    const who = await api.call("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      body: {},
    });
    expect(at(who.body, "status", "userInfo", "username")).toBe("alice");
  });
});

describe("discovery and documents", () => {
  it("serves aggregated and plain discovery", async () => {
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const aggregated = await api.call("GET", "/apis", { headers: { accept } });
    expect(aggregated.headers["content-type"]).toMatch(/as="?APIGroupDiscoveryList/);
    expect(at(aggregated.body, "items", 0, "metadata", "name")).toBe("kingly.dev");
    expect(at((await api.call("GET", "/apis")).body, "kind")).toBe("APIGroupList");
    expect(at((await api.call("GET", "/api")).body, "versions")).toEqual(["v1"]);
    expect(at((await api.call("GET", "/apis/kingly.dev")).body, "kind")).toBe("APIGroup");
    const list = await api.call("GET", "/apis/kingly.dev/v1");
    expect(at(list.body, "resources", 0, "name")).toBe("configs");
    expect((await api.call("GET", "/apis/other.dev")).status).toBe(404);
    expect((await api.call("GET", "/apis/other.dev/v1")).status).toBe(404);
  });

  it("serves OpenAPI v3 whose PATCH names fieldValidation, cacheable by hash", async () => {
    const index = await api.call("GET", "/openapi/v3");
    const url = at(index.body, "paths", "apis/kingly.dev/v1", "serverRelativeURL") as string;
    const document = await api.call("GET", url);
    const path = "/apis/kingly.dev/v1/namespaces/{namespace}/configs/{name}";
    expect(JSON.stringify(at(document.body, "paths", path, "patch", "parameters"))).toContain(
      "fieldValidation",
    );
    expect(document.headers["cache-control"]).toContain("immutable");
    const schema = at(document.body, "components", "schemas", "dev.kingly.v1.Config");
    expect(at(schema, "x-kubernetes-group-version-kind", 0, "kind")).toBe("Config");
  });

  it("serves version, metrics and the state of the cluster", async () => {
    expect(at((await api.call("GET", "/version")).body, "gitVersion")).toMatch(
      /^v1\.\d+\.0\+kingly/,
    );
    expect((await api.call("GET", "/metrics")).text).toContain("kingly_api_request_seconds_count");
    expect(at((await api.call("GET", "/cluster/status")).body, "leaderId")).toBe("m1");
  });
});

describe("explanations", () => {
  it("explains a proposal and what a node effectively runs", async () => {
    const agent = await api.enroll("node-1");
    const body = {
      metadata: { name: "explained" },
      spec: { config: "web", patch: { batchWindowMs: 6 }, reason: "faster" },
    };
    expect((await api.call("POST", `${DEFAULT}/proposals`, { body })).status).toBe(201);
    const why = await api.call("GET", `${DEFAULT}/proposals/explained/why`);
    expect(at(why.body, "changes", 0)).toEqual({ key: "batchWindowMs", from: 0, to: 6 });
    const effective = await api.call("GET", `/apis/kingly.dev/v1/nodes/${agent.name}/effective`);
    expect(at(effective.body, "configs", 0, "keys", "batchWindowMs", "from")).toBe("version 1");
    const rendered = await api.call("GET", "/apis/kingly.dev/v1/nodeconfigs/node-1.default.web");
    expect(at(rendered.body, "status", "assigned")).toBe(1);
    expect((await api.call("GET", `${DEFAULT}/proposals/nope/why`)).status).toBe(404);
    await api.call("DELETE", `${DEFAULT}/proposals/explained`);
  });
});
