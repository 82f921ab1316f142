// `veto`: a node's signed rejection of a committed version. The node has reverted already; here the
// fleet learns it, pins the keys, and stops the rollout when the vetoes are more than chance allows.
// No policy can forbid a veto: it is refused only when its writer or its numbers are not what they say.

import { equalBytes, fromBase64 } from "@kingly/base";
import { checkEvidence, readEvidence, readPlan } from "@kingly/evidence";
import type { Config, Node, Rollout, Veto, VetoDocument } from "@kingly/resources";
import { FIRST_VETO_STAGE_NODES_MAX, PINNED_KEYS_MAX, VETO_TTL_MAX_MS } from "../limits.ts";
import { signedBody } from "../core/body.ts";
import { refuse, withEvidence } from "../core/refuse.ts";
import { objectReply } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import { assign, moveNodes, rolloutOfVersion } from "../model/assignments.ts";
import { rollBack } from "../model/rollback.ts";
import { versionOf } from "../model/content.ts";
import { objectivesOf } from "../model/electorate.ts";
import { emit } from "../model/events.ts";
import { guardPlanFor, planProblem } from "../model/guard.ts";
import { isActive, runnableVersion, standingVetoes, vetoName, vetoesOf } from "../model/pins.ts";
import { assignedNodes, budgetFor, isMoving, rolloutStatus, setPaused } from "../model/rollouts.ts";
import { assignmentOf, configStateOf, rolloutRowOf } from "../model/rows.ts";
import { proofOf } from "../model/verdicts.ts";

/** Runs a `veto`. */
export function veto(tx: Transaction): Reply {
  const { node, document } = signedBody(tx, "Veto");
  const config = tx.byUid("Config", document.configUid);
  if (config === undefined) {
    return refuse("NotFound", "there is no such Config", {
      field: "configUid",
      value: document.configUid,
    });
  }
  const { namespace = "" } = config.metadata;
  const own = vetoName(tx, config, document.version, document.node);
  const stored = tx.object("Veto", namespace, own);
  if (stored !== undefined && (isActive(stored) || isSame(tx, stored))) return repeated(tx, stored);
  requireAssigned(tx, config, document);
  const rollout = rolloutOfVersion(tx, config, document.version);
  if (rollout === undefined) {
    return refuse("NotFound", `version ${document.version} has no rollout`, {
      field: "version",
      value: document.version,
    });
  }
  const lnE = checkCause(tx, { config, rollout, node, document });
  const runs = runsVersion(tx, config, document);
  const written = store(tx, { config, node, document, lnE, stored, runs });
  const marked = tx.put(moveNodes(rollout, [document.node], "vetoed"));
  assign(tx, config, [document.node], { version: runs, held: true });
  emit(tx, written, {
    type: "Warning",
    reason: `Vetoed${document.cause}`,
    message: `${document.node} went back to version ${document.runsVersion}: ${document.message}`,
  });
  react(tx, config, marked, document);
  return objectReply(tx.keyOf(written), tx.warnings);
}

function isSame(tx: Transaction, stored: Veto): boolean {
  return equalBytes(fromBase64(stored.spec.document), tx.command.body);
}

function repeated(tx: Transaction, stored: Veto): Reply {
  if (isSame(tx, stored)) return objectReply(tx.keyOf(stored), tx.warnings, false);
  return refuse("AlreadyExists", `node ${stored.spec.node} vetoes this version already`, {
    field: "version",
    value: stored.spec.version,
    help: "a standing veto is not given twice",
  });
}

function requireAssigned(tx: Transaction, config: Config, document: VetoDocument): void {
  const { configUid, version, contentHash } = document;
  const row = assignmentOf(tx, document.node, configUid);
  if (row === undefined || row.version !== version || row.held) {
    refuse("Conflict", `node ${document.node} is not assigned version ${version}`, {
      field: "version",
      limit: row?.version ?? 0,
      value: version,
    });
  }
  const { name, namespace = "" } = config.metadata;
  const committed = versionOf(tx, namespace, name, version)?.spec;
  // With pins of its own the node runs another content than the version's; the version decides.
  const pinned = vetoesOf(tx, config).some(
    (other) => other.spec.node === document.node && isActive(other),
  );
  if (committed?.contentHash !== contentHash && !pinned) {
    refuse("Conflict", `version ${version} has another content`, {
      field: "contentHash",
      limit: committed?.contentHash ?? "",
      value: contentHash,
    });
  }
}

interface Case {
  readonly config: Config;
  readonly rollout: Rollout;
  readonly node: Node;
  readonly document: VetoDocument;
}

