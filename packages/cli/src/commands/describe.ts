// kinglyctl describe KIND NAME: one object for people, with its conditions and events.

import { stringify } from "yaml";
import type { ApiObject, Condition, EventSpec } from "@kingly/resources";
import { splitTarget } from "../kinds.ts";
import { alignColumns } from "../printers/table.ts";
import type { Session } from "../session.ts";

type EventObject = ApiObject & EventSpec & { readonly lastTimestamp?: string };

function indent(text: string): string {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}

function conditionsText(conditions: readonly Condition[]): string {
  const rows = conditions.map((c) => [c.type, c.status, c.reason, c.message]);
  return indent(alignColumns([["TYPE", "STATUS", "REASON", "MESSAGE"], ...rows]));
}

function eventsText(events: readonly EventObject[]): string {
  // Events go after an hour: their absence does not say that nothing ever happened.
  if (events.length === 0) return "  <none in the last hour>";
  const rows = events.map((e) => [
    e.lastTimestamp ?? e.metadata.creationTimestamp,
    e.type,
    e.reason,
    e.message,
  ]);
  return indent(alignColumns([["LAST SEEN", "TYPE", "REASON", "MESSAGE"], ...rows]));
}

async function eventsOf(session: Session, object: ApiObject): Promise<readonly EventObject[]> {
  const namespace = object.metadata.namespace;
  const all = await session.client.list<EventObject>({ kind: "Event", namespace });
  return all.items.filter((event) => event.involvedObject?.uid === object.metadata.uid);
}

function describeObject(object: ApiObject, events: readonly EventObject[]): string {
  const { name, namespace, uid, resourceVersion, generation, creationTimestamp, labels } =
    object.metadata;
  const { conditions, ...status } = (object.status ?? {}) as {
    readonly conditions?: readonly Condition[];
  };
  const head = [
    ["Name:", name],
    ...(namespace === undefined ? [] : [["Namespace:", namespace]]),
    ["Kind:", `${object.kind} (${object.apiVersion})`],
    ["UID:", uid],
    ["Revision:", `${resourceVersion} (generation ${generation})`],
    ["Created:", creationTimestamp],
    ...(labels === undefined
      ? []
      : [
          [
            "Labels:",
            Object.entries(labels)
              .map(([k, v]) => `${k}=${v}`)
              .join(", "),
          ],
        ]),
  ];
  const parts = [alignColumns(head), `Spec:\n${indent(stringify(object.spec ?? {}))}`];
  if (Object.keys(status).length > 0) parts.push(`Status:\n${indent(stringify(status))}`);
  if (conditions !== undefined && conditions.length > 0) {
    parts.push(`Conditions:\n${conditionsText(conditions)}`);
  }
  parts.push(`Events:\n${eventsText(events)}`);
  return `${parts.join("\n")}\n`;
}

/** Runs the command; returns the exit code. */
export async function runDescribe(session: Session, words: readonly string[]): Promise<number> {
  const { info, names } = splitTarget(words);
  const namespace = info.namespaced ? session.namespace : undefined;
  const wanted =
    names.length > 0
      ? names
      : (await session.client.list({ kind: info.kind, namespace })).items.map(
          (object) => object.metadata.name,
        );
  for (const [index, name] of wanted.entries()) {
    const object = await session.client.get({ kind: info.kind, namespace, name });
    if (index > 0) session.io.stdout.write("\n---\n");
    session.io.stdout.write(describeObject(object, await eventsOf(session, object)));
  }
  return 0;
}
