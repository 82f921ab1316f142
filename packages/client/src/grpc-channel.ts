// One client over several servers: the present one is used until it fails, then the next. Calls are
// repeated with pauses where that is safe: the server said that nothing was written, or the call only
// reads, or an idempotency key makes a repetition harmless.

import { credentials } from "@grpc/grpc-js";
import type { CallOptions, ChannelCredentials, ServiceError } from "@grpc/grpc-js";
import { Metadata } from "@grpc/grpc-js";
import { KinglyError } from "@kingly/base";
import type { Clock, ErrorCode } from "@kingly/base";
import { fromServiceError, hasErrorDetails, loadService } from "@kingly/protocol";
import type { ClusterServiceClient, ConfigServiceClient } from "@kingly/protocol";
import { ATTEMPTS_MAX, CALL_DEADLINE_MS, GRPC_MESSAGE_BYTES_MAX } from "./limits.ts";
import { backoffMs } from "./retry.ts";

/** How to reach a cluster over gRPC. */
export interface GrpcClientOptions {
  /** Addresses (host:port) of servers; at least one. */
  readonly addresses: readonly string[];
  /** PEM of the cluster's CA; absent = the system's roots. */
  readonly authority?: string;
  /** Bearer token of a person or pipeline. */
  readonly token?: string;
  /** Certificate and key, PEM, instead of a token. */
  readonly certificate?: { readonly certificatePem: string; readonly privateKeyPem: string };
  /** Time; absent = the machine's. */
  readonly clock?: Clock;
  /** Uniform in [0, 1), for jitter; absent = Math.random. */
  readonly random?: () => number;
  /** Milliseconds for one call with all its repetitions; default 30 s. */
  readonly deadlineMs?: number;
}

/** The stubs of one server. */
export interface Stubs {
  readonly config: ConfigServiceClient;
  readonly cluster: ClusterServiceClient;
}

/** Codes with which a server says that nothing was written and a repetition may help. */
const SAFE_CODES: readonly ErrorCode[] = [
  "NoLeader",
  "NotLeader",
  "Unavailable",
  "Recovering",
  "Retry",
  "Overloaded",
];

