// kinglyctl cluster status: who leads, how far each member is.

import { KinglyError } from "@kingly/base";
import { alignColumns } from "../printers/table.ts";
import type { Session } from "../session.ts";

interface ClusterStatus {
  readonly clusterId: string;
  readonly memberId: string;
  readonly role: string;
  readonly leaderId: string;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly revision: number;
  readonly version: string;
  readonly members: readonly {
    readonly id: string;
    readonly address: string;
    readonly voter: boolean;
    readonly matchIndex: number;
    readonly reachable: boolean;
  }[];
}

/** Runs the command; returns the exit code: 1 when no leader is known. */
export async function runClusterStatus(
  session: Session,
  flags: { readonly output: string },
): Promise<number> {
  if (flags.output !== "table" && flags.output !== "json") {
    throw new KinglyError("Usage", `-o: "${flags.output}" is not one of table, json`, {
      field: "-o",
      value: flags.output,
    });
  }
  const answer = await session.client.raw({ method: "GET", path: "/cluster/status" });
  const status = JSON.parse(answer.text) as ClusterStatus;
  if (flags.output === "json") {
    session.io.stdout.write(`${JSON.stringify(status, undefined, 2)}\n`);
  } else {
    const rows = status.members.map((member) => [
      member.id,
      member.id === status.leaderId ? "leader" : member.voter ? "voter" : "learner",
      member.reachable ? "yes" : "no",
      member.matchIndex > 0 ? String(member.matchIndex) : "-",
      member.address,
    ]);
    session.io.stdout.write(
      `cluster ${status.clusterId}, term ${status.term}, revision ${status.revision}, ` +
        `committed ${status.commitIndex}, applied ${status.appliedIndex} ` +
        `(answered by ${status.memberId}, ${status.role}, ${status.version})\n` +
        `${alignColumns([["MEMBER", "ROLE", "REACHABLE", "MATCH", "ADDRESS"], ...rows])}\n`,
    );
  }
  if (status.leaderId !== "") return 0;
  const { memberId } = status;
  session.io.stderr.write(`${memberId} knows no leader: nothing can be written until it does\n`);
  return 1;
}
