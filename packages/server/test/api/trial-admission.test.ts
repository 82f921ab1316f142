// What waits for its trial is checked again before it is tried: a later decision may have changed the
// ground under it, so that together they break a rule that spans keys.
import { afterAll, beforeAll, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
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
