// What people decide about a rollout: go on after a pause, or back to the version before. Both say
// why; the reason stays in the rollout's message and in its Event.

import { KinglyError, isJsonObject, shortValue, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { kindInfo } from "@kingly/resources";
import type { Rollout } from "@kingly/resources";
import { REASON_CHARS_MAX } from "../limits.ts";
import type { Principal } from "./auth.ts";
import type { ApiContext } from "./context.ts";
import { serve } from "./serve.ts";

/** The commands that people may give. */
export type RolloutDecision = "resume-rollout" | "rollback-rollout";

/** The reason in a request's body `{reason}`; `also`: fields beside it. UnknownField, InvalidField. */
export function reasonOf(body: JsonValue, also: readonly string[] = []): string {
  const fields = isJsonObject(body) ? body : {};
  const known = ["reason", ...also];
  for (const field of Object.keys(fields)) {
    if (known.includes(field)) continue;
    throw new KinglyError("UnknownField", `unknown field "${field.slice(0, 80)}"`, {
      field: field.slice(0, 80),
      limit: known.join(", "),
    });
  }
  const { reason } = fields;
  if (typeof reason === "string" && reason !== "" && reason.length <= REASON_CHARS_MAX) {
    return reason;
  }
  const limit = `text of 1 to ${REASON_CHARS_MAX} characters`;
  throw new KinglyError("InvalidField", `reason: must be ${limit}; got ${shortValue(reason)}`, {
    field: "reason",
    limit,
    value: shortValue(reason),
  });
}

/** Gives the command; answers with the rollout as it is then. Conflict when its phase forbids it. */
export async function decideRollout(
  context: ApiContext,
  principal: Principal,
  rollout: Rollout,
  decision: { readonly command: RolloutDecision; readonly reason: string },
): Promise<JsonObject> {
  const body = { rolloutUid: rollout.metadata.uid, reason: decision.reason };
  const { value } = await context.replica.submit(
    { command: decision.command, body: utf8Encode(JSON.stringify(body)) },
    principal,
    { deadlineMs: 0 },
  );
  const object = isJsonObject(value) ? value["object"] : undefined;
  const stored = isJsonObject(object) ? object : (rollout as unknown as JsonObject);
  return serve(context.replica, kindInfo("Rollout").kind, stored);
}
