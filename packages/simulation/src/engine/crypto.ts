// Hashes and signatures for simulated worlds: SHA-256 and Ed25519 (RFC 8032) of the platform. Both are
// deterministic, so equal seeds give equal signatures.

import { createPrivateKey, createPublicKey, hash, sign, verify } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Crypto } from "@kingly/base";

/** DER around a raw 32-byte Ed25519 private key (RFC 8410, section 7). */
const PRIVATE_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
/** DER around a raw 32-byte Ed25519 public key (RFC 8410, section 4). */
const PUBLIC_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

const privateKeys = new Map<string, KeyObject>();
const publicKeys = new Map<string, KeyObject>();

function privateKeyOf(seed: Uint8Array): KeyObject {
  const name = Buffer.from(seed).toString("hex");
  let key = privateKeys.get(name);
  if (key === undefined) {
    const der = Buffer.concat([PRIVATE_PREFIX, seed]);
    key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    privateKeys.set(name, key);
  }
  return key;
}

function publicKeyFrom(raw: Uint8Array): KeyObject {
  const name = Buffer.from(raw).toString("hex");
  let key = publicKeys.get(name);
  if (key === undefined) {
    const der = Buffer.concat([PUBLIC_PREFIX, raw]);
    key = createPublicKey({ key: der, format: "der", type: "spki" });
    publicKeys.set(name, key);
  }
  return key;
}

/** The raw 32-byte public key of a 32-byte private seed. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  const der = createPublicKey(privateKeyOf(seed)).export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(PUBLIC_PREFIX.length));
}

/** Hashes and signatures. */
export const simCrypto: Crypto = {
  sha256: (bytes) => hash("sha256", bytes, "buffer"),
  sign: (seed, bytes) => new Uint8Array(sign(null, bytes, privateKeyOf(seed))),
  verify: (raw, bytes, signature) => verify(null, bytes, publicKeyFrom(raw), signature),
};
