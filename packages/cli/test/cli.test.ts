// Every command of kinglyctl: exact output, streams and exit codes, against a real API.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { createExample, objective } from "../../server/test/api/example.ts";
import { TestSession, measure } from "../../server/test/api/session.ts";
import type { Agent } from "../../server/test/api/support.ts";
import { TOKENS, eventually } from "../../server/test/api/support.ts";
import { Terminal } from "./support.ts";

let terminal: Terminal;
const agents: Agent[] = [];

beforeAll(async () => {
  terminal = await Terminal.start();
  await createExample(terminal.api);
  for (const name of ["node-1", "node-2", "node-3"]) agents.push(await terminal.api.enroll(name));
});

afterAll(async () => {
  await terminal.close();
});

describe("get", () => {
  it("prints tables, names, JSON and YAML", async () => {
    const table = await terminal.run(["get", "objectives"]);
    expect(table).toEqual({
      code: 0,
      err: "",
      out: expect.stringMatching(
        /^NAME {6}SIGNAL {9}BETTER {3}ROLE {8}MARGIN {3}AGE\ngoodput {3}successRatio {3}higher {3}guardrail {3}20% {6}\d+s\nlatency {3}latencyMean {4}lower {4}primary {5}20% {6}\d+s\n$/,
      ) as string,
    });
    expect(await terminal.run(["get", "obj", "-o", "name"])).toEqual({
      code: 0,
      err: "",
      out: "objective/goodput\nobjective/latency\n",
    });
    const json = await terminal.run(["get", "objective/latency", "-o", "json"]);
    expect(JSON.parse(json.out)).toMatchObject({
      kind: "Objective",
      metadata: { name: "latency" },
    });
    const yaml = await terminal.run(["get", "configs", "web", "-o", "yaml"]);
    expect(yaml.out).toContain("kind: Config\n");
    const wide = await terminal.run(["get", "obj", "-o", "wide", "--no-headers"]);
    expect(wide.out.split("\n")[0]).toMatch(/^goodput .* s {3}\d+s$/);
  });

  it("says so when there is nothing, and lists all namespaces when asked", async () => {
    expect(await terminal.run(["get", "vetoes"])).toEqual({
      code: 0,
      out: "",
      err: "No resources found in namespace default.\n",
    });
    const all = await terminal.run(["get", "configs", "-A"]);
    expect(all.out).toMatch(/^NAMESPACE +NAME +.*\ndefault +web /);
    const cluster = await terminal.run(["get", "nodes", "-A"]);
    expect(cluster.out).toMatch(/^NAME +READY /);
  });

  it("names what is wrong on the command line: exit code 2", async () => {
    const unknown = await terminal.run(["get", "nonsense"]);
    expect(unknown.code).toBe(2);
    expect(unknown.err).toMatch(
      /^error: unknown kind "nonsense" \(UnknownKind\)\n {2}known kinds: /,
    );
    expect((await terminal.run(["get", "configs", "-o", "xml"])).code).toBe(2);
    expect((await terminal.run(["fly"])).code).toBe(2);
    expect((await terminal.run(["get", "configs", "--frobnicate"])).code).toBe(2);
    const missing = await terminal.run(["get", "config", "nope"]);
    expect(missing).toEqual({
      code: 1,
      out: "",
      err: 'error: configs.kingly.dev "nope" not found (NotFound)\n',
    });
  });

  it("follows changes until it is interrupted", async () => {
    const controller = new AbortController();
    let out = "";
    const running = terminal.run(["get", "objectives", "latency", "-w", "-o", "name"], {
      signal: controller.signal,
      onOut: (text) => (out = text),
    });
    await eventually("the first line", () => out === "objective/latency\n");
    const changed = { ...objective("latency"), metadata: { name: "latency", labels: { a: "b" } } };
    await eventually("a change arrives", async () => {
      const labels = { a: String(Math.random()).slice(2, 8) };
      const body = { ...changed, metadata: { ...changed.metadata, namespace: "default", labels } };
      await terminal.run(["apply", "-f", "-"], { stdin: JSON.stringify(body) });
      return out.split("\n").length > 2;
    });
    controller.abort();
    expect((await running).code).toBe(0);
  });
});

