// Enroll: a new node trades a one-time join token for a certificate. It proves that it holds both of
// its keys; class, owner and pool come from the token, never from the node. The certificate is made
// before the token is spent, so that a refused key costs no token; the same request may be repeated.

import { createHash, createPublicKey, verify } from "node:crypto";
import { KinglyError, isJsonObject, shortValue, toBase64, utf8Encode } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { WriteResult } from "@kingly/decision";
import { nodeCrypto } from "@kingly/protocol";
import type { EnrollRequest, EnrollResponseInput } from "@kingly/protocol";
import { issueCertificate } from "@kingly/protocol/pki";
import { NODE_NAME_CHARS_MAX, formatFault } from "@kingly/resources";
import type { ApiContext } from "../core/context.ts";
import { checkJoinToken } from "../core/join-tokens.ts";
import { REPORTED_ITEMS_MAX } from "../limits.ts";

function badSignature(field: string, what: string): KinglyError {
  return new KinglyError("BadSignature", `${field}: ${what}`, { field });
}

/** The bytes that both keys of the node sign. */
export function enrollmentBytes(token: string, node: string): Uint8Array {
  return utf8Encode(`kingly-enroll|${token}|${node}`);
}

function verifyTlsProof(request: EnrollRequest): void {
  const bytes = enrollmentBytes(request.token, request.node);
  try {
    const key = createPublicKey({ key: request.tlsPublicKey, format: "der", type: "spki" });
    if (verify("sha256", bytes, key, request.tlsProof)) return;
  } catch {
    // Falls through: not a key, or not a signature.
  }
  throw badSignature("tlsProof", "does not prove possession of the TLS key");
}

function verifySigningProof(request: EnrollRequest): void {
  const bytes = enrollmentBytes(request.token, request.node);
  if (nodeCrypto.verify(request.signingPublicKey, bytes, request.signingProof)) return;
  throw badSignature("signingProof", "does not prove possession of the signing key");
}

function requireName(node: string): void {
  const fault = formatFault("dns1123-subdomain", node);
  if (fault === undefined && node !== "" && node.length <= NODE_NAME_CHARS_MAX) return;
  const limit = `RFC 1123 subdomain of at most ${NODE_NAME_CHARS_MAX} characters`;
  throw new KinglyError("InvalidField", `node: must be an ${limit}, is ${shortValue(node)}`, {
    field: "node",
    limit,
    value: shortValue(node),
  });
}

function requireCount(field: string, list: readonly string[]): void {
  if (list.length <= REPORTED_ITEMS_MAX) return;
  throw new KinglyError("InvalidField", `${field}: has ${list.length} items`, {
    field,
    limit: REPORTED_ITEMS_MAX,
    value: list.length,
  });
}

/** Answers Enroll. TokenInvalid, TokenExpired, BadSignature, InvalidField, AlreadyExists. */
export async function enroll(
  context: ApiContext,
  request: EnrollRequest,
  deadlineMs: number,
): Promise<EnrollResponseInput> {
  const { replica, authority, clock } = context;
  const { node, targets, signals, agentVersion } = request;
  const tokenHash = checkJoinToken(context, request.token);
  requireName(node);
  requireCount("targets", targets);
  requireCount("signals", signals);
  verifyTlsProof(request);
  verifySigningProof(request);
  if (authority === undefined) {
    throw new KinglyError("Unavailable", "this server does not issue certificates", {
      help: "enrol through another server",
    });
  }
  const issued = await issueCertificate(authority, {
    identity: { kind: "node", clusterId: replica.clusterId, name: node },
    publicKeyDer: request.tlsPublicKey,
    nowMs: clock.nowMs(),
  });
  const publicKey = toBase64(request.signingPublicKey);
  const body = { node, publicKey, tokenHash, targets, signals, agentVersion };
  const text = JSON.stringify(body);
  const key = createHash("sha256").update(text).digest("hex");
  const result = await replica.submit(
    { command: "enroll-node", body: utf8Encode(text), idempotencyKey: `enroll:${key}` },
    { name: node, method: "node", server: replica.memberId },
    { deadlineMs },
  );
  context.logger.info("a node joined", { node });
  const stored = (result.value as unknown as Partial<WriteResult> | null)?.object;
  const object: JsonValue = isJsonObject(stored) ? stored : {};
  return {
    clusterId: replica.clusterId,
    certificatePem: issued.certificatePem,
    authorityPem: authority.certificatePem,
    node: Buffer.from(utf8Encode(JSON.stringify(object))),
    servers: replica.status().members.map((member) => member.address),
  };
}
