// AgentService end to end over TLS: enrolment, sessions, pushes, acknowledgements, trials, votes.
import { generateKeyPairSync, sign } from "node:crypto";
import type { ServiceError } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KinglyError, utf8Encode } from "@kingly/base";
import { fromServiceError, generateSigningKey, nodeCrypto } from "@kingly/protocol";
import type { EnrollRequestInput } from "@kingly/protocol";
import type { TrialOrder } from "@kingly/resources";
import { DEFAULT, createExample } from "./example.ts";
import { CLUSTER_ID } from "./fake-replica.ts";
import { TestSession, measure } from "./session.ts";
import { TestApi, at, eventually } from "./support.ts";
import type { Agent } from "./support.ts";

let api: TestApi;
const agents: Agent[] = [];

beforeAll(async () => {
  api = await TestApi.start();
  await createExample(api);
  for (const name of ["node-1", "node-2", "node-3"]) agents.push(await api.enroll(name));
});

afterAll(async () => {
  await api.close();
});

function agent(index: number): Agent {
  const found = agents[index];
  if (found === undefined) throw new Error(`no agent ${index}`);
  return found;
}

const revision = (): number => api.replica.state.meta().revision;

function enrollWith(change: (request: EnrollRequestInput) => EnrollRequestInput, token: string) {
  const tls = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const signing = generateSigningKey();
  const proof = utf8Encode(`kingly-enroll|${token}|fresh`);
  const request: EnrollRequestInput = {
    token,
    node: "fresh",
    tlsPublicKey: tls.publicKey.export({ format: "der", type: "spki" }),
    tlsProof: sign("sha256", proof, tls.privateKey),
    signingPublicKey: Buffer.from(signing.publicKey),
    signingProof: Buffer.from(nodeCrypto.sign(signing.privateKey, proof)),
    targets: [],
    signals: [],
    agentVersion: "0.1.0",
  };
  return new Promise<string>((resolve) => {
    api.agentClient().Enroll(change(request), (error: ServiceError | null) => {
      resolve(error === null ? "" : fromServiceError(error).code);
    });
  });
}

describe("Enroll", () => {
  it("gives a certificate and the node that the token describes", () => {
    const { response } = agent(0);
    expect(response.clusterId).toBe(CLUSTER_ID);
    expect(response.servers).toEqual([api.grpcAddress]);
    const node = JSON.parse(response.node.toString("utf8")) as never;
    expect(at(node, "spec", "class")).toBe("gpu");
    expect(at(node, "metadata", "labels", "role")).toBe("inference");
  });

  it("refuses tokens that are used, unknown, damaged, of another cluster or expired", async () => {
    const before = revision();
    const used = await api.joinToken();
    await api.enroll("used-once", used);
    expect(await enrollWith((request) => request, used)).toBe("TokenInvalid");
    const after = revision();
    const [, id, , fingerprint = ""] = used.split(".");
    const unknown = `kjt1.${id}.${"x".repeat(43)}.${fingerprint}`;
    expect(await enrollWith((request) => request, unknown)).toBe("TokenInvalid");
    expect(await enrollWith((request) => request, "kjt1.what")).toBe("TokenInvalid");
    const foreign = `kjt1.${id}.${"x".repeat(43)}.${"0".repeat(64)}`;
    expect(await enrollWith((request) => request, foreign)).toBe("TokenInvalid");
    const old = await api.joinToken({ ttlSeconds: 10 });
    api.clock.offsetMs += 11_000;
    expect(await enrollWith((request) => request, old)).toBe("TokenExpired");
    expect(revision()).toBe(after);
    expect(after).toBeGreaterThan(before);
    await api.call("DELETE", "/apis/kingly.dev/v1/nodes/used-once");
  });

  it("wants proof of both keys, and spends no token without it", async () => {
    const token = await api.joinToken();
    const junk = Buffer.alloc(64, 7);
    expect(await enrollWith((one) => ({ ...one, tlsProof: junk }), token)).toBe("BadSignature");
    expect(await enrollWith((one) => ({ ...one, signingProof: junk }), token)).toBe("BadSignature");
    expect(await enrollWith((one) => ({ ...one, node: "Not A Name" }), token)).toBe("InvalidField");
    expect(await enrollWith((one) => one, token)).toBe("");
    await api.call("DELETE", "/apis/kingly.dev/v1/nodes/fresh");
  });
});

