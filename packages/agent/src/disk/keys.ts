// The node's two keys: Ed25519 signs its documents, ECDSA P-256 is its TLS key. Both are made here,
// never leave the node, and are readable by their owner only.

import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fromHex, KinglyError, toHex } from "@kingly/base";
import { generateSigningKey, signingPublicKey } from "@kingly/protocol";
import { writeAtomic } from "./atomic.ts";

/** Both keys of a node. */
export interface NodeKeys {
  /** 32-byte Ed25519 seed. */
  readonly signingKey: Uint8Array;
  /** Raw 32-byte Ed25519 public key. */
  readonly signingPublicKey: Uint8Array;
  /** PKCS #8 PEM. */
  readonly tlsKeyPem: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly tlsPublicKey: Uint8Array;
}

/** What enrolment left behind. */
export interface Enrollment {
  readonly clusterId: string;
  readonly node: string;
  readonly certificatePem: string;
  readonly authorityPem: string;
  /** Addresses that the servers named. */
  readonly servers: readonly string[];
}

/** Loads the keys, making those that are missing. */
export async function loadKeys(stateDir: string): Promise<NodeKeys> {
  const folder = join(stateDir, "keys");
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const signingText = await loadOrMake(join(folder, "signing.key"), () =>
    toHex(generateSigningKey().privateKey),
  );
  const tlsKeyPem = await loadOrMake(join(folder, "tls.key"), () =>
    generateKeyPairSync("ec", { namedCurve: "P-256" })
      .privateKey.export({ format: "pem", type: "pkcs8" })
      .toString(),
  );
  const signingKey = readSeed(signingText.trim(), folder);
  const spki = createPublicKey(createPrivateKey(tlsKeyPem)).export({ format: "der", type: "spki" });
  return {
    signingKey,
    signingPublicKey: signingPublicKey(signingKey),
    tlsKeyPem,
    tlsPublicKey: new Uint8Array(spki),
  };
}

/** ECDSA-SHA256 (DER) with the TLS key. */
export function signWithTlsKey(keys: NodeKeys, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(sign("sha256", bytes, keys.tlsKeyPem));
}

/** The enrolment on disk, or null before the first one. */
export async function loadEnrollment(stateDir: string): Promise<Enrollment | null> {
  const path = join(stateDir, "keys", "enrollment.json");
  try {
    return JSON.parse(await readFile(path, "utf8")) as Enrollment;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new KinglyError("Corrupted", `${path} cannot be read; delete it to enrol again`, {
      field: path,
      help: "delete the file and give a fresh join token",
    });
  }
}

/** Keeps an enrolment. */
export async function saveEnrollment(stateDir: string, enrollment: Enrollment): Promise<void> {
  const text = `${JSON.stringify(enrollment, null, 2)}\n`;
  await writeAtomic(join(stateDir, "keys", "enrollment.json"), text, { mode: 0o600 });
}

async function loadOrMake(path: string, make: () => string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const made = make();
  await writeAtomic(path, made, { mode: 0o600 });
  return made;
}

function readSeed(text: string, folder: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(text)) {
    throw new KinglyError("Corrupted", `${folder}/signing.key is not a key of 64 hex digits`, {
      field: "signing.key",
      limit: 64,
      value: text.length,
    });
  }
  return fromHex(text);
}
