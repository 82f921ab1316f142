// Crypto on node:crypto: SHA-256 and Ed25519 (RFC 8032) with raw 32-byte keys. Node wants keys as
// objects; importing one costs far more than using it, so imported keys are kept, bounded, oldest
// first out.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  sign as nodeSign,
  verify as nodeVerify,
} from "node:crypto";
import type { KeyObject } from "node:crypto";
import { KinglyError, toHex } from "@kingly/base";
import type { Crypto } from "@kingly/base";
import { PRIVATE_KEY_CACHE_MAX, PUBLIC_KEY_CACHE_MAX } from "./limits.ts";

const RAW_KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
// DER prefixes of an Ed25519 SubjectPublicKeyInfo and PKCS #8 private key (RFC 8410).
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

class KeyCache {
  readonly #keys = new Map<string, KeyObject>();
  readonly #max: number;
  readonly #load: (raw: Uint8Array) => KeyObject;

  constructor(max: number, load: (raw: Uint8Array) => KeyObject) {
    this.#max = max;
    this.#load = load;
  }

  get(raw: Uint8Array): KeyObject {
    const id = toHex(raw);
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const key = this.#load(raw);
    if (this.#keys.size >= this.#max) {
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest);
        break;
      }
    }
    this.#keys.set(id, key);
    return key;
  }
}

const publicKeys = new KeyCache(PUBLIC_KEY_CACHE_MAX, (raw) =>
  createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: "der", type: "spki" }),
);
const privateKeys = new KeyCache(PRIVATE_KEY_CACHE_MAX, (raw) =>
  createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, raw]), format: "der", type: "pkcs8" }),
);

/** Digests share memory by the slab, because a buffer of its own costs more than a hash. */
const SLAB_BYTES = 8192;
let slab = new ArrayBuffer(SLAB_BYTES);
let slabAt = 0;

function bytesOf(digest: string): Uint8Array {
  if (slabAt + digest.length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    slabAt = 0;
  }
  const bytes = new Uint8Array(slab, slabAt, digest.length);
  slabAt += digest.length;
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = digest.charCodeAt(at);
  return bytes;
}

/** The Crypto of production. `sign` throws InvalidField when the seed is not 32 bytes. */
export const nodeCrypto: Crypto = {
  sha256(bytes: Uint8Array): Uint8Array {
    // One call costs half of a Hash object with update and digest, and text half of a buffer.
    return bytesOf(hash("sha256", bytes, "binary"));
  },
  sign(privateKey: Uint8Array, bytes: Uint8Array): Uint8Array {
    if (privateKey.length !== RAW_KEY_BYTES) {
      throw new KinglyError("InvalidField", "an Ed25519 private key is a 32-byte seed", {
        field: "privateKey",
        limit: RAW_KEY_BYTES,
        value: privateKey.length,
      });
    }
    return new Uint8Array(nodeSign(null, bytes, privateKeys.get(privateKey)));
  },
  verify(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean {
    if (publicKey.length !== RAW_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
    try {
      return nodeVerify(null, bytes, publicKeys.get(publicKey), signature);
    } catch {
      return false;
    }
  },
};

/** A new Ed25519 key pair: 32-byte seed and raw 32-byte public key. */
export function generateSigningKey(): {
  readonly privateKey: Uint8Array;
  readonly publicKey: Uint8Array;
} {
  const pair = generateKeyPairSync("ed25519");
  const privateDer = pair.privateKey.export({ format: "der", type: "pkcs8" });
  const publicDer = pair.publicKey.export({ format: "der", type: "spki" });
  return {
    privateKey: new Uint8Array(privateDer.subarray(privateDer.length - RAW_KEY_BYTES)),
    publicKey: new Uint8Array(publicDer.subarray(publicDer.length - RAW_KEY_BYTES)),
  };
}

/** The raw public key that belongs to a 32-byte Ed25519 seed. */
export function signingPublicKey(privateKey: Uint8Array): Uint8Array {
  const der = createPublicKey(privateKeys.get(privateKey)).export({ format: "der", type: "spki" });
  return new Uint8Array(der.subarray(der.length - RAW_KEY_BYTES));
}
