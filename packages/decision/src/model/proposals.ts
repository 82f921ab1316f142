// Opening proposals. A proposal is validated in the entry that opens it;
// what cannot be validated is refused, so that every stored proposal has been worth a trial.

import { changedTopLevelKeys } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { invalidObject, validateObject } from "@kingly/resources";
import type {
  Config,
  ConfigSchemaSpec,
  KeyRule,
  PolicySpec,
  Proposal,
  ProposalSource,
} from "@kingly/resources";
import { IDEMPOTENCY_KEY_CHARS_MAX, QUEUE_PER_CONFIG_MAX, SETTLE_SECONDS_MAX } from "../limits.ts";
import { invalid } from "../core/fields.ts";
import { openedKey } from "../core/keys.ts";
import { refuse } from "../core/refuse.ts";
import type { Transaction } from "../core/transaction.ts";
import {
  candidateOn,
  committedContent,
  deltasBetween,
  putContent,
  requireNoNulls,
} from "./content.ts";
import { stem } from "./events.ts";
import { EMPTY_STATUS, step } from "./phases.ts";
import { INTENT_ANNOTATION, isIdle } from "./queue.ts";
import { quarantined, requireRules } from "./rules.ts";
import { configStateOf, updateConfigState } from "./rows.ts";
import { classesOf, selectedNodes } from "./selection.ts";
import { commitDirectly, isDirect } from "./turn.ts";

