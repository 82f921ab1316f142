// TLS of the public gRPC port: one port for people (bearer token), agents (client certificate) and
// nodes that have neither yet (Enroll). A certificate is asked for but not required; grpc-js hands on
// only certificates that the TLS layer verified against the cluster's CA.

import type { SecureServerOptions } from "node:http2";
import { ServerCredentials } from "@grpc/grpc-js";
import { HANDSHAKE_MS } from "../limits.ts";
import type { TlsFiles } from "../../transport/tls.ts";

class OptionalClientCertificate extends ServerCredentials {
  constructor(tls: TlsFiles) {
    const options: SecureServerOptions = {
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: "TLSv1.2",
      handshakeTimeout: HANDSHAKE_MS,
      unknownProtocolTimeout: HANDSHAKE_MS,
    };
    // The CA travels along: a new node recognises it by the fingerprint in its join token.
    const cert = Buffer.concat([tls.cert, tls.ca]);
    super(options, { ca: tls.ca, cert, key: tls.key });
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

/** Credentials of a server that asks clients for a certificate and serves those without, too. */
export function optionalClientCertificate(tls: TlsFiles): ServerCredentials {
  return new OptionalClientCertificate(tls);
}
