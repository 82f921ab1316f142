// Watches over REST and gRPC: initial objects, resume, selectors, bookmarks, expiry, slow clients.
import type { IncomingMessage } from "node:http";
import { Metadata } from "@grpc/grpc-js";
import type { ClientReadableStream, ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import { fromServiceError } from "@kingly/protocol";
import type { ProposalState, WatchEvent } from "@kingly/protocol";
import { DEFAULT, createExample, objective } from "./example.ts";
import { TOKENS, TestApi, at, eventually, text } from "./support.ts";

let api: TestApi;
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

beforeAll(async () => {
  api = await TestApi.start();
  await createExample(api);
});

afterAll(async () => {
  await api.close();
});

/** Reads newline-delimited events. */
class Events {
  readonly all: JsonObject[] = [];
  readonly response: IncomingMessage;
  ended = false;

  constructor(response: IncomingMessage) {
    this.response = response;
    let rest = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      const lines = `${rest}${chunk}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.all.push(JSON.parse(line) as JsonObject);
    });
    response.on("end", () => (this.ended = true));
    response.on("error", () => (this.ended = true));
    response.on("close", () => (this.ended = true));
  }

  list(): string[] {
    return this.all.map(
      (event) => `${text(event, "type")} ${text(event, "object", "metadata", "name")}`,
    );
  }

  async count(count: number): Promise<this> {
    await eventually(
      `${count} events, got ${this.list().join(", ")}`,
      () => this.all.length >= count,
    );
    return this;
  }

  close(): void {
    this.response.destroy();
  }
}

async function watch(query: string, accept?: string, plural = "objectives"): Promise<Events> {
  const headers = accept === undefined ? {} : { accept };
  return new Events(await api.open("GET", `${DEFAULT}/${plural}?watch=true&${query}`, { headers }));
}

const revision = (): number => api.replica.state.meta().revision;
const path = `${DEFAULT}/objectives`;

async function change(name: string, weight: number, labels: JsonObject = {}): Promise<void> {
  const answer = await api.call("PATCH", `${path}/${name}`, {
    body: { metadata: { labels }, spec: { weight } },
    headers: { "content-type": "application/merge-patch+json" },
  });
  expect(answer.status).toBe(200);
}

describe("REST watches", () => {
  it("sends the present objects first when no revision is named", async () => {
    const events = await (await watch("")).count(2);
    expect(events.list()).toEqual(["ADDED goodput", "ADDED latency"]);
    events.close();
    await eventually("the watch is closed", () => api.replica.watchers === 1);
  });

  it("sends only what happened after a revision, a deletion under its own", async () => {
    const from = revision();
    const events = await watch(`resourceVersion=${from}`);
    await api.call("POST", path, { body: objective("short-lived", "guardrail") });
    await change("short-lived", 3);
    await api.call("DELETE", `${path}/short-lived`);
    await events.count(3);
    expect(events.list()).toEqual([
      "ADDED short-lived",
      "MODIFIED short-lived",
      "DELETED short-lived",
    ]);
    const revisions = events.all.map((event) =>
      Number(at(event, "object", "metadata", "resourceVersion")),
    );
    expect(revisions).toEqual(revisions.toSorted((a, b) => a - b));
    expect(revisions[2]).toBe(revision());
    const replayed = await (await watch(`resourceVersion=${from}`)).count(3);
    expect(replayed.list()).toEqual(events.list());
    events.close();
    replayed.close();
  });

  it("turns beginning and ceasing to match into ADDED and DELETED", async () => {
    const from = revision();
    const events = await watch(`resourceVersion=${from}&labelSelector=hot%3Dyes`);
    await change("latency", 2, { hot: "yes" });
    await change("goodput", 2, { hot: "no" });
    await change("latency", 3, { hot: "yes" });
    await change("latency", 4, { hot: null });
    await change("latency", 5);
    await events.count(3);
    expect(events.list()).toEqual(["ADDED latency", "MODIFIED latency", "DELETED latency"]);
    const named = await watch(`resourceVersion=${from}&fieldSelector=metadata.name%3Dgoodput`);
    await named.count(1);
    expect(named.list()).toEqual(["MODIFIED goodput"]);
    events.close();
    named.close();
  });

  it("renders tables, with columns in the first event only", async () => {
    const events = await (await watch("", TABLE, "configs")).count(1);
    await api.call("PATCH", `${DEFAULT}/configs/web`, {
      body: { metadata: { labels: { seen: "1" } } },
      headers: { "content-type": "application/merge-patch+json" },
    });
    await events.count(2);
    expect(at(events.all[0], "object", "kind")).toBe("Table");
    expect(at(events.all[0], "object", "columnDefinitions", 0, "name")).toBe("Name");
    expect(at(events.all[1], "object", "columnDefinitions")).toEqual([]);
    expect(at(events.all[1], "object", "rows", 0, "cells", 0)).toBe("web");
    events.close();
  });

  it("marks the end of initial objects with a bookmark when asked to", async () => {
    const query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1";
    const events = await (await watch(query)).count(3);
    expect(at(events.all[2], "type")).toBe("BOOKMARK");
    const metadata = at(events.all[2], "object", "metadata");
    expect(at(metadata, "annotations", "k8s.io/initial-events-end")).toBe("true");
    expect(at(metadata, "resourceVersion")).toBe(String(revision()));
    events.close();
    const odd = await api.call("GET", `${path}?watch=1&sendInitialEvents=true`);
    expect([odd.status, at(odd.body, "details", "causes", 0, "field")]).toEqual([
      422,
      "resourceVersionMatch",
    ]);
  });

  it("ends after timeoutSeconds, with a bookmark to resume from", async () => {
    const from = revision();
    const events = await watch(`resourceVersion=${from}&timeoutSeconds=1&allowWatchBookmarks=true`);
    await eventually("the end", () => events.ended);
    expect(events.all.map((event) => at(event, "type"))).toEqual(["BOOKMARK"]);
    expect(at(events.all[0], "object", "metadata", "resourceVersion")).toBe(String(from));
  });

  it("says 410 in an ERROR event when the revision is compacted, and ends", async () => {
    const fresh = await TestApi.start();
    await createExample(fresh);
    fresh.replica.compactedRevision = 4;
    // What memory still holds is served from there: push it out of the recent events.
    for (let i = 0; i < 9; i += 1) {
      for (let j = 0; j < 2_000; j += 1) {
        fresh.replica.run("write", {
          op: "replace",
          kind: "Objective",
          namespace: "default",
          name: "latency",
          object: {
            ...objective("latency"),
            metadata: { name: "latency", namespace: "default", labels: { at: `v${i}-${j}` } },
          },
        });
      }
    }
    const response = await fresh.open("GET", `${path}?watch=true&resourceVersion=2`);
    const events = await new Events(response).count(1);
    expect(at(events.all[0], "type")).toBe("ERROR");
    expect(at(events.all[0], "object", "code")).toBe(410);
    expect(at(events.all[0], "object", "reason")).toBe("Expired");
    await eventually("the end", () => events.ended);
    await fresh.close();
  });

  it("refuses to watch kinds that are rendered, and revisions from the future", async () => {
    const rendered = await api.call("GET", "/apis/kingly.dev/v1/nodeconfigs?watch=true");
    expect(rendered.status).toBe(405);
    const future = await api.call("GET", `${path}?watch=true&resourceVersion=999999`);
    expect(future.status).toBe(504);
  });

  it("delivers every event to a client that stopped reading for a while", async () => {
    const slow = await watch(`resourceVersion=${revision()}`, undefined, "configs");
    slow.response.pause();
    const note = "x".repeat(200_000);
    const before = revision();
    for (let i = 0; i < 40; i += 1) {
      const answer = await api.call("PATCH", `${DEFAULT}/configs/web`, {
        body: { metadata: { annotations: { note: `${i}-${note}` } } },
        headers: { "content-type": "application/merge-patch+json" },
      });
      expect(answer.status).toBe(200);
    }
    expect(revision()).toBe(before + 40);
    slow.response.resume();
    await slow.count(40);
    expect(
      new Set(slow.all.map((event) => at(event, "object", "metadata", "resourceVersion"))).size,
    ).toBe(40);
    slow.close();
  });

  it("ends watches when the server stops", async () => {
    const other = await TestApi.start();
    const response = await other.open("GET", "/api/v1/namespaces?watch=true");
    const events = await new Events(response).count(1);
    await other.close();
    await eventually("the end", () => events.ended);
  });
});

describe("gRPC watches", () => {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${TOKENS.viewer}`);

  function collect(stream: ClientReadableStream<WatchEvent>): {
    readonly events: WatchEvent[];
    error(): string | undefined;
  } {
    const events: WatchEvent[] = [];
    let code: string | undefined;
    stream.on("data", (event: WatchEvent) => events.push(event));
    stream.on("error", (error: ServiceError) => (code = fromServiceError(error).code));
    return { events, error: () => code };
  }

  it("sends the present objects, a bookmark, and then changes", async () => {
    const client = api.configClient();
    const stream = client.Watch(
      { kind: "Objective", namespace: "default", name: "latency" },
      metadata,
    );
    const { events } = collect(stream);
    await eventually("a bookmark", () => events.some((one) => one.type === "TYPE_BOOKMARK"));
    expect(events.map((one) => one.type)).toEqual(["TYPE_ADDED", "TYPE_BOOKMARK"]);
    await change("latency", 7);
    await change("goodput", 7);
    await change("latency", 8);
    await eventually("changes", () => events.length === 4);
    const last = JSON.parse(events.at(-1)?.document.toString("utf8") ?? "") as JsonObject;
    expect(at(last, "spec", "weight")).toBe(8);
    expect(events.at(-1)?.revision).toBe(revision());
    stream.cancel();
  });

  it("refuses strangers and unknown kinds", async () => {
    const client = api.configClient();
    const stranger = collect(client.Watch({ kind: "Objective" }));
    await eventually("refused", () => stranger.error() === "Unauthenticated");
    const unknown = collect(client.Watch({ kind: "Nonsense" }, metadata));
    await eventually("refused", () => unknown.error() === "UnknownKind");
  });

  it("follows a proposal until nothing more can happen", async () => {
    const body = {
      metadata: { name: "followed" },
      spec: { config: "web", patch: { batchWindowMs: 12 }, reason: "follow me" },
    };
    expect((await api.call("POST", `${DEFAULT}/proposals`, { body })).status).toBe(201);
    const client = api.configClient();
    const stream = client.WatchProposal({ namespace: "default", name: "followed" }, metadata);
    const states: ProposalState[] = [];
    let ended = false;
    stream.on("data", (state: ProposalState) => states.push(state));
    stream.on("end", () => (ended = true));
    await eventually("a state", () => states.length > 0);
    const proposal = api.replica.state.object("Proposal", "default", "followed");
    api.replica.run("withdraw", { proposalUid: proposal?.metadata.uid ?? "", reason: "enough" });
    await eventually("the end", () => ended);
    const last = JSON.parse(states.at(-1)?.document.toString("utf8") ?? "") as JsonObject;
    expect(at(last, "status", "phase")).toBe("Withdrawn");
  });
});
