// Admission on the leader: default, validate, policy, in this order. It decides everything that needs
// a library or a regular expression, once, and hands apply a complete command together with what the
// decision rested on. Authentication and authorisation happened before, at the API.
import {
  KinglyError,
  assert,
  isJsonObject,
  mergePatch,
  parseStrictJson,
  utf8Encode,
} from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { contentOf } from "@kingly/decision";
import type { ReadSetEntry, StateMachine } from "@kingly/decision";
import {
  CONTENT_BYTES_MAX,
  invalidObject,
  kindInfo,
  objectKey,
  parseDocument,
  validateObject,
  validateUpdate,
} from "@kingly/resources";
import type { Config, ConfigSchema, Policy } from "@kingly/resources";
import type { WriteRequest } from "../replica/replica.ts";
import { DOCUMENT_BYTES_MAX } from "../limits.ts";
import { ReadSet } from "./read-set.ts";
import { SchemaCache } from "./schema-cache.ts";

/** What admission hands on. */
export interface Admitted {
  readonly body: Uint8Array;
  readonly readSet: readonly ReadSetEntry[];
  /** The object as it would be written; null for commands that write none. */
  readonly object: JsonValue;
  /** The body was made here from what was checked; apply need not check it again. */
  readonly isAdmitted?: boolean;
}

/** Bytes around a document inside a command's body: names, preconditions. */
const ENVELOPE_BYTES = 64 * 1024;

/** Characters of why a candidate has no turn, as its proposal's status shows it. */
const TURN_REFUSAL_CHARS_MAX = 400;

function refuse(message: string, details: KinglyError["details"]): KinglyError {
  return new KinglyError("InvalidField", message, details);
}

function text(body: JsonObject, field: string, optional: boolean = false): string {
  const value = body[field];
  if (value === undefined && optional) return "";
  if (typeof value === "string") return value;
  throw refuse(`${field} must be text`, { field, limit: "a string", step: "validate" });
}

/** Admits commands against the leader's state. */
export class Admission {
  readonly #schemas = new SchemaCache();

  /** Checks one command. Throws the KinglyError that the caller shall see. */
  admit(state: StateMachine, request: WriteRequest): Admitted {
    switch (request.command) {
      case "write":
        return this.#write(state, request);
      case "propose":
        return this.#propose(state, request);
      case "agent-proposal":
        return this.#agentProposal(state, request);
      case "trial-start":
      case "direct-commit":
        return this.#turn(state, request);
      case "genesis":
      case "vote":
      case "veto":
      case "calibration":
      case "deadline":
      case "advance-rollout":
      case "acks":
      case "enroll-node":
      case "join-token":
      case "rollback-rollout":
      case "resume-rollout":
      case "withdraw":
      case "node-status":
      case "release-quarantine":
        // Apply checks these completely: they name state, not content.
        return { body: request.body, readSet: [], object: null };
      default: {
        const never: never = request.command;
        throw new KinglyError("Internal", `unknown command ${String(never)}`);
      }
    }
  }

