// Writing a Config. Its data is an intent: the first data of a new Config becomes version 1 at once
// (there is nothing to compare it with; stages and guards still apply), every later change of data
// opens a proposal. Everything else of spec takes effect with the write.

import { changedTopLevelKeys } from "@kingly/base";
import type { Config, ConfigSpec } from "@kingly/resources";
import { configStateKey } from "../core/keys.ts";
import { refuse } from "../core/refuse.ts";
import { objectReply } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import { followSelection, followNode } from "../model/assignments.ts";
import { commitVersion, directSeed } from "../model/commit.ts";
import { committedContent, requireNoNulls } from "../model/content.ts";
import { isFinal, phaseOf } from "../model/phases.ts";
import { openProposal, policyOf, schemaOf } from "../model/proposals.ts";
import { endQueued, isIdle, isIntent, setSynced } from "../model/queue.ts";
import { requireRules } from "../model/rules.ts";
import { removeBallot } from "../model/retention.ts";
import { configStateOf } from "../model/rows.ts";
import type { ConfigState } from "../model/rows.ts";
import { requireNoOverlap } from "../model/selection.ts";
import { requireReferences } from "./references.ts";
import { mergedMeta, metaOf, sameObject, withSpec } from "./write-request.ts";
import type { Write } from "./write-request.ts";

/** Creates a Config and commits its data as version 1. */
export function createConfig(tx: Transaction, request: Write): Reply {
  const { namespace, name } = request;
  const spec = request.object["spec"] as unknown as ConfigSpec;
  const created = tx.create(
    "Config",
    { namespace, name },
    { spec, status: { version: 0, contentHash: "", conditions: [], observedGeneration: 1 } },
  );
  const config = tx.put({ ...created, metadata: mergedMeta(created.metadata, metaOf(request)) });
  requireReferences(tx, config);
  requireNoOverlap(tx, config);
  const data = config.spec.data;
  requireNoNulls(data);
  requireRules(schemaOf(tx, config), data, Object.keys(data).sort());
  const state: ConfigState = {
    nextVersion: 1,
    queue: [],
    trial: "",
    rollout: "",
    touched: {},
    quarantine: [],
    proposals: 0,
    collectAtMs: tx.nowMs,
  };
  tx.putRow(configStateKey(config.metadata.uid), state);
  commitVersion(tx, {
    config,
    data,
    verdict: "Direct",
    reason: "FirstVersion",
    message: "the first version of a Config has nothing to be compared with",
    policy: policyOf(tx, config),
    acceptors: [],
    rejections: [],
    seed: directSeed(tx, config.metadata.uid),
  });
  tx.warnings.push(`version 1 is rolled out in stages under the guard, without a trial`);
  return objectReply(tx.keyOf(config), tx.warnings);
}

/** Replaces a Config; a change of data opens a proposal. */
export function replaceConfig(tx: Transaction, request: Write, existing: Config): Reply {
  const next = withSpec(request, existing);
  const key = tx.keyOf(existing);
  if (sameObject(next, existing)) return objectReply(key, tx.warnings, false);
  const config = tx.put(next as Config);
  requireReferences(tx, config);
  const moved = changedTopLevelKeys(existing.spec as never, config.spec as never);
  if (moved.includes("target") || moved.includes("selector")) {
    requireNoOverlap(tx, config);
    followSelection(tx, config);
  }
  if (moved.includes("data")) intend(tx, config);
  else if (config.status !== undefined) {
    const current = tx.object("Config", request.namespace, request.name) ?? config;
    const observedGeneration = current.metadata.generation;
    if (current.status !== undefined) {
      tx.put({ ...current, status: { ...current.status, observedGeneration } });
    }
  }
  return objectReply(key, tx.warnings);
}

/** A new intent: the older one that still waits gives way; a proposal opens unless all is said. */
function intend(tx: Transaction, config: Config): void {
  const { uid, name } = config.metadata;
  requireNoNulls(config.spec.data);
  for (const queued of configStateOf(tx, uid).queue) {
    const proposal = tx.byUid("Proposal", queued);
    if (proposal === undefined || !isIntent(proposal)) continue;
    endQueued(tx, config, proposal, {
      phase: "Superseded",
      reason: "NewerIntent",
      message: `spec.data of ${name} was written again`,
    });
  }
  const version = config.status?.version ?? 0;
  if (changedTopLevelKeys(committedContent(tx, config), config.spec.data).length === 0) {
    const message = `spec.data is what version ${version} says`;
    setSynced(tx, config, "True", { reason: "Committed", message });
    return;
  }
  const { actor, idempotencyKey = "" } = tx.command;
  const proposal = openProposal(tx, {
    config,
    name: "",
    baseVersion: version,
    data: config.spec.data,
    reason: `spec.data of Config ${name} was written by ${actor.name}`,
    source: { type: "human", name: actor.name },
    idempotencyKey,
    intent: true,
  });
  const opened = proposal.metadata.name;
  const current = tx.object("Config", config.metadata.namespace ?? "", name) ?? config;
  if (current.status !== undefined) {
    const named = tx.put({ ...current, status: { ...current.status, proposal: opened } });
    if (!isFinal(phaseOf(proposal)) && (named.status?.version ?? 0) === version) {
      const message = `proposal ${opened} asks the fleet for it`;
      setSynced(tx, named, "False", { reason: "Proposed", message });
    }
  }
  tx.warnings.push(
    `spec.data is an intent: proposal ${opened} was opened and the fleet decides about it`,
  );
}

/** Deletes a Config and what hangs on it; nodes keep what they run. */
export function deleteConfig(tx: Transaction, config: Config): void {
  const { uid, name, namespace = "" } = config.metadata;
  if (!isIdle(tx, uid)) {
    refuse("Conflict", `a change of Config ${name} is in flight`, {
      field: "metadata.name",
      value: name,
      help: "delete the proposal or roll the version back first",
    });
  }
  for (const proposal of tx.objects("Proposal", namespace)) {
    if (proposal.spec.config === name) removeBallot(tx, proposal);
  }
  for (const kind of ["ConfigVersion", "Rollout", "Proposal", "Veto"] as const) {
    for (const object of tx.objects(kind, namespace)) {
      if (object.spec.config === name) tx.remove(object);
    }
  }
  tx.deleteRow(configStateKey(uid));
  tx.remove(config);
  for (const node of tx.objects("Node")) followNode(tx, node);
}
