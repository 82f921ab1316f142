// A fake signature scheme for tests: fast, deterministic, and as strict as a real one about key, bytes
// and signature. Anyone who knows the public key can forge it, which no test here relies on.

import { createHash } from "node:crypto";
import { concatBytes, equalBytes, utf8Encode } from "@kingly/base";
import type { Crypto } from "@kingly/base";

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

function signatureOf(publicKey: Uint8Array, bytes: Uint8Array): Uint8Array {
  const first = sha256(concatBytes(utf8Encode("fake-signature|"), publicKey, bytes));
  return concatBytes(first, sha256(first));
}

export function publicKeyOf(privateKey: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8Encode("fake-public|"), privateKey));
}

export const testCrypto: Crypto = {
  sha256,
  sign: (privateKey, bytes) => signatureOf(publicKeyOf(privateKey), bytes),
  verify: (publicKey, bytes, signature) => equalBytes(signatureOf(publicKey, bytes), signature),
};
