// AgentService: Enroll for new nodes, Session for enrolled ones.

import { KinglyError } from "@kingly/base";
import type { AgentServiceHandlers } from "@kingly/protocol";
import type { ApiContext } from "../core/context.ts";
import { settle } from "../core/reader.ts";
import { certificateOf, failStream, remainingMs, statusError, unary } from "./calls.ts";
import { enroll } from "./enroll.ts";
import { AgentSession } from "./session.ts";
import type { SessionCall } from "./session.ts";
import type { SessionRegistry } from "./session-registry.ts";
import type { StreamSet } from "./streams.ts";

/** The node in the client's certificate. Unauthenticated, Forbidden, WrongCluster. */
function nodeOf(context: ApiContext, call: SessionCall): string {
  const identity = certificateOf(call);
  if (identity === undefined) {
    throw new KinglyError("Unauthenticated", "a session needs the node's certificate", {
      help: "enrol the node first",
    });
  }
  const principal = context.auth.fromCertificate(identity);
  if (principal.method === "node") return principal.name;
  throw new KinglyError("Forbidden", "only nodes hold sessions", {
    field: "certificate",
    value: identity.kind,
  });
}

/** A node that enrolled through another server a moment ago may not be here yet. */
async function requireNode(context: ApiContext, node: string): Promise<void> {
  const { replica } = context;
  if (replica.state.object("Node", "", node) !== undefined) return;
  await settle(context, { kind: "linearizable" });
  if (replica.state.object("Node", "", node) !== undefined) return;
  throw new KinglyError("Unauthenticated", `node ${node} is not part of this cluster any more`, {
    field: "certificate",
    value: node,
    help: "enrol it again with a new join token",
  });
}

/** Handlers of AgentService. */
export function agentService(
  context: ApiContext,
  registry: SessionRegistry,
  streams: StreamSet,
): AgentServiceHandlers {
  return {
    Enroll: unary(context, async (call) => {
      return enroll(context, call.request, remainingMs(context, call));
    }),
    Session: (call) => {
      const session = call as unknown as SessionCall;
      const fail = (error: unknown): void => {
        failStream(call as never, statusError(context, error, "Session"));
      };
      try {
        const node = nodeOf(context, session);
        // Nothing is read before the node is known to exist: the stream waits by itself.
        requireNode(context, node)
          .then(() => {
            if (session.cancelled) return;
            new AgentSession(context, { registry, streams }, session, node).start();
          })
          .catch(fail);
      } catch (error) {
        fail(error);
      }
    },
  };
}
