// What a person decides about an object (a rollout, a lost change, a node's version): always with a
// reason, which stays in the record, and mostly by a command that is answered with the object.

import { KinglyError, isJsonObject, shortValue, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { ApiObject, KindName } from "@kingly/resources";
import type { WriteRequest } from "../../replica/replica.ts";
import { REASON_CHARS_MAX } from "../limits.ts";
import type { Principal } from "./auth.ts";
import type { ApiContext } from "./context.ts";
import { serve } from "./serve.ts";

/** The reason that somebody gave, if it can stand in a record. InvalidField otherwise. */
export function checkedReason(reason: JsonValue | undefined): string {
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
  return checkedReason(fields["reason"]);
}

/** Gives a command about `object`; answers with the object as it is served afterwards. */
export async function command(
  context: ApiContext,
  principal: Principal,
  object: Pick<ApiObject, "kind">,
  order: { readonly command: WriteRequest["command"]; readonly body: JsonObject },
): Promise<JsonObject> {
  const { value } = await context.replica.submit(
    { command: order.command, body: utf8Encode(JSON.stringify(order.body)) },
    principal,
    { deadlineMs: 0 },
  );
  const answered = isJsonObject(value) ? value["object"] : undefined;
  const stored = isJsonObject(answered) ? answered : (object as unknown as JsonObject);
  return serve(context.replica, object.kind as KindName, stored);
}
