// The bytes that a node signs. Domain tag, cluster, type and id come first, each with its length,
// so that no signature is valid for another cluster, kind or document, and no two different
// documents share their bytes.

import { concatBytes, KinglyError, utf8Encode } from "@kingly/base";
import { SIGNING_PART_CHARS_MAX } from "./limits.ts";

/** Separates these signatures from all others that a key might make. */
export const SIGNING_DOMAIN = "kingly/v1";

/** What is signed. */
export interface SigningInput {
  readonly clusterId: string;
  /** Kind of the document, for example `Vote`. */
  readonly type: string;
  /** The document's idempotency key. */
  readonly uid: string;
  /** The document, byte for byte. */
  readonly bytes: Uint8Array;
}

/**
 * `len(domain) domain len(cluster) cluster len(type) type len(uid) uid bytes`, lengths as 32-bit
 * big-endian byte counts. Throws InvalidField for an empty or overlong part.
 */
export function signingBytes(input: SigningInput): Uint8Array<ArrayBuffer> {
  return concatBytes(
    part("domain", SIGNING_DOMAIN),
    part("clusterId", input.clusterId),
    part("type", input.type),
    part("uid", input.uid),
    input.bytes,
  );
}

function part(field: string, text: string): Uint8Array {
  if (text.length === 0 || text.length > SIGNING_PART_CHARS_MAX) {
    throw new KinglyError(
      "InvalidField",
      `${field}: must have 1 to ${SIGNING_PART_CHARS_MAX} characters; has ${text.length}`,
      { field, limit: SIGNING_PART_CHARS_MAX, value: text.length },
    );
  }
  const bytes = utf8Encode(text);
  const length = bytes.length;
  const prefix = Uint8Array.of(
    length >>> 24,
    (length >>> 16) & 255,
    (length >>> 8) & 255,
    length & 255,
  );
  return concatBytes(prefix, bytes);
}
