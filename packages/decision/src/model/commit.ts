// The commit: a content becomes the fleet's decision, with its version, its rollout and the standing
// vetoes of those who measured harm.

import { changedTopLevelKeys, utf8Encode } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { alphaLocal } from "@kingly/evidence";
import type { Config, PolicySpec, Proposal, Rollout, Vote } from "@kingly/resources";
import { rolloutStateKey } from "../core/keys.ts";
import type { Transaction } from "../core/transaction.ts";
import { assign, followSelection } from "./assignments.ts";
import { committedContent, contentOf, putContent, versionName } from "./content.ts";
import { moveConfig } from "./decided.ts";
import { emit } from "./events.ts";
import { statusOf, step } from "./phases.ts";
import { standingVetoes as nodeVetoes, runnableVersion, vetoName } from "./pins.ts";
import { rebaseQueue } from "./queue.ts";
import {
  EMPTY_ROLLOUT_STATUS,
  beginStage,
  completeRollout,
  planStages,
  rankBy,
  rolloutStatus,
} from "./rollouts.ts";
import { configStateOf, updateConfigState } from "./rows.ts";
import type { RolloutRow } from "./rows.ts";
import { selectedNodes } from "./selection.ts";

/** What becomes a version. */
export interface Commit {
  readonly config: Config;
  readonly data: JsonObject;
  /** Undefined for versions made without one. */
  readonly proposal?: Proposal;
  readonly verdict: "Accepted" | "Direct" | "Revert";
  readonly reason: string;
  readonly message: string;
  readonly policy: PolicySpec;
  /** Who answered Accept: first in the stages. */
  readonly acceptors: readonly string[];
  /** Votes that are Reject with sufficient evidence: their nodes are never assigned the version. */
  readonly rejections: readonly Vote[];
  /** Seed of the stages' order. */
  readonly seed: Uint8Array;
}

/** Commits a content as the next version and starts its rollout. Returns the Config as stored. */
export function commitVersion(tx: Transaction, commit: Commit): Config {
  const { uid, name, namespace = "" } = commit.config.metadata;
  const before = committedContent(tx, commit.config);
  const parent = commit.config.status?.version ?? 0;
  const state = configStateOf(tx, uid);
  const version = state.nextVersion;
  const changedKeys = changedTopLevelKeys(before, commit.data);
  const contentHash = putContent(tx, commit.data);
  const created = tx.create(
    "ConfigVersion",
    { namespace, name: versionName(name, version) },
    {
      spec: {
        config: name,
        configUid: uid,
        version,
        contentHash,
        parent,
        changedKeys,
        proposal: commit.proposal?.metadata.name ?? "",
        verdict: commit.verdict,
        revertOf: 0,
        commitIndex: tx.entry.index,
      },
    },
  );
  const touched = { ...state.touched };
  if (commit.verdict === "Accepted") {
    for (const key of changedKeys) touched[key] = { version, atMs: tx.nowMs };
  }
  updateConfigState(tx, uid, { nextVersion: version + 1, touched });
  const config = moveConfig(tx, commit.config, { version, contentHash, data: commit.data });
  emit(tx, created, { type: "Normal", reason: commit.reason, message: commit.message });
  const rollout = openRollout(tx, { ...commit, config }, { version, parent, changedKeys });
  rebaseQueue(tx, tx.object("Config", namespace, name) ?? config);
  startRollout(tx, config, rollout);
  return tx.object("Config", namespace, name) ?? config;
}

interface RolloutFacts {
  readonly version: number;
  readonly parent: number;
  readonly changedKeys: readonly string[];
}

