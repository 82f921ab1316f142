// A person's word that a change which lost may be proposed again. What is released is named: the
// proposal that lost, or everything of one Config; who released what and why stays in its Event.

import { KinglyError, isJsonObject, shortValue, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { kindInfo } from "@kingly/resources";
import type { Config } from "@kingly/resources";
import type { Principal } from "./auth.ts";
import type { ApiContext } from "./context.ts";
import { reasonOf } from "./rollout-decisions.ts";
import { serve } from "./serve.ts";

/** What to release, and why. */
export interface Release {
  /** Name of the proposal that lost; "" = everything of the Config. */
  readonly proposal: string;
  readonly reason: string;
}

/** Reads `{proposal, reason}` or `{all: true, reason}`. UnknownField, InvalidField. */
export function releaseOf(body: JsonValue): Release {
  const reason = reasonOf(body, ["proposal", "all"]);
  const { proposal, all } = isJsonObject(body) ? body : {};
  if (all === undefined && typeof proposal === "string" && proposal !== "") {
    return { proposal, reason };
  }
  // Never by leaving a field out: releasing everything is said.
  if (all === true && proposal === undefined) return { proposal: "", reason };
  const limit = "either the name of the proposal that lost, or all: true";
  throw new KinglyError("InvalidField", `proposal: must be given as ${limit}`, {
    field: "proposal",
    limit,
    value: shortValue(proposal ?? all),
  });
}

/** Gives the command; answers with the Config. NotFound when nothing of that name is in quarantine. */
export async function releaseQuarantine(
  context: ApiContext,
  principal: Principal,
  config: Config,
  release: Release,
): Promise<JsonObject> {
  const { namespace = "", name } = config.metadata;
  const body = { namespace, config: name, proposal: release.proposal, reason: release.reason };
  const { value } = await context.replica.submit(
    { command: "release-quarantine", body: utf8Encode(JSON.stringify(body)) },
    principal,
    { deadlineMs: 0 },
  );
  const object = isJsonObject(value) ? value["object"] : undefined;
  const stored = isJsonObject(object) ? object : (config as unknown as JsonObject);
  return serve(context.replica, kindInfo("Config").kind, stored);
}