describe("Session", () => {
  it("welcomes a node and pushes its whole desired state", async () => {
    const session = await TestSession.open(agent(0));
    expect(session.of("welcome")[0]).toMatchObject({ clusterId: CLUSTER_ID, memberId: "m1" });
    expect(session.push()?.assignments[0]).toMatchObject({
      version: 1,
      data: { batchWindowMs: 0, workers: 1 },
    });
    expect(api.replica.soft.reachableNodes.has("node-1")).toBe(true);
    const node = await api.call("GET", "/apis/kingly.dev/v1/nodes/node-1");
    const conditions = JSON.stringify(at(node.body, "status", "conditions"));
    expect(conditions).toContain('"type":"Ready","status":"True"');
    session.close();
    await eventually("the node is gone", () => !api.replica.soft.reachableNodes.has("node-1"));
  });

  it("takes the node's name from the certificate alone", async () => {
    const before = revision();
    const wrongNode = new TestSession(agent(0));
    wrongNode.hello({ node: "node-2" });
    await eventually("refused", () => wrongNode.error?.code === "WrongNode");
    const wrongCluster = new TestSession(agent(0));
    wrongCluster.hello({ clusterId: "other" });
    await eventually("refused", () => wrongCluster.error?.code === "WrongCluster");
    const anonymous = new TestSession({ ...agent(0), client: api.agentClient() });
    await eventually("refused", () => anonymous.error?.code === "Unauthenticated");
    const person = await api.certificate("client", "node-1");
    const posing = new TestSession({
      ...agent(0),
      client: api.agentClient(api.credentials(person)),
    });
    await eventually("refused", () => posing.error?.code === "Forbidden");
    const foreign = await api.certificate("node", "node-1", "other-cluster");
    const stranger = new TestSession({
      ...agent(0),
      client: api.agentClient(api.credentials(foreign)),
    });
    await eventually("refused", () => stranger.error?.code === "WrongCluster");
    const removed = await api.certificate("node", "never-enrolled");
    const unknown = new TestSession({
      ...agent(0),
      client: api.agentClient(api.credentials(removed)),
    });
    await eventually("refused", () => unknown.error?.code === "Unauthenticated");
    const early = new TestSession(agent(0));
    early.stream.write({ heartbeat: { active: [], clockMs: 1 } });
    await eventually("refused", () => early.error?.code === "Usage");
    expect(revision()).toBe(before);
  });

  it("keeps one session per node; the newer incarnation wins", async () => {
    const first = await TestSession.open(agent(1), { incarnation: 5 });
    const second = await TestSession.open(agent(1), { incarnation: 6 });
    await eventually("the first ends", () => first.error?.code === "Conflict");
    const older = new TestSession(agent(1));
    older.hello({ incarnation: 4 });
    await eventually("the older is refused", () => older.error?.code === "Conflict");
    expect(second.error).toBeUndefined();
    expect(api.replica.soft.reachableNodes.has("node-2")).toBe(true);
    second.close();
    await eventually("it is gone", () => !api.replica.soft.reachableNodes.has("node-2"));
  });

  it("records what a node has bound when that changed", async () => {
    const session = await TestSession.open(agent(1), {
      incarnation: 7,
      signals: ["errorRate", "latencyMean", "successRatio"],
    });
    await eventually("the status is written", () =>
      api.replica.state.object("Node", "", "node-2")?.status?.signals.includes("errorRate"),
    );
    session.close();
  });

  it("passes acknowledgements on once, and again when heartbeats show they were lost", async () => {
    const session = await TestSession.open(agent(2));
    const assignment = session.push()?.assignments[0];
    const configUid = assignment?.config.uid ?? "";
    const nonce = session.of("push").at(-1)?.nonce ?? "";
    const about = { configUid, version: 1, generation: assignment?.generation ?? 0 };
    api.replica.acks.length = 0;
    session.stream.write({ ack: { nonce, ...about, state: "STATE_APPLIED" } });
    await eventually("an ack", () => api.replica.acks.length === 1);
    expect(api.replica.acks[0]).toEqual({
      configUid,
      version: 1,
      state: "applied",
      node: "node-3",
    });
    const active = [{ ...about, state: "applied", lastKnownGood: 0, message: "" }];
    session.stream.write({ heartbeat: { active, clockMs: 1 } });
    api.clock.offsetMs += 3_000;
    session.stream.write({ heartbeat: { active, clockMs: 2 } });
    await eventually("repeated", () => api.replica.acks.length === 2);
    api.replica.run("acks", { configUid, version: 1, state: "applied", nodes: ["node-3"] });
    api.clock.offsetMs += 3_000;
    session.stream.write({ heartbeat: { active, clockMs: 3 } });
    session.stream.write({
      nack: { nonce, ...about, reason: "CheckFailed", message: "no", lastGoodVersion: 0 },
    });
    const failed = await eventually("a nack", () =>
      api.replica.acks.find((ack) => ack.state === "failed"),
    );
    expect(failed.message).toBe("CheckFailed: no");
    expect(api.replica.acks.filter((ack) => ack.state === "applied").length).toBe(2);
    session.close();
  });

  it("delivers a request for a veto that was asked of any server, once", async () => {
    const session = await TestSession.open(agent(2), { incarnation: 2 });
    const answer = await api.call("POST", `${DEFAULT}/configs/web/veto`, {
      body: { node: "node-3", reason: "maintenance" },
    });
    expect([answer.status, at(answer.body, "version")]).toEqual([202, 1]);
    await eventually("delivered", () => session.of("vetoRequest").length === 1);
    expect(session.of("vetoRequest")[0]).toMatchObject({
      version: 1,
      reason: "maintenance",
      requestedBy: "alice",
    });
    const missing = await api.call("POST", `${DEFAULT}/configs/web/veto`, { body: { node: "x" } });
    expect(missing.status).toBe(400);
    session.close();
  });

  it("ends with a status for messages beyond their limits", async () => {
    const session = await TestSession.open(agent(2), { incarnation: 3 });
    session.stream.write({ trialProgress: Buffer.from('{"node":"node-1"}') });
    await eventually("refused", () => session.error?.code === "WrongNode");
    const other = await TestSession.open(agent(2), { incarnation: 3 });
    other.stream.write({ trialProgress: Buffer.from('{"node":"node-3","pairs":1}') });
    await eventually("refused", () => other.error?.code === "InvalidField");
  });
});

