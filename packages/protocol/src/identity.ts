// Identities inside certificates: one URI name `kingly://cluster/<id>/<kind>/<name>` per
// certificate. Reading them needs only node:crypto, so agents and clients do not load the
// certificate library.
import { X509Certificate } from "node:crypto";
import { KinglyError } from "@kingly/base";

/** What a certificate was issued for. */
export type IdentityKind = "server" | "node" | "client";

/** Who a certificate says its holder is. */
export interface CertificateIdentity {
  readonly kind: IdentityKind;
  readonly clusterId: string;
  /** Member id, node name or user name. */
  readonly name: string;
}

const PATTERN = /^kingly:\/\/cluster\/([^/,\s"]+)\/(server|node|client)\/([^/,\s"]+)$/;

/** The URI that stands for an identity. Names must not need escaping: InvalidField otherwise. */
export function identityUri(identity: CertificateIdentity): string {
  const uri = `kingly://cluster/${identity.clusterId}/${identity.kind}/${identity.name}`;
  if (!PATTERN.test(uri) || uri.length > 512) {
    throw new KinglyError("InvalidField", "an identity's names hold no slash, comma or space", {
      field: "name",
      limit: 512,
      value: identity.name.slice(0, 80),
    });
  }
  return uri;
}

/**
 * The identity in a list of subject alternative names as Node prints it ("DNS:localhost,
 * URI:kingly://..."); undefined when there is none or more than one.
 */
export function identityFromAltNames(names: string | undefined): CertificateIdentity | undefined {
  const uris = (names ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name.startsWith("URI:kingly://"));
  if (uris.length !== 1) return undefined;
  const match = PATTERN.exec((uris[0] ?? "").slice("URI:".length));
  if (match === null) return undefined;
  const [, clusterId = "", kind, name = ""] = match;
  return { kind: kind as IdentityKind, clusterId, name };
}

/** The identity in a certificate (PEM or DER); undefined when it names none. */
export function certificateIdentity(
  certificate: string | Uint8Array,
): CertificateIdentity | undefined {
  const parsed = new X509Certificate(
    typeof certificate === "string" ? certificate : Buffer.from(certificate),
  );
  return identityFromAltNames(parsed.subjectAltName);
}

/** Lower-case hex SHA-256 of a certificate's DER form: how join tokens pin the CA. */
export function certificateFingerprint(certificatePem: string): string {
  return new X509Certificate(certificatePem).fingerprint256.replaceAll(":", "").toLowerCase();
}

/** Milliseconds since the epoch from which the certificate is no longer valid. */
export function certificateExpiryMs(certificatePem: string): number {
  return Date.parse(new X509Certificate(certificatePem).validTo);
}
