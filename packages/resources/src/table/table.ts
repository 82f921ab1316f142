// Tables: the columns of a kind and the cells of one object, as the Kubernetes Table format and
// the command line both print them.

import type { JsonValue } from "@kingly/base";
import { columnsOf } from "./columns.ts";
import type { TableColumn } from "./columns.ts";
import type { Cell } from "./cells.ts";

/** The columns of a kind, in order. */
export function tableColumns(kind: string): readonly TableColumn[] {
  return columnsOf(kind);
}

/**
 * The cells of one object, one per column. Ages and deadlines are relative to `nowMs`; without it
 * they read `<unknown>`. Missing fields never throw.
 */
export function tableRow(kind: string, object: object, nowMs?: number): readonly Cell[] {
  // API objects are JSON; only their interface types lack the index signature.
  const json = object as unknown as JsonValue;
  return columnsOf(kind).map((column) => column.cell(json, nowMs));
}
