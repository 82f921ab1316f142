// kinglyctl get KIND [NAME...]: objects as a table, YAML or JSON, once or as they change.

import { kindInfo, type ApiObject } from "@kingly/resources";
import { resourcePath, TABLE_ACCEPT } from "@kingly/client";
import { splitTarget } from "../kinds.ts";
import { checkFormat, formatObjects } from "../printers/document.ts";
import { formatTable, withNamespaces, type Table } from "../printers/table.ts";
import type { Session } from "../session.ts";

/** Flags of get. */
export interface GetFlags {
  readonly output: string;
  readonly watch: boolean;
  readonly allNamespaces: boolean;
  readonly headers: boolean;
}

interface Target {
  readonly kind: string;
  readonly namespace: string | undefined;
}

/** Text of tables; over several namespaces every row says its own. */
function textOf(table: Table, flags: GetFlags, namespaced: boolean): string {
  const shown = flags.allNamespaces && namespaced ? withNamespaces(table) : table;
  return formatTable(shown, { wide: flags.output === "wide", headers: flags.headers });
}

async function fetchTable(session: Session, target: Target, name?: string): Promise<Table> {
  const answer = await session.client.raw({
    method: "GET",
    path: resourcePath({ ...target, name }),
    accept: TABLE_ACCEPT,
  });
  return JSON.parse(answer.text) as Table;
}

async function printTables(
  session: Session,
  target: Target,
  options: { readonly names: readonly string[]; readonly flags: GetFlags },
): Promise<void> {
  const { names, flags } = options;
  const tables =
    names.length === 0
      ? [await fetchTable(session, target)]
      : await Promise.all(names.map((name) => fetchTable(session, target, name)));
  const first = tables[0];
  if (first === undefined) return;
  const rows = tables.flatMap((table) => table.rows);
  if (rows.length === 0) {
    const where = target.namespace === undefined ? "" : ` in namespace ${target.namespace}`;
    session.io.stderr.write(`No resources found${where}.\n`);
    return;
  }
  const { namespaced } = kindInfo(target.kind);
  session.io.stdout.write(`${textOf({ ...first, rows }, flags, namespaced)}\n`);
}

async function printDocuments(
  session: Session,
  target: Target,
  options: { readonly names: readonly string[]; readonly flags: GetFlags },
): Promise<void> {
  const { names, flags } = options;
  const objects: readonly ApiObject[] =
    names.length === 0
      ? (await session.client.list(target)).items
      : await Promise.all(names.map((name) => session.client.get({ ...target, name })));
  const text = formatObjects(objects, { format: flags.output, single: names.length === 1 });
  session.io.stdout.write(text);
}

async function follow(
  session: Session,
  target: Target,
  options: { readonly names: readonly string[]; readonly flags: GetFlags },
): Promise<void> {
  const { flags } = options;
  const name = options.names.length === 1 ? options.names[0] : undefined;
  const { resourceVersion } = await session.client.list(target);
  const asTable = flags.output === "table" || flags.output === "wide";
  const signal = session.io.interrupted;
  for await (const event of session.client.watch(
    { ...target, name },
    { resourceVersion, signal },
  )) {
    if (options.names.length > 0 && !options.names.includes(event.object.metadata.name)) continue;
    if (!asTable || event.type === "DELETED") {
      const format = asTable ? "name" : flags.output;
      const text = formatObjects([event.object], { format, single: true });
      session.io.stdout.write(event.type === "DELETED" ? `deleted ${text}` : text);
      continue;
    }
    const scope = { ...target, namespace: event.object.metadata.namespace };
    const table = await fetchTable(session, scope, event.object.metadata.name);
    const { namespaced } = kindInfo(target.kind);
    session.io.stdout.write(`${textOf(table, { ...flags, headers: false }, namespaced)}\n`);
  }
}

/** Runs the command; returns the exit code. */
export async function runGet(
  session: Session,
  words: readonly string[],
  flags: GetFlags,
): Promise<number> {
  checkFormat(flags.output);
  const { info, names } = splitTarget(words);
  const namespace = info.namespaced && !flags.allNamespaces ? session.namespace : undefined;
  const target: Target = { kind: info.kind, namespace };
  const options = { names, flags };
  if (flags.output === "table" || flags.output === "wide") {
    await printTables(session, target, options);
  } else {
    await printDocuments(session, target, options);
  }
  if (flags.watch) await follow(session, target, options);
  return 0;
}
