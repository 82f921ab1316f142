// kinglyctl quarantine list [CONFIG]: which changes lost and are refused for now, and why.
// kinglyctl quarantine release CONFIG --proposal NAME|--all --reason: a change that lost may be
// proposed again. It is still tried and voted on; what is lifted is only the refusal to try.

import { KinglyError } from "@kingly/base";
import { resourcePath } from "@kingly/client";
import { EXIT } from "../exit-code.ts";
import { formatSpan, formatValue } from "../printers/numbers.ts";
import { alignColumns } from "../printers/table.ts";
import type { Session } from "../session.ts";

/** Flags of quarantine list. */
export interface QuarantineListFlags {
  readonly output: string;
}

interface QuarantineList {
  readonly metadata: { readonly remainingItemCount?: number };
  readonly items: readonly {
    readonly config: string;
    readonly proposal: string;
    readonly reason: string;
    readonly changes: Readonly<Record<string, unknown>>;
    readonly classes: readonly string[];
    readonly since: string;
    readonly until: string;
  }[];
}

/** Shows what is in quarantine, of one Config or (config "") of the namespace; the exit code. */
export async function runQuarantineList(
  session: Session,
  config: string,
  flags: QuarantineListFlags,
): Promise<number> {
  if (flags.output !== "table" && flags.output !== "json") {
    throw new KinglyError("Usage", `-o: "${flags.output}" is not one of table, json`, {
      field: "-o",
      value: flags.output,
    });
  }
  const { namespace, client, io } = session;
  const all = `/apis/kingly.dev/v1/namespaces/${encodeURIComponent(namespace)}/quarantine`;
  const one = `${resourcePath({ kind: "Config", namespace, name: config })}/quarantine`;
  const { text } = await client.raw({ method: "GET", path: config === "" ? all : one });
  const list = JSON.parse(text) as QuarantineList;
  if (flags.output === "json") {
    io.stdout.write(`${JSON.stringify(list, undefined, 2)}\n`);
  } else if (list.items.length === 0) {
    const where = config === "" ? `in namespace ${namespace}` : `of config/${config}`;
    io.stderr.write(`nothing is in quarantine ${where}\n`);
  } else {
    io.stdout.write(`${alignColumns([COLUMNS, ...list.items.map((item) => rowOf(item, io))])}\n`);
  }
  const left = list.metadata.remainingItemCount ?? 0;
  if (left > 0) io.stderr.write(`${left} more: name a Config to see all of its\n`);
  return EXIT.ok;
}

const COLUMNS = ["CONFIG", "PROPOSAL", "CHANGE", "CLASSES", "AGE", "ENDS IN", "REASON"];

function rowOf(item: QuarantineList["items"][number], io: Session["io"]): string[] {
  const nowMs = io.nowMs();
  return [
    item.config,
    item.proposal === "" ? "<none>" : item.proposal,
    Object.entries(item.changes)
      .map(([key, value]) => (value === null ? `${key} removed` : `${key}=${formatValue(value)}`))
      .join(", "),
    item.classes.join(", "),
    formatSpan(nowMs - Date.parse(item.since)),
    formatSpan(Date.parse(item.until) - nowMs),
    item.reason,
  ];
}

/** Flags of quarantine release. */
export interface ReleaseFlags {
  readonly proposal?: string;
  readonly all?: boolean;
  readonly reason: string;
}

/** Runs the command; returns the exit code. */
export async function runQuarantineRelease(
  session: Session,
  config: string,
  flags: ReleaseFlags,
): Promise<number> {
  const { proposal = "", reason } = flags;
  const all = flags.all === true;
  if (all === (proposal !== "")) {
    throw new KinglyError("Usage", "give either --proposal NAME or --all", {
      field: "--proposal",
      help: "kinglyctl quarantine list names the proposals that lost",
    });
  }
  const { namespace } = session;
  await session.client.raw({
    method: "POST",
    path: `${resourcePath({ kind: "Config", namespace, name: config })}/release-quarantine`,
    body: all ? { all, reason } : { proposal, reason },
  });
  const what = all ? "everything that lost" : `the change of proposal/${proposal}`;
  session.io.stdout.write(`config/${config}: ${what} may be proposed again\n`);
  return EXIT.ok;
}
