// Who a data directory belongs to. Only `cluster init` and `cluster join` create an identity; a
// server never initialises an empty directory by itself, because a member that comes back with an
// empty disk under its old id has forgotten its votes (scenario 33 of the field notes).

import {
  assert,
  canonicalJson,
  isJsonObject,
  parseStrictJson,
  toHex,
  utf8Encode,
} from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { Disk } from "./disk.ts";
import { joinPath } from "./disk.ts";
import { sha256 } from "./codec.ts";
import { corrupted, identityMismatch } from "./errors.ts";
import { FORMAT_VERSION } from "./limits.ts";

/** What ties a directory to one member of one cluster. */
export interface Identity {
  readonly clusterId: string;
  /** Name of the server, stable over replacements. */
  readonly memberId: string;
  /** Raft id, 1 to 2^53 - 3, never reused in a cluster. */
  readonly raftId: number;
  /** Drawn anew whenever a directory is created; the member list holds the valid one. */
  readonly incarnation: string;
}

/** What the caller knows about the directory it opens. `raftId` is checked when given. */
export interface ExpectedIdentity {
  readonly clusterId: string;
  readonly memberId: string;
  readonly incarnation: string;
  readonly raftId?: number;
}

const IDENTITY_FILE = "identity.json";
const TEXT_CHARS_MAX = 253;

/** Path of the identity file. */
export function identityPath(dir: string): string {
  return joinPath(dir, IDENTITY_FILE);
}

/** 16 bytes that stand for an identity inside the mark file and the store. */
export function ownerTag(identity: Identity): Uint8Array {
  return sha256(utf8Encode(canonicalJson(plain(identity)))).subarray(0, 16);
}

function plain(identity: Identity): JsonObject {
  return {
    clusterId: identity.clusterId,
    incarnation: identity.incarnation,
    memberId: identity.memberId,
    raftId: identity.raftId,
  };
}

/** Bytes of identity.json. */
export function encodeIdentity(identity: Identity): Uint8Array {
  for (const field of ["clusterId", "memberId", "incarnation"] as const) {
    const text = identity[field];
    assert(
      text.length > 0 && text.length <= TEXT_CHARS_MAX,
      () => `identity ${field}: 1 to ${TEXT_CHARS_MAX} characters, got ${text.length}`,
    );
  }
  assert(
    Number.isSafeInteger(identity.raftId) && identity.raftId >= 1,
    () => `identity raftId: at least 1, got ${identity.raftId}`,
  );
  const body: JsonObject = { formatVersion: FORMAT_VERSION, ...plain(identity) };
  const checksum = toHex(sha256(utf8Encode(canonicalJson(body))));
  return utf8Encode(`${JSON.stringify({ ...body, checksum }, null, 2)}\n`);
}

/**
 * Reads and checks identity.json. Throws IdentityMismatch when it is absent or says something other
 * than expected (pass undefined to accept any), Corrupted when it is damaged.
 */
export async function readIdentity(
  disk: Disk,
  dir: string,
  expect: ExpectedIdentity | undefined,
): Promise<Identity> {
  const file = identityPath(dir);
  const bytes = await disk.readFile(file);
  if (bytes === undefined) throw absent(file, await disk.list(dir));
  const identity = decode(file, bytes);
  if (expect !== undefined) compare(file, identity, expect);
  return identity;
}

function absent(file: string, names: readonly string[] | undefined): Error {
  const found =
    names === undefined
      ? "the directory does not exist"
      : names.length === 0
        ? "the directory is empty"
        : `the directory holds ${names.slice(0, 5).join(", ")} but no identity`;
  return identityMismatch(file, `${found}, where the data of a member was expected`, {
    field: "identity.json",
    value: "absent",
  });
}

function decode(file: string, bytes: Uint8Array): Identity {
  let value: JsonValue;
  try {
    value = parseStrictJson(bytes);
  } catch (error) {
    throw corrupted(file, "content", "is not valid JSON", error);
  }
  if (!isJsonObject(value)) throw corrupted(file, "content", "is not an object");
  const { checksum, ...body } = value;
  if (checksum !== toHex(sha256(utf8Encode(canonicalJson(body))))) {
    throw corrupted(file, "checksum", "does not match the content");
  }
  if (body["formatVersion"] !== FORMAT_VERSION) {
    throw identityMismatch(file, "written by another format version", {
      field: "formatVersion",
      limit: String(FORMAT_VERSION),
      value: JSON.stringify(body["formatVersion"] ?? null),
    });
  }
  const { clusterId, memberId, raftId, incarnation } = body;
  if (
    typeof clusterId !== "string" ||
    typeof memberId !== "string" ||
    typeof raftId !== "number" ||
    typeof incarnation !== "string"
  ) {
    throw corrupted(file, "content", "lacks clusterId, memberId, raftId or incarnation");
  }
  return { clusterId, memberId, raftId, incarnation };
}

function compare(file: string, found: Identity, expect: ExpectedIdentity): void {
  for (const field of ["clusterId", "memberId", "incarnation", "raftId"] as const) {
    const wanted = expect[field];
    if (wanted === undefined || wanted === found[field]) continue;
    throw identityMismatch(file, `${field} is ${found[field]}, expected ${wanted}`, {
      field,
      limit: String(wanted),
      value: String(found[field]),
    });
  }
}
