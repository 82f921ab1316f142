// Which server of a cluster a client asks, and when it turns to another one. A call that was never
// sent (no connection came about) may go anywhere; one whose connection broke may have been carried
// out, so only a read goes elsewhere. A server that is not the cluster's (its certificate is not
// signed by the CA) is an error to look at, never a reason to go on.

import { KinglyError } from "@kingly/base";

/** Called when another server is asked from now on; `reason` says why. */
export type OnServerChange = (from: string, to: string, reason: string) => void;

/** Errors of a connection that was there and broke, or of a socket that nothing more came from. */
const BROKEN: readonly string[] = ["ECONNRESET", "EPIPE", "ETIMEDOUT", "UND_ERR_SOCKET"];

/** The server showed a certificate that the CA does not vouch for: the call was not sent. */
const DISTRUSTED: readonly string[] = [
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_SIGNATURE_FAILURE",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
];

/** What a server says, nothing having been written, when another one may know better. */
const ELSEWHERE: readonly string[] = ["NoLeader", "NotLeader", "Unavailable", "Recovering"];

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "";
}

/** True when no connection came about: nothing was sent. */
function isUnsent(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (codeOf(error) === "UND_ERR_CONNECT_TIMEOUT") return true;
  // A name with several addresses fails with the failures of all.
  if (error instanceof AggregateError && error.errors.length > 0) {
    return error.errors.every((one) => isUnsent(one));
  }
  // The system call tells: a connection that was there can break with the same codes.
  return "syscall" in error && ["connect", "getaddrinfo"].includes(String(error.syscall));
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map((one) => reasonOf(one)).join(", ");
  }
  return error instanceof Error ? error.message : String(error);
}

/** A call that got no answer from one server. */
export class ConnectionFailure extends Error {
  override readonly name: string = "ConnectionFailure";
  /** Nothing was sent. */
  readonly unsent: boolean;
  /** A read may be repeated at another server; so may any call that was not sent for want of one. */
  readonly elsewhere: "any" | "reads" | "none";

  constructor(error: unknown) {
    super(reasonOf(error), { cause: error });
    const unreached = isUnsent(error);
    this.unsent = unreached || DISTRUSTED.includes(codeOf(error));
    this.elsewhere = unreached ? "any" : BROKEN.includes(codeOf(error)) ? "reads" : "none";
  }
}

/** The error of a call after its last attempt. */
function finalError(
  tried: readonly { readonly server: string; readonly failure: ConnectionFailure }[],
  isRead: boolean,
): KinglyError {
  const last = tried.at(-1);
  const failure = last?.failure;
  if (last !== undefined && !isRead && failure?.unsent !== true) {
    return new KinglyError(
      "Indeterminate",
      `the connection to ${last.server} broke: ${last.failure.message}`,
      { help: "look whether it took effect before you repeat it" },
      { cause: failure },
    );
  }
  const each = tried.map((one) => `${one.server}: ${one.failure.message}`);
  const message = tried.length > 1 ? `any of ${tried.length} servers: ${each.join("; ")}` : each[0];
  return new KinglyError(
    "Unavailable",
    `cannot reach ${message ?? "a server"}`,
    { help: "is a server running there, and is the context file of this cluster?" },
    { cause: failure },
  );
}

/** The servers of one cluster; the one that answered last is asked first. */
export class Servers {
  readonly #servers: readonly string[];
  readonly #onChange: OnServerChange | undefined;
  #at = 0;

  constructor(servers: readonly string[], onChange?: OnServerChange) {
    this.#servers = servers;
    this.#onChange = onChange;
  }

  /** Base URL of the server that is asked next. */
  get current(): string {
    return this.#servers[this.#at] ?? "";
  }

  #moveOn(): void {
    this.#at = (this.#at + 1) % this.#servers.length;
  }

  /** Asks another server next when this answer says that another one may know better. */
  noteAnswer(error: KinglyError): void {
    if (ELSEWHERE.includes(error.code)) this.#moveOn();
  }

  /**
   * Makes a call at the present server, and at every other one until one answers. Every server is
   * tried once. Throws Unavailable when none was reached, and Indeterminate for a write whose
   * connection broke; whatever else `attempt` throws passes.
   */
  async ask<T>(isRead: boolean, attempt: (server: string) => Promise<T>): Promise<T> {
    const tried: { readonly server: string; readonly failure: ConnectionFailure }[] = [];
    for (;;) {
      const server = this.current;
      try {
        return await attempt(server);
      } catch (error) {
        if (!(error instanceof ConnectionFailure)) throw error;
        tried.push({ server, failure: error });
        const elsewhere = error.elsewhere === "any" || (isRead && error.elsewhere === "reads");
        if (!elsewhere || tried.length >= this.#servers.length) throw finalError(tried, isRead);
        this.#moveOn();
        this.#onChange?.(server, this.current, error.message);
      }
    }
  }
}