describe("contexts", () => {
  it("explains a context file that cannot be used", async () => {
    const absent = await terminal.run(["--kubeconfig", "/nonexistent", "get", "configs"]);
    expect(absent.code).toBe(2);
    expect(absent.err).toContain("cannot read the context file /nonexistent");
    const empty = terminal.file("empty", "contexts: []\n");
    const odd = await terminal.run(["--kubeconfig", empty, "get", "configs"]);
    expect([odd.code, odd.err]).toEqual([
      2,
      `error: ${empty}: current-context is missing (Usage)\n`,
    ]);
  });

  it("tells refusals by their exit codes: 4 for who you are, 1 for an unreachable server", async () => {
    const wrong = terminal.context("wrong", "not-a-token");
    const refused = await terminal.run(["--kubeconfig", wrong, "get", "configs"]);
    expect([refused.code, refused.err]).toEqual([
      4,
      "error: the token is not known to this cluster (TokenInvalid)\n",
    ]);
    const viewer = terminal.context("viewer", TOKENS.viewer);
    const denied = await terminal.run(["--kubeconfig", viewer, "delete", "objective", "latency"]);
    expect(denied.code).toBe(4);
    expect(denied.err).toContain("vera may not delete objectives");
    const dead = terminal.context("dead", TOKENS.admin, "127.0.0.1:1");
    const unreachable = await terminal.run(["--kubeconfig", dead, "get", "configs"]);
    expect(unreachable.code).toBe(1);
    expect(unreachable.err).toContain("cannot reach https://127.0.0.1:1");
  });
});

describe("apply and delete", () => {
  it("creates, leaves alone, configures and deletes", async () => {
    const file = terminal.file("objective.yaml", stringify(objective("from-file", "guardrail")));
    const apply = (...rest: string[]) => terminal.run(["apply", "-f", file, ...rest]);
    expect(await apply("--dry-run", "server")).toMatchObject({
      code: 0,
      out: "objective/from-file created (server dry run)\n",
    });
    expect(await apply()).toMatchObject({ code: 0, out: "objective/from-file created\n" });
    expect(await apply()).toMatchObject({ code: 0, out: "objective/from-file unchanged\n" });
    const changed = { ...objective("from-file", "guardrail") };
    changed["spec"] = { ...(changed["spec"] as object), weight: 3 };
    terminal.file("objective.yaml", stringify(changed));
    expect(await apply()).toMatchObject({ code: 0, out: "objective/from-file configured\n" });
    expect(await terminal.run(["delete", "objective", "from-file"])).toEqual({
      code: 0,
      err: "",
      out: "objective/from-file deleted\n",
    });
    expect((await terminal.run(["delete", "objective", "from-file"])).code).toBe(1);
    expect((await terminal.run(["delete", "objective"])).code).toBe(2);
  });

  it("names field, limit and value of a document that is refused", async () => {
    const bad = stringify({
      apiVersion: "kingly.dev/v1",
      kind: "Policy",
      metadata: { name: "bad" },
      spec: { quorum: 3 },
    });
    const refused = await terminal.run(["apply", "-f", "-"], { stdin: bad });
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("  spec.quorum: must be at most 1; got 3\n");
    const twice = await terminal.run(["apply", "-f", "-"], { stdin: "a: 1\na: 2\n" });
    expect([twice.code, twice.out]).toEqual([2, ""]);
    const nothing = await terminal.run(["apply", "-f", "-"], { stdin: "# nothing\n" });
    expect(nothing.code).toBe(2);
    const absent = await terminal.run(["apply", "-f", "/nonexistent"]);
    expect([absent.code, absent.err]).toEqual([2, "error: -f: cannot read /nonexistent (Usage)\n"]);
  });
});