const systemClock: Clock = {
  nowMs: () => Date.now(),
  setTimer: (delayMs, fn) => {
    const timer = setTimeout(fn, delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
};

/** One failed attempt. */
export interface Failure {
  readonly error: KinglyError;
  /** The outcome of a write is unknown after it. */
  readonly unknown: boolean;
  /** Another server should be asked next. */
  readonly elsewhere: boolean;
}

/** What an error of a stub means. */
export function judge(thrown: unknown): Failure {
  if (!(thrown instanceof Error) || !("code" in thrown)) {
    const message = thrown instanceof Error ? thrown.message : "the call failed";
    const error = new KinglyError("Internal", message, {}, { cause: thrown });
    return { error, unknown: true, elsewhere: true };
  }
  const failed = thrown as ServiceError;
  const error = fromServiceError(failed);
  if (!hasErrorDetails(failed)) return { error, unknown: true, elsewhere: true };
  return {
    error,
    unknown: error.code === "Indeterminate",
    elsewhere: error.code !== "Overloaded" && error.code !== "Retry",
  };
}

/** True when the same call may be made again at once or after a pause. */
function isRepeatable(failure: Failure, harmless: boolean): boolean {
  if (SAFE_CODES.includes(failure.error.code) && !failure.unknown) return true;
  // Without details the network failed somewhere: the call may have been carried out.
  const transport = ["Unavailable", "DeadlineExceeded", "Internal"].includes(failure.error.code);
  return harmless && failure.unknown && (transport || failure.error.code === "Indeterminate");
}

/** Calls to a cluster. */
export class GrpcChannel {
  readonly clock: Clock;
  readonly #options: GrpcClientOptions;
  readonly #credentials: ChannelCredentials;
  readonly #metadata = new Metadata();
  readonly #stubs = new Map<string, Stubs>();
  #current = 0;

  constructor(options: GrpcClientOptions) {
    if (options.addresses.length === 0) {
      throw new KinglyError("Usage", "addresses: at least one server is needed", {
        field: "addresses",
      });
    }
    const { authority, certificate, token } = options;
    this.#options = options;
    this.clock = options.clock ?? systemClock;
    this.#credentials = credentials.createSsl(
      authority === undefined ? null : Buffer.from(authority),
      certificate === undefined ? null : Buffer.from(certificate.privateKeyPem),
      certificate === undefined ? null : Buffer.from(certificate.certificatePem),
    );
    if (token !== undefined) this.#metadata.set("authorization", `Bearer ${token}`);
  }

  /** Headers of every call. */
  get metadata(): Metadata {
    return this.#metadata;
  }

  /** The server that is asked next. */
  get address(): string {
    const { addresses } = this.#options;
    return addresses[this.#current % addresses.length] ?? "";
  }

  /** Stubs of the present server. */
  stubs(): Stubs {
    const address = this.address;
    const known = this.#stubs.get(address);
    if (known !== undefined) return known;
    const options = {
      "grpc.max_receive_message_length": GRPC_MESSAGE_BYTES_MAX,
      "grpc.keepalive_time_ms": 20_000,
    };
    const { ConfigService } = loadService("config");
    const { ClusterService } = loadService("admin");
    const made: Stubs = {
      config: new ConfigService(address, this.#credentials, options),
      cluster: new ClusterService(address, this.#credentials, options),
    };
    this.#stubs.set(address, made);
    return made;
  }

  /** Asks another server from now on. */
  moveOn(): void {
    this.#current += 1;
  }

  /** Waits before attempt number `attempt` (1 = first repetition), or as long as a server asks. */
  async pause(attempt: number, error: KinglyError, signal?: AbortSignal): Promise<void> {
    const unit = (this.#options.random ?? Math.random)();
    const delay = Math.max(backoffMs(attempt, unit), error.details.retryAfterMs ?? 0);
    await new Promise<void>((resolve) => {
      const timer = this.clock.setTimer(delay, done);
      function done(): void {
        signal?.removeEventListener("abort", done);
        timer.cancel();
        resolve();
      }
      signal?.addEventListener("abort", done);
    });
  }

  /**
   * Makes a unary call, repeated where that is safe. `harmless`: the call may be carried out twice
   * (a read, or a write with an idempotency key). Throws what the last attempt said; for a write
   * whose outcome is unknown Indeterminate with `idempotencyKey`.
   */
  async call<Response>(
    attempt: (stubs: Stubs, metadata: Metadata, options: CallOptions) => Promise<Response>,
    about: { readonly harmless: boolean; readonly idempotencyKey?: string },
  ): Promise<Response> {
    const deadline = this.clock.nowMs() + (this.#options.deadlineMs ?? CALL_DEADLINE_MS);
    let unknown = false;
    for (let count = 1; ; count += 1) {
      try {
        return await attempt(this.stubs(), this.#metadata, { deadline });
      } catch (thrown) {
        const failure = judge(thrown);
        unknown ||= failure.unknown;
        if (failure.elsewhere) this.moveOn();
        const over = count >= ATTEMPTS_MAX || this.clock.nowMs() >= deadline;
        if (over || !isRepeatable(failure, about.harmless)) {
          throw this.#final(failure, unknown, about.idempotencyKey);
        }
        await this.pause(count, failure.error);
      }
    }
  }

  /** After an attempt whose outcome is unknown, no later failure says that nothing was written. */
  #final(failure: Failure, unknown: boolean, idempotencyKey: string | undefined): KinglyError {
    const { error } = failure;
    const inconclusive = failure.unknown || SAFE_CODES.includes(error.code);
    if (idempotencyKey === undefined || !unknown || !inconclusive) return error;
    return new KinglyError(
      "Indeterminate",
      `it is unknown whether the write took effect: ${error.message}`,
      { idempotencyKey, help: "repeat it with the same idempotency key" },
      { cause: error },
    );
  }

  /** Releases the connections. */
  close(): void {
    for (const { config, cluster } of this.#stubs.values()) {
      config.close();
      cluster.close();
    }
    this.#stubs.clear();
  }
}
