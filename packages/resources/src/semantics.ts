// Rules that span fields, per kind. Structure is checked before; here a value is well-formed and
// complete. `apply` runs the same rules again, so they depend on nothing but the object.

import {
  KinglyError,
  appendKey,
  canonicalJson,
  equalJson,
  shortValue,
  utf8Length,
} from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { ConfigSchemaSpec, ConfigSpec, KeyRule } from "./kinds/config.ts";
import type { PolicySpec } from "./kinds/policy.ts";
import type { ProposalSpec } from "./kinds/proposal.ts";
import { findKind } from "./kind-info.ts";
import type { KindInfo } from "./kind-info.ts";
import { ANNOTATIONS_BYTES_MAX, CONTENT_BYTES_MAX, SCHEMA_BYTES_MAX } from "./limits.ts";
import { valueAt } from "./table/cells.ts";
import type { FieldError, FieldErrorReason } from "./schema/validate.ts";

/** The dialect of ConfigSchemas. */
const SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema";

/**
 * Rules across fields of a structurally valid object. Empty = all hold.
 * An unknown kind has one error, at `kind`.
 */
export function validateSemantics(kind: string, object: JsonObject): readonly FieldError[] {
  const info = findKind(kind);
  if (info === undefined) {
    return [fieldError("FieldValueNotSupported", "kind", `there is no kind ${shortValue(kind)}`)];
  }
  const found = new Findings();
  checkMetadata(found, info, object);
  const spec = object["spec"] as unknown;
  if (kind === "Config") checkConfig(found, spec as ConfigSpec);
  else if (kind === "ConfigSchema") checkConfigSchema(found, spec as ConfigSchemaSpec);
  else if (kind === "Proposal") checkProposal(found, spec as ProposalSpec);
  else if (kind === "Policy") checkPolicy(found, spec as PolicySpec);
  return found.errors;
}

/**
 * Rules of an update: identity and the kind's immutable fields keep their values. `before` is the
 * stored object, `after` the wanted one, both valid.
 */
export function validateUpdate(
  kind: string,
  before: JsonObject,
  after: JsonObject,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const fixed = ["apiVersion", "kind", "metadata.name", "metadata.namespace"];
  for (const field of [...fixed, ...(findKind(kind)?.immutableFields ?? [])]) {
    const was = valueAt(before, field) ?? null;
    const is = valueAt(after, field) ?? null;
    if (equalJson(was, is)) continue;
    const message = `cannot be changed; it was ${shortValue(was)}, got ${shortValue(is)}`;
    errors.push(fieldError("FieldValueInvalid", field, message));
  }
  return errors;
}

/** A field error whose message begins with its field. */
export function fieldError(reason: FieldErrorReason, field: string, message: string): FieldError {
  return { reason, field, message: `${field}: ${message}` };
}

class Findings {
  readonly errors: FieldError[] = [];

  invalid(field: string, message: string): void {
    this.errors.push(fieldError("FieldValueInvalid", field, message));
  }

  require(holds: boolean, field: string, message: string): void {
    if (!holds) this.invalid(field, message);
  }

  /** Refuses what JSON cannot carry, and what is too large in canonical form. */
  size(value: JsonValue, field: string, bytesMax: number): void {
    try {
      const bytes = utf8Length(canonicalJson(value));
      if (bytes > bytesMax) {
        const message = `has ${bytes} bytes, the limit is ${bytesMax}`;
        this.errors.push(fieldError("FieldValueTooLong", field, message));
      }
    } catch (thrown) {
      if (!(thrown instanceof KinglyError)) throw thrown;
      const inner = thrown.details.field ?? "";
      const path = inner === "" ? field : `${field}${inner.startsWith("[") ? "" : "."}${inner}`;
      this.invalid(path, `cannot be stored: ${thrown.message}`);
    }
  }
}

function checkMetadata(found: Findings, info: KindInfo, object: JsonObject): void {
  const namespace = valueAt(object, "metadata.namespace");
  if (info.namespaced && (namespace === undefined || namespace === "")) {
    const message = "is required for this kind";
    found.errors.push(fieldError("FieldValueRequired", "metadata.namespace", message));
  }
  const annotations = valueAt(object, "metadata.annotations");
  if (annotations !== undefined) {
    found.size(annotations, "metadata.annotations", ANNOTATIONS_BYTES_MAX);
  }
}

function checkConfig(found: Findings, spec: ConfigSpec): void {
  found.size(spec.data, "spec.data", CONTENT_BYTES_MAX);
}

