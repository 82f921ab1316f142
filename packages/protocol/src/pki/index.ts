// The cluster's certificate authority: ECDSA P-256 certificates (X.509, RFC 5280) for servers,
// nodes and people, issued in process. A path of its own in the package, because the certificate
// library is large and only servers and `init` need it.
import "./reflect.ts";
import { webcrypto } from "node:crypto";
import { KinglyError } from "@kingly/base";
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PublicKey,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  AuthorityKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  cryptoProvider,
} from "@peculiar/x509";
import type { Extension, JsonGeneralNames } from "@peculiar/x509";
import { identityUri } from "../identity.ts";
import type { CertificateIdentity } from "../identity.ts";
import {
  AUTHORITY_DAYS,
  CERTIFICATE_BACKDATE_MINUTES,
  NODE_CERTIFICATE_DAYS,
  SERVER_CERTIFICATE_DAYS,
} from "../limits.ts";

const EC: webcrypto.EcKeyImportParams = { name: "ECDSA", namedCurve: "P-256" };
const SIGNING = { name: "ECDSA", hash: "SHA-256" };
const DAY_MS = 86_400_000;
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
const IPV4 = /^\d{1,3}(\.\d{1,3}){3}$/;

cryptoProvider.set(webcrypto as unknown as Parameters<typeof cryptoProvider.set>[0]);

/** A CA: its certificate and, sealed where it is stored, its private key. */
export interface Authority {
  readonly certificatePem: string;
  /** PKCS #8 PEM. Keep it readable by its owner only. */
  readonly privateKeyPem: string;
}

/** A certificate with its key. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  /** PKCS #8 PEM; "" when the caller brought its own public key. */
  readonly privateKeyPem: string;
}

/** What to put into a certificate. */
export interface CertificateRequest {
  readonly identity: CertificateIdentity;
  /** DNS names and IP addresses besides localhost and 127.0.0.1; for servers only. */
  readonly hosts?: readonly string[];
  /** SubjectPublicKeyInfo (DER) of the holder; absent = a new key is made. */
  readonly publicKeyDer?: Uint8Array;
  /** Validity in days; absent = 90 for nodes, 365 otherwise. */
  readonly days?: number;
  /** Present time, milliseconds since the epoch. */
  readonly nowMs: number;
}

function toPem(der: ArrayBuffer, label: string): string {
  const text = Buffer.from(der).toString("base64");
  const lines = text.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function fromPem(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ""), "base64");
}

async function newKeys(): Promise<{
  readonly keys: webcrypto.CryptoKeyPair;
  readonly pem: string;
}> {
  const keys = await webcrypto.subtle.generateKey(EC, true, ["sign", "verify"]);
  return {
    keys,
    pem: toPem(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY"),
  };
}

function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40; // positive, no leading zero (RFC 5280 4.1.2.2)
  return Buffer.from(bytes).toString("hex");
}

function validity(
  nowMs: number,
  days: number,
): { readonly notBefore: Date; readonly notAfter: Date } {
  return {
    notBefore: new Date(nowMs - CERTIFICATE_BACKDATE_MINUTES * 60_000),
    notAfter: new Date(nowMs + days * DAY_MS),
  };
}

/** Makes a new cluster CA, valid ten years. */
export async function createAuthority(options: {
  readonly clusterId: string;
  readonly nowMs: number;
}): Promise<Authority> {
  const { keys, pem } = await newKeys();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [{ O: ["Kingly"] }, { CN: [`${options.clusterId} CA`] }],
    ...validity(options.nowMs, AUTHORITY_DAYS),
    signingAlgorithm: SIGNING,
    keys: keys as never,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey as never),
    ],
  });
  return { certificatePem: `${certificate.toString("pem")}\n`, privateKeyPem: pem };
}

function altNames(request: CertificateRequest): JsonGeneralNames {
  const names: JsonGeneralNames = [{ type: "url", value: identityUri(request.identity) }];
  if (request.identity.kind !== "server") return names;
  for (const host of new Set(["localhost", "127.0.0.1", ...(request.hosts ?? [])])) {
    names.push({ type: IPV4.test(host) || host.includes(":") ? "ip" : "dns", value: host });
  }
  return names;
}

async function extensionsFor(
  request: CertificateRequest,
  publicKey: PublicKey,
  issuer: X509Certificate,
): Promise<Extension[]> {
  const server = request.identity.kind === "server";
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension(server ? [SERVER_AUTH, CLIENT_AUTH] : [CLIENT_AUTH]),
    new SubjectAlternativeNameExtension(altNames(request)),
    await SubjectKeyIdentifierExtension.create(publicKey),
    await AuthorityKeyIdentifierExtension.create(issuer.publicKey),
  ];
}

function importPublicKey(der: Uint8Array): PublicKey {
  try {
    const key = new PublicKey(new Uint8Array(der));
    const algorithm = key.algorithm as { readonly name: string; readonly namedCurve?: string };
    if (algorithm.name === "ECDSA" && algorithm.namedCurve === "P-256") return key;
  } catch {
    // Falls through to the refusal: the bytes are not a key at all.
  }
  throw new KinglyError("InvalidField", "the TLS key must be an ECDSA P-256 public key", {
    field: "tlsPublicKey",
    limit: "SubjectPublicKeyInfo, P-256",
    value: der.length,
  });
}

/**
 * Issues a certificate for one identity. Throws InvalidField for a key that is not P-256 or names
 * that do not fit an identity.
 */
export async function issueCertificate(
  authority: Authority,
  request: CertificateRequest,
): Promise<IssuedCertificate> {
  const issuer = new X509Certificate(authority.certificatePem);
  const signingKey = await webcrypto.subtle.importKey(
    "pkcs8",
    fromPem(authority.privateKeyPem),
    EC,
    false,
    ["sign"],
  );
  const own = request.publicKeyDer === undefined ? await newKeys() : undefined;
  const publicKey =
    own === undefined
      ? importPublicKey(request.publicKeyDer ?? new Uint8Array(0))
      : new PublicKey(await webcrypto.subtle.exportKey("spki", own.keys.publicKey));
  const standard =
    request.identity.kind === "node" ? NODE_CERTIFICATE_DAYS : SERVER_CERTIFICATE_DAYS;
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [
      { O: ["Kingly"] },
      { OU: [request.identity.kind] },
      { CN: [request.identity.name.slice(0, 64)] },
    ],
    issuer: issuer.subject,
    ...validity(request.nowMs, request.days ?? standard),
    signingAlgorithm: SIGNING,
    publicKey,
    signingKey: signingKey as never,
    extensions: await extensionsFor(request, publicKey, issuer),
  });
  return { certificatePem: `${certificate.toString("pem")}\n`, privateKeyPem: own?.pem ?? "" };
}
