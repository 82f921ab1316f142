// Paths beyond the Kubernetes conventions: why a proposal or veto stands as it does, what a node
// effectively runs and from where each key comes, asking a node for a veto, a person's word about a
// rollout or a quarantined change, join tokens.

import { KinglyError, isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { kindInfo } from "@kingly/resources";
import type { Config, Proposal, Rollout, Veto } from "@kingly/resources";
import { isAllowed, requireAllowed } from "../core/auth.ts";
import type { ApiContext } from "../core/context.ts";
import { createJoinToken } from "../core/join-tokens.ts";
import { quarantineList, releaseOf, releaseQuarantine } from "../core/quarantine.ts";
import { readObject, settle } from "../core/reader.ts";
import { reasonOf } from "../core/people.ts";
import { decideRollout } from "../core/rollout-decisions.ts";
import type { RolloutDecision } from "../core/rollout-decisions.ts";
import { requestVeto } from "../core/veto-requests.ts";
import { assignmentsOf, pinnedKeysOf, whyProposal, whyVeto } from "../core/views.ts";
import type { Answer } from "./objects.ts";
import type { ResourcePath } from "./path.ts";
import { documentOf, isDryRun } from "./request.ts";
import type { RestRequest } from "./request.ts";

type Handler = (
  context: ApiContext,
  request: RestRequest,
  where: { readonly namespace: string; readonly name: string },
) => Promise<Answer>;

function ok(body: JsonValue): Answer {
  return { status: 200, body: body as JsonObject };
}

async function read<T>(
  context: ApiContext,
  request: RestRequest,
  kind: "Proposal" | "Veto" | "Config" | "Node" | "Rollout",
  where: { readonly namespace: string; readonly name: string },
): Promise<T> {
  const info = kindInfo(kind);
  requireAllowed(request.principal, "get", info.plural);
  await settle(context, { kind: "linearizable" });
  return readObject(context, info, where) as unknown as T;
}

const whyOfProposal: Handler = async (context, request, where) =>
  ok(whyProposal(context.replica, await read<Proposal>(context, request, "Proposal", where)));

const whyOfVeto: Handler = async (context, request, where) =>
  ok(whyVeto(context.replica, await read<Veto>(context, request, "Veto", where)));

const effective: Handler = async (context, request, where) => {
  await read(context, request, "Node", { namespace: "", name: where.name });
  const { state } = context.replica;
  const configs = assignmentsOf(state, where.name).assignments.map((assignment) => {
    const { version, data, heldByVeto, target, generation } = assignment;
    const { namespace, name } = assignment.config;
    const config = state.object("Config", namespace, name);
    const pinned = config === undefined ? [] : pinnedKeysOf(state, config, where.name, version);
    const base = version === 0 ? "as found on the node" : `version ${version}`;
    const origin = heldByVeto ? `${base}, held by the node's veto` : base;
    const keys = Object.keys(data).map((key): [string, JsonValue] => [
      key,
      { value: data[key] ?? null, from: pinned.includes(key) ? "pinned by veto" : origin },
    ]);
    return { namespace, name, target, version, generation, keys: Object.fromEntries(keys) };
  });
  return ok({ kind: "EffectiveConfig", node: where.name, configs });
};

const veto: Handler = async (context, request, where) => {
  requireAllowed(request.principal, "update", "nodes");
  const config = await read<Config>(context, request, "Config", where);
  const body = documentOf(request);
  const fields = isJsonObject(body) ? body : {};
  const { node, version = 0, reason } = fields;
  if (typeof node !== "string" || typeof reason !== "string" || typeof version !== "number") {
    throw new KinglyError("Usage", "body: node and reason must be text, version a number", {
      field: "body",
      limit: "{node, reason, version?}",
    });
  }
  const asked = await requestVeto(context, request.principal, config, { node, version, reason });
  const reachable = context.replica.soft.reachableNodes.has(node);
  const when = reachable
    ? "it answers in a moment"
    : "its agent is not connected; it is asked when it connects within 15 minutes";
  const message = `asked ${node} to veto version ${asked} of ${where.name}; ${when}`;
  return { status: 202, body: { kind: "VetoRequest", node, version: asked, reachable, message } };
};

function refuseDryRun(request: RestRequest, what: string): void {
  if (!isDryRun(request.query)) return;
  throw new KinglyError("Usage", `${what} as a dry run`, { field: "dryRun" });
}

const releaseChange: Handler = async (context, request, where) => {
  requireAllowed(request.principal, "update", "configs");
  refuseDryRun(request, "a quarantine cannot be released");
  const release = releaseOf(documentOf(request));
  const config = await read<Config>(context, request, "Config", where);
  return ok(await releaseQuarantine(context, request.principal, config, release));
};

const quarantineOfConfig: Handler = async (context, request, where) =>
  ok(quarantineList(context, [await read<Config>(context, request, "Config", where)]));

/** Of a namespace, or of all of them. */
async function quarantine(
  context: ApiContext,
  request: RestRequest,
  namespace: string,
): Promise<Answer> {
  if (request.method !== "GET") {
    throw new KinglyError("MethodNotAllowed", "what lost is listed here, and released by Config", {
      field: "method",
      limit: "GET",
      value: request.method,
    });
  }
  requireAllowed(request.principal, "list", kindInfo("Config").plural);
  await settle(context, { kind: "linearizable" });
  const { state } = context.replica;
  return ok(quarantineList(context, state.objects("Config", namespace || undefined)));
}

function decide(command: RolloutDecision): Handler {
  return async (context, request, where) => {
    requireAllowed(request.principal, "update", "rollouts");
    refuseDryRun(request, "a rollout cannot be moved");
    const reason = reasonOf(documentOf(request));
    const rollout = await read<Rollout>(context, request, "Rollout", where);
    const decision = { command, reason };
    return ok(await decideRollout(context, request.principal, rollout, decision));
  };
}

const ITEM_HANDLERS: Readonly<Record<string, Handler>> = {
  "GET proposals/why": whyOfProposal,
  "GET vetoes/why": whyOfVeto,
  "GET nodes/effective": effective,
  "GET configs/quarantine": quarantineOfConfig,
  "POST configs/veto": veto,
  "POST configs/release-quarantine": releaseChange,
  "POST rollouts/resume": decide("resume-rollout"),
  "POST rollouts/rollback": decide("rollback-rollout"),
};

async function joinToken(context: ApiContext, request: RestRequest): Promise<Answer> {
  if (!isAllowed(request.principal, "create", "jointokens")) {
    throw new KinglyError("Forbidden", `${request.principal.name} may not create join tokens`, {
      step: "authorise",
      rule: "create jointokens",
    });
  }
  const made = await createJoinToken(context, request.principal, documentOf(request));
  return { status: 201, body: { kind: "JoinToken", ...made } };
}

/** Serves a path that only this product has; undefined when it is not one of them. */
export async function serveExtra(
  context: ApiContext,
  request: RestRequest,
  path: ResourcePath,
): Promise<Answer | "no"> {
  if (path.group !== kindInfo("Config").group) return "no";
  if (path.plural === "jointokens" && path.name === undefined) {
    if (request.method === "POST") return joinToken(context, request);
    throw new KinglyError("MethodNotAllowed", "join tokens are shown once and never listed", {
      field: "method",
      limit: "POST",
      value: request.method,
    });
  }
  if (path.plural === "quarantine" && path.name === undefined) {
    return quarantine(context, request, path.namespace);
  }
  const id = `${request.method} ${path.plural ?? ""}/${path.subresource ?? ""}`;
  const handler = Object.hasOwn(ITEM_HANDLERS, id) ? ITEM_HANDLERS[id] : undefined;
  if (handler === undefined) return "no";
  return handler(context, request, { namespace: path.namespace, name: path.name ?? "" });
}
