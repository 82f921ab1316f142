// What of a Config may not be proposed at present, for the people who are refused: which values, where
// they lost, since when and until when, by which proposal and why.

import type { Config, KeyDelta } from "@kingly/resources";
import { QUARANTINE_MS } from "../limits.ts";
import type { StateView } from "../core/view.ts";
import { configStateOf } from "../model/rows.ts";

/** One change in quarantine. */
export interface QuarantinedChange {
  readonly namespace: string;
  readonly config: string;
  /** Name of the proposal that lost; "" = the version rolled back had none. */
  readonly proposal: string;
  readonly reason: string;
  /** Values that lost together; null = the key's absence. Near ones (a schema step) count as them. */
  readonly changes: readonly KeyDelta[];
  /** Where they lost; a Config that reaches none of these classes may take them. */
  readonly classes: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly sinceMs: number;
  /** Milliseconds since the Unix epoch; from then on the change may be proposed again. */
  readonly untilMs: number;
}

/** The changes of a Config that are in quarantine at `nowMs`, oldest first. */
export function quarantinedChanges(
  view: StateView,
  config: Config,
  nowMs: number,
): QuarantinedChange[] {
  const { uid, name, namespace = "" } = config.metadata;
  return configStateOf(view, uid)
    .quarantine.filter((lost) => lost.untilMs > nowMs)
    .map(({ proposal, reason, deltas, classes, untilMs }) => ({
      namespace,
      config: name,
      proposal,
      reason,
      changes: deltas,
      classes,
      sinceMs: untilMs - QUARANTINE_MS,
      untilMs,
    }));
}