/** Recomputes the evidence of a regression; other causes carry their reason. Returns ln E. */
function checkCause(tx: Transaction, { config, rollout, node, document }: Case): number {
  if (document.cause !== "Regression") {
    if (document.message === "") {
      refuse("InvalidField", `a veto for cause ${document.cause} must say why`, {
        field: "message",
        limit: "a sentence",
        value: "",
      });
    }
    return 0;
  }
  const row = rolloutRowOf(tx, rollout.metadata.uid);
  const plan = withEvidence("EvidenceMismatch", () => readPlan(document.plan));
  const expected = guardPlanFor(node, objectivesOf(tx, config), row);
  const problem = planProblem(plan, expected);
  if (problem !== undefined) {
    const { field, limit, value } = problem;
    refuse("EvidenceMismatch", `${field} is ${value}, the guard of this version has ${limit}`, {
      field,
      limit,
      value,
    });
  }
  const evidence = withEvidence("EvidenceMismatch", () => readEvidence(document.evidence));
  const check = withEvidence("EvidenceMismatch", () => checkEvidence(evidence, plan));
  if (!check.ok) {
    return refuse("EvidenceMismatch", `evidence.${check.field} ${check.problem}`, {
      field: `evidence.${check.field}`,
    });
  }
  if (check.decision !== "reject") {
    refuse("EvidenceMismatch", "the evidence does not reach 1/alphaLocal", {
      field: "evidence.decision",
      limit: "reject",
      value: check.decision,
    });
  }
  return check.lnHarm;
}

/**
 * The version the node is held on: the one it names, when that is another and was committed. Where it
 * vetoes that one too, the one that it runs instead of it.
 */
function runsVersion(tx: Transaction, config: Config, document: VetoDocument): number {
  const { name, namespace = "" } = config.metadata;
  const { runsVersion: named, version, node } = document;
  const known = named !== version && versionOf(tx, namespace, name, named) !== undefined;
  if (named !== 0 && !known) {
    return refuse("InvalidField", `the node cannot run version ${named} instead`, {
      field: "runsVersion",
      limit: `another committed version than ${version}, or 0`,
      value: named,
    });
  }
  const others = standingVetoes(tx, config, node).filter((one) => one.spec.version !== version);
  const runs = runnableVersion(named, others);
  return runs === version ? 0 : runs;
}

function store(
  tx: Transaction,
  parts: {
    readonly config: Config;
    readonly node: Node;
    readonly document: VetoDocument;
    readonly lnE: number;
    readonly stored: Veto | undefined;
    readonly runs: number;
  },
): Veto {
  const { config, node, document, lnE, stored, runs } = parts;
  const { uid, name, namespace = "" } = config.metadata;
  const changed = versionOf(tx, namespace, name, document.version)?.spec.changedKeys ?? [];
  const asked = document.pinnedKeys.slice(0, PINNED_KEYS_MAX);
  const pinnedKeys = changed.filter((key) => asked.length === 0 || asked.includes(key));
  const spec: Veto["spec"] = {
    node: document.node,
    class: node.spec.class,
    config: name,
    configUid: uid,
    version: document.version,
    cause: document.cause,
    message: document.message,
    pinnedKeys: pinnedKeys.length === 0 ? changed : pinnedKeys,
    lnE,
    evidence: document.evidence,
    runsVersion: runs,
    expiresAtMs: Math.min(document.expiresAtMs, tx.nowMs + VETO_TTL_MAX_MS),
    ...proofOf(tx),
  };
  const status = { active: true, reason: document.cause, message: document.message };
  if (stored !== undefined) return tx.put({ ...stored, spec, status });
  const object = { namespace, name: vetoName(tx, config, document.version, document.node) };
  return tx.create("Veto", object, { spec, status });
}

/** Stops or pauses the rollout, as the number of vetoes and the policy ask. */
function react(tx: Transaction, config: Config, rollout: Rollout, document: VetoDocument): void {
  const state = configStateOf(tx, config.metadata.uid);
  const current = (config.status?.version ?? 0) === rollout.spec.version;
  if (state.rollout !== rollout.metadata.uid || !current) return;
  const row = rolloutRowOf(tx, rollout.metadata.uid);
  const assigned = assignedNodes(tx, rollout).length;
  const { vetoed } = rolloutStatus(rollout);
  const budget = budgetFor(row, assigned);
  const { onFirstVeto } = row.policy.rollout;
  const small = assigned <= FIRST_VETO_STAGE_NODES_MAX;
  const classes = [
    ...new Set(vetoed.map((name) => tx.object("Node", "", name)?.spec.class ?? "")),
  ].sort();
  if (vetoed.length >= budget || (small && onFirstVeto === "rollback")) {
    const reason = vetoed.length >= budget ? "VetoBudgetExceeded" : "FirstVeto";
    const message =
      `${vetoed.length} of ${assigned} node(s) vetoed version ${rollout.spec.version} ` +
      `(${reason === "FirstVeto" ? "the policy rolls back on the first" : `budget ${budget}`}): ` +
      document.message;
    rollBack(tx, config, rollout, { reason, message, classes });
    return;
  }
  if (small && onFirstVeto === "pause" && isMoving(rollout)) {
    const message =
      `${document.node} vetoed version ${rollout.spec.version} in a stage of ${assigned} node(s); ` +
      "resume the rollout or roll it back";
    setPaused(tx, rollout, { paused: true, reason: "FirstVeto", message });
  }
}
