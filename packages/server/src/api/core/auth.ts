// Who is asking, and may they? People and pipelines show a bearer token, of which only the SHA-256 is
// kept; nodes and operators show a certificate of the cluster's CA. Three groups decide the rest.

import { hash } from "node:crypto";
import { KinglyError } from "@kingly/base";
import type { CertificateIdentity } from "@kingly/protocol";
import type { Verb } from "@kingly/resources";
import type { Actor } from "../../replica/replica.ts";
import { TOKEN_CHARS_MAX } from "../limits.ts";

/** A bearer token as it is kept: never the token itself. */
export interface TokenRecord {
  /** User or service account. */
  readonly name: string;
  readonly groups: readonly string[];
  /** Lower-case hex SHA-256 of the token's UTF-8 bytes. */
  readonly sha256: string;
  /** Milliseconds since the epoch; absent = does not expire. */
  readonly expiresAtMs?: number;
}

/** May do everything, also make join tokens. */
export const ADMINS = "kingly:admins";
/** May read and write objects. */
export const EDITORS = "kingly:editors";
/** May read objects. */
export const VIEWERS = "kingly:viewers";
/** Holders of node certificates: read, and write their own documents through a session. */
export const NODES = "kingly:nodes";

/** Who asks. */
export interface Principal extends Actor {
  readonly groups: readonly string[];
}

/** What the authenticator needs. */
export interface AuthOptions {
  readonly clusterId: string;
  readonly memberId: string;
  /** Read at every call, so that tokens can be added and revoked while the server runs. */
  readonly tokens: () => readonly TokenRecord[];
  readonly nowMs: () => number;
}

/** Lower-case hex SHA-256 of a token, as TokenRecord and join tokens keep it. */
export function hashToken(token: string): string {
  return hash("sha256", token, "hex");
}

const WRITES: readonly string[] = ["create", "update", "patch", "delete", "deletecollection"];

/** Finds out who a caller is and what they may do. */
export class Authenticator {
  readonly #options: AuthOptions;

  constructor(options: AuthOptions) {
    this.#options = options;
  }

  /** The holder of `Authorization: Bearer ...`. Unauthenticated, TokenInvalid, TokenExpired. */
  fromHeader(header: string | undefined): Principal {
    if (header === undefined || header === "") {
      throw new KinglyError("Unauthenticated", "a bearer token is needed", {
        field: "authorization",
        help: "send the header Authorization: Bearer TOKEN",
      });
    }
    const [scheme = "", token = "", ...rest] = header.split(" ");
    if (scheme.toLowerCase() !== "bearer" || token === "" || rest.length > 0) {
      throw new KinglyError("TokenInvalid", "the authorization header is not Bearer TOKEN", {
        field: "authorization",
      });
    }
    return this.#fromToken(token);
  }

  #fromToken(token: string): Principal {
    // Compared by hash: the time taken says nothing about the token itself.
    const sha256 = token.length > TOKEN_CHARS_MAX ? "" : hashToken(token);
    const found = this.#options.tokens().find((record) => record.sha256 === sha256);
    if (found === undefined) {
      throw new KinglyError("TokenInvalid", "the token is not known to this cluster", {
        field: "authorization",
      });
    }
    if (found.expiresAtMs !== undefined && found.expiresAtMs <= this.#options.nowMs()) {
      throw new KinglyError("TokenExpired", `the token of ${found.name} has expired`, {
        field: "authorization",
      });
    }
    const { name, groups } = found;
    return { name, method: "token", server: this.#options.memberId, groups };
  }

  /** The holder of a certificate that the TLS layer verified against the cluster's CA. */
  fromCertificate(identity: CertificateIdentity): Principal {
    if (identity.clusterId !== this.#options.clusterId) {
      throw new KinglyError("WrongCluster", "the certificate was issued for another cluster", {
        field: "certificate",
        limit: this.#options.clusterId,
        value: identity.clusterId.slice(0, 80),
      });
    }
    const server = this.#options.memberId;
    if (identity.kind === "node") {
      return { name: identity.name, method: "node", server, groups: [NODES] };
    }
    return { name: identity.name, method: "certificate", server, groups: [ADMINS] };
  }
}

/** True when the principal may use the verb on the kind (plural, or `jointokens`). */
export function isAllowed(principal: Principal, verb: string, resource: string): boolean {
  const { groups } = principal;
  if (groups.includes(ADMINS)) return true;
  if (resource === "jointokens") return false;
  if (WRITES.includes(verb)) return groups.includes(EDITORS);
  return groups.some((group) => [EDITORS, VIEWERS, NODES].includes(group));
}

/** Refuses with Forbidden what `isAllowed` denies. */
export function requireAllowed(principal: Principal, verb: Verb, resource: string): void {
  if (isAllowed(principal, verb, resource)) return;
  throw new KinglyError("Forbidden", `${principal.name} may not ${verb} ${resource}`, {
    step: "authorise",
    rule: `${verb} ${resource}`,
    value: principal.name,
    help: "ask an administrator for a token of a group that may",
  });
}
