// What waits is checked again before it is tried or committed: a later decision may have changed the
// ground under it, so that together they break a rule that spans keys, or the rule is new.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import { Admission } from "../../src/admission/admit.ts";
import { DEFAULT, POLICY, SCHEMA, createExample } from "./example.ts";
import { confirmAll } from "./rollouts.ts";
import { TestSession } from "./session.ts";
import { TestApi } from "./support.ts";
import type { Agent, Answer } from "./support.ts";

let api: TestApi;
const agents: Agent[] = [];
const sessions: TestSession[] = [];

/** A window of 30 ms and more holds requests up: only few workers may do it. */
const CROSS: JsonObject = {
  ...(SCHEMA["spec"] as JsonObject),
  schema: {
    type: "object",
    properties: { batchWindowMs: { type: "integer" }, workers: { type: "integer" } },
    anyOf: [
      { properties: { batchWindowMs: { maximum: 29 } } },
      { properties: { workers: { maximum: 4 } } },
    ],
  },
};

async function replace(plural: string, object: JsonObject, change: JsonObject): Promise<void> {
  const { name } = object["metadata"] as { readonly name: string };
  const path = `${DEFAULT}/${plural}/${name}`;
  const spec = { ...(object["spec"] as JsonObject), ...change };
  const headers = { "content-type": "application/merge-patch+json" };
  const answer = await api.call("PATCH", path, { body: { spec }, headers });
  expect([plural, answer.status]).toEqual([plural, 200]);
}

function propose(name: string, patch: JsonObject): Promise<Answer> {
  const body = { metadata: { name }, spec: { config: "web", patch, reason: "a test" } };
  return api.call("POST", `${DEFAULT}/proposals`, { body });
}

beforeAll(async () => {
  api = await TestApi.start();
  await createExample(api);
  for (const name of ["node-1", "node-2", "node-3"]) agents.push(await api.enroll(name));
  for (const agent of agents) sessions.push(await TestSession.open(agent, { incarnation: 9 }));
  confirmAll(api, agents, 4_000);
});

afterAll(async () => {
  for (const session of sessions) session.close();
  await api.close();
});

it("denies a change that breaks the schema on the ground it was moved to, and tries the next", async () => {
  await replace("configschemas", SCHEMA, CROSS);
  await replace("policies", POLICY, { directCommits: true });
  expect((await propose("wide", { batchWindowMs: 40 })).status).toBe(201);
  confirmAll(api, agents, 4_000);
  expect((await propose("narrow", { batchWindowMs: 10 })).status).toBe(201);
  await replace("policies", POLICY, { directCommits: false });
  // On top of 10 ms many workers are allowed; on top of 40 ms they are not.
  expect((await propose("broad", { workers: 8 })).status).toBe(201);
  expect((await propose("other", { batchWindowMs: 20 })).status).toBe(201);
  expect((await propose("never", { batchWindowMs: 30, workers: 8 })).status).toBe(422);
  const undone = await api.call("POST", `${DEFAULT}/rollouts/web-v3/rollback`, {
    body: { reason: "not this one" },
  });
  expect(undone.status).toBe(200);

  const { state } = api.replica;
  const status = (name: string) => state.object("Proposal", "default", name)?.status;
  expect(status("broad")).toMatchObject({ phase: "Validated", reason: "Rebased" });
  while (api.replica.lead() > 0);
  expect(status("broad")).toMatchObject({
    phase: "Denied",
    reason: "SchemaViolation",
    message: expect.stringMatching(
      /^on top of version 2 the content breaks its schema: data/,
    ) as string,
  });
  expect(status("broad")?.trial).toBeUndefined();
  expect(status("other")).toMatchObject({ phase: "Trialing" });
});

describe("a change that waits to be committed without a trial", () => {
  const status = (name: string) =>
    api.replica.state.object("Proposal", "default", name)?.status ?? { phase: "none" };
  const version = () => api.replica.state.object("Config", "default", "web")?.status?.version ?? 0;

  /** Lets everything that is open come to its end, in turn. */
  function settleAll(): void {
    for (let i = 0; i < 10; i += 1) {
      confirmAll(api, agents, 4_000);
      while (api.replica.lead() > 0);
    }
  }

  beforeAll(async () => {
    await replace("policies", POLICY, { directCommits: true });
    const trying = await api.call("DELETE", `${DEFAULT}/proposals/other`);
    expect(trying.status).toBe(200);
    settleAll();
  });

  it("is denied when it breaks the schema on the ground it was moved to, and the next has its turn", async () => {
    expect((await propose("away", { batchWindowMs: 16 })).status).toBe(201);
    const away = version();
    // On top of 16 ms many workers are allowed; on top of 40 ms they are not.
    expect((await propose("many", { workers: 8 })).status).toBe(201);
    expect((await propose("few", { workers: 3 })).status).toBe(201);
    const undone = await api.call("POST", `${DEFAULT}/rollouts/web-v${away}/rollback`, {
      body: { reason: "not this one" },
    });
    expect(undone.status).toBe(200);
    expect(status("many")).toMatchObject({ phase: "Validated", reason: "Rebased" });
    settleAll();
    expect(status("many")).toMatchObject({
      phase: "Denied",
      reason: "SchemaViolation",
      message: expect.stringMatching(/^on top of version \d+ the content breaks its schema: data/),
    });
    expect(status("few")).toMatchObject({ phase: "Completed" });
    const config = api.replica.state.object("Config", "default", "web");
    expect(config?.spec.data).toEqual({ batchWindowMs: 40, workers: 3 });
  });

  it("is judged by the schema of its turn, not of its opening", async () => {
    expect((await propose("moving", { batchWindowMs: 20 })).status).toBe(201);
    expect((await propose("late", { workers: 7 })).status).toBe(201);
    const before = version();
    await replace("configschemas", SCHEMA, {
      ...CROSS,
      schema: { ...(CROSS["schema"] as JsonObject), properties: { workers: { maximum: 5 } } },
    });
    settleAll();
    expect(status("late")).toMatchObject({ phase: "Denied", reason: "SchemaViolation" });
    expect(version()).toBe(before);
  });

  it("is judged on the base that it names, also when this server has not seen it yet", async () => {
    const { state } = api.replica;
    const body = { namespace: "default", config: "web", reason: "r", patch: { workers: 9 } };
    const source = { type: "human", name: "test" };
    const admit = (baseVersion: number) =>
      new Admission().admit(state, {
        command: "propose",
        body: new Uint8Array(0),
        bodyObject: { ...body, source, baseVersion },
      });
    expect(() => admit(version())).toThrow(/workers/);
    // A version to come: apply answers Retry when it came, and refuses the base otherwise.
    const next = `configversions/default/web-v${version() + 9}`;
    expect(admit(version() + 9).readSet).toContainEqual({ key: next, revision: 0 });
  });
});