describe("describe", () => {
  it("shows an object with conditions and events", async () => {
    const { code, out } = await terminal.run(["describe", "rollout", "web-v1"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Name: {8}web-v1\nNamespace: {3}default\n/);
    expect(out).toContain("Spec:\n  config: web\n");
    expect(out).toContain("RolloutCompleted");
    const none = await terminal.run(["describe", "policy", "demo"]);
    expect(none.out).toContain("Events:\n  <none in the last hour>\n");
  });
});

describe("cluster status", () => {
  it("says who leads and how far each member is", async () => {
    const { code, out } = await terminal.run(["cluster", "status"]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^cluster test-cluster, term 1, revision \d+, committed \d+, applied \d+ \(answered by m1, leader, 0\.1\.0\)\nMEMBER {3}ROLE {5}REACHABLE {3}MATCH {3}ADDRESS\nm1 {7}leader {3}yes {9}\d+ +localhost:\d+\n$/,
    );
    const json = await terminal.run(["cluster", "status", "-o", "json"]);
    expect(JSON.parse(json.out)).toMatchObject({ leaderId: "m1" });
  });
});

/** All nodes connect; returns their sessions. */
async function connectAll(): Promise<readonly TestSession[]> {
  const sessions: TestSession[] = [];
  for (const agent of agents) sessions.push(await TestSession.open(agent, { incarnation: 9 }));
  return sessions;
}

/** Nodes confirm whatever is being rolled out. */
function confirmAll(): void {
  const { replica, clock } = terminal.api;
  for (let i = 0; i < 20; i += 1) {
    const open = replica.state
      .objects("Rollout")
      .find((one) => one.status?.phase === "Progressing");
    if (open === undefined) return;
    const { configUid, version } = open.spec;
    const nodes = open.status?.stages.flatMap((stage) => stage.nodes) ?? [];
    replica.run("acks", { configUid, version, state: "confirmed", nodes });
    clock.offsetMs += 5_000;
    for (const { name } of agents) {
      const lists = { targets: [], signals: [], active: [] };
      replica.soft.reportHeartbeat({ node: name, incarnation: 9, agentVersion: "0.1.0", ...lists });
    }
    replica.lead();
  }
}

async function voteAll(sessions: readonly TestSession[], effect: number): Promise<void> {
  const { replica, clock } = terminal.api;
  const orders = await Promise.all(
    sessions.map((session) => eventually("an order", () => session.orders().at(-1))),
  );
  clock.offsetMs += 60_000;
  for (const [at, session] of sessions.entries()) {
    const order = orders[at];
    if (order === undefined) throw new Error("no order");
    const result = await session.submit(session.vote(order, measure(order, effect)));
    expect(result.code).toBe("");
  }
  replica.lead();
}

describe("propose, why and rollout", () => {
  it("waits for the verdict, explains it, and says 3 when the fleet rejects", async () => {
    const { replica } = terminal.api;
    const sessions = await connectAll();
    confirmAll();
    let err = "";
    const running = terminal.run(
      ["propose", "web", "--set", "batchWindowMs=40", "--reason", "fewer wakeups", "--wait"],
      { onErr: (text) => (err = text) },
    );
    await eventually("it is open", () => err.includes("opened"));
    while (replica.lead() > 0);
    const name = /proposal\/(\S+) opened/.exec(err)?.[1] ?? "";
    const open = await terminal.run(["why", "proposal", name]);
    expect(open.out).toContain(`proposal/${name} in default is Trialing`);
    expect(open.out).toContain("KEY             FROM   TO\n  batchWindowMs   0      40");
    expect(open.out).toContain("No answer yet from: ");
    await voteAll(sessions, 1.5);
    const ended = await running;
    expect(ended.code).toBe(3);
    expect(ended.out).toMatch(new RegExp(`^proposal/${name} Rejected: .+\n$`));
    expect(ended.err).toMatch(/^proposal\/\S+ opened\n(?: {2}Validated: .+\n)? {2}Trialing: .+\n/);
    const why = await terminal.run(["why", `proposal/${name}`]);
    expect(why.code).toBe(0);
    expect(why.out).toMatch(/ {2}node-1 {3}gpu {5}Reject {3}\d+ +latency .*% worse/);
    expect(why.out).toContain("it rejects when HARM E reaches 100.");
    expect(why.out).toContain("0 accept, 3 reject, 0 abstain; 100% of the weight decided");
    expect(why.out).toContain(
      "Next: nothing was changed; where it lost, the same change is refused",
    );
    const json = await terminal.run(["why", "proposal", name, "-o", "json"]);
    expect(JSON.parse(json.out)).toMatchObject({ phase: "Rejected" });
    const quarantined = await terminal.run([
      "propose",
      "web",
      "--set",
      "batchWindowMs=40",
      "--reason",
      "again",
    ]);
    expect([quarantined.code, quarantined.out]).toEqual([4, ""]);
    expect(quarantined.err).toContain("(Quarantined)");
    for (const session of sessions) session.close();
  });

  it("commits what the fleet accepts, follows its rollout, and explains a veto", async () => {
    const { replica } = terminal.api;
    const sessions = await connectAll();
    let err = "";
    const running = terminal.run(
      [
        "propose",
        "web",
        "--set",
        "batchWindowMs=4",
        "--reason",
        "faster",
        "--wait=committed",
        "-o",
        "name",
      ],
      { onErr: (text) => (err = text) },
    );
    await eventually("it is open", () => err.includes("opened"));
    while (replica.lead() > 0);
    await voteAll(sessions, -0.3);
    const ended = await running;
    expect([ended.code, ended.out]).toEqual([0, expect.stringMatching(/^proposal\/web-\w+\n$/)]);
    const status = await terminal.run(["rollout", "status", "web"]);
    expect(status.code).toBe(6);
    expect(status.out).toMatch(/^rollout\/web-v2 Progressing: .*\nSTAGE {3}NODE {5}STATE\n/);
    const watching = terminal.run(["rollout", "status", "web", "--watch"]);
    confirmAll();
    const done = await watching;
    expect(done.code).toBe(0);
    expect(done.out).toContain("rollout/web-v2 Completed: ");

    const asked = await terminal.run([
      "veto",
      "node-2",
      "web",
      "--version",
      "2",
      "--reason",
      "maintenance window",
    ]);
    expect(asked).toEqual({
      code: 0,
      err: "",
      out: "asked node-2 to veto version 2 of web; it answers in a moment\n",
    });
    const session = sessions[1] as TestSession;
    const wish = await eventually("the request", () => session.of("vetoRequest")[0]);
    const config = replica.state.object("Config", "default", "web");
    const veto = {
      ...session.header(),
      kind: "Veto",
      configUid: wish.configUid,
      version: wish.version,
      contentHash: config?.status?.contentHash ?? "",
      cause: "Manual",
      message: wish.reason,
      pinnedKeys: ["batchWindowMs"],
      plan: {},
      evidence: {},
      runsVersion: 1,
      expiresAtMs: replica.state.meta().timeMs + 3_600_000,
      revertDelayMs: 5,
    };
    expect(await session.submit(veto)).toMatchObject({ code: "" });
    const why = await terminal.run(["why", "veto", "web-v2-node-2"]);
    expect(why.code).toBe(0);
    expect(why.out).toContain(
      "Veto: node-2 (gpu) runs version 1 instead of version 2 (Manual): maintenance window",
    );
    expect(why.out).toMatch(
      /Next: it ends in (59m|60m|1h), or when a version changes a kept key\.\n$/,
    );
    for (const one of sessions) one.close();
  });

  it("explains a paused rollout, resumes it and takes it back", async () => {
    const { replica } = terminal.api;
    const sessions = await connectAll();
    let err = "";
    const argv = [
      "propose",
      "web",
      "--set",
      "batchWindowMs=2",
      "--reason",
      "even faster",
      "--wait",
    ];
    const running = terminal.run(argv, { onErr: (text) => (err = text) });
    await eventually("it is open", () => err.includes("opened"));
    while (replica.lead() > 0);
    await voteAll(sessions, -0.3);
    const paused = async (): Promise<string> =>
      (await terminal.run(["rollout", "status", "web"])).out;
    await eventually("it rolls out", async () => (await paused()).includes("web-v3 Progressing"));
    const config = replica.state.object("Config", "default", "web");
    const first = replica.state.object("Rollout", "default", "web-v3")?.status?.stages[0]?.nodes[0];
    const session = sessions[agents.findIndex(({ name }) => name === first)] as TestSession;
    const veto = {
      ...session.header(),
      kind: "Veto",
      configUid: config?.metadata.uid ?? "",
      version: 3,
      contentHash: config?.status?.contentHash ?? "",
      cause: "Manual",
      message: "its fan is loud",
      pinnedKeys: ["batchWindowMs"],
      plan: {},
      evidence: {},
      runsVersion: 2,
      expiresAtMs: replica.state.meta().timeMs + 3_600_000,
      revertDelayMs: 5,
    };
    expect(await session.submit(veto)).toMatchObject({ code: "" });
    const status = await terminal.run(["rollout", "status", "web"]);
    expect(status.code).toBe(6);
    expect(status.out).toContain("rollout/web-v3 Paused: ");
    expect(status.out).toContain("kinglyctl rollout resume web --reason TEXT");
    expect(status.out).toContain("kinglyctl rollout undo web --reason TEXT     back to version 2");

    const viewer = terminal.context("viewer", TOKENS.viewer);
    const denied = await terminal.run(["--kubeconfig", viewer, "rollout", "resume", "web"]);
    expect(denied.code).toBe(4);
    const resumed = await terminal.run(["rollout", "resume", "web", "--reason", "fan replaced"]);
    expect(resumed.code).toBe(0);
    expect(resumed.out).toContain(
      "rollout/web-v3 Progressing: alice resumed the rollout: fan replaced",
    );
    const again = await terminal.run(["rollout", "resume", "web"]);
    expect([again.code, again.err]).toEqual([
      5,
      "error: the rollout is Progressing, not Paused (Conflict)\n",
    ]);
    expect((await terminal.run(["rollout", "undo", "web"])).code).toBe(2);
    const undone = await terminal.run(["rollout", "undo", "web", "--reason", "too loud"]);
    expect(undone.code).toBe(0);
    expect(undone.out).toContain(
      "rollout/web-v3 RolledBack: alice rolled version 3 back: too loud",
    );
    expect(undone.out).toContain("before the rollback: nodes leave version 3 for version 2.\n");
    expect((await running).code).toBe(7);
    for (const one of sessions) one.close();
    const none = await terminal.run(["rollout", "resume", "nope"]);
    expect(none.code).toBe(1);
  });

  it("says 6 when the time is over while the proposal still runs, and does not cancel it", async () => {
    const { code, out, err } = await terminal.run([
      "propose",
      "web",
      "--set",
      "batchWindowMs=10",
      "--reason",
      "slow",
      "--wait",
      "--timeout",
      "200ms",
    ]);
    expect(code).toBe(6);
    expect(err).toMatch(/still \w+; it goes on by itself\n$/);
    const name = /^proposal\/(\S+) /.exec(out)?.[1] ?? "";
    const { replica } = terminal.api;
    expect(replica.state.object("Proposal", "default", name)?.status?.phase).not.toBe("Withdrawn");
    await terminal.run(["delete", "proposal", name]);
  });

  it("finds its first proposal when a pipeline repeats a commit", async () => {
    const argv = [
      "propose",
      "web",
      "--set",
      "batchWindowMs=12",
      "--reason",
      "ci",
      "--source",
      "ci",
    ];
    const first = await terminal.run([...argv, "--commit", "abc123", "-o", "name"]);
    const again = await terminal.run([...argv, "--commit", "abc123", "-o", "name"]);
    expect([first.code, again.code, again.out]).toEqual([0, 0, first.out]);
    expect(first.err).toMatch(/^proposal\/\S+ opened\n$/);
    expect(again.err).toMatch(/^proposal\/\S+ was opened before by the same request\n$/);
    await terminal.run(["delete", first.out.trim()]);
  });

  it("refuses command lines that do not say what to change", async () => {
    for (const argv of [
      ["propose", "web", "--reason", "x"],
      ["propose", "web", "--set", "novalue", "--reason", "x"],
      ["propose", "web", "--set", "a=1", "--reason", "x", "--timeout", "soon"],
      ["why", "config", "web"],
      ["why", "proposal"],
      ["veto", "node-1", "web"],
      ["veto", "node-1", "web", "--reason", "x", "--version", "two"],
      ["veto", "node-1", "web", "--reason", "x", "--version", "-1"],
      ["propose", "web", "--set", "workers=2", "--reason", "x", "--base-version", "abc"],
      ["propose", "web", "--set", "workers=2", "--reason", "x", "--base-version", "1.5"],
      ["propose", "web", "--set", "workers=2", "--reason", "x", "--base-version", ""],
      [
        "propose",
        "web",
        "--set",
        "workers=2",
        "--reason",
        "x",
        "--base-version",
        "9007199254740993",
      ],
    ]) {
      expect([argv.join(" "), (await terminal.run(argv)).code]).toEqual([argv.join(" "), 2]);
    }
    expect((await terminal.run(["why", "proposal", "nope"])).code).toBe(1);
    const schema = ["propose", "web", "--set", "batchWindowMs=400", "--reason", "x"];
    const refused = await terminal.run(schema);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("(SchemaViolation)");
  });
});

describe("token create", () => {
  it("prints a token that enrols one node, once", async () => {
    const argv = ["token", "create", "--class", "cpu", "--label", "role=edge", "--ttl", "10m"];
    const { code, out, err } = await terminal.run(argv);
    expect([code, err]).toEqual([0, "enrols one node of class cpu; valid for 10 min\n"]);
    expect(out).toMatch(/^kjt1\.\w{8}\.[\w-]{43}\.[0-9a-f]{64}\n$/);
    await terminal.api.enroll("edge-7", out.trim());
    const node = terminal.api.replica.state.object("Node", "", "edge-7");
    expect([node?.spec.class, node?.metadata.labels]).toEqual(["cpu", { role: "edge" }]);
    expect((await terminal.run([...argv, "--label", "novalue"])).code).toBe(2);
    expect((await terminal.run(["token", "create", "--ttl", "90d"])).code).toBe(2);
    expect((await terminal.run(["token", "create", "--ttl", "1000h"])).code).toBe(2);
  });
});

describe("help and version", () => {
  it("goes to standard output with exit code 0", async () => {
    const help = await terminal.run(["--help"]);
    expect([help.code, help.err]).toEqual([0, ""]);
    expect(help.out).toContain("Usage: kinglyctl");
    expect(await terminal.run(["--version"])).toEqual({ code: 0, out: "0.1.0\n", err: "" });
  });
});