function checkConfigSchema(found: Findings, spec: ConfigSchemaSpec): void {
  found.size(spec.schema, "spec.schema", SCHEMA_BYTES_MAX);
  const dialect = Object.hasOwn(spec.schema, "$schema") ? spec.schema["$schema"] : SCHEMA_DIALECT;
  if (dialect !== SCHEMA_DIALECT) {
    const message = `must be ${SCHEMA_DIALECT}; got ${shortValue(dialect)}`;
    found.errors.push(fieldError("FieldValueNotSupported", "spec.schema.$schema", message));
  }
  for (const [key, rule] of Object.entries(spec.keys)) {
    checkKeyRule(found, appendKey("spec.keys", key), rule);
  }
}

function checkKeyRule(found: Findings, path: string, rule: KeyRule): void {
  const { minimum, maximum, step } = rule;
  const numeric = rule.type === "integer" || rule.type === "number";
  if (rule.tunable) {
    found.require(
      numeric,
      `${path}.type`,
      `a tunable key must be integer or number; got ${rule.type}`,
    );
    found.require(!rule.secret, `${path}.secret`, "a tunable key cannot be secret");
    for (const [name, value] of [
      ["minimum", minimum],
      ["maximum", maximum],
      ["step", step],
    ] as const) {
      if (value !== undefined) continue;
      const message = "is required for a tunable key";
      found.errors.push(fieldError("FieldValueRequired", `${path}.${name}`, message));
    }
  }
  if (minimum !== undefined && maximum !== undefined) {
    found.require(
      minimum < maximum,
      `${path}.minimum`,
      `must be less than maximum ${maximum}; got ${minimum}`,
    );
    found.require(
      step === undefined || minimum >= maximum || step <= maximum - minimum,
      `${path}.step`,
      `must be at most maximum - minimum = ${maximum - minimum}; got ${step ?? 0}`,
    );
  }
  if (rule.type === "integer" && step !== undefined) {
    found.require(Number.isInteger(step), `${path}.step`, `must be an integer; got ${step}`);
  }
}

function checkProposal(found: Findings, spec: Partial<ProposalSpec>): void {
  // Clients may leave these out; admission fills them before anything is stored.
  for (const field of ["baseVersion", "idempotencyKey"] as const) {
    if (spec[field] !== undefined) continue;
    found.errors.push(fieldError("FieldValueRequired", `spec.${field}`, "is required"));
  }
  if (spec.patch !== undefined && spec.data !== undefined) {
    found.invalid("spec.data", "exactly one of patch and data may be given; got both");
  } else if (spec.patch === undefined && spec.data === undefined) {
    const message = "exactly one of patch and data must be given; got none";
    found.errors.push(fieldError("FieldValueRequired", "spec.patch", message));
  }
  if (spec.patch !== undefined) found.size(spec.patch, "spec.patch", CONTENT_BYTES_MAX);
  if (spec.data !== undefined) found.size(spec.data, "spec.data", CONTENT_BYTES_MAX);
}

function checkPolicy(found: Findings, spec: PolicySpec): void {
  const { electorate, acceptThreshold, rejectThreshold, trial, rollout } = spec;
  found.require(
    electorate.minVotesPerClass <= electorate.nodesPerClass,
    "spec.electorate.minVotesPerClass",
    `must be at most nodesPerClass ${electorate.nodesPerClass}; got ${electorate.minVotesPerClass}`,
  );
  checkFraction(found, "spec.acceptThreshold", acceptThreshold);
  checkFraction(found, "spec.rejectThreshold", rejectThreshold);
  found.require(
    acceptThreshold.numerator * 2 > acceptThreshold.denominator,
    "spec.acceptThreshold.numerator",
    `accepting needs more than half; got ${acceptThreshold.numerator}/${acceptThreshold.denominator}`,
  );
  const pairSeconds = 2 * (trial.blockSeconds + trial.washoutSeconds);
  const needed = pairSeconds * trial.maxPairs;
  found.require(
    trial.deadlineSeconds >= needed,
    "spec.trial.deadlineSeconds",
    `must be at least ${needed} for ${trial.maxPairs} pairs of ${pairSeconds} s; ` +
      `got ${trial.deadlineSeconds}`,
  );
  checkStages(found, rollout.stages);
}

function checkFraction(
  found: Findings,
  path: string,
  fraction: { readonly numerator: number; readonly denominator: number },
): void {
  found.require(
    fraction.numerator <= fraction.denominator,
    `${path}.numerator`,
    `must be at most the denominator ${fraction.denominator}; got ${fraction.numerator}`,
  );
}

function checkStages(found: Findings, stages: readonly number[]): void {
  for (let at = 1; at < stages.length; at += 1) {
    const before = stages[at - 1] ?? 0;
    const share = stages[at] ?? 0;
    found.require(
      share > before,
      `spec.rollout.stages[${at}]`,
      `must be greater than the stage before, ${before}; got ${share}`,
    );
  }
  const last = stages[stages.length - 1];
  found.require(
    last === 1,
    `spec.rollout.stages[${stages.length - 1}]`,
    `the last stage must be 1; got ${last ?? "nothing"}`,
  );
}