function openRollout(tx: Transaction, commit: Commit, facts: RolloutFacts): Rollout {
  const { config, policy } = commit;
  const { uid, name, namespace = "" } = config.metadata;
  const nodes = selectedNodes(tx, config);
  const excluded = standingVetoes(tx, commit, facts);
  const eligible = nodes.filter((node) => !excluded.includes(node.metadata.name));
  const order = { first: new Set(commit.acceptors), rank: rankBy(tx, commit.seed) };
  const rollout = tx.create(
    "Rollout",
    { namespace, name: versionName(name, facts.version) },
    {
      spec: {
        config: name,
        configUid: uid,
        version: facts.version,
        fromVersion: facts.parent,
        proposal: commit.proposal?.metadata.name ?? "",
      },
      status: {
        ...EMPTY_ROLLOUT_STATUS,
        excluded,
        stages: planStages(eligible, policy.rollout.stages, order),
      },
    },
  );
  const row: RolloutRow = {
    policy,
    alphaLocal: alphaLocal(Math.max(1, nodes.length)),
    changedKeys: facts.changedKeys,
  };
  tx.putRow(rolloutStateKey(rollout.metadata.uid), row);
  updateConfigState(tx, uid, { rollout: rollout.metadata.uid });
  if (commit.proposal !== undefined) {
    const committed = step(tx, commit.proposal, {
      phase: "Committed",
      reason: commit.reason,
      message: commit.message,
      status: { committedVersion: facts.version, rollout: rollout.metadata.name },
    });
    step(tx, committed, {
      phase: "RollingOut",
      reason: "RolloutStarted",
      message: `version ${facts.version} goes out in ${rolloutStatus(rollout).stages.length} stage(s)`,
    });
  }
  return rollout;
}

/** Nodes that measured harm keep what they run: their vote stands as a veto. Returns their names. */
function standingVetoes(tx: Transaction, commit: Commit, facts: RolloutFacts): string[] {
  const { config, policy } = commit;
  const { uid, name, namespace = "" } = config.metadata;
  const excluded: string[] = [];
  for (const vote of commit.rejections) {
    const { node } = vote.spec;
    const runs = runnableVersion(facts.parent, nodeVetoes(tx, config, node));
    const veto = tx.create(
      "Veto",
      { namespace, name: vetoName(tx, config, facts.version, node) },
      {
        spec: {
          node,
          class: vote.spec.class,
          config: name,
          configUid: uid,
          version: facts.version,
          cause: "Voted",
          message: `voted Reject in the trial: ${vote.spec.reason}`,
          pinnedKeys: facts.changedKeys,
          lnE: Number(vote.status?.["lnHarm"] ?? 0),
          evidence: vote.spec.evidence,
          runsVersion: runs,
          expiresAtMs: tx.nowMs + Math.ceil(policy.vetoExpirySeconds * 1_000),
          document: vote.spec.document,
          signature: vote.spec.signature,
        },
        status: { active: true, reason: "Voted", message: "the vote stands as a veto" },
      },
    );
    emit(tx, veto, {
      type: "Warning",
      reason: "StandingVeto",
      message: `node ${node} measured harm and stays on version ${runs}`,
    });
    excluded.push(node);
    assign(tx, config, [node], { version: runs, held: true });
  }
  return excluded.sort();
}

function startRollout(tx: Transaction, config: Config, rollout: Rollout): void {
  const { name, namespace = "" } = config.metadata;
  const current = tx.object("Config", namespace, name) ?? config;
  if (current.status !== undefined) {
    tx.put({ ...current, status: { ...current.status, rollout: rollout.metadata.name } });
  }
  followSelection(tx, config);
  const fresh = tx.byUid("Rollout", rollout.metadata.uid) ?? rollout;
  if (rolloutStatus(fresh).stages.length === 0) completeRollout(tx, config, fresh);
  else beginStage(tx, config, fresh, 0);
}

/** Seed for the order of stages of versions that had no trial. */
export function directSeed(tx: Transaction, configUid: string): Uint8Array {
  return tx.crypto.sha256(
    utf8Encode(`kingly/direct/v1|${tx.meta().clusterId}|${configUid}|${tx.entry.index}`),
  );
}

/** Content and hash that a proposal on trial or in the queue would commit. */
export function candidateContent(tx: Transaction, proposal: Proposal): JsonObject {
  return contentOf(tx, statusOf(proposal).candidateHash);
}
