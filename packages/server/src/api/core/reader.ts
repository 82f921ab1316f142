// Reads: one object or a list, linearizable, at least as new as a revision, or whatever is here.
// Lists page over a snapshot, so that all pages show one revision.

import { KinglyError } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { objectKey, objectKeyPrefix } from "@kingly/resources";
import type { KindInfo } from "@kingly/resources";
import { READ_BARRIER_MS, REVISION_WAIT_MS } from "../limits.ts";
import type { ApiContext } from "./context.ts";
import { selects } from "./selectors.ts";
import type { Selection } from "./selectors.ts";
import { nodeConfigRows } from "./views.ts";

/** A stored object and its key. */
export interface Row {
  readonly key: string;
  readonly value: JsonValue;
}

/** How current a read must be. */
export type Freshness =
  | { readonly kind: "linearizable" }
  | { readonly kind: "any" }
  | { readonly kind: "atLeast"; readonly revision: number };

/** Reads `resourceVersion` of a request. Throws Usage. */
export function parseFreshness(text: string | undefined): Freshness {
  if (text === undefined || text === "") return { kind: "linearizable" };
  if (text === "0") return { kind: "any" };
  return { kind: "atLeast", revision: parseRevision(text) };
}

/** A revision that a client sent. Throws Usage. */
export function parseRevision(text: string): number {
  const revision = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(revision)) return revision;
  throw new KinglyError(
    "Usage",
    `resourceVersion: must be a revision; got "${text.slice(0, 40)}"`,
    {
      field: "resourceVersion",
      limit: "a decimal number that this cluster gave out",
      value: text.slice(0, 40),
    },
  );
}

/** Waits until local state is as fresh as asked; returns the revision it has then. */
export async function settle(context: ApiContext, freshness: Freshness): Promise<number> {
  const { replica } = context;
  if (freshness.kind === "linearizable") await replica.readBarrier(READ_BARRIER_MS);
  if (freshness.kind === "atLeast") await waitFor(context, freshness.revision);
  return replica.state.meta().revision;
}

async function waitFor(context: ApiContext, revision: number): Promise<void> {
  const { replica } = context;
  if (replica.state.meta().revision >= revision) return;
  await replica.waitForRevision(revision, REVISION_WAIT_MS);
}

/** Refuses the kind's absence with the words of the Kubernetes API. */
export function notFound(info: KindInfo, name: string): KinglyError {
  const plural = info.group === "" ? info.plural : `${info.plural}.${info.group}`;
  return new KinglyError("NotFound", `${plural} "${name}" not found`, {
    field: "metadata.name",
    value: name,
  });
}

/** The stored object now; throws NotFound. Call after `settle`. */
export function readObject(
  context: ApiContext,
  info: KindInfo,
  where: { readonly namespace: string; readonly name: string },
): JsonObject {
  if (info.rendered) {
    const found = rowsOf(context, info, "").find((row) => nameOf(row) === where.name);
    if (found !== undefined) return found.value as JsonObject;
    throw notFound(info, where.name);
  }
  const value = context.replica.state.get(objectKey(info.kind, where.namespace, where.name));
  if (value === undefined) throw notFound(info, where.name);
  return value as JsonObject;
}

function nameOf(row: Row): string {
  return row.key.slice(row.key.lastIndexOf("/") + 1);
}

/** All stored (or rendered) objects of a kind, in key order; "" = every namespace. */
export function rowsOf(context: ApiContext, info: KindInfo, namespace: string): Row[] {
  const { state } = context.replica;
  if (info.rendered) return nodeConfigRows(context.replica);
  const rows: Row[] = [];
  for (const [key, value] of state.list(objectKeyPrefix(info.kind, namespace))) {
    rows.push({ key, value });
  }
  return rows;
}

/** What to list. */
export interface ListQuery {
  readonly info: KindInfo;
  /** "" = all. */
  readonly namespace: string;
  readonly selection: Selection;
  readonly freshness: Freshness;
  /** 0 = no limit. */
  readonly limit: number;
  /** "" = from the beginning. */
  readonly continueToken: string;
}

/** One page. */
export interface ListPage {
  readonly rows: readonly Row[];
  readonly revision: number;
  /** "" on the last page. */
  readonly continueToken: string;
  /** Objects after this page. */
  readonly remaining: number;
}

function question(query: ListQuery): string {
  return `${query.info.plural}/${query.namespace}/${query.selection.text}`;
}

/** One page of a list. Expired when the snapshot behind a continue token is gone. */
export async function listObjects(context: ApiContext, query: ListQuery): Promise<ListPage> {
  if (query.continueToken !== "") return continueList(context, query);
  const revision = await settle(context, query.freshness);
  const { info, namespace, selection } = query;
  const rows = rowsOf(context, info, namespace).filter((row) => selects(selection, row.value));
  if (query.limit === 0 || rows.length <= query.limit) {
    return { rows, revision, continueToken: "", remaining: 0 };
  }
  const id = context.snapshots.keep({ question: question(query), revision, rows });
  return pageOf({ id, rows, revision }, 0, query.limit);
}

function pageOf(
  from: { readonly id: string; readonly rows: readonly Row[]; readonly revision: number },
  start: number,
  limit: number,
): ListPage {
  const end = limit === 0 ? from.rows.length : Math.min(from.rows.length, start + limit);
  const remaining = from.rows.length - end;
  return {
    rows: from.rows.slice(start, end),
    revision: from.revision,
    continueToken: remaining === 0 ? "" : continueAt(from.id, end),
    remaining,
  };
}

/** Token of the page that begins at an object. */
function continueAt(id: string, start: number): string {
  return Buffer.from(`${id}:${start}`).toString("base64url");
}

/** The page ended before its limit (too many bytes): `taken` objects of it were sent. */
export function shortenPage(page: ListPage, taken: number, context: ListQueryContext): ListPage {
  const rows = page.rows.slice(0, taken);
  const left = page.rows.length - taken;
  if (left === 0) return page;
  const { snapshots } = context.context;
  const parsed = parseToken(page.continueToken);
  const at = parsed ?? {
    id: snapshots.keep({
      question: question(context.query),
      revision: page.revision,
      rows: page.rows,
    }),
    start: page.rows.length,
  };
  const continueToken = continueAt(at.id, at.start - left);
  return { ...page, rows, remaining: page.remaining + left, continueToken };
}

/** What shortenPage needs to know of the list. */
export interface ListQueryContext {
  readonly context: ApiContext;
  readonly query: ListQuery;
}

function parseToken(token: string): { readonly id: string; readonly start: number } | undefined {
  const match = /^([\w-]{16}):(\d{1,9})$/.exec(Buffer.from(token, "base64url").toString("latin1"));
  return match === null ? undefined : { id: match[1] ?? "", start: Number(match[2]) };
}

function continueList(context: ApiContext, query: ListQuery): ListPage {
  const token = parseToken(query.continueToken);
  if (token === undefined) {
    throw new KinglyError("Usage", "continue: is not a token that this API gave out", {
      field: "continue",
      value: query.continueToken.slice(0, 40),
    });
  }
  const snapshot = context.snapshots.find(token.id);
  if (snapshot === undefined) {
    throw new KinglyError("Expired", "the list behind this continue token is forgotten", {
      field: "continue",
      help: "list again from the beginning",
    });
  }
  if (snapshot.question !== question(query)) {
    throw new KinglyError("Usage", "continue: belongs to a list of something else", {
      field: "continue",
    });
  }
  return pageOf({ id: token.id, ...snapshot }, token.start, query.limit);
}
