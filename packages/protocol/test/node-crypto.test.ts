// Ed25519 with raw keys against the vectors of RFC 8032 section 7.1, and SHA-256.
import { fromHex, toHex } from "@kingly/base";
import { describe, expect, it } from "vitest";
import { generateSigningKey, nodeCrypto, signingPublicKey } from "../src/node-crypto.ts";

const SEED = fromHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
const PUBLIC = fromHex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
const SIGNATURE =
  "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da" +
  "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";

describe("nodeCrypto", () => {
  it("signs and verifies as RFC 8032 says", () => {
    const message = Uint8Array.of(0x72);
    expect(toHex(nodeCrypto.sign(SEED, message))).toBe(SIGNATURE);
    expect(nodeCrypto.verify(PUBLIC, message, fromHex(SIGNATURE))).toBe(true);
    expect(toHex(signingPublicKey(SEED))).toBe(toHex(PUBLIC));
  });

  it("refuses a changed message, signature or key, and never throws", () => {
    const { privateKey, publicKey } = generateSigningKey();
    const message = new TextEncoder().encode("vote");
    const signature = nodeCrypto.sign(privateKey, message);
    expect(nodeCrypto.verify(publicKey, message, signature)).toBe(true);
    expect(nodeCrypto.verify(publicKey, new Uint8Array(4), signature)).toBe(false);
    const changed = Uint8Array.from(signature);
    changed[3] = (changed[3] ?? 0) ^ 1;
    expect(nodeCrypto.verify(publicKey, message, changed)).toBe(false);
    expect(nodeCrypto.verify(PUBLIC, message, signature)).toBe(false);
    expect(nodeCrypto.verify(new Uint8Array(31), message, signature)).toBe(false);
    expect(nodeCrypto.verify(new Uint8Array(32).fill(255), message, signature)).toBe(false);
    expect(nodeCrypto.verify(publicKey, message, new Uint8Array(5))).toBe(false);
  });

  it("hashes with SHA-256", () => {
    expect(toHex(nodeCrypto.sha256(new TextEncoder().encode("abc")))).toBe(
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it("refuses a private key of the wrong length", () => {
    expect(() => nodeCrypto.sign(new Uint8Array(5), new Uint8Array(1))).toThrow(/32-byte/);
  });
});
