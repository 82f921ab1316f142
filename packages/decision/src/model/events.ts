// Events: what happened, in words that a person understands, next to the object it happened to. They
// are ordinary objects with a short life; conditions live here too, they say the same in status.

import { API_VERSION, setCondition } from "@kingly/resources";
import type { Condition } from "@kingly/resources";
import { MESSAGE_CHARS_MAX, NAME_STEM_CHARS_MAX } from "../limits.ts";
import { eventQueueKey } from "../core/keys.ts";
import type { Transaction } from "../core/transaction.ts";
import type { StoredObject } from "../core/view.ts";

/** Row of the queue in which Events expire. */
export interface QueuedEvent {
  readonly atMs: number;
  readonly key: string;
}

/** What happened. */
export interface Happening {
  readonly type: "Normal" | "Warning";
  /** CamelCase, stable, for machines. */
  readonly reason: string;
  /** A sentence for people. */
  readonly message: string;
}

/** Where Events about cluster-scoped objects go, as in Kubernetes. */
const NAMESPACE_OF_CLUSTER_EVENTS = "default";

/** Records an Event about an object. */
export function emit(tx: Transaction, about: StoredObject, happening: Happening): void {
  const { name, namespace, uid } = about.metadata;
  const counter = tx.nextCounter();
  const suffix = `${tx.entry.index.toString(16)}.${counter.toString(16)}`;
  const event = tx.create(
    "Event",
    {
      namespace: namespace ?? NAMESPACE_OF_CLUSTER_EVENTS,
      name: `${stem(name)}.${suffix}`,
    },
    {
      spec: {
        involvedObject: {
          apiVersion: about.kind === "Namespace" ? "v1" : API_VERSION,
          kind: about.kind,
          ...(namespace === undefined ? {} : { namespace }),
          name,
          uid,
        },
        type: happening.type,
        reason: happening.reason,
        message: shorten(happening.message),
        count: 1,
      },
    },
  );
  const queued: QueuedEvent = { atMs: tx.nowMs, key: tx.keyOf(event) };
  tx.putRow(eventQueueKey(tx.entry.index, counter), queued);
}

/** Cuts a name so that a generated suffix fits behind it. */
export function stem(name: string): string {
  if (name.length <= NAME_STEM_CHARS_MAX) return name;
  return name.slice(0, NAME_STEM_CHARS_MAX).replace(/[-.]+$/u, "");
}

/** Cuts a sentence to what status and events hold. */
export function shorten(message: string): string {
  return message.length <= MESSAGE_CHARS_MAX ? message : `${message.slice(0, MESSAGE_CHARS_MAX)}…`;
}

/** The conditions with one of them set; its transition time moves only when its status does. */
export function withCondition(
  conditions: readonly Condition[],
  set: Omit<Condition, "lastTransitionTime">,
  nowMs: number,
): readonly Condition[] {
  return setCondition(conditions, { ...set, message: shorten(set.message) }, nowMs);
}
