// Retention: what is old and no longer needed leaves by a command, so that it leaves on every replica at
// the same index. Kept are the newest proposals with their votes, the newest versions, and whatever
// is assigned, a fallback, pinned by a veto or confirmed somewhere.

import type { Config, Proposal } from "@kingly/resources";
import { fromRfc3339 } from "@kingly/resources";
import {
  COLLECT_INTERVAL_MS,
  COLLECT_OBJECTS_MAX,
  PROPOSALS_KEPT,
  PROPOSALS_MAX,
  PROPOSAL_TTL_MS,
  VERSIONS_KEPT,
} from "../limits.ts";
import { contentKey, rolloutStateKey, trialKey } from "../core/keys.ts";
import type { Transaction } from "../core/transaction.ts";
import { readObjects } from "../core/view.ts";
import type { StateView } from "../core/view.ts";
import { versionName } from "./content.ts";
import { isFinal, phaseOf, statusOf } from "./phases.ts";
import { isActive, vetoesOf } from "./pins.ts";
import { assignmentOf, configStateOf, trialOf, updateConfigState } from "./rows.ts";

/** Phase name under which a Config's retention is asked for by a deadline. */
export const RETENTION_PHASE = "Retention";

/** True when this Config has more than is always kept, and its next collection is due. */
export function isDue(view: StateView, config: Config, nowMs: number): boolean {
  const { collectAtMs, nextVersion, proposals } = configStateOf(view, config.metadata.uid);
  if (collectAtMs > nowMs) return false;
  return proposals > PROPOSALS_KEPT || nextVersion - 1 > VERSIONS_KEPT;
}

/** Removes what may leave, a bounded number at a time; returns how many objects left. */
export function collect(tx: Transaction, config: Config): number {
  const { namespace = "", name, uid } = config.metadata;
  const proposals = oldProposals(tx, config, tx.nowMs).slice(0, COLLECT_OBJECTS_MAX);
  const versions = oldVersions(tx, config).slice(0, COLLECT_OBJECTS_MAX);
  const hashes = new Set<string>();
  for (const proposal of proposals) {
    hashes.add(statusOf(proposal).candidateHash);
    removeBallot(tx, proposal);
    tx.remove(proposal);
  }
  for (const version of versions) {
    const stored = tx.object("ConfigVersion", namespace, versionName(name, version));
    if (stored !== undefined) {
      hashes.add(stored.spec.contentHash);
      tx.remove(stored);
    }
    const rollout = tx.object("Rollout", namespace, versionName(name, version));
    if (rollout !== undefined) {
      tx.deleteRow(rolloutStateKey(rollout.metadata.uid));
      tx.remove(rollout);
    }
  }
  for (const veto of vetoesOf(tx, config)) {
    if (!isActive(veto) && versions.includes(veto.spec.version)) tx.remove(veto);
  }
  const used = usedHashes(tx);
  for (const hash of [...hashes].sort()) if (!used.has(hash)) tx.deleteRow(contentKey(hash));
  const more = Math.max(proposals.length, versions.length) >= COLLECT_OBJECTS_MAX;
  updateConfigState(tx, uid, {
    proposals: configStateOf(tx, uid).proposals - proposals.length,
    collectAtMs: more ? tx.nowMs : tx.nowMs + COLLECT_INTERVAL_MS,
  });
  return proposals.length + versions.length;
}

/** Removes a proposal's votes and trial. */
export function removeBallot(tx: Transaction, proposal: Proposal): void {
  for (const vote of tx.objects("Vote", proposal.metadata.namespace ?? "")) {
    if (vote.spec.proposalUid === proposal.metadata.uid) tx.remove(vote);
  }
  tx.deleteRow(trialKey(proposal.metadata.uid));
}

/** Final proposals beyond the newest PROPOSALS_KEPT that are old, or too many; oldest first. */
function oldProposals(view: StateView, config: Config, nowMs: number): Proposal[] {
  const { namespace = "", name } = config.metadata;
  const own = readObjects(view, "Proposal", namespace).filter((one) => one.spec.config === name);
  if (own.length <= PROPOSALS_KEPT) return [];
  const newestFirst = own
    .map((proposal) => ({ proposal, atMs: fromRfc3339(proposal.metadata.creationTimestamp) ?? 0 }))
    .sort(
      (a, b) => b.atMs - a.atMs || (a.proposal.metadata.uid < b.proposal.metadata.uid ? -1 : 1),
    );
  return newestFirst
    .filter(({ proposal, atMs }, i) => {
      if (i < PROPOSALS_KEPT || !isFinal(phaseOf(proposal))) return false;
      return i >= PROPOSALS_MAX || nowMs - atMs >= PROPOSAL_TTL_MS;
    })
    .map(({ proposal }) => proposal)
    .reverse();
}

/** Numbers of versions beyond the newest VERSIONS_KEPT that nobody needs; oldest first. */
function oldVersions(view: StateView, config: Config): number[] {
  const { namespace = "", uid } = config.metadata;
  const newest = configStateOf(view, uid).nextVersion - 1;
  if (newest <= VERSIONS_KEPT) return [];
  const stored = readObjects(view, "ConfigVersion", namespace)
    .filter((one) => one.spec.configUid === uid)
    .map((one) => one.spec.version)
    .sort((a, b) => a - b);
  const candidates = stored.filter((version) => version <= newest - VERSIONS_KEPT);
  if (candidates.length === 0) return [];
  const needed = new Set([config.status?.version ?? 0]);
  for (const node of readObjects(view, "Node")) {
    const row = assignmentOf(view, node.metadata.name, uid);
    if (row !== undefined) needed.add(row.version).add(row.previous);
  }
  // Waiting proposals are differences to the version that they were made against.
  for (const proposal of readObjects(view, "Proposal", namespace)) {
    if (!isFinal(phaseOf(proposal))) needed.add(proposal.spec.baseVersion);
  }
  // Pins are resolved along the history from the vetoed version on: all of that stays.
  const pinned = vetoesOf(view, config).filter((veto) => isActive(veto));
  const from = Math.min(...pinned.map((veto) => Math.max(1, veto.spec.runsVersion)));
  return candidates.filter((version) => version < from && !needed.has(version));
}

/** Hashes of contents that a stored version, proposal or trial still shows; all Configs share them. */
function usedHashes(tx: Transaction): ReadonlySet<string> {
  const used = new Set<string>();
  for (const { spec } of tx.objects("ConfigVersion")) used.add(spec.contentHash);
  for (const proposal of tx.objects("Proposal")) {
    used.add(statusOf(proposal).candidateHash);
    const trial = trialOf(tx, proposal.metadata.uid);
    if (trial !== undefined) used.add(trial.baselineHash).add(trial.candidateHash);
  }
  return used;
}
