// Changes that lost and may not be proposed again for a while: which they are, and a person's word that
// one may. What is released is named: the proposal that lost, or everything of one Config; who
// released what and why stays in its Event.

import { KinglyError, isJsonObject, shortValue } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { quarantinedChanges } from "@kingly/decision";
import { API_VERSION, toRfc3339 } from "@kingly/resources";
import type { Config } from "@kingly/resources";
import { QUARANTINE_LIST_MAX } from "../limits.ts";
import type { Principal } from "./auth.ts";
import type { ApiContext } from "./context.ts";
import { command, reasonOf } from "./people.ts";

/** What of these Configs may not be proposed now, oldest first within each; cut when very many. */
export function quarantineList(context: ApiContext, configs: readonly Config[]): JsonObject {
  const { state } = context.replica;
  // Refusals count replicated time, which stands still while nothing is written.
  const nowMs = Math.max(state.meta().timeMs, context.clock.nowMs());
  const found = configs.flatMap((config) => quarantinedChanges(state, config, nowMs));
  const items = found.slice(0, QUARANTINE_LIST_MAX).map((one) => ({
    namespace: one.namespace,
    config: one.config,
    proposal: one.proposal,
    reason: one.reason,
    changes: Object.fromEntries(one.changes.map(({ key, value }) => [key, value])),
    classes: [...one.classes],
    since: toRfc3339(one.sinceMs),
    until: toRfc3339(one.untilMs),
  }));
  const left = found.length - items.length;
  const metadata = left === 0 ? {} : { remainingItemCount: left };
  return { kind: "QuarantineList", apiVersion: API_VERSION, metadata, items };
}

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
export function releaseQuarantine(
  context: ApiContext,
  principal: Principal,
  config: Config,
  release: Release,
): Promise<JsonObject> {
  const { namespace = "", name } = config.metadata;
  const body = { namespace, config: name, proposal: release.proposal, reason: release.reason };
  return command(context, principal, config, { command: "release-quarantine", body });
}
