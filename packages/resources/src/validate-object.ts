// Validation of a whole object at admission: structure with defaults first, then the rules across
// fields. One call answers everything that the object alone can answer.

import { KinglyError, isJsonObject, shortValue } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { Config, ConfigSchema, ConfigVersion } from "./kinds/config.ts";
import type { EventSpec, Namespace, Node, NodeConfig, Rollout } from "./kinds/fleet.ts";
import type { Objective, Policy } from "./kinds/policy.ts";
import type { Proposal, Veto, Vote } from "./kinds/proposal.ts";
import { findKind } from "./kind-info.ts";
import type { KindName } from "./kind-info.ts";
import { IDEMPOTENCY_KEY_CHARS_MAX } from "./limits.ts";
import type { ApiObject } from "./meta.ts";
import { validateStructure } from "./schema/validate.ts";
import type { FieldError } from "./schema/validate.ts";
import { fieldError, validateSemantics } from "./semantics.ts";
import { valueAt } from "./table/cells.ts";

/** The type of each kind's objects. */
export interface KindTypes {
  readonly Config: Config;
  readonly ConfigVersion: ConfigVersion;
  readonly ConfigSchema: ConfigSchema;
  readonly Proposal: Proposal;
  readonly Vote: Vote;
  readonly Veto: Veto;
  readonly Objective: Objective;
  readonly Policy: Policy;
  readonly Rollout: Rollout;
  readonly Node: Node;
  readonly NodeConfig: NodeConfig;
  readonly Namespace: Namespace;
  readonly Event: ApiObject<EventSpec>;
}

/** The object type of a kind; the common shape when the kind is known only at run time. */
export type ObjectOf<K extends string> = K extends KindName ? KindTypes[K] : ApiObject;

/** The answer of validateObject. */
export interface ObjectValidation<K extends string> {
  readonly ok: boolean;
  /** With defaults and without unknown fields; trust its type only when `ok`. */
  readonly value: ObjectOf<K>;
  readonly errors: readonly FieldError[];
  /** Paths that the kind does not define: refuse, warn or ignore is the caller's choice. */
  readonly unknownFields: readonly string[];
}

/**
 * Validates an object of the kind and fills defaults. Server-owned metadata may be absent. Unknown
 * fields do not make it invalid. Never throws for any JSON value.
 */
export function validateObject<K extends string>(kind: K, value: JsonValue): ObjectValidation<K> {
  const info = findKind(kind);
  if (info === undefined) {
    const message = `there is no kind ${shortValue(kind)}`;
    const errors = [fieldError("FieldValueNotSupported", "kind", message)];
    return { ok: false, value: value as unknown as ObjectOf<K>, errors, unknownFields: [] };
  }
  const structural = validateStructure(info.schema, withDerived(info.kind, value));
  const errors = [...structural.errors];
  if (errors.length === 0) errors.push(...validateSemantics(kind, structural.value as JsonObject));
  return {
    ok: errors.length === 0,
    value: structural.value as unknown as ObjectOf<K>,
    errors,
    unknownFields: structural.unknownFields,
  };
}

/**
 * The KinglyError for a refused object, with every field error as a cause; `what` names the
 * object, for example `Config "web"`.
 */
export function invalidObject(what: string, errors: readonly FieldError[]): KinglyError {
  const first = errors[0];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const detail = first === undefined ? "is invalid" : `${first.message}${more}`;
  return new KinglyError("InvalidField", `${what} is invalid: ${detail}`, {
    ...(first === undefined ? {} : { field: first.field, reason: first.reason }),
    causes: errors,
  });
}

/** Fields that follow from others: a Proposal's key against repetition is its name. */
function withDerived(kind: KindName, value: JsonValue): JsonValue {
  if (kind !== "Proposal" || !isJsonObject(value)) return value;
  const spec = value["spec"];
  const name = valueAt(value, "metadata.name");
  if (!isJsonObject(spec) || typeof name !== "string") return value;
  if (Object.hasOwn(spec, "idempotencyKey")) return value;
  const idempotencyKey = `name:${name}`.slice(0, IDEMPOTENCY_KEY_CHARS_MAX);
  return { ...value, spec: { ...spec, idempotencyKey } };
}
