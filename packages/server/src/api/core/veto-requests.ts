// A request for a veto travels as an annotation of the Node: replicated, audited, and visible to the
// server that holds the node's session, whichever took the request. The node signs and executes the
// veto itself; a request that it answered or that is old is not delivered.

import { KinglyError, isJsonObject } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { kindInfo } from "@kingly/resources";
import type { Config, Node } from "@kingly/resources";
import { VETO_REQUEST_MS } from "../limits.ts";
import type { Principal } from "./auth.ts";
import type { ApiContext } from "./context.ts";
import { patchObject } from "./patcher.ts";
import { checkedReason } from "./people.ts";
import { assignmentsOf } from "./views.ts";

const PREFIX = "kingly.dev/veto-";

/** A wish that a node reject the version of one Config. */
export interface VetoWish {
  readonly configUid: string;
  readonly version: number;
  readonly reason: string;
  readonly requestedBy: string;
  readonly atMs: number;
}

function wishOf(configUid: string, text: string): VetoWish | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!isJsonObject(value as JsonObject)) return undefined;
    const { version, reason, requestedBy, atMs } = value as Record<string, unknown>;
    const typed = typeof version === "number" && typeof atMs === "number";
    if (!typed || typeof reason !== "string" || typeof requestedBy !== "string") return undefined;
    return { configUid, version, reason, requestedBy, atMs };
  } catch {
    return undefined; // Somebody wrote the annotation by hand; there is nothing to deliver.
  }
}

/** Requests to a node that are young and not answered by a veto. */
export function openVetoWishes(context: ApiContext, node: Node): readonly VetoWish[] {
  const { state } = context.replica;
  const wishes: VetoWish[] = [];
  for (const [key, text] of Object.entries(node.metadata.annotations ?? {})) {
    if (!key.startsWith(PREFIX)) continue;
    const wish = wishOf(key.slice(PREFIX.length), text);
    if (wish === undefined || wish.atMs + VETO_REQUEST_MS < context.clock.nowMs()) continue;
    const config = state.objects("Config").find((one) => one.metadata.uid === wish.configUid);
    if (config === undefined) continue;
    const { name, namespace = "" } = config.metadata;
    const answer = `${name}-v${wish.version}-${node.metadata.name}`;
    if (state.object("Veto", namespace, answer) === undefined) wishes.push(wish);
  }
  return wishes;
}

function assignedVersion(context: ApiContext, node: string, config: Config): number {
  const { assignments } = assignmentsOf(context.replica.state, node);
  return assignments.find((one) => one.config.uid === config.metadata.uid)?.version ?? 0;
}

/** Asks a node to veto; returns the version that is meant. */
export async function requestVeto(
  context: ApiContext,
  principal: Principal,
  config: Config,
  wish: { readonly node: string; readonly version: number; readonly reason: string },
): Promise<number> {
  const { node } = wish;
  const reason = checkedReason(wish.reason);
  const version = wish.version === 0 ? assignedVersion(context, node, config) : wish.version;
  if (version === 0) {
    throw new KinglyError("InvalidField", `node ${node} runs no version of this Config`, {
      field: "version",
      value: version,
      help: "name a version that was committed",
    });
  }
  const text = JSON.stringify({
    version,
    reason,
    requestedBy: principal.name,
    atMs: context.clock.nowMs(),
  });
  const patch = { metadata: { annotations: { [`${PREFIX}${config.metadata.uid}`]: text } } };
  const call = {
    info: kindInfo("Node"),
    namespace: "",
    principal,
    dryRun: false,
    fieldValidation: "Strict",
    deadlineMs: 0,
  } as const;
  await patchObject(context, call, node, { type: "merge", patch });
  return version;
}
