// The summary of --once says what the cluster says, at every point of a proposal's life: the input is a
// sequence of states as the API shows them, the output is read after each.

import { KinglyError } from "@kingly/base";
import type { Proposal, ProposalPhase, Rollout, Veto } from "@kingly/resources";
import { describe, expect, it } from "vitest";
import { FLEET } from "../src/fleet.ts";
import { isFinal } from "../src/follow.ts";
import type { Outcome, OutcomeReader } from "../src/outcome.ts";
import { exitCodeOf, proposalToReport, readOutcome, verdictOf } from "../src/outcome.ts";
import { printOutcome } from "../src/summary.ts";
import { meta, plain, proposal } from "./support/proposals.ts";
import type { Status } from "./support/proposals.ts";

type Stored = Proposal | Rollout | Veto;

const FINAL: Readonly<Record<ProposalPhase, boolean>> = {
  Pending: false,
  Validated: false,
  AwaitingApproval: false,
  Trialing: false,
  Voting: false,
  Committed: false,
  RollingOut: false,
  Completed: true,
  Rejected: true,
  Inconclusive: true,
  Expired: true,
  Withdrawn: true,
  Superseded: true,
  Denied: true,
  RolledBack: true,
};

function counted(accept: number, reject: number, abstain: number): Pick<Status, "verdict"> {
  return { verdict: { votes: { accept, reject, abstain } } as NonNullable<Status["verdict"]> };
}

function rollout(confirmed: readonly string[], name = "inference-v2"): Rollout {
  return {
    kind: "Rollout",
    metadata: meta(name, "2026-01-01T00:00:00Z"),
    spec: { config: "inference", version: 2 },
    status: { confirmed, vetoed: [], excluded: ["node-5"] },
  } as unknown as Rollout;
}

function veto(
  node: string,
  fields: Partial<Veto["spec"]> & { readonly ended?: "RolledBack" | "Expired" } = {},
): Veto {
  const { ended, ...spec } = fields;
  const base = { node, config: "inference", version: 2, cause: "Voted", runsVersion: 1 };
  const { config, version } = { ...base, ...spec };
  return {
    kind: "Veto",
    metadata: meta(`${config}-v${version}-${node}`, "2026-01-01T00:00:00Z"),
    spec: { ...base, ...spec },
    status: { active: ended === undefined, reason: ended ?? "Voted", message: "" },
  } as unknown as Veto;
}

/** The API over the newest state of each object, as a sequence of changes left it. */
class Cluster implements OutcomeReader {
  readonly #objects = new Map<string, Stored>();

  show(...states: readonly Stored[]): this {
    for (const state of states) this.#objects.set(`${state.kind}/${state.metadata.name}`, state);
    return this;
  }

  get<T>(scope: { readonly kind: string; readonly name: string }): Promise<T> {
    const found = this.#objects.get(`${scope.kind}/${scope.name}`);
    if (found !== undefined) return Promise.resolve(found as T);
    return Promise.reject(new KinglyError("NotFound", `no ${scope.kind} ${scope.name}`));
  }