/** Opens sessions of all nodes and starts a trial. */
async function startTrial(name: string, window: number): Promise<readonly TestSession[]> {
  const sessions: TestSession[] = [];
  for (const one of agents) {
    sessions.push(await TestSession.open(one, { incarnation: 100 }));
  }
  settleRollouts();
  const body = {
    metadata: { name },
    spec: { config: "web", patch: { batchWindowMs: window }, reason: "faster" },
  };
  const answer = await api.call("POST", `${DEFAULT}/proposals`, { body });
  expect(answer.status).toBe(201);
  while (api.replica.lead() > 0);
  return sessions;
}

/** Lets the newest rollout end with everybody confirming. */
function settleRollouts(): void {
  const config = api.replica.state.object("Config", "default", "web");
  const configUid = config?.metadata.uid ?? "";
  for (let i = 0; i < 20; i += 1) {
    const open = api.replica.state
      .objects("Rollout")
      .find((one) => one.status?.phase === "Progressing");
    if (open === undefined) return;
    const { version } = open.spec;
    const nodes = open.status?.stages.flatMap((stage) => stage.nodes) ?? [];
    api.replica.run("acks", { configUid, version, state: "confirmed", nodes });
    api.clock.offsetMs += 5_000;
    for (const one of agents) api.replica.soft.reportHeartbeat(heartbeat(one.name));
    api.replica.lead();
  }
}

function heartbeat(node: string) {
  const incarnation = api.replica.soft.heartbeat(node)?.incarnation ?? 1;
  const lists = { targets: [], signals: [], active: [] };
  return { node, incarnation, agentVersion: "0.1.0", ...lists };
}

async function order(session: TestSession): Promise<TrialOrder> {
  return eventually("an order", () => session.orders()[0]);
}

function phase(name: string): string | undefined {
  return api.replica.state.object("Proposal", "default", name)?.status?.phase;
}

