// Objects as a client wants them: as they are, as rows of a Table (what `kubectl get` prints), or
// metadata only. Large lists are produced in slices between turns of the event loop.

import { setImmediate } from "node:timers/promises";
import { isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { tableColumns, tableRow } from "@kingly/resources";
import type { Cell, KindInfo } from "@kingly/resources";
import { RENDER_SLICE_OBJECTS } from "../limits.ts";
import type { Representation } from "./negotiate.ts";

/** How to render. */
export interface RenderOptions {
  readonly info: KindInfo;
  readonly as: Representation;
  /** What rows of a Table carry along. */
  readonly includeObject: "Metadata" | "Object" | "None";
  /** Ages are relative to it. */
  readonly nowMs: number;
  /** Cells by column, in place of those that the stored object has for them. */
  readonly liveCells: (stored: JsonObject) => Readonly<Record<string, Cell>>;
}

/** One object in its stored form (tables read that) and as it is served. */
export interface Rendered {
  readonly stored: JsonObject;
  readonly served: JsonObject;
}

function partial(object: JsonObject): JsonObject {
  return {
    kind: "PartialObjectMetadata",
    apiVersion: "meta.k8s.io/v1",
    metadata: object["metadata"] ?? {},
  };
}

function columnDefinitions(info: KindInfo): JsonValue[] {
  return tableColumns(info.kind).map(({ name, type, format, description, priority }) => ({
    name,
    type,
    format,
    description,
    priority,
  }));
}

function rowOf(object: Rendered, options: RenderOptions): JsonObject {
  const { info, includeObject, nowMs } = options;
  const live = options.liveCells(object.stored);
  const names = tableColumns(info.kind).map(({ name }) => name);
  const cells = tableRow(info.kind, object.stored, nowMs).map(
    (cell, at) => live[names[at] ?? ""] ?? cell,
  );
  if (includeObject === "None") return { cells };
  return { cells, object: includeObject === "Object" ? object.served : partial(object.served) };
}

/** A Table around rows. */
export function tableOf(
  rows: readonly JsonValue[],
  metadata: JsonObject,
  options: RenderOptions & { readonly withColumns: boolean },
): JsonObject {
  return {
    kind: "Table",
    apiVersion: "meta.k8s.io/v1",
    metadata,
    columnDefinitions: options.withColumns ? columnDefinitions(options.info) : [],
    rows: [...rows],
  };
}

/** One object in the wanted representation. `withColumns`: a Table says its columns. */
export function renderOne(
  object: Rendered,
  options: RenderOptions,
  withColumns: boolean = true,
): JsonObject {
  if (options.as === "object") return object.served;
  if (options.as === "metadata") return partial(object.served);
  const meta = object.served["metadata"];
  const resourceVersion = isJsonObject(meta) ? (meta["resourceVersion"] ?? "") : "";
  return tableOf([rowOf(object, options)], { resourceVersion }, { ...options, withColumns });
}

function envelope(options: RenderOptions, metadata: JsonObject): JsonObject {
  switch (options.as) {
    case "table":
      return tableOf([], metadata, { ...options, withColumns: true });
    case "metadata":
      return {
        kind: "PartialObjectMetadataList",
        apiVersion: "meta.k8s.io/v1",
        metadata,
        items: [],
      };
    case "object":
      return {
        kind: `${options.info.kind}List`,
        apiVersion: options.info.apiVersion,
        metadata,
        items: [],
      };
  }
}

/** The JSON text of a list, in pieces; yields to the event loop between slices. */
export async function* renderList(
  objects: Iterable<Rendered>,
  metadata: JsonObject,
  options: RenderOptions,
): AsyncGenerator<string> {
  // The list is the last member of its envelope: `..."items":[` is cut open and filled.
  const text = JSON.stringify(envelope(options, metadata));
  let piece = text.slice(0, -2);
  let count = 0;
  for (const object of objects) {
    const item = options.as === "table" ? rowOf(object, options) : renderOne(object, options);
    piece += `${count === 0 ? "" : ","}${JSON.stringify(item)}`;
    count += 1;
    if (count % RENDER_SLICE_OBJECTS > 0) continue;
    yield piece;
    piece = "";
    await setImmediate();
  }
  yield `${piece}]}`;
}
