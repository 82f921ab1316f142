// kinglyctl get KIND [NAME...], KIND,KIND or KIND/NAME...: objects as a table per kind, or as one YAML
// or JSON document, once or as they change.

import { KinglyError } from "@kingly/base";
import { kindInfo, type ApiObject } from "@kingly/resources";
import { resourcePath, TABLE_ACCEPT } from "@kingly/client";
import { resolveTargets } from "../kinds.ts";
import { checkFormat, formatObjects } from "../printers/document.ts";
import { formatTable, withNamespaces, withPrefix, type Table } from "../printers/table.ts";
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
  /** None = all objects of the kind. */
  readonly names: readonly string[];
}

/** Text of tables; over several namespaces every row says its own. */
function textOf(table: Table, flags: GetFlags, namespaced: boolean): string {
  const shown = flags.allNamespaces && namespaced ? withNamespaces(table) : table;
  return formatTable(shown, { wide: flags.output === "wide", headers: flags.headers });
}

async function fetchTable(
  session: Session,
  { kind, namespace }: Omit<Target, "names">,
  name?: string,
): Promise<Table> {
  const answer = await session.client.raw({
    method: "GET",
    path: resourcePath({ kind, namespace, name }),
    accept: TABLE_ACCEPT,
  });
  return JSON.parse(answer.text) as Table;
}

/** All rows of a target under one head; undefined when there are none. */
async function tableOf(session: Session, target: Target): Promise<Table | undefined> {
  const { names } = target;
  const tables =
    names.length === 0
      ? [await fetchTable(session, target)]
      : await Promise.all(names.map((name) => fetchTable(session, target, name)));
  const rows = tables.flatMap((table) => table.rows);
  return tables[0] === undefined || rows.length === 0 ? undefined : { ...tables[0], rows };
}

/** A table per kind; with several kinds every name says its own. */
async function printTables(
  session: Session,
  targets: readonly Target[],
  flags: GetFlags,
): Promise<void> {
  const texts: string[] = [];
  for (const target of targets) {
    const table = await tableOf(session, target);
    if (table === undefined) continue;
    const { namespaced, singular } = kindInfo(target.kind);
    const named = targets.length > 1 ? withPrefix(table, `${singular}/`) : table;
    texts.push(`${textOf(named, flags, namespaced)}\n`);
  }
  if (texts.length > 0) {
    session.io.stdout.write(texts.join("\n"));
    return;
  }
  const namespace = targets.find((target) => target.namespace !== undefined)?.namespace;
  const where = namespace === undefined ? "" : ` in namespace ${namespace}`;
  session.io.stderr.write(`No resources found${where}.\n`);
}

async function printDocuments(
  session: Session,
  targets: readonly Target[],
  flags: GetFlags,
): Promise<void> {
  const objects: ApiObject[] = [];
  for (const { kind, namespace, names } of targets) {
    const found =
      names.length === 0
        ? (await session.client.list({ kind, namespace })).items
        : await Promise.all(names.map((name) => session.client.get({ kind, namespace, name })));
    objects.push(...found);
  }
  const single = targets.length === 1 && targets[0]?.names.length === 1;
  session.io.stdout.write(formatObjects(objects, { format: flags.output, single }));
}

async function follow(session: Session, target: Target, flags: GetFlags): Promise<void> {
  const { kind, namespace, names } = target;
  const name = names.length === 1 ? names[0] : undefined;
  const { resourceVersion } = await session.client.list({ kind, namespace });
  const asTable = flags.output === "table" || flags.output === "wide";
  const signal = session.io.interrupted;
  for await (const event of session.client.watch(
    { kind, namespace, name },
    { resourceVersion, signal },
  )) {
    if (names.length > 0 && !names.includes(event.object.metadata.name)) continue;
    if (!asTable || event.type === "DELETED") {
      const format = asTable ? "name" : flags.output;
      const text = formatObjects([event.object], { format, single: true });
      session.io.stdout.write(event.type === "DELETED" ? `deleted ${text}` : text);
      continue;
    }
    const scope = { kind, namespace: event.object.metadata.namespace };
    const table = await fetchTable(session, scope, event.object.metadata.name);
    const { namespaced } = kindInfo(kind);
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
  const targets = resolveTargets(words).map(({ info, names }): Target => {
    const namespace = info.namespaced && !flags.allNamespaces ? session.namespace : undefined;
    return { kind: info.kind, namespace, names };
  });
  const [first] = targets;
  if (flags.watch && targets.length > 1) {
    throw new KinglyError("Usage", `-w: ${targets.length} kinds; one kind can be watched`, {
      field: "-w",
      limit: 1,
      value: targets.length,
    });
  }
  if (flags.output === "table" || flags.output === "wide") {
    await printTables(session, targets, flags);
  } else {
    await printDocuments(session, targets, flags);
  }
  if (flags.watch && first !== undefined) await follow(session, first, flags);
  return 0;
}
