// ClusterService.Status: what this server knows of the cluster.

import type { ClusterServiceHandlers } from "@kingly/protocol";
import { requireAllowed } from "../core/auth.ts";
import type { ApiContext } from "../core/context.ts";
import { principalOf, unary } from "./calls.ts";

/** Handlers of ClusterService. */
export function clusterService(context: ApiContext): ClusterServiceHandlers {
  return {
    Status: unary(context, async (call) => {
      requireAllowed(principalOf(context, call), "get", "nodes");
      const { members, uptimeMs, ...status } = context.replica.status();
      return { ...status, uptimeMs: Math.round(uptimeMs), members: [...members] };
    }),
  };
}