describe("a trial over sessions", () => {
  it("sends orders, refuses false votes with their own codes, counts true ones", async () => {
    const sessions = await startTrial("better", 4);
    const [one, two, three] = sessions as [TestSession, TestSession, TestSession];
    const orders = await Promise.all(sessions.map(order));
    const [first] = orders as [TrialOrder];
    const evidence = measure(first, -0.3);
    api.clock.offsetMs += 60_000;
    const before = revision();

    const otherKey = generateSigningKey().privateKey;
    expect(await one.submit(one.vote(first, evidence), otherKey)).toMatchObject({
      code: "BadSignature",
      retry: false,
    });
    expect(await one.submit(one.vote(first, evidence, { node: "node-2" }))).toMatchObject({
      code: "WrongNode",
    });
    expect(await one.submit(one.vote(first, evidence, { clusterId: "other" }))).toMatchObject({
      code: "WrongCluster",
    });
    const lying = JSON.parse(JSON.stringify(evidence)) as Record<string, unknown>;
    const processes = JSON.stringify(lying).replace(/"S":-?[0-9.]+/, '"S":-0.1');
    const changed = JSON.parse(
      processes === JSON.stringify(lying)
        ? JSON.stringify(lying).replace(/("lnE":)-?[0-9.]+/, "$19.5")
        : processes,
    ) as never;
    const lie = await one.submit(one.vote(first, evidence, { evidence: changed }));
    expect(lie.code).toBe("EvidenceMismatch");
    const garbage = await one.send("Vote", "g1", Buffer.from("{no"), Buffer.alloc(64));
    expect(garbage).toMatchObject({ code: "MalformedJson", retry: false });
    const doubled = Buffer.from('{"kind":"Vote","kind":"Vote"}');
    expect(await one.send("Vote", "g2", doubled, Buffer.alloc(64))).toMatchObject({
      code: "DuplicateKey",
    });
    expect(await one.send("Config", "g3", Buffer.from("{}"), Buffer.alloc(64))).toMatchObject({
      code: "UnknownKind",
    });
    expect(revision()).toBe(before);
    expect(phase("better")).toBe("Trialing");

    api.replica.failures.push(new KinglyError("NoLeader", "no leader"));
    const vote = one.vote(first, evidence);
    expect(await one.submit(vote)).toMatchObject({ code: "NoLeader", retry: true });
    one.messages.length = 0;
    expect(await one.submit(vote)).toMatchObject({ code: "", retry: false });
    const progress = {
      node: "node-2",
      proposalUid: first.proposal.uid,
      pairs: 3,
      droppedPairs: 0,
      objectives: [],
    };
    two.stream.write({ trialProgress: Buffer.from(JSON.stringify(progress)) });
    await eventually("progress", () => api.replica.soft.progress(first.proposal.uid).length === 1);
    for (const [at, session] of [two, three].entries()) {
      const own = orders[at + 1];
      if (own === undefined) throw new Error("no order");
      expect(await session.submit(session.vote(own, measure(own, -0.3)))).toMatchObject({
        code: "",
      });
    }
    expect(["Committed", "RollingOut", "Completed"]).toContain(phase("better"));
    await eventually("version 2 is pushed", () => two.push()?.assignments[0]?.version === 2);
    expect(two.of("trialCancel")).toEqual([]);
    const generations = two
      .of("push")
      .map((push) => JSON.parse(push.document.toString("utf8")) as never)
      .map((push) => at(push, "assignments", 0, "generation") as number);
    expect(generations).toEqual(generations.toSorted((a, b) => a - b));
    expect(new Set(two.of("push").map((push) => push.nonce)).size).toBe(two.of("push").length);

    const late = await two.submit(two.vote(orders[1] as TrialOrder, evidence, { attempt: 1 }));
    expect(late.code).not.toBe("");
    for (const session of sessions) session.close();
  });

  it("cancels a trial that ends under a node, and answers its vote LateVote", async () => {
    const sessions = await startTrial("taken-back", 8);
    const [one, two] = sessions as [TestSession, TestSession];
    const orders = await Promise.all(sessions.map(order));
    expect((await api.call("DELETE", `${DEFAULT}/proposals/taken-back?dryRun=All`)).status).toBe(
      200,
    );
    const uid = orders[0]?.proposal.uid ?? "";
    api.replica.run("withdraw", { proposalUid: uid, reason: "changed my mind" });
    await eventually("cancelled", () => one.of("trialCancel").length === 1);
    expect(one.of("trialCancel")[0]).toMatchObject({ proposalUid: uid, attempt: 1 });
    api.clock.offsetMs += 60_000;
    const second = orders[1] as TrialOrder;
    const before = revision();
    const answer = await two.submit(two.vote(second, measure(second, 0.5)));
    expect(answer).toMatchObject({ code: "LateVote", retry: false });
    expect(revision()).toBe(before);
    two.close();
    // An agent that was away when the trial ended hears of it when it comes back.
    const active = [
      {
        configUid: second.config.uid,
        version: 2,
        generation: 1,
        state: "trial",
        lastKnownGood: 1,
        message: "",
      },
    ];
    const back = await TestSession.open(agent(1), { incarnation: 101, active });
    expect(back.of("trialCancel").some((cancel) => cancel.proposalUid === uid)).toBe(true);
    for (const session of [...sessions, back]) session.close();
  });
});

describe("shutdown", () => {
  it("tells agents to go elsewhere", async () => {
    const other = await TestApi.start();
    const only = await other.enroll("lonely");
    const session = new TestSession(only);
    session.hello();
    await eventually("a welcome", () => session.of("welcome").length === 1);
    await other.close();
    await eventually("told", () => session.error?.code === "Unavailable");
  });
});
