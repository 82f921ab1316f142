// A fleet of three nodes behind kinglyctl: the example's objects, agents that vote and confirm.
import { expect } from "vitest";
import { createExample } from "../../server/test/api/example.ts";
import { confirmAll } from "../../server/test/api/rollouts.ts";
import { TestSession, measure } from "../../server/test/api/session.ts";
import { eventually } from "../../server/test/api/support.ts";
import type { Agent } from "../../server/test/api/support.ts";
import { Terminal } from "./support.ts";

/** A `propose --wait` that is under way. */
export interface Proposing {
  readonly name: string;
  readonly ended: ReturnType<Terminal["run"]>;
}

export class Fleet {
  readonly terminal: Terminal;
  readonly agents: readonly Agent[];
  /** In the order of the agents. */
  readonly sessions: readonly TestSession[];

  private constructor(
    terminal: Terminal,
    agents: readonly Agent[],
    sessions: readonly TestSession[],
  ) {
    this.terminal = terminal;
    this.agents = agents;
    this.sessions = sessions;
  }

  /** The example, its first version confirmed by three nodes that are connected. */
  static async start(): Promise<Fleet> {
    const terminal = await Terminal.start();
    await createExample(terminal.api);
    const agents: Agent[] = [];
    const sessions: TestSession[] = [];
    for (const name of ["node-1", "node-2", "node-3"]) {
      const agent = await terminal.api.enroll(name);
      agents.push(agent);
      sessions.push(await TestSession.open(agent, { incarnation: 9 }));
    }
    const fleet = new Fleet(terminal, agents, sessions);
    fleet.confirmAll();
    return fleet;
  }

  /** Nodes confirm whatever is being rolled out. */
  confirmAll(): void {
    confirmAll(this.terminal.api, this.agents);
  }

  /** Runs `propose web --wait...` until the trial has begun. */
  async propose(batchWindowMs: number, ...rest: string[]): Promise<Proposing> {
    let err = "";
    const argv = ["propose", "web", "--set", `batchWindowMs=${batchWindowMs}`, ...rest];
    const ended = this.terminal.run(argv, { onErr: (text) => (err = text) });
    await eventually("it is open", () => err.includes("opened"));
    while (this.terminal.api.replica.lead() > 0);
    return { name: /proposal\/(\S+) opened/.exec(err)?.[1] ?? "", ended };
  }

  /** Nodes answer their order for a proposal; `effectOf` a node > 0 is worse. */
  async voteAll(proposal: string, effectOf: (node: string) => number): Promise<void> {
    const { replica, clock } = this.terminal.api;
    const uid = replica.state.object("Proposal", "default", proposal)?.metadata.uid;
    const orders = await Promise.all(
      this.sessions.map((session) =>
        eventually("an order", () => session.orders().find((one) => one.proposal.uid === uid)),
      ),
    );
    clock.offsetMs += 60_000;
    for (const [at, session] of this.sessions.entries()) {
      const order = orders[at];
      if (order === undefined) throw new Error("no order");
      const evidence = measure(order, effectOf(session.agent.name));
      const result = await session.submit(session.vote(order, evidence));
      expect(result.code).toBe("");
    }
    replica.lead();
  }

  async close(): Promise<void> {
    for (const session of this.sessions) session.close();
    await this.terminal.close();
  }
}