  list<T>(scope: { readonly kind: string }): ReturnType<OutcomeReader["list"]> &
    Promise<{
      readonly items: readonly T[];
      readonly resourceVersion: string;
    }> {
    const items = [...this.#objects.values()].filter(({ kind }) => kind === scope.kind) as never[];
    return Promise.resolve({ items, resourceVersion: "1" });
  }

  outcome(
    options: { readonly timedOut?: boolean; readonly seconds?: number } = {},
  ): Promise<Outcome> {
    const { timedOut = false, seconds = 93.04 } = options;
    return readOutcome(this, { proposal: "p1", timedOut, seconds });
  }
}

const COMMITTED: Partial<Status> = {
  committedVersion: 2,
  rollout: "inference-v2",
  ...counted(3, 1, 0),
};
const FOUR = ["node-1", "node-2", "node-3", "node-4"];

describe("the summary of --once", () => {
  it("follows a proposal that is committed, confirmed by four and vetoed by one", async () => {
    const cluster = new Cluster();
    const at = async (...states: readonly Stored[]): Promise<Outcome["summary"]> =>
      (await cluster.show(...states).outcome()).summary;

    const nothing = { committedVersion: 0, confirmed: 0, vetoed: [] };
    const none = { accept: 0, reject: 0, abstain: 0 };
    expect(await at(proposal({ phase: "Trialing" }))).toEqual({
      proposal: "p1",
      verdict: "Trialing",
      votes: none,
      ...nothing,
      seconds: 93,
    });
    const votes = { accept: 3, reject: 1, abstain: 0 };
    expect(await at(proposal({ phase: "Voting", ...counted(3, 1, 0) }))).toMatchObject({
      verdict: "Voting",
      votes,
      ...nothing,
    });
    // Committed, but nobody has confirmed it: the rollout is not written yet.
    expect(await at(proposal({ ...COMMITTED, phase: "RollingOut" }), veto("node-5"))).toMatchObject(
      { verdict: "Accepted", votes, committedVersion: 2, confirmed: 0 },
    );
    expect(await at(rollout(["node-1"]))).toMatchObject({ confirmed: 1, vetoed: ["node-5"] });
    expect(await at(rollout(FOUR), proposal({ ...COMMITTED, phase: "Completed" }))).toEqual({
      proposal: "p1",
      verdict: "Accepted",
      votes,
      committedVersion: 2,
      confirmed: 4,
      vetoed: ["node-5"],
      seconds: 93,
    });
  });

  it("is one line of JSON with the promised fields in the promised order", async () => {
    const cluster = new Cluster().show(
      proposal({ ...COMMITTED, ...counted(2, 1, 1), phase: "Completed" }),
      rollout(FOUR),
      veto("node-5"),
    );
    const { summary } = await cluster.outcome({ seconds: 128.66 });
    expect(JSON.stringify(summary)).toBe(
      '{"proposal":"p1","verdict":"Accepted","votes":{"accept":2,"reject":1,"abstain":1},' +
        '"committedVersion":2,"confirmed":4,"vetoed":["node-5"],"seconds":128.7}',
    );
  });

  it("shows a rejected change as not committed, whatever other vetoes say", async () => {
    const cluster = new Cluster().show(
      proposal({ phase: "Rejected", ...counted(0, 4, 0) }),
      // An earlier version's veto: version 0 is no version that anybody could veto.
      veto("node-5"),
      veto("node-4", { version: 0 }),
    );
    const { summary, nodes } = await cluster.outcome();
    expect(summary).toMatchObject({
      verdict: "Rejected",
      votes: { accept: 0, reject: 4, abstain: 0 },
      committedVersion: 0,
      confirmed: 0,
      vetoed: [],
    });
    expect(nodes.map(({ state }) => state)).toEqual(FLEET.map(() => "unchanged"));
  });

  it("counts only vetoes of this version of this Config, each node once, sorted", async () => {
    const cluster = new Cluster().show(
      proposal({ ...COMMITTED, phase: "Completed" }),
      rollout(["node-1"]),
      veto("node-5", { cause: "Regression" }),
      veto("node-2"),
      { ...veto("node-2"), metadata: meta("inference-v2-node-2-again", "2026-01-02T00:00:00Z") },
      veto("node-3", { version: 1 }),
      veto("node-4", { config: "another" }),
      veto("node-1", { ended: "Expired" }),
    );
    expect((await cluster.outcome()).summary.vetoed).toEqual(["node-2", "node-5"]);
  });

  it("names after a rollback who rejected the version", async () => {
    const cluster = new Cluster().show(
      proposal({ ...COMMITTED, phase: "RolledBack" }),
      rollout([]),
      veto("node-2", { ended: "RolledBack" }),
      veto("node-3", { ended: "RolledBack" }),
    );
    expect((await cluster.outcome()).summary).toMatchObject({
      verdict: "RolledBack",
      committedVersion: 2,
      confirmed: 0,
      vetoed: ["node-2", "node-3"],
    });
  });

  it("passes on what it cannot read instead of reporting nothing", async () => {
    const cluster = new Cluster().show(proposal({ ...COMMITTED, phase: "Completed" }));
    const broken: OutcomeReader = {
      list: (scope) => cluster.list(scope),
      get: (scope) =>
        scope.kind === "Rollout"
          ? Promise.reject(new KinglyError("Unavailable", "no leader"))
          : cluster.get(scope),
    };
    await expect(
      readOutcome(broken, { proposal: "p1", timedOut: false, seconds: 1 }),
    ).rejects.toThrow("no leader");
    await expect(new Cluster().outcome()).rejects.toThrow("no Proposal p1");
  });

  it("gives seconds in tenths", async () => {
    const cluster = new Cluster().show(proposal({ phase: "Rejected" }));
    for (const [seconds, told] of [
      [0.04, 0],
      [77, 77],
      [93.049, 93],
      [93.05, 93.1],
      [174.96, 175],
    ] as const) {
      expect((await cluster.outcome({ seconds })).summary.seconds).toBe(told);
    }
  });
});

describe("a story that is not over in time", () => {
  it("is TimedOut with what was reached so far, and exit code 1", async () => {
    const cluster = new Cluster().show(
      proposal({ ...COMMITTED, phase: "RollingOut" }),
      rollout(["node-1", "node-2"]),
      veto("node-5"),
    );
    const outcome = await cluster.outcome({ timedOut: true });
    expect(outcome.summary).toMatchObject({
      verdict: "TimedOut",
      votes: { accept: 3, reject: 1, abstain: 0 },
      committedVersion: 2,
      confirmed: 2,
      vetoed: ["node-5"],
    });
    expect(exitCodeOf(outcome)).toBe(1);
  });

  it("and one without any proposal has exit code 1 as well; every end has 0", async () => {
    expect(exitCodeOf(undefined)).toBe(1);
    for (const phase of Object.keys(FINAL).filter((key) => FINAL[key as ProposalPhase])) {
      const cluster = new Cluster().show(proposal({ phase: phase as ProposalPhase }));
      expect(exitCodeOf(await cluster.outcome())).toBe(0);
    }
  });
});

describe("a proposal's phase", () => {
  it("ends the story exactly when nothing more can come", () => {
    for (const [phase, final] of Object.entries(FINAL)) {
      expect([phase, isFinal(proposal({ phase: phase as ProposalPhase }))]).toEqual([phase, final]);
    }
    expect(isFinal(undefined)).toBe(false);
  });

  it("is the verdict itself, except that whatever is committed and kept is Accepted", () => {
    for (const phase of Object.keys(FINAL) as ProposalPhase[]) {
      const kept = ["Committed", "RollingOut", "Completed"].includes(phase);
      expect(verdictOf(proposal({ phase }))).toBe(kept ? "Accepted" : phase);
    }
    const { status: _, ...unseen } = proposal({});
    expect(verdictOf(unseen)).toBe("Pending");
  });
});

describe("a second start on the same data", () => {
  const first = proposal({ phase: "Completed" }, { name: "b-first", at: "2026-01-01T00:00:00Z" });
  const later = proposal(
    { phase: "Inconclusive" },
    { name: "a-later", at: "2026-01-01T01:00:00Z" },
  );
  const wish = proposal(
    { phase: "Trialing" },
    { name: "wish", at: "2026-01-01T03:00:00Z", source: "human" },
  );

  it("reports what the fleet decided before: the youngest of the agents' proposals", () => {
    expect(proposalToReport([first, later, wish])).toBe("a-later");
    expect(proposalToReport([later, first])).toBe("a-later");
  });

  it("goes on with a proposal that was under way when the first start ended", () => {
    const open = proposal({ phase: "RollingOut" }, { name: "open", at: "2026-01-01T00:30:00Z" });
    expect(proposalToReport([first, open, later])).toBe("open");
    expect(proposalToReport([open, later, first])).toBe("open");
  });

  it("waits as long as no agent has proposed anything", () => {
    expect(proposalToReport([])).toBeUndefined();
    expect(proposalToReport([wish])).toBeUndefined();
  });

  it("tells the earlier decision with the seconds of this start", async () => {
    const cluster = new Cluster().show(
      proposal({ ...COMMITTED, phase: "Completed" }),
      rollout(FOUR),
      veto("node-5"),
    );
    expect((await cluster.outcome({ seconds: 8.21 })).summary).toMatchObject({
      verdict: "Accepted",
      committedVersion: 2,
      confirmed: 4,
      vetoed: ["node-5"],
      seconds: 8.2,
    });
  });
});

describe("the final table", () => {
  it("says for each node what became of the version there, as the summary counts it", async () => {
    const cluster = new Cluster().show(
      proposal({ ...COMMITTED, phase: "RollingOut" }),
      rollout(["node-1", "node-2"]),
      veto("node-3", { cause: "Regression" }),
      veto("node-5"),
    );
    const lines: string[] = [];
    const terminal = {
      line: (text: string) => lines.push(text),
      status: () => undefined,
      paint: plain,
    };
    printOutcome(terminal, await cluster.outcome({ seconds: 60 }));
    expect(lines.map((line) => line.replaceAll(/ {2,}/g, " | "))).toEqual([
      "",
      "p1: Accepted, votes 3 accept / 1 reject / 0 abstain, after 60 s",
      " | node-1 | dense, bursts of 8 | confirmed v2",
      " | node-2 | dense, random bursts | confirmed v2",
      " | node-3 | dense, Poisson bursts | vetoed (Regression), runs v1",
      " | node-4 | dense, bursts of 8 | not settled",
      " | node-5 | sparse, 5 a second | vetoed (Voted), runs v1",
    ]);
  });
});
