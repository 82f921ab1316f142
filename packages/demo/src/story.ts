// Turns what the cluster's API shows into sentences, each said once. Pure: objects in, lines out, so
// the story can be tested without a cluster. It contains no decision: it only repeats what was decided.

import type { Proposal, Rollout, TrialProgress, Veto, Vote } from "@kingly/resources";
import type { Paint } from "./terminal.ts";

/** One change of an object that the story knows how to tell. */
export type StoryEvent =
  | { readonly kind: "Proposal"; readonly object: Proposal }
  | { readonly kind: "Vote"; readonly object: Vote }
  | { readonly kind: "Veto"; readonly object: Veto }
  | { readonly kind: "Rollout"; readonly object: Rollout };

interface EvidenceShape {
  readonly pairs?: number;
  readonly objectives?: readonly {
    readonly objective: string;
    readonly records: readonly {
      readonly kind: string;
      readonly pairs: number;
      readonly lnE: number;
      readonly sum: number;
    }[];
  }[];
}

/** E as people read it: two digits, never 0, never Infinity. */
export function formatE(lnE: number): string {
  const log10 = lnE / Math.LN10;
  if (log10 >= 4) return `1e${Math.floor(log10)}`;
  if (log10 <= -3) return "<0.001";
  return (10 ** log10).toPrecision(2).replace(/\.0$/, "");
}

