// What an operator sees and does around trials: votes as they come in, a proposal taken back, a lost
// change released from quarantine. Against a real API.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import type { Proposal, TrialOrder } from "@kingly/resources";
import { votesCast } from "../../server/src/api/core/views.ts";
import { DEFAULT, createExample } from "../../server/test/api/example.ts";
import { TestSession, measure } from "../../server/test/api/session.ts";
import { TOKENS, at, eventually } from "../../server/test/api/support.ts";
import { Terminal } from "./support.ts";

let terminal: Terminal;
const sessions = new Map<string, TestSession>();

beforeAll(async () => {
  terminal = await Terminal.start();
  await createExample(terminal.api);
  for (let i = 1; i <= 5; i += 1) {
    const agent = await terminal.api.enroll(`node-${i}`);
    sessions.set(agent.name, await TestSession.open(agent));
  }
});

afterAll(async () => {
  for (const session of sessions.values()) session.close();
  await terminal.close();
});

function proposal(name: string): Proposal {
  const found = terminal.api.replica.state.object("Proposal", "default", name);
  if (found === undefined) throw new Error(`no proposal ${name}`);
  return found;
}

/** Opens a proposal and starts its trial; returns its name. */
async function open(value: number): Promise<string> {
  const { code, out } = await terminal.run(propose(value));
  expect(code).toBe(0);
  while (terminal.api.replica.lead() > 0);
  return out.trim().replace("proposal/", "");
}

function propose(value: number): string[] {
  return ["propose", "web", "--set", `batchWindowMs=${value}`, "--reason", "test", "-o", "name"];
}

async function orderOf(node: string, name: string): Promise<[TestSession, TrialOrder]> {
  const session = sessions.get(node);
  if (session === undefined) throw new Error(`no session of ${node}`);
  const { uid } = proposal(name).metadata;
  const order = await eventually(`${node}'s order`, () =>
    session.orders().find((one) => one.proposal.uid === uid),
  );
  // Long enough for the pairs that it claims; five answers fit into the deadline.
  terminal.api.clock.offsetMs += 18_000;
  return [session, order];
}

async function vote(node: string, name: string, effect: number): Promise<void> {
  const [session, order] = await orderOf(node, name);
  const result = await session.submit(session.vote(order, measure(order, effect)));
  expect(result.code).toBe("");
}

async function decline(node: string, name: string): Promise<void> {
  const [session, order] = await orderOf(node, name);
  const change = { decision: "Abstain", declined: true, reason: "busy", evidence: {} };
  const result = await session.submit(session.vote(order, measure(order, 0), change));
  expect(result.code).toBe("");
}

/** The cell VOTES of a proposal, as `get proposals` prints it. */
async function votesCell(name: string): Promise<string> {
  const { out } = await terminal.run(["get", "proposals"]);
  const lines = out.split("\n");
  const from = lines[0]?.indexOf("VOTES") ?? -1;
  const row = lines.find((line) => line.startsWith(`${name} `)) ?? "";
  return /^(.*?)(?: {3}|$)/.exec(row.slice(from))?.[1] ?? "";
}

describe("votes while a trial runs", () => {
  it("are counted in the table as they come in, a place asked anew counts as open", async () => {
    const name = await open(40);
    const first = proposal(name).status?.trial?.nodes ?? [];
    expect(first).toHaveLength(4);
    expect(await votesCell(name)).toBe("0/4");
    await decline(first[0] ?? "", name);
    while (terminal.api.replica.lead() > 0);
    const nodes = proposal(name).status?.trial?.nodes ?? [];
    expect(nodes).not.toContain(first[0]);
    expect(await votesCell(name)).toBe("0/4");

    const waiting = await open(30);
    expect(proposal(waiting).status?.phase).toBe("Validated");
    expect(await votesCell(waiting)).toBe("<none>");

    const controller = new AbortController();
    let followed = "";
    const watch = terminal.run(["get", "proposals", name, "-w"], {
      signal: controller.signal,
      onOut: (text) => (followed = text),
    });
    await eventually("the first row", () => followed.includes("0/4"));
    for (const [done, node] of nodes.slice(0, 3).entries()) {
      await vote(node, name, 1.5);
      expect(await votesCell(name)).toBe(`${done + 1}/4`);
    }
    await eventually("the third vote", () => followed.includes("3/4"));
    controller.abort();
    await watch;
    await vote(nodes[3] ?? "", name, 1.5);
    expect(proposal(name).status?.phase).toBe("Rejected");
    expect(await votesCell(name)).toBe("0/4/0 of 4");
    expect((await terminal.run(["delete", "proposal", waiting])).code).toBe(0);
  });

  it("are those of this proposal and attempt only", () => {
    const trial = { attempt: 2, nodes: ["a", "b", "c"] };
    const metadata = { namespace: "default", name: "web", uid: "u1" };
    const subject = { metadata, status: { trial } } as unknown as Proposal;
    const rows = [
      { proposalUid: "u1", attempt: 2, node: "a" },
      { proposalUid: "u1", attempt: 2, node: "declined" },
      { proposalUid: "u2", attempt: 2, node: "b" },
      { proposalUid: "u1", attempt: 1, node: "c" },
    ];
    const asked: string[] = [];
    const state = {
      *list(prefix: string): Generator<readonly [string, JsonObject]> {
        asked.push(prefix);
        for (const spec of rows) yield ["", { spec }];
      },
    };
    expect(votesCast(state, subject)).toEqual({ cast: 1, asked: 3 });
    expect(asked).toEqual(["votes/default/web-a2-"]);
    expect(votesCast(state, { ...subject, status: undefined } as never)).toBeUndefined();
  });
});

