// What an applier is: it reads what a target runs, tries a content without applying it, applies it
// whole, and notices when somebody else changed it. Problems are values with a sentence; only bugs
// are thrown.

import type { Content } from "@kingly/node-core";

/** The end of an apply. */
export type ApplyOutcome =
  | { readonly ok: true }
  /** `edited`: somebody changed the target since our last apply, and it was left alone. */
  | { readonly ok: false; readonly message: string; readonly edited: boolean };

/** Puts contents into effect on one target. */
export interface Applier {
  /** What runs now, as version 0; throws a KinglyError `Unavailable` when the target does not answer. */
  capture(): Promise<Content>;
  /** "" when the target would take the content, else a sentence. */
  check(content: Content): Promise<string>;
  apply(content: Content): Promise<ApplyOutcome>;
  /** "" while the target is as we left it, else a sentence. */
  edited(): Promise<string>;
}