function jsonValue(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** `batchWindowMs → 2` for a patch. */
export function formatChange(proposal: Proposal): string {
  const { patch, data } = proposal.spec;
  if (patch !== undefined) {
    return Object.entries(patch)
      .map(([key, value]) => `${key} → ${jsonValue(value)}`)
      .join(", ");
  }
  const keys = proposal.status?.changedKeys ?? Object.keys(data ?? {});
  return keys.map((key) => `${key} → ${jsonValue(data?.[key])}`).join(", ");
}

function voteNumbers(vote: Vote): string {
  const evidence = vote.spec.evidence as EvidenceShape;
  const parts = (evidence.objectives ?? []).map(({ objective, records }) => {
    const kind = vote.spec.decision === "Reject" ? "harm" : "nonInferior";
    const record = records.find((candidate) => candidate.kind === kind);
    return record === undefined ? "" : `${objective} E(${kind}) ${formatE(record.lnE)}`;
  });
  const told = parts.filter((part) => part !== "");
  return `${evidence.pairs ?? 0} pairs${told.length > 0 ? `, ${told.join(", ")}` : ""}`;
}

/** Remembers what was said, so that nothing is said twice. */
export class Story {
  readonly #paint: Paint;
  readonly #said = new Set<string>();

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  /** Lines for one change; none when it tells nothing new. */
  tell(event: StoryEvent): readonly string[] {
    switch (event.kind) {
      case "Proposal":
        return this.#proposal(event.object);
      case "Vote":
        return this.#vote(event.object);
      case "Veto":
        return this.#veto(event.object);
      case "Rollout":
        return this.#rollout(event.object);
    }
  }

  #once(key: string, line: string): readonly string[] {
    if (this.#said.has(key)) return [];
    this.#said.add(key);
    return [line];
  }

  #proposal(proposal: Proposal): readonly string[] {
    const { name } = proposal.metadata;
    const { source } = proposal.spec;
    const paint = this.#paint;
    const opened = this.#once(
      `${name}/opened`,
      `${paint.bold("PROPOSED")} ${paint.cyan(name)} by ${source.type} ${source.name}: ` +
        `${formatChange(proposal)}${proposal.spec.reason === "" ? "" : ` (${proposal.spec.reason})`}`,
    );
    return [...opened, ...this.#phase(proposal)];
  }

  #phase(proposal: Proposal): readonly string[] {
    const status = proposal.status;
    if (status === undefined) return [];
    const { name } = proposal.metadata;
    const paint = this.#paint;
    const key = `${name}/${status.phase}`;
    switch (status.phase) {
      case "Trialing":
        return this.#once(
          key,
          `${paint.bold("TRIAL")} on ${status.trial?.nodes.join(", ") ?? "?"}: ` +
            "each switches between old and new in pairs, in an order that nobody chose",
        );
      case "Committed":
      case "RollingOut": {
        const votes = status.verdict?.votes;
        const tally =
          votes === undefined
            ? ""
            : `${votes.accept} accept, ${votes.reject} reject, ${votes.abstain} abstain; `;
        return this.#once(
          `${name}/verdict`,
          `${paint.green(paint.bold("ACCEPTED"))} ${tally}` +
            `committed through Raft as version ${status.committedVersion}`,
        );
      }
      case "Rejected":
      case "Inconclusive":
      case "Expired":
      case "Denied":
      case "Withdrawn":
      case "Superseded":
      case "RolledBack":
        return this.#once(
          key,
          `${paint.red(paint.bold(status.phase.toUpperCase()))} ${status.message}`,
        );
      case "Completed":
        return this.#once(key, `${paint.green(paint.bold("COMPLETED"))} ${status.message}`);
      case "Pending":
      case "Validated":
      case "AwaitingApproval":
      case "Voting":
        return [];
    }
  }

  #vote(vote: Vote): readonly string[] {
    const { node, decision, reason } = vote.spec;
    const paint = this.#paint;
    const colour =
      decision === "Accept" ? paint.green : decision === "Reject" ? paint.red : paint.yellow;
    return this.#once(
      vote.metadata.name,
      `${paint.bold("VOTE")} ${node} ${colour(decision)} (${voteNumbers(vote)})` +
        `${decision === "Abstain" && reason !== "" ? `: ${reason}` : ""}`,
    );
  }

  #veto(veto: Veto): readonly string[] {
    const { node, cause, version, message, runsVersion, lnE } = veto.spec;
    const paint = this.#paint;
    const runs = runsVersion === 0 ? "what it was found with" : `version ${runsVersion}`;
    const numbers = lnE > 0 ? `, E ${formatE(lnE)}` : "";
    return this.#once(
      veto.metadata.name,
      `${paint.red(paint.bold("VETO"))} ${node} keeps ${runs} instead of version ${version} ` +
        `(${cause}${numbers})${message === "" ? "" : `: ${message}`}`,
    );
  }

  #rollout(rollout: Rollout): readonly string[] {
    const status = rollout.status;
    if (status === undefined) return [];
    const { name } = rollout.metadata;
    const lines: string[] = [];
    status.stages.slice(0, status.stage + 1).forEach((stage, index) => {
      const text =
        `${this.#paint.bold("ROLLOUT")} stage ${index + 1} of ${status.stages.length}: ` +
        `${stage.nodes.join(", ")}`;
      lines.push(...this.#once(`${name}/stage/${index}`, text));
    });
    for (const node of status.confirmed) {
      const text = `${this.#paint.green("CONFIRMED")} ${node} measured version ${rollout.spec.version} and keeps it`;
      lines.push(...this.#once(`${name}/confirmed/${node}`, text));
    }
    if (status.phase === "Paused") {
      lines.push(...this.#once(`${name}/paused`, this.#paint.yellow(`PAUSED ${status.message}`)));
    }
    return lines;
  }
}

/** One short line of where every trial node is: pairs, and E for and against. */
export function progressLine(progress: readonly TrialProgress[]): string {
  return progress
    .map(({ node, pairs, objectives }) => {
      const primary = objectives[0];
      if (primary === undefined) return `${node} ${pairs} pairs`;
      const effect = (Math.exp(primary.meanLogRatio) - 1) * 100;
      const sign = effect >= 0 ? "+" : "";
      return (
        `${node} ${pairs}p ${sign}${effect.toFixed(0)}% ` +
        `ok ${formatE(primary.lnNonInferior)} harm ${formatE(primary.lnHarm)}`
      );
    })
    .join(" | ");
}
