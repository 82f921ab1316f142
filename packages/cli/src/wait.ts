// Follows a proposal until it is decided, committed or completed, printing each phase once.
// Interrupting the wait does not cancel the proposal.

import { KinglyError } from "@kingly/base";
import type { Proposal, Rollout } from "@kingly/resources";
import { EXIT, exitCodeOfProposal } from "./exit-code.ts";
import type { Session } from "./session.ts";

/** How a wait ended. */
export interface WaitEnd {
  readonly proposal: Proposal;
  readonly exitCode: number;
}

const CONDITIONS = ["decided", "committed", "completed"];
const COMMITTED = ["Committed", "RollingOut", "Completed"];

function reached(proposal: Proposal, until: string): boolean {
  const phase = proposal.status?.phase ?? "Pending";
  if (until === "completed") return false; // Final phases are handled by their exit codes.
  return COMMITTED.includes(phase);
}

async function rolloutOf(session: Session, proposal: Proposal): Promise<Rollout | undefined> {
  const name = proposal.status?.rollout;
  if (name === undefined || name === "") return undefined;
  try {
    return await session.client.get<Rollout>({
      kind: "Rollout",
      namespace: session.namespace,
      name,
    });
  } catch (error) {
    if (error instanceof KinglyError && error.code === "NotFound") return undefined;
    throw error;
  }
}

async function settled(
  session: Session,
  proposal: Proposal,
  until: string,
): Promise<number | undefined> {
  if (reached(proposal, until)) return EXIT.ok;
  if (exitCodeOfProposal(proposal) === undefined) return undefined;
  return exitCodeOfProposal(proposal, await rolloutOf(session, proposal));
}

function announce(session: Session, proposal: Proposal, before: string): string {
  const line = `${proposal.status?.phase ?? "Pending"}: ${proposal.status?.message ?? ""}`;
  if (line !== before) session.io.stderr.write(`  ${line}\n`);
  return line;
}

/** A deletion takes an open proposal back; the event still shows it as it was before. */
function takenBack(proposal: Proposal): Proposal {
  if (proposal.status === undefined || exitCodeOfProposal(proposal) !== undefined) return proposal;
  const message = "somebody deleted the proposal";
  return { ...proposal, status: { ...proposal.status, phase: "Withdrawn", message } };
}

/** Waits; exit code 6 when the time is over while the proposal still runs. */
export async function waitForProposal(
  session: Session,
  name: string,
  options: { readonly until: string; readonly timeoutMs: number },
): Promise<WaitEnd> {
  const { until, timeoutMs } = options;
  if (!CONDITIONS.includes(until)) {
    throw new KinglyError("Usage", `--wait: "${until}" is not one of ${CONDITIONS.join(", ")}`, {
      field: "--wait",
      value: until,
    });
  }
  const scope = { kind: "Proposal", namespace: session.namespace, name };
  const signal = AbortSignal.any([session.io.interrupted, AbortSignal.timeout(timeoutMs)]);
  let proposal = await session.client.get<Proposal>(scope);
  let line = announce(session, proposal, "");
  let exitCode = await settled(session, proposal, until);
  if (exitCode !== undefined) return { proposal, exitCode };
  try {
    const resourceVersion = proposal.metadata.resourceVersion;
    for await (const event of session.client.watch(scope, { resourceVersion, signal })) {
      const seen = event.object as unknown as Proposal;
      proposal = event.type === "DELETED" ? takenBack(seen) : seen;
      line = announce(session, proposal, line);
      exitCode = await settled(session, proposal, until);
      if (exitCode !== undefined) return { proposal, exitCode };
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  session.io.stderr.write(`still ${proposal.status?.phase ?? "Pending"}; it goes on by itself\n`);
  return { proposal, exitCode: EXIT.timeout };
}
