// `propose`, `withdraw`, `agent-proposal`, `release-quarantine`: how changes are wished for and taken
// back. An agent's proposal is signed, needs the policy's leave, tunable keys and measured improvement.

import { isJsonObject, toHex, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { checkEvidence, ln, readEvidence, readPlan, recordOf } from "@kingly/evidence";
import type { TrialEvidence, TrialPlan } from "@kingly/evidence";
import type { Config, Proposal, ProposalDocument, ProposalSource } from "@kingly/resources";
import { IDEMPOTENCY_KEY_CHARS_MAX } from "../limits.ts";
import { bodyOf, signedBody } from "../core/body.ts";
import { Fields, invalid } from "../core/fields.ts";
import { objectKey } from "../core/keys.ts";
import { refuse, withEvidence } from "../core/refuse.ts";
import { objectReply } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import { emit, stem } from "../model/events.ts";
import { isFinal, phaseOf, step } from "../model/phases.ts";
import { openProposal, policyOf, ruleOf, schemaOf } from "../model/proposals.ts";
import { endQueued, setSynced, isIntent } from "../model/queue.ts";
import { removeBallot } from "../model/retention.ts";
import { configStateOf, putTrial, trialOf, updateConfigState } from "../model/rows.ts";
import { selects } from "../model/selection.ts";
import type { Write } from "./write-request.ts";

const LABELS_MAX = 64;

/** Runs a `propose`. */
export function propose(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const config = requireConfig(tx, body.name("namespace"), body.name("config"));
  const name = body.optionalName("name");
  const labels = body.has("labels") ? { labels: body.textMap("labels", LABELS_MAX) } : {};
  const annotations = body.has("annotations")
    ? { annotations: body.textMap("annotations", LABELS_MAX) }
    : {};
  const wish = readWish(tx, body);
  body.end();
  return open(tx, config, { name, ...wish, ...labels, ...annotations });
}

/** Opens the Proposal that a client created as an object. */
export function createProposal(tx: Transaction, request: Write): Reply {
  const spec = new Fields(request.object["spec"], "spec");
  const config = requireConfig(tx, request.namespace, spec.name("config"));
  const wish = readWish(tx, spec);
  spec.any("idempotencyKey");
  spec.end();
  const metadata = request.object["metadata"];
  const map = (field: string): Record<string, string> | undefined => {
    const value = isJsonObject(metadata) ? metadata[field] : undefined;
    if (value === undefined) return undefined;
    return new Fields({ [field]: value }, "metadata").textMap(field, LABELS_MAX);
  };
  const labels = map("labels");
  const annotations = map("annotations");
  return open(tx, config, {
    name: request.name,
    ...wish,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
  });
}

interface Wish {
  readonly baseVersion: number;
  readonly patch?: JsonObject;
  readonly data?: JsonObject;
  readonly reason: string;
  readonly source: ProposalSource;
}

function readWish(tx: Transaction, fields: Fields): Wish {
  const patch = fields.optionalObject("patch");
  const data = fields.optionalObject("data");
  return {
    baseVersion: fields.integer("baseVersion", 0),
    ...(patch === undefined ? {} : { patch }),
    ...(data === undefined ? {} : { data }),
    reason: fields.optionalText("reason"),
    source: readSource(tx, fields.any("source")),
  };
}

/** Who proposes, as admission said it; an agent's evidence comes only with its signed document. */
function readSource(tx: Transaction, value: JsonValue | undefined): ProposalSource {
  if (value === undefined) return { type: "human", name: tx.command.actor.name };
  const fields = new Fields(value, "source");
  const type = fields.oneOf("type", ["human", "ci", "model"]);
  const name = fields.text("name");
  const commit = fields.has("commit") ? { commit: fields.text("commit") } : {};
  const url = fields.has("url") ? { url: fields.text("url") } : {};
  const evidence = fields.optionalObject("evidence");
  fields.end();
  return { type, name, ...commit, ...url, ...(evidence === undefined ? {} : { evidence }) };
}

function open(
  tx: Transaction,
  config: Config,
  wish: Wish & {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  },
): Reply {
  const idempotencyKey = tx.command.idempotencyKey ?? "";
  const proposal = openProposal(tx, { config, ...wish, idempotencyKey, intent: false });
  return objectReply(tx.keyOf(proposal), tx.warnings);
}

function requireConfig(tx: Transaction, namespace: string, name: string): Config {
  const config = tx.object("Config", namespace, name);
  if (config !== undefined) return config;
  return refuse("NotFound", `Config ${name} does not exist in namespace ${namespace}`, {
    field: "config",
    value: name,
  });
}

/** Runs a `withdraw`. */
export function withdraw(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const uid = body.text("proposalUid");
  const reason = body.optionalText("reason");
  body.end();
  const proposal = tx.byUid("Proposal", uid);
  if (proposal === undefined) {
    return refuse("NotFound", "there is no such proposal", { field: "proposalUid", value: uid });
  }
  takeBack(tx, proposal, reason);
  return objectReply(tx.keyOf(proposal), tx.warnings);
}

/** Deletes a proposal; one that is still open is taken back first. */
export function deleteProposal(tx: Transaction, proposal: Proposal): void {
  if (!isFinal(phaseOf(proposal))) takeBack(tx, proposal, "the proposal was deleted");
  removeBallot(tx, proposal);
  const { namespace = "" } = proposal.metadata;
  const config = tx.object("Config", namespace, proposal.spec.config);
  if (config === undefined) return;
  const { proposals } = configStateOf(tx, config.metadata.uid);
  updateConfigState(tx, config.metadata.uid, { proposals: proposals - 1 });
}

function takeBack(tx: Transaction, proposal: Proposal, reason: string): void {
  const phase = phaseOf(proposal);
  const { name } = proposal.metadata;
  if (isFinal(phase) || phase === "Committed" || phase === "RollingOut") {
    refuse("Conflict", `proposal ${name} is ${phase} and cannot be taken back`, {
      field: "status.phase",
      value: phase,
      help: "roll the version back instead",
    });
  }
  const config = requireConfig(tx, proposal.metadata.namespace ?? "", proposal.spec.config);
  const who = tx.command.actor.name;
  const message = reason === "" ? `taken back by ${who}` : `taken back by ${who}: ${reason}`;
  const to = { phase: "Withdrawn", reason: "Withdrawn", message } as const;
  if (phase !== "Trialing" && phase !== "Voting") {
    endQueued(tx, config, proposal, to);
    return;
  }
  const trial = trialOf(tx, proposal.metadata.uid);
  if (trial !== undefined) putTrial(tx, trial, false);
  updateConfigState(tx, config.metadata.uid, { trial: "" });
  step(tx, proposal, to);
  if (isIntent(proposal)) setSynced(tx, config, "False", to);
}

/** Runs an `agent-proposal`. */
export function agentProposal(tx: Transaction): Reply {
  const { node, document } = signedBody(tx, "Proposal");
  const config = tx.byUid("Config", document.configUid);
  if (config === undefined) {
    return refuse("NotFound", "there is no such Config", {
      field: "configUid",
      value: document.configUid,
    });
  }
  const { name, namespace = "" } = config.metadata;
  const proposalName = agentProposalName(tx, name, document);
  const key = objectKey("Proposal", namespace, proposalName);
  // Delivered twice: the first delivery counts.
  if (tx.get(key) !== undefined) return objectReply(key, tx.warnings, false);
  const policy = policyOf(tx, config);
  if (!policy.agentsMayPropose) {
    refuse("PolicyDenied", `the policy of Config ${name} does not let agents propose`, {
      rule: "agentsMayPropose",
      value: node.metadata.name,
    });
  }
  if (!selects(tx, config, node)) {
    refuse("WrongNode", `node ${node.metadata.name} is not configured by Config ${name}`, {
      field: "node",
      value: node.metadata.name,
    });
  }
  requireTunable(tx, config, document);
  requireQuota(tx, config, node.metadata.name);
  const plan = withEvidence("EvidenceMismatch", () => readPlan(document.plan));
  const evidence = withEvidence("EvidenceMismatch", () => readEvidence(document.evidence));
  requireImproved(evidence, plan, policy.alpha);
  const proposal = openProposal(tx, {
    config,
    name: proposalName,
    baseVersion: document.baseVersion,
    patch: document.patch,
    reason: document.reason,
    source: {
      type: "agent",
      name: node.metadata.name,
      evidence: { plan: document.plan, evidence: document.evidence },
    },
    idempotencyKey: document.idempotencyKey,
    intent: false,
  });
  return objectReply(tx.keyOf(proposal), tx.warnings);
}

/** The same document has the same name, so that a second delivery finds the first. */
function agentProposalName(tx: Transaction, config: string, document: ProposalDocument): string {
  const key = document.idempotencyKey.slice(0, IDEMPOTENCY_KEY_CHARS_MAX);
  const text = `kingly/agent-proposal/v1|${document.node.length}:${document.node}|${key}`;
  return `${stem(config)}-a${toHex(tx.crypto.sha256(utf8Encode(text))).slice(0, 10)}`;
}

function requireTunable(tx: Transaction, config: Config, document: ProposalDocument): void {
  const schema = schemaOf(tx, config);
  for (const key of Object.keys(document.patch).sort()) {
    if (ruleOf(schema, key)?.tunable === true) continue;
    refuse("PolicyDenied", `agents may not tune ${key}`, {
      field: `patch.${key}`,
      rule: "tunable",
      help: "mark the key tunable in the ConfigSchema, with minimum, maximum and step",
    });
  }
}

/** One open proposal per node and Config: an agent waits for its verdict. */
function requireQuota(tx: Transaction, config: Config, node: string): void {
  const { queue, trial } = configStateOf(tx, config.metadata.uid);
  for (const uid of [trial, ...queue]) {
    const source = tx.byUid("Proposal", uid)?.spec.source;
    if (source?.type !== "agent" || source.name !== node) continue;
    refuse("Overloaded", `node ${node} has a proposal open already`, {
      limit: 1,
      value: node,
      help: "wait for its verdict",
    });
  }
}

/**
 * Every primary's improvement process must have reached 1/alpha, and the numbers must add up. A Config
 * has exactly one primary; a plan that names more must show all of them.
 */
function requireImproved(evidence: TrialEvidence, plan: TrialPlan, alpha: number): void {
  const check = withEvidence("EvidenceMismatch", () => checkEvidence(evidence, plan));
  if (!check.ok) {
    refuse("EvidenceMismatch", `evidence.${check.field} ${check.problem}`, { field: check.field });
  }
  if (check.decision === "reject") invalid("evidence.decision", "accept or abstain", "reject");
  const primaries = plan.objectives.filter(({ role }) => role === "primary");
  const notYet = plan.objectives.find((objective, i) => {
    const found = evidence.objectives[i];
    const lnE = found === undefined ? 0 : (recordOf(found, "improvement")?.lnE ?? 0);
    return objective.role === "primary" && lnE < ln(1 / alpha);
  });
  if (primaries.length > 0 && notYet === undefined) return;
  const which = notYet === undefined ? "" : ` of ${notYet.name}`;
  refuse("EvidenceMismatch", `the evidence does not show improvement${which}`, {
    field: "evidence.objectives",
    limit: "every primary's improvement process has reached 1/alpha",
    value: notYet?.name ?? "no primary objective",
  });
}

/** Runs a `release-quarantine`. */
export function releaseQuarantine(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const config = requireConfig(tx, body.name("namespace"), body.name("config"));
  const proposal = body.optionalName("proposal");
  const reason = body.text("reason");
  body.end();
  const { uid } = config.metadata;
  const before = configStateOf(tx, uid).quarantine;
  const kept = before.filter((entry) => proposal !== "" && entry.proposal !== proposal);
  if (kept.length === before.length) {
    refuse("NotFound", "nothing is quarantined under that name", {
      field: "proposal",
      value: proposal,
    });
  }
  updateConfigState(tx, uid, { quarantine: kept });
  const count = before.length - kept.length;
  const message = `${tx.command.actor.name} released ${count} change(s): ${reason}`;
  emit(tx, config, { type: "Normal", reason: "QuarantineReleased", message });
  return objectReply(tx.keyOf(config), tx.warnings);
}
