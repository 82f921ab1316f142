// Decoding of signed documents, run by every replica inside `apply`: strict JSON, exact fields,
// and the few rules across fields. The signature over the same bytes is checked by the caller,
// before this.

import { KinglyError, parseStrictJson } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type {
  CalibrationDocument,
  ProposalDocument,
  VetoDocument,
  VoteDocument,
} from "./documents.ts";
import { DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX } from "./limits.ts";
import { documentSchema } from "./schemas/documents.ts";
import type { DocumentKind } from "./schemas/documents.ts";
import { validateStructure } from "./schema/validate.ts";
import type { FieldError } from "./schema/validate.ts";
import { fieldError } from "./semantics.ts";
import { invalidObject } from "./validate-object.ts";

/** The type of each document kind. */
export interface DocumentTypes {
  readonly Vote: VoteDocument;
  readonly Veto: VetoDocument;
  readonly Proposal: ProposalDocument;
  readonly Calibration: CalibrationDocument;
}

/**
 * Decodes the exact bytes of a signed document. Throws KinglyError: the strict parser's codes,
 * UnknownField, or InvalidField with every refused field as a cause. Nothing is defaulted.
 */
export function parseDocument<K extends DocumentKind>(
  kind: K,
  bytes: Uint8Array,
): DocumentTypes[K] {
  const value = parseStrictJson(bytes, {
    bytesMax: DOCUMENT_BYTES_MAX,
    depthMax: DOCUMENT_DEPTH_MAX,
  });
  const result = validateStructure(documentSchema(kind), value);
  const unknown = result.unknownFields[0];
  if (result.errors.length > 0) throw invalidObject(`${kind} document`, result.errors);
  if (unknown !== undefined) {
    throw new KinglyError("UnknownField", `${kind} document: ${unknown}: is not a known field`, {
      field: unknown,
      limit: Object.keys(documentSchema(kind).properties ?? {}).join(", "),
      value: unknown,
    });
  }
  const errors = acrossFields(kind, result.value);
  if (errors.length > 0) throw invalidObject(`${kind} document`, errors);
  return result.value as unknown as DocumentTypes[K];
}

function acrossFields(kind: DocumentKind, value: JsonValue): readonly FieldError[] {
  if (kind === "Vote") {
    const vote = value as unknown as VoteDocument;
    if (vote.declined && vote.decision !== "Abstain") {
      const message = `a node that declined must Abstain; got ${vote.decision}`;
      return [fieldError("FieldValueInvalid", "decision", message)];
    }
  }
  if (kind === "Veto") {
    const veto = value as unknown as VetoDocument;
    if (veto.expiresAtMs < veto.writtenAtMs) {
      const message = `must not be before writtenAtMs ${veto.writtenAtMs}; got ${veto.expiresAtMs}`;
      return [fieldError("FieldValueInvalid", "expiresAtMs", message)];
    }
  }
  return [];
}
