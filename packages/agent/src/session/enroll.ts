// The first contact: a join token names the cluster CA by fingerprint, so the servers are verified
// before they are trusted with anything, and the token goes only over a channel that chains to that
// CA. The node's keys are made here; servers get the public halves with proofs of possession.

import { X509Certificate } from "node:crypto";
import { connect as tlsConnect } from "node:tls";
import type { DetailedPeerCertificate } from "node:tls";
import { credentials, Metadata } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { KinglyError, toKinglyError, utf8Encode } from "@kingly/base";
import { certificateFingerprint, certificateIdentity, fromServiceError } from "@kingly/protocol";
import { identityFromAltNames, loadService, nodeCrypto } from "@kingly/protocol";
import type { EnrollResponse } from "@kingly/protocol";
import { signWithTlsKey, type Enrollment, type NodeKeys } from "../disk/keys.ts";
import { CHAIN_LENGTH_MAX, ENROLL_TIMEOUT_MS } from "../limits.ts";

const TOKEN = /^kjt1\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{1,128})\.([0-9a-f]{64})$/;

/** What a node asks for. */
export interface EnrollRequest {
  readonly token: string;
  readonly node: string;
  readonly keys: NodeKeys;
  readonly targets: readonly string[];
  readonly signals: readonly string[];
  readonly agentVersion: string;
}

/** Enrols with the first of the servers that answers; throws the last server's KinglyError. */
export async function enroll(
  servers: readonly string[],
  request: EnrollRequest,
): Promise<Enrollment> {
  const fingerprint = tokenFingerprint(request.token);
  let last = new KinglyError("Unavailable", "no server to enrol with");
  for (const server of servers) {
    try {
      return await enrollWith(server, fingerprint, request);
    } catch (error) {
      last = toKinglyError(error);
      // A token that one server refuses is refused by all.
      if (last.code === "TokenInvalid" || last.code === "TokenExpired") throw last;
    }
  }
  throw last;
}

/** CA fingerprint inside a join token; throws TokenInvalid for anything else. */
export function tokenFingerprint(token: string): string {
  const fingerprint = TOKEN.exec(token)?.[3];
  if (fingerprint === undefined) {
    throw new KinglyError(
      "TokenInvalid",
      "joinToken: must be kjt1.<id>.<secret>.<CA fingerprint>",
      {
        field: "joinToken",
        limit: TOKEN.source,
        help: "make one with kinglyctl token create",
      },
    );
  }
  return fingerprint;
}

async function enrollWith(
  server: string,
  fingerprint: string,
  request: EnrollRequest,
): Promise<Enrollment> {
  const authorityPem = await fetchAuthority(server, fingerprint);
  const { AgentService } = loadService("agent");
  const client = new AgentService(
    server,
    credentials.createSsl(Buffer.from(authorityPem), null, null, {
      checkServerIdentity: (_host, certificate) =>
        identityFromAltNames(certificate.subjectaltname)?.kind === "server"
          ? undefined
          : new Error("the peer's certificate is not a server's"),
    }),
    { "grpc.ssl_target_name_override": "localhost" },
  );
  const { keys, node, token } = request;
  const proof = utf8Encode(`kingly-enroll|${token}|${node}`);
  try {
    const response = await new Promise<EnrollResponse>((resolve, reject) => {
      client.Enroll(
        {
          token,
          node,
          tlsPublicKey: keys.tlsPublicKey,
          tlsProof: signWithTlsKey(keys, proof),
          signingPublicKey: keys.signingPublicKey,
          signingProof: nodeCrypto.sign(keys.signingKey, proof),
          targets: [...request.targets],
          signals: [...request.signals],
          agentVersion: request.agentVersion,
        },
        new Metadata(),
        { deadline: Date.now() + ENROLL_TIMEOUT_MS },
        (error: ServiceError | null, value?: EnrollResponse) => {
          if (error !== null || value === undefined) {
            reject(error === null ? new Error("empty answer") : fromServiceError(error));
          } else resolve(value);
        },
      );
    });
    return checked(response, fingerprint, request);
  } finally {
    client.close();
  }
}

/** The answer must be about this node, this key and the CA of the token. */
function checked(
  response: EnrollResponse,
  fingerprint: string,
  request: EnrollRequest,
): Enrollment {
  const { certificatePem, authorityPem, clusterId, servers } = response;
  if (certificateFingerprint(authorityPem) !== fingerprint) {
    throw new KinglyError(
      "WrongCluster",
      "the server answered with another CA than the token names",
    );
  }
  const identity = certificateIdentity(certificatePem);
  const certificate = new X509Certificate(certificatePem);
  const spki = certificate.publicKey.export({ format: "der", type: "spki" });
  const mine =
    identity?.kind === "node" &&
    identity.name === request.node &&
    identity.clusterId === clusterId &&
    Buffer.compare(spki, request.keys.tlsPublicKey) === 0 &&
    certificate.verify(new X509Certificate(authorityPem).publicKey);
  if (!mine) {
    throw new KinglyError("IdentityMismatch", `the certificate is not for node ${request.node}`, {
      field: "certificate_pem",
      value: certificate.subjectAltName ?? "",
    });
  }
  return { clusterId, node: request.node, certificatePem, authorityPem, servers: [...servers] };
}

/**
 * The CA certificate that a server presents, if its sha256 is the token's. Nothing is sent on this
 * connection: it only learns a certificate that the fingerprint proves.
 */
async function fetchAuthority(server: string, fingerprint: string): Promise<string> {
  const at = server.lastIndexOf(":");
  const host = server.slice(0, at).replace(/^\[|\]$/g, "");
  const port = Number(server.slice(at + 1));
  return new Promise<string>((resolve, reject) => {
    const socket = tlsConnect(
      { host, port, rejectUnauthorized: false, ALPNProtocols: ["h2"], timeout: ENROLL_TIMEOUT_MS },
      () => {
        const pem = findInChain(socket.getPeerCertificate(true), fingerprint);
        socket.destroy();
        if (pem !== null) resolve(pem);
        else {
          const message = `${server} does not present the CA that the token names`;
          reject(new KinglyError("WrongCluster", message, { field: "joinToken", value: server }));
        }
      },
    );
    const fail = (reason: string): void => {
      socket.destroy();
      reject(
        new KinglyError("Unavailable", `${server}: ${reason}`, { field: "servers", value: server }),
      );
    };
    socket.on("timeout", () => fail(`no answer within ${ENROLL_TIMEOUT_MS} ms`));
    socket.on("error", (error) => fail(error.message));
  });
}

function findInChain(leaf: DetailedPeerCertificate, fingerprint: string): string | null {
  let certificate: DetailedPeerCertificate | undefined = leaf;
  for (let i = 0; i < CHAIN_LENGTH_MAX && certificate?.raw !== undefined; i += 1) {
    const pem = new X509Certificate(certificate.raw).toString();
    if (certificateFingerprint(pem) === fingerprint) return pem;
    if (certificate.issuerCertificate === certificate) break;
    certificate = certificate.issuerCertificate;
  }
  return null;
}
