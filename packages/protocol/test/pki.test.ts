// The CA's certificates in real TLS 1.3 handshakes over loopback.
import { generateKeyPairSync } from "node:crypto";
import { connect, createServer } from "node:tls";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import {
  certificateExpiryMs,
  certificateFingerprint,
  certificateIdentity,
  identityFromAltNames,
  identityUri,
} from "../src/identity.ts";
import { createAuthority, issueCertificate } from "../src/pki/index.ts";
import type { Authority, IssuedCertificate } from "../src/pki/index.ts";

const nowMs = Date.now();

async function handshake(
  server: { ca: string; own: IssuedCertificate },
  client: { ca: string; own: IssuedCertificate },
): Promise<{ seen: string | undefined; greeting: string }> {
  let seen: string | undefined;
  const listener = createServer({
    ca: server.ca,
    cert: server.own.certificatePem,
    key: server.own.privateKeyPem,
    requestCert: true,
    rejectUnauthorized: true,
  });
  listener.on("secureConnection", (socket) => {
    seen = socket.getPeerCertificate().subjectaltname;
    socket.end("hello");
  });
  listener.on("tlsClientError", () => {});
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const socket = connect({
    port: (listener.address() as AddressInfo).port,
    host: "localhost",
    ca: client.ca,
    cert: client.own.certificatePem,
    key: client.own.privateKeyPem,
  });
  let greeting = "";
  await new Promise<void>((resolve) => {
    socket.on("error", () => resolve());
    socket.on("data", (data) => (greeting += data.toString()));
    socket.on("close", () => resolve());
  });
  socket.destroy();
  listener.close();
  return { seen, greeting };
}

function issue(authority: Authority, kind: "server" | "node", name: string, nowAt = nowMs) {
  return issueCertificate(authority, {
    identity: { kind, clusterId: "c-1", name },
    nowMs: nowAt,
  });
}

describe("the cluster's certificate authority", () => {
  it("issues certificates that both sides of a mutual TLS handshake accept", async () => {
    const authority = await createAuthority({ clusterId: "c-1", nowMs });
    const ca = authority.certificatePem;
    const result = await handshake(
      { ca, own: await issue(authority, "server", "m1") },
      { ca, own: await issue(authority, "node", "node-7") },
    );
    expect(result.greeting).toBe("hello");
    expect(identityFromAltNames(result.seen)).toEqual({
      kind: "node",
      clusterId: "c-1",
      name: "node-7",
    });
  });

  it("does not let a certificate of another authority in", async () => {
    const authority = await createAuthority({ clusterId: "c-1", nowMs });
    const other = await createAuthority({ clusterId: "c-1", nowMs });
    const result = await handshake(
      { ca: authority.certificatePem, own: await issue(authority, "server", "m1") },
      { ca: authority.certificatePem, own: await issue(other, "node", "node-7") },
    );
    expect(result.greeting).toBe("");
    expect(result.seen).toBeUndefined();
  });

  it("does not let an expired certificate in", async () => {
    const authority = await createAuthority({ clusterId: "c-1", nowMs });
    const old = await issue(authority, "node", "node-7", nowMs - 91 * 86_400_000);
    const ca = authority.certificatePem;
    const result = await handshake(
      { ca, own: await issue(authority, "server", "m1") },
      { ca, own: old },
    );
    expect(result.greeting).toBe("");
  });

  it("certifies a key that the holder brought and never sees its private half", async () => {
    const authority = await createAuthority({ clusterId: "c-1", nowMs });
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const der = pair.publicKey.export({ type: "spki", format: "der" });
    const issued = await issueCertificate(authority, {
      identity: { kind: "node", clusterId: "c-1", name: "n" },
      publicKeyDer: der,
      nowMs,
    });
    expect(issued.privateKeyPem).toBe("");
    const days = (certificateExpiryMs(issued.certificatePem) - nowMs) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    expect(certificateIdentity(issued.certificatePem)?.name).toBe("n");
    expect(certificateFingerprint(issued.certificatePem)).toMatch(/^[0-9a-f]{64}$/);
  });

  it("refuses keys of another kind by name of the field", async () => {
    const authority = await createAuthority({ clusterId: "c-1", nowMs });
    const pair = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const refuse = (publicKeyDer: Uint8Array) =>
      issueCertificate(authority, {
        identity: { kind: "node", clusterId: "c-1", name: "n" },
        publicKeyDer,
        nowMs,
      });
    await expect(
      refuse(pair.publicKey.export({ type: "spki", format: "der" })),
    ).rejects.toMatchObject({ code: "InvalidField", details: { field: "tlsPublicKey" } });
    await expect(refuse(new Uint8Array(10))).rejects.toMatchObject({ code: "InvalidField" });
  });
});

describe("identities in certificates", () => {
  it("refuses names that could be read as another identity", () => {
    for (const name of ["a/b", "a,URI:x", "a b", "", 'a"']) {
      expect(() => identityUri({ kind: "node", clusterId: "c", name })).toThrow(/identity/);
    }
  });

  it("reads no identity when there are two", () => {
    const one = "URI:kingly://cluster/c/node/a";
    expect(identityFromAltNames(`DNS:localhost, ${one}`)?.name).toBe("a");
    expect(identityFromAltNames(`${one}, URI:kingly://cluster/c/server/b`)).toBeUndefined();
    expect(identityFromAltNames(undefined)).toBeUndefined();
  });
});