describe("a proposal taken back", () => {
  it("ends its trial by its deletion, and a wait for it ends with 5", async () => {
    let err = "";
    const argv = ["propose", "web", "--set", "batchWindowMs=20", "--reason", "oops", "--wait"];
    const running = terminal.run(argv, { onErr: (text) => (err = text) });
    await eventually("it is open", () => err.includes("opened"));
    while (terminal.api.replica.lead() > 0);
    const name = /proposal\/(\S+) opened/.exec(err)?.[1] ?? "";
    expect(proposal(name).status?.phase).toBe("Trialing");
    expect(await terminal.run(["delete", "proposal", name])).toMatchObject({ code: 0 });
    const ended = await running;
    expect([ended.code, ended.out]).toEqual([
      5,
      `proposal/${name} Withdrawn: somebody deleted the proposal\n`,
    ]);
    const events = terminal.api.replica.state.objects("Event", "default");
    const messages = events.map((event) => event.spec.message);
    expect(messages).toContain("taken back by alice: the proposal was deleted");
    // The Config is free for the next one.
    const next = await open(22);
    expect(proposal(next).status?.phase).toBe("Trialing");
    await terminal.run(["delete", "proposal", next]);
  });
});

/** Opens a proposal that measures harm and is rejected; returns its name. */
async function lose(value: number): Promise<string> {
  const name = await open(value);
  for (const node of proposal(name).status?.trial?.nodes ?? []) await vote(node, name, 1.5);
  expect(proposal(name).status?.phase).toBe("Rejected");
  return name;
}

describe("quarantine release", () => {
  const release = (...rest: string[]) => terminal.run(["quarantine", "release", ...rest]);

  it("lets the change of one proposal be tried again, as the refusal says", async () => {
    const lost = await lose(46);
    const refused = await terminal.run(propose(46));
    expect(refused.code).toBe(4);
    const command = `kinglyctl quarantine release web --proposal ${lost} --reason TEXT`;
    expect(refused.err).toContain(command);
    const argv = command.replace("TEXT", "cooling-repaired").split(" ").slice(1);
    expect(await terminal.run(argv)).toEqual({
      code: 0,
      err: "",
      out: `config/web: the change of proposal/${lost} may be proposed again\n`,
    });
    const again = await open(46);
    expect(proposal(again).status?.phase).toBe("Trialing");
    await terminal.run(["delete", "proposal", again]);
    // What lost elsewhere stays.
    expect((await terminal.run(propose(40))).code).toBe(4);
    const { out } = await terminal.run(["describe", "config", "web"]);
    expect(out).toMatch(/QuarantineReleased +alice released 1 change\(s\): cooling-repaired/);
  });

  it("releases everything of a Config only when that is said", async () => {
    await lose(36);
    expect(await release("web", "--all", "--reason", "new hardware")).toEqual({
      code: 0,
      err: "",
      out: "config/web: everything that lost may be proposed again\n",
    });
    for (const value of [36, 40]) {
      const { code, out } = await terminal.run(propose(value));
      expect(code).toBe(0);
      await terminal.run(["delete", out.trim()]);
    }
    const nothing = await release("web", "--all", "--reason", "again");
    expect(nothing.code).toBe(1);
    expect(nothing.err).toContain("nothing is quarantined under that name");
  });

  it("refuses what names nothing, who may not, and a missing reason", async () => {
    const reason = ["--reason", "why"];
    expect((await release("web", "--all")).code).toBe(2);
    for (const argv of [
      reason,
      ["--all", "--proposal", "x", ...reason],
      ["--proposal", "", ...reason],
    ]) {
      const { code, err } = await release("web", ...argv);
      expect([code, err]).toEqual([2, expect.stringContaining("either --proposal NAME or --all")]);
    }
    expect((await release("nope", "--all", ...reason)).code).toBe(1);
    expect((await release("web", "--proposal", "nope", ...reason)).code).toBe(1);
    const viewer = ["--kubeconfig", terminal.context("viewer", TOKENS.viewer)];
    const denied = await terminal.run([
      ...viewer,
      "quarantine",
      "release",
      "web",
      "--all",
      ...reason,
    ]);
    expect([denied.code, denied.err]).toEqual([
      4,
      expect.stringContaining("vera may not update configs"),
    ]);
  });

  it("names field and limit of a request that it cannot read", async () => {
    const path = `${DEFAULT}/configs/web/release-quarantine`;
    const call = async (body: JsonObject, query = ""): Promise<unknown[]> => {
      const answer = await terminal.api.call("POST", `${path}${query}`, { body });
      const details = (key: string) => at(answer.body, "details", "kingly", key);
      return [answer.status, details("code"), details("field")];
    };
    expect(await call({ all: true })).toEqual([422, "InvalidField", "reason"]);
    expect(await call({ all: true, reason: "x".repeat(1_001) })).toEqual([
      422,
      "InvalidField",
      "reason",
    ]);
    for (const body of [
      {},
      { proposal: "" },
      { proposal: 7 },
      { all: false },
      { proposal: "x", all: true },
    ]) {
      expect(await call({ ...body, reason: "r" })).toEqual([422, "InvalidField", "proposal"]);
    }
    expect(await call({ all: true, reason: "r", node: "n" })).toEqual([
      400,
      "UnknownField",
      "node",
    ]);
    expect(await call({ all: true, reason: "r" }, "?dryRun=All")).toEqual([400, "Usage", "dryRun"]);
    const read = await terminal.api.call("GET", path);
    expect(read.status).toBe(404);
  });
});