  #parse(request: WriteRequest): JsonObject {
    const limit = DOCUMENT_BYTES_MAX + ENVELOPE_BYTES;
    const body = request.bodyObject ?? parseStrictJson(request.body, { bytesMax: limit });
    if (isJsonObject(body)) return body;
    throw refuse("the body must be an object", { field: "body", step: "validate" });
  }

  #write(state: StateMachine, request: WriteRequest): Admitted {
    const body = this.#parse(request);
    const kind = text(body, "kind");
    const namespace = text(body, "namespace", true);
    const name = text(body, "name");
    if (kindInfo(kind)?.writable !== true) {
      throw new KinglyError("MethodNotAllowed", `${kind} objects are written by the system only`, {
        field: "kind",
        value: kind,
        step: "validate",
      });
    }
    const reads = new ReadSet(state);
    const key = objectKey(kind, namespace === "" ? undefined : namespace, name);
    if (body["op"] === "delete") {
      const encoded = request.body.length > 0 ? request.body : encode(body);
      return { body: encoded, readSet: [], object: state.get(key) ?? null };
    }
    const given = body["object"];
    if (given === undefined) {
      throw refuse("object is missing", { field: "object", step: "validate" });
    }
    const object = request.isValidated === true ? ownObject(given) : validated(kind, name, given);
    const before = state.get(key);
    if (body["op"] === "replace" && isJsonObject(before)) {
      const errors = validateUpdate(kind, before, object);
      if (errors.length > 0) throw invalidObject(`${kind} "${name}"`, errors);
    }
    if (kind === "Config") this.#config(reads, namespace, object as unknown as Config);
    if (kind === "ConfigSchema") {
      this.#schemas.check((object as unknown as ConfigSchema).spec.schema);
    }
    const encoded = encode(leanBody(body, object));
    requireSize(encoded.length);
    return { body: encoded, readSet: reads.entries(), object, isAdmitted: true };
  }

  /** A Config's references must exist, and its data must satisfy its schema. */
  #config(reads: ReadSet, namespace: string, config: Config): void {
    const { spec } = config;
    requireFound(
      reads.object("Policy", namespace, spec.policyRef),
      "spec.policyRef",
      spec.policyRef,
    );
    let primaries = 0;
    for (const [at, name] of spec.objectiveRefs.entries()) {
      const objective = reads.object("Objective", namespace, name);
      requireFound(objective, `spec.objectiveRefs[${at}]`, name);
      if (objective?.spec.role === "primary") primaries += 1;
    }
    if (spec.objectiveRefs.length > 0 && primaries !== 1) {
      throw refuse("exactly one objective must be primary", {
        field: "spec.objectiveRefs",
        limit: 1,
        value: primaries,
        step: "validate",
      });
    }
    this.#data(reads, namespace, spec.schemaRef, { data: spec.data, field: "spec.data" });
  }

  #data(
    reads: ReadSet,
    namespace: string,
    schemaRef: string,
    content: { readonly data: JsonValue; readonly field: string },
  ): void {
    const schema = reads.object("ConfigSchema", namespace, schemaRef);
    requireFound(schema, "spec.schemaRef", schemaRef);
    if (schema === undefined) return;
    const { uid, generation } = schema.metadata;
    this.#schemas.validate(`${uid}/${generation}`, schema.spec.schema, content.data, content.field);
    if (!isJsonObject(content.data)) return;
    for (const [key, rule] of Object.entries(schema.spec.keys)) {
      const value = content.data[key];
      if (!rule.secret || value === undefined) continue;
      if (isJsonObject(value) && typeof value["secretRef"] === "string") continue;
      throw new KinglyError("SchemaViolation", `${content.field}.${key} must be a {secretRef}`, {
        field: `${content.field}.${key}`,
        step: "validate",
        rule: "ConfigSchema.spec.keys.secret",
      });
    }
  }

  #propose(state: StateMachine, request: WriteRequest): Admitted {
    const body = this.#parse(request);
    const namespace = text(body, "namespace");
    const reads = new ReadSet(state);
    // Not recorded: the Config's status moves all the time; apply checks the base version itself.
    const config = state.object("Config", namespace, text(body, "config"));
    requireFound(config, "config", text(body, "config"));
    if (config !== undefined) this.#candidate(state, reads, config, body);
    const encoded = request.body.length > 0 ? request.body : encode(body);
    requireSize(encoded.length);
    return { body: encoded, readSet: reads.entries(), object: null };
  }

  /** Validates the content that a change would lead to. */
  #candidate(state: StateMachine, reads: ReadSet, config: Config, body: JsonObject): void {
    const namespace = config.metadata.namespace ?? "";
    const patch = body["patch"];
    const data = body["data"];
    if ((patch === undefined) === (data === undefined)) {
      throw refuse("exactly one of patch and data must be given", {
        field: "patch",
        step: "validate",
      });
    }
    if (data !== undefined) {
      this.#content(reads, config, { data, field: "data" });
      return;
    }
    // Apply takes the change only while its base is the decided version: that content is judged.
    const { name } = config.metadata;
    const number = body["baseVersion"];
    const version =
      typeof number === "number" && number > 0
        ? reads.object("ConfigVersion", namespace, `${name}-v${number}`)
        : undefined;
    // Without it there is nothing to judge: apply refuses the base, or the read set when it came.
    if (version === undefined && number !== 0) return;
    const base = contentOf(state, version?.spec.contentHash ?? "");
    this.#content(reads, config, { data: mergePatch(base, patch ?? {}), field: "patch" });
  }

  /** A content as a Config would have it: its size, its schema. */
  #content(
    reads: ReadSet,
    config: Config,
    content: { readonly data: JsonValue; readonly field: string },
  ): void {
    const { data, field } = content;
    const size = utf8Encode(JSON.stringify(data)).length;
    if (size > CONTENT_BYTES_MAX) throw tooLarge(field, CONTENT_BYTES_MAX, size);
    this.#data(reads, config.metadata.namespace ?? "", config.spec.schemaRef, content);
  }

  /**
   * A waiting change moves onto every newer version key by key, which may break rules that span keys,
   * and its schema may change: the content that would be tried or committed is checked again, and a
   * broken one ends instead. Apply compares the candidate's hash and the revisions read.
   */
  #turn(state: StateMachine, request: WriteRequest): Admitted {
    const body = this.#parse(request);
    const proposal = state.byUid("Proposal", text(body, "proposalUid"));
    const namespace = proposal?.metadata.namespace ?? "";
    const reads = new ReadSet(state);
    // Recorded: which schema counts is the Config's word, and at a turn its status is at rest.
    const config = reads.object("Config", namespace, proposal?.spec.config ?? "");
    const candidateHash = proposal?.status?.candidateHash ?? "";
    // Apply says what is wrong with a proposal that is gone or not waiting.
    if (config === undefined || candidateHash === "") {
      return { body: request.body, readSet: [], object: null };
    }
    const data = contentOf(state, candidateHash);
    let invalid = {};
    try {
      this.#content(reads, config, { data, field: "data" });
    } catch (error) {
      if (!(error instanceof KinglyError)) throw error;
      invalid = { invalid: error.message.slice(0, TURN_REFUSAL_CHARS_MAX) };
    }
    const checked = encode({ ...body, candidateHash, ...invalid });
    return { body: checked, readSet: reads.entries(), object: null };
  }

  #agentProposal(state: StateMachine, request: WriteRequest): Admitted {
    const document = parseDocument("Proposal", request.body);
    const config = state.objects("Config").find((one) => one.metadata.uid === document.configUid);
    if (config === undefined) {
      throw new KinglyError("NotFound", "the proposal's Config does not exist", {
        field: "configUid",
        value: document.configUid,
      });
    }
    const reads = new ReadSet(state);
    const namespace = config.metadata.namespace ?? "";
    const policy: Policy | undefined = reads.object("Policy", namespace, config.spec.policyRef);
    if (policy?.spec.agentsMayPropose !== true) {
      throw new KinglyError("PolicyDenied", "the Config's policy lets no agent propose", {
        step: "policy",
        rule: `Policy ${config.spec.policyRef} spec.agentsMayPropose`,
        help: "set spec.agentsMayPropose in the policy",
      });
    }
    const { patch, baseVersion } = document;
    this.#candidate(state, reads, config, { patch, baseVersion });
    return { body: request.body, readSet: reads.entries(), object: null };
  }
}

