// What people decide about a rollout: go on after a pause, or back to the version before. Both say
// why; the reason stays in the rollout's message and in its Event.

import type { JsonObject } from "@kingly/base";
import type { Rollout } from "@kingly/resources";
import type { Principal } from "./auth.ts";
import type { ApiContext } from "./context.ts";
import { command } from "./people.ts";

/** The commands that people may give. */
export type RolloutDecision = "resume-rollout" | "rollback-rollout";

/** Gives the command; answers with the rollout as it is then. Conflict when its phase forbids it. */
export function decideRollout(
  context: ApiContext,
  principal: Principal,
  rollout: Rollout,
  decision: { readonly command: RolloutDecision; readonly reason: string },
): Promise<JsonObject> {
  const body = { rolloutUid: rollout.metadata.uid, reason: decision.reason };
  return command(context, principal, rollout, { command: decision.command, body });
}