describe("quarantine list", () => {
  const list = (...rest: string[]) => terminal.run(["quarantine", "list", ...rest]);
  const collection = `${DEFAULT}/quarantine`;

  it("says when there is nothing, of one Config or of the namespace", async () => {
    await terminal.run(["quarantine", "release", "web", "--all", "--reason", "a clean start"]);
    const out = "";
    const namespace = "nothing is in quarantine in namespace default\n";
    expect(await list()).toEqual({ code: 0, out, err: namespace });
    const config = "nothing is in quarantine of config/web\n";
    expect(await list("web")).toEqual({ code: 0, out, err: config });
  });

  it("shows which change is refused, where, since when, by which proposal and why", async () => {
    const lost = await lose(44);
    terminal.api.clock.offsetMs += 3 * 3_600_000;
    for (const argv of [[], ["web"]]) {
      const { code, out } = await list(...argv);
      const [head = "", row = "", ...more] = out.trimEnd().split("\n");
      expect([code, more]).toEqual([0, []]);
      expect(head.split(/ {3,}/)).toEqual([
        "CONFIG",
        "PROPOSAL",
        "CHANGE",
        "CLASSES",
        "AGE",
        "ENDS IN",
        "REASON",
      ]);
      const cells = row.split(/ {3,}/);
      expect(cells.slice(0, 4)).toEqual(["web", lost, "batchWindowMs=44", "gpu"]);
      expect(cells.slice(4, 6)).toEqual(["3h", "29d"]);
      expect(cells[6]).toBe(proposal(lost).status?.message);
    }
    const { out } = await list("web", "-o", "json");
    const answer = await terminal.api.call("GET", collection);
    expect(JSON.parse(out)).toEqual(answer.body);
    const [item] = at(answer.body, "items") as readonly JsonObject[];
    expect(item).toMatchObject({ config: "web", proposal: lost, changes: { batchWindowMs: 44 } });
    const spanMs = Date.parse(item?.["until"] as string) - Date.parse(item?.["since"] as string);
    expect(spanMs).toBe(30 * 86_400_000);
    // A viewer of Configs may see it, in no other namespace.
    const viewer = ["--kubeconfig", terminal.context("viewer", TOKENS.viewer)];
    expect((await terminal.run([...viewer, "quarantine", "list"])).out).toContain(lost);
    const elsewhere = await terminal.run(["-n", "other", "quarantine", "list"]);
    expect([elsewhere.code, elsewhere.out]).toEqual([0, ""]);
    await terminal.run(["quarantine", "release", "web", "--all", "--reason", "shown"]);
    expect((await list("web")).out).toBe("");
  });

  it("leaves out what may be proposed again", async () => {
    await lose(42);
    const { clock } = terminal.api;
    clock.offsetMs += 30 * 86_400_000 - 600_000;
    expect((await list("web")).out).toContain("batchWindowMs=42");
    clock.offsetMs += 600_000;
    expect((await list("web")).out).toBe("");
    await terminal.run(["delete", "proposal", await open(42)]);
  });

  it("is refused to strangers, for a Config that is not there, and for other methods", async () => {
    const status = async (method: string, path: string, token?: string): Promise<number> =>
      (await terminal.api.call(method, path, token === undefined ? {} : { token })).status;
    expect(await status("GET", collection, "not-a-token")).toBe(401);
    expect(await status("GET", `${DEFAULT}/configs/web/quarantine`, "not-a-token")).toBe(401);
    expect(await status("GET", `${DEFAULT}/configs/nope/quarantine`)).toBe(404);
    expect(await status("DELETE", collection)).toBe(405);
    expect((await list("nope")).code).toBe(1);
    expect((await list("-o", "yaml")).code).toBe(2);
  });
});
