// kinglyctl rollout and veto: a version on its way to the nodes, what stops it, and who decides.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TOKENS, eventually } from "../../server/test/api/support.ts";
import type { TestSession } from "../../server/test/api/session.ts";
import { Fleet } from "./fleet.ts";
import type { Terminal } from "./support.ts";

let fleet: Fleet;
let terminal: Terminal;

beforeAll(async () => {
  fleet = await Fleet.start();
  terminal = fleet.terminal;
});

afterAll(async () => {
  await fleet.close();
});

describe("rollout and veto", () => {
  it("commits what the fleet accepts, follows its rollout, and explains a veto", async () => {
    const { replica } = terminal.api;
    const { sessions } = fleet;
    const proposing = await fleet.propose(4, "--reason", "why", "--wait=committed", "-o", "name");
    await fleet.voteAll(proposing.name, () => -0.3);
    const ended = await proposing.ended;
    expect([ended.code, ended.out]).toEqual([0, expect.stringMatching(/^proposal\/web-\w+\n$/)]);
    const status = await terminal.run(["rollout", "status", "web"]);
    expect(status.code).toBe(6);
    expect(status.out).toMatch(/^rollout\/web-v2 Progressing: .*\nSTAGE {3}NODE {5}STATE\n/);
    const watching = terminal.run(["rollout", "status", "web", "--watch"]);
    fleet.confirmAll();
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
  });

  it("explains a paused rollout, resumes it and takes it back", async () => {
    const { replica } = terminal.api;
    const { sessions, agents } = fleet;
    const proposing = await fleet.propose(2, "--reason", "even faster", "--wait");
    await fleet.voteAll(proposing.name, () => -0.3);
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
    expect((await proposing.ended).code).toBe(7);
    const none = await terminal.run(["rollout", "resume", "nope"]);
    expect(none.code).toBe(1);
  });

  it("completes with a sentence that names who said no in the trial", async () => {
    const proposing = await fleet.propose(6, "--reason", "a compromise", "--wait");
    await fleet.voteAll(proposing.name, (node) => (node === "node-3" ? 1.5 : -0.3));
    const { out } = await terminal.run(["rollout", "status", "web"]);
    expect(out).toMatch(/\n- +node-3 +voted no in the trial, never gets it\n/);
    fleet.confirmAll();
    const { code, out: said } = await proposing.ended;
    expect([code, said]).toEqual([
      0,
      `proposal/${proposing.name} Completed: version 4 is confirmed by 2 node(s); ` +
        "voted no in the trial and never got it: node-3\n",
    ]);
    const why = await terminal.run(["why", "proposal", proposing.name]);
    expect(why.out).toContain(
      "2 of 2 nodes confirmed, 0 vetoed, 0 failed, voted no in the trial: node-3",
    );
  });
});
