// What a handler answers. Objects get their resourceVersion only at commit, so a reply says which row
// to show and is rendered afterwards; what is remembered for idempotency never holds the object.

import type { ErrorCode, JsonObject, JsonValue } from "@kingly/base";
import type { StateView } from "./view.ts";

/** A handler's answer. */
export interface Reply {
  /** Small; remembered under the idempotency key. */
  readonly memo: JsonObject;
  /** Set when the submitter is told no although something was recorded (a late vote). */
  readonly refusal?: { readonly code: ErrorCode; readonly message: string };
  /** The value of the outcome, rendered from the committed state. */
  render(view: StateView): JsonValue;
}

/** Answers with an object's row: a `WriteResult`. */
export function objectReply(
  key: string,
  warnings: readonly string[],
  changed: boolean = true,
): Reply {
  const memo = { key, warnings: [...warnings], changed };
  return { memo, render: (view) => ({ ...memo, object: view.get(key) ?? null }) };
}

/** Answers with plain values; `key`, when present, names an object that is shown with them. */
export function replyOf(memo: JsonObject): Reply {
  return { memo, render: (view) => renderMemo(memo, view) };
}

/** Says no to the submitter, but keeps what the handler recorded. */
export function recordedRefusal(code: ErrorCode, message: string): Reply {
  return { ...replyOf({}), refusal: { code, message } };
}

/** The outcome's value for what was remembered: the object as it is now. */
export function renderMemo(memo: JsonObject, view: StateView): JsonValue {
  const key = memo["key"];
  if (typeof key !== "string") return memo;
  const rendered: Record<string, JsonValue> = { ...memo };
  rendered["object"] = view.get(key) ?? null;
  return rendered;
}
