// The published exit codes, as functions of what ended.
import { describe, expect, it } from "vitest";
import { ERROR_TABLE, KinglyError } from "@kingly/base";
import type { Proposal, Rollout } from "@kingly/resources";
import { PROPOSAL_PHASES } from "../../resources/src/schemas/proposal.ts";
import { EXIT, exitCodeOf, exitCodeOfProposal, exitCodeOfRollout } from "../src/exit-code.ts";

function proposal(phase: string): Proposal {
  return { status: { phase } } as unknown as Proposal;
}

function rollout(phase: string, vetoes: number = 0, vetoBudget: number = 2): Rollout {
  const vetoed = Array.from({ length: vetoes }, (_, i) => `node-${i}`);
  return { status: { phase, vetoed, vetoBudget } } as unknown as Rollout;
}

describe("exit codes of proposals", () => {
  const ENDINGS: Readonly<Record<string, number>> = {
    Completed: 0,
    Rejected: 3,
    Denied: 4,
    Superseded: 5,
    Withdrawn: 5,
    RolledBack: 7,
    Inconclusive: 9,
    Expired: 9,
  };

  it.each(Object.entries(ENDINGS))("%s ends with %i", (phase, code) => {
    expect(exitCodeOfProposal(proposal(phase))).toBe(code);
  });

  it("are those of the phases that end; of every other phase of the API there is none", () => {
    expect(PROPOSAL_PHASES).toEqual(expect.arrayContaining(Object.keys(ENDINGS)));
    const open = PROPOSAL_PHASES.filter((phase) => ENDINGS[phase] === undefined);
    expect(open).toContain("Trialing");
    expect(open.map((phase) => exitCodeOfProposal(proposal(phase)))).toEqual(
      open.map(() => undefined),
    );
  });

  it("says 8 for a completed rollout with as many vetoes as the budget", () => {
    expect(exitCodeOfProposal(proposal("Completed"), rollout("Completed", 1))).toBe(0);
    expect(exitCodeOfProposal(proposal("Completed"), rollout("Completed", 2))).toBe(8);
    expect(exitCodeOfProposal(proposal("Completed"), rollout("Completed", 0, 0))).toBe(0);
  });
});

describe("exit codes of rollouts", () => {
  it("agree with those of proposals", () => {
    expect(exitCodeOfRollout(rollout("Completed", 1))).toBe(0);
    expect(exitCodeOfRollout(rollout("Completed", 2))).toBe(8);
    expect(exitCodeOfRollout(rollout("RolledBack"))).toBe(7);
    expect(exitCodeOfRollout(rollout("Superseded"))).toBe(5);
    expect(exitCodeOfRollout(rollout("Paused"))).toBeUndefined();
    expect(exitCodeOfRollout(rollout("Progressing"))).toBeUndefined();
    expect(exitCodeOfRollout({} as Rollout)).toBeUndefined();
  });
});

describe("exit codes of errors", () => {
  it("tell a conflict from a refusal and from time that is over", () => {
    const code = (name: keyof typeof ERROR_TABLE): number => exitCodeOf(new KinglyError(name, "x"));
    expect([code("Conflict"), code("StaleBase"), code("AlreadyExists")]).toEqual([5, 5, 5]);
    expect([code("Forbidden"), code("Quarantined")]).toEqual([4, 4]);
    expect([code("DeadlineExceeded"), code("Usage")]).toEqual([6, 2]);
  });

  it("are all in the published table", () => {
    const published = new Set<number>(Object.values(EXIT));
    for (const [name, { exit }] of Object.entries(ERROR_TABLE)) {
      expect([name, published.has(exit)]).toEqual([name, true]);
    }
  });
});