/** A write's body as the log keeps it: what it says about the object is not said twice. */
function leanBody(body: JsonObject, object: JsonObject): JsonObject {
  const lean: Record<string, JsonValue> = {};
  for (const field of Object.keys(body)) {
    const value = body[field] as JsonValue;
    if (field === "object") lean[field] = leanObject(object);
    else if (field !== "preconditions" || !isEmpty(value)) lean[field] = value;
  }
  return lean;
}

function leanObject(object: JsonObject): JsonObject {
  const { metadata, spec } = object;
  const kept: Record<string, JsonValue> = {};
  if (isJsonObject(metadata)) {
    for (const field of Object.keys(metadata)) {
      if (field !== "name" && field !== "namespace") kept[field] = metadata[field] as JsonValue;
    }
  }
  return spec === undefined ? { metadata: kept } : { metadata: kept, spec };
}

function isEmpty(value: JsonValue): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}

/** An object that the API of this process has validated; a defect otherwise. */
function ownObject(given: JsonValue): JsonObject {
  assert(isJsonObject(given), "a validated object is an object");
  return given;
}

function validated(kind: string, name: string, given: JsonValue): JsonObject {
  const result = validateObject(kind, given);
  if (!result.ok) throw invalidObject(`${kind} "${name}"`, result.errors);
  const unknown = result.unknownFields[0];
  if (unknown !== undefined) {
    throw new KinglyError("UnknownField", `${kind} has no field ${unknown}`, {
      field: unknown,
      step: "validate",
      causes: result.unknownFields.map((field) => ({
        reason: "FieldValueInvalid",
        field,
        message: "unknown field",
      })),
    });
  }
  return result.value as unknown as JsonObject;
}

function encode(body: JsonObject): Uint8Array {
  return Buffer.from(JSON.stringify(body)); // a third of what TextEncoder takes
}

function tooLarge(field: string, limit: number, value: number): KinglyError {
  const message = `${field} has ${value} bytes, allowed are ${limit}`;
  return new KinglyError("DocumentTooLarge", message, { field, limit, value, step: "validate" });
}

function requireSize(bytes: number): void {
  const limit = DOCUMENT_BYTES_MAX + ENVELOPE_BYTES;
  if (bytes > limit) throw tooLarge("object", limit, bytes);
}

function requireFound(object: object | undefined, field: string, name: string): void {
  if (object !== undefined) return;
  throw refuse(`${field} names "${name}", which does not exist`, {
    field,
    value: name,
    step: "validate",
    reason: "FieldValueNotFound",
  });
}
