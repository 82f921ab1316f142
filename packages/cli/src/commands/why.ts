// kinglyctl why proposal|veto NAME: a decision in numbers that a person can follow. Who measured how
// many pairs, which effect, how strong the evidence is against what was asked, and what happens next.

import { KinglyError } from "@kingly/base";
import { resourcePath } from "@kingly/client";
import type { ProposalExplanation, VetoExplanation } from "@kingly/decision";
import type { TrialProgress } from "@kingly/resources";
import { splitTarget } from "../kinds.ts";
import { explainProposal, explainVeto } from "../printers/explanation.ts";
import type { Session } from "../session.ts";

/** What the server says of a proposal: the replicated facts and how far running trials are. */
export type ProposalAnswer = ProposalExplanation & { readonly progress: readonly TrialProgress[] };

/** Runs the command; returns the exit code. */
export async function runWhy(
  session: Session,
  words: readonly string[],
  flags: { readonly output: string },
): Promise<number> {
  const { info, names } = splitTarget(words);
  const [name, ...more] = names;
  if (name === undefined || more.length > 0) {
    throw new KinglyError("Usage", "why needs one name: why proposal NAME or why veto NAME", {
      field: "name",
    });
  }
  if (info.kind !== "Proposal" && info.kind !== "Veto") {
    throw new KinglyError(
      "Usage",
      `only proposals and vetoes can be explained, not ${info.plural}`,
      {
        field: "kind",
        value: info.plural,
        help: "kinglyctl get proposals, kinglyctl get vetoes",
      },
    );
  }
  if (flags.output !== "text" && flags.output !== "json") {
    throw new KinglyError("Usage", `-o: "${flags.output}" is not one of text, json`, {
      field: "-o",
      value: flags.output,
    });
  }
  const { namespace } = session;
  const path = `${resourcePath({ kind: info.kind, namespace, name })}/why`;
  const answer = await session.client.raw({ method: "GET", path });
  if (flags.output === "json") {
    session.io.stdout.write(`${JSON.stringify(JSON.parse(answer.text), undefined, 2)}\n`);
    return 0;
  }
  const nowMs = session.io.nowMs();
  session.io.stdout.write(
    info.kind === "Proposal"
      ? explainProposal(JSON.parse(answer.text) as ProposalAnswer)
      : explainVeto(JSON.parse(answer.text) as VetoExplanation, nowMs),
  );
  return 0;
}