/** What a new proposal says. Exactly one of `patch` and `data`. */
export interface NewProposal {
  readonly config: Config;
  /** "" = derived from the Config's name. */
  readonly name: string;
  readonly baseVersion: number;
  readonly patch?: JsonObject;
  readonly data?: JsonObject;
  readonly reason: string;
  readonly source: ProposalSource;
  readonly idempotencyKey: string;
  /** True when a write of Config.spec.data opened it. */
  readonly intent: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The policy of a Config; it exists because references are checked. */
export function policyOf(tx: Transaction, config: Config): PolicySpec {
  const policy = tx.object("Policy", config.metadata.namespace ?? "", config.spec.policyRef);
  if (policy !== undefined) return policy.spec;
  return refuse("NotFound", `Policy ${config.spec.policyRef} does not exist`, {
    field: "spec.policyRef",
    value: config.spec.policyRef,
  });
}

/** The schema of a Config. */
export function schemaOf(tx: Transaction, config: Config): ConfigSchemaSpec {
  const schema = tx.object("ConfigSchema", config.metadata.namespace ?? "", config.spec.schemaRef);
  if (schema !== undefined) return schema.spec;
  return refuse("NotFound", `ConfigSchema ${config.spec.schemaRef} does not exist`, {
    field: "spec.schemaRef",
    value: config.spec.schemaRef,
  });
}

/** Opens a proposal, validated and queued; refuses what cannot be tried. Returns it as stored. */
export function openProposal(tx: Transaction, input: NewProposal): Proposal {
  const { config } = input;
  const { uid, name, namespace = "" } = config.metadata;
  const { candidate, changedKeys } = checkProposal(tx, input);
  const state = configStateOf(tx, uid);
  if (state.queue.length >= QUEUE_PER_CONFIG_MAX) {
    refuse("Overloaded", `Config ${name} has ${state.queue.length} proposals waiting`, {
      limit: QUEUE_PER_CONFIG_MAX,
      value: state.queue.length,
      help: "wait for a verdict, or delete a proposal that waits",
    });
  }
  const proposalName = nameOf(tx, input);
  const created = tx.create(
    "Proposal",
    {
      namespace,
      name: proposalName,
      ...(input.labels === undefined ? {} : { labels: input.labels }),
      ...annotationsOf(input),
    },
    {
      spec: {
        config: name,
        baseVersion: input.baseVersion,
        ...(input.patch === undefined ? {} : { patch: input.patch }),
        ...(input.data === undefined ? {} : { data: input.data }),
        reason: input.reason,
        source: input.source,
        idempotencyKey:
          input.idempotencyKey === ""
            ? `name:${proposalName}`.slice(0, IDEMPOTENCY_KEY_CHARS_MAX)
            : input.idempotencyKey,
      },
      status: EMPTY_STATUS,
    },
  );
  const { status: _, ...written } = created;
  const shape = validateObject("Proposal", written as unknown as JsonObject);
  if (!shape.ok) throw invalidObject(`Proposal "${proposalName}"`, shape.errors);
  const ahead = state.queue.length + (isIdle(tx, uid) ? 0 : 1);
  const stored = step(tx, created, {
    phase: "Validated",
    reason: "Validated",
    message:
      ahead === 0
        ? `changes ${changedKeys.join(", ")}; waits for its trial`
        : `changes ${changedKeys.join(", ")}; waits behind ${ahead} other change(s) of ${name}`,
    status: { candidateHash: putContent(tx, candidate), changedKeys },
  });
  updateConfigState(tx, uid, {
    queue: [...state.queue, stored.metadata.uid],
    proposals: state.proposals + 1,
  });
  tx.putRow(openedKey(stored.metadata.uid), tx.nowMs);
  // Admission has just checked this content; one that waits is checked again when its turn comes.
  const policy = policyOf(tx, config);
  if (ahead === 0 && isDirect(policy, config)) commitDirectly(tx, config, stored, policy);
  return tx.byUid("Proposal", stored.metadata.uid) ?? stored;
}

/** Everything that a proposal is refused for, in the order in which a person would fix it. */
function checkProposal(
  tx: Transaction,
  input: NewProposal,
): { readonly candidate: JsonObject; readonly changedKeys: readonly string[] } {
  const { config } = input;
  const version = config.status?.version ?? 0;
  if (input.baseVersion !== version) {
    refuse("StaleBase", `made against version ${input.baseVersion}, decided is ${version}`, {
      field: "spec.baseVersion",
      limit: version,
      value: input.baseVersion,
      help: `look at version ${version} and propose again`,
    });
  }
  if ((input.patch === undefined) === (input.data === undefined)) {
    invalid(
      "spec",
      "exactly one of patch and data",
      input.patch === undefined ? "neither" : "both",
    );
  }
  const base = committedContent(tx, config);
  const candidate = input.data ?? candidateOn(base, input, base);
  requireNoNulls(candidate);
  const changedKeys = changedTopLevelKeys(base, candidate);
  if (changedKeys.length === 0) {
    refuse("Unchanged", `version ${version} already says this`, { value: version });
  }
  const schema = schemaOf(tx, config);
  requireRules(schema, candidate, changedKeys);
  const policy = policyOf(tx, config);
  if (!policy.directCommits && version > 0) requireSwitchable(schema, changedKeys);
  const lost = quarantined(
    configStateOf(tx, config.metadata.uid).quarantine,
    deltasBetween(base, candidate),
    {
      keys: schema.keys,
      classes: classesOf(selectedNodes(tx, config)),
      nowMs: tx.nowMs,
    },
  );
  if (lost !== undefined) {
    const keys = lost.deltas.map((delta) => delta.key).join(", ");
    refuse("Quarantined", `this change of ${keys} lost before: ${lost.reason}`, {
      field: keys,
      rule: lost.proposal,
      help: releaseHelp(config.metadata.name, lost.proposal),
    });
  }
  return { candidate, changedKeys };
}

function releaseHelp(config: string, proposal: string): string {
  const which = proposal === "" ? "--all" : `--proposal ${proposal}`;
  const command = `kinglyctl quarantine release ${config} ${which} --reason TEXT`;
  return `propose another value, or, when the reason is gone: ${command}`;
}

/** Keys that cannot be switched back and forth have no trial in blocks. */
function requireSwitchable(schema: ConfigSchemaSpec, keys: readonly string[]): void {
  for (const key of keys) {
    const rule = ruleOf(schema, key);
    if (rule === undefined || (rule.hot && rule.settleSeconds <= SETTLE_SECONDS_MAX)) continue;
    const why = rule.hot
      ? `settles for ${rule.settleSeconds} s, more than ${SETTLE_SECONDS_MAX} s`
      : "needs a restart";
    refuse("PolicyDenied", `${key} ${why}, so it cannot be tried in alternating blocks`, {
      field: `data.${key}`,
      limit: SETTLE_SECONDS_MAX,
      value: rule.settleSeconds,
      rule: "SwitchbackTrial",
      help: "a policy with directCommits rolls it out in stages under the guard",
    });
  }
}

/** Rule of a key; undefined when the schema does not name it. */
export function ruleOf(schema: ConfigSchemaSpec, key: string): KeyRule | undefined {
  return Object.hasOwn(schema.keys, key) ? schema.keys[key] : undefined;
}

function nameOf(tx: Transaction, input: NewProposal): string {
  const { name, namespace = "" } = input.config.metadata;
  const counter = tx.nextCounter();
  const derived = `${stem(name)}-${tx.entry.index.toString(36)}${counter.toString(36)}`;
  const wanted = input.name === "" ? derived : input.name;
  if (tx.object("Proposal", namespace, wanted) !== undefined) {
    refuse("AlreadyExists", `Proposal ${wanted} exists already`, {
      field: "metadata.name",
      value: wanted,
    });
  }
  return wanted;
}

function annotationsOf(input: NewProposal): {
  readonly annotations?: Readonly<Record<string, string>>;
} {
  // Only the machine may mark a proposal as an intent.
  const given: Record<string, string> = {};
  for (const key of Object.keys(input.annotations ?? {}).sort()) {
    if (key !== INTENT_ANNOTATION) given[key] = input.annotations?.[key] ?? "";
  }
  if (input.intent) given[INTENT_ANNOTATION] = "true";
  return Object.keys(given).length === 0 ? {} : { annotations: given };
}
