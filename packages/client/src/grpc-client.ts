// The TypeScript SDK for services: reads, watches, writes and proposals over gRPC, against any of the
// cluster's servers. Writes always carry an idempotency key, so that repeating them is harmless.

import { randomUUID } from "node:crypto";
import type { CallOptions, ClientReadableStream, Metadata, ServiceError } from "@grpc/grpc-js";
import { KinglyError, utf8Decode, utf8Encode } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import type {
  GetResponse,
  ListResponse,
  ProposalState as WireProposalState,
  ProposeRequestInput,
  ProposeResponse,
  StatusResponse,
  WatchEvent as WireWatchEvent,
  WriteRequestInput,
  WriteResponse,
} from "@kingly/protocol";
import type { ApiObject, Proposal, Rollout, TrialProgress, Veto, Vote } from "@kingly/resources";
import { GrpcChannel, judge } from "./grpc-channel.ts";
import type { GrpcClientOptions } from "./grpc-channel.ts";
import { ATTEMPTS_MAX } from "./limits.ts";

/** Names one object. */
export interface ObjectScope {
  readonly kind: string;
  /** Absent for cluster-scoped kinds. */
  readonly namespace?: string;
  readonly name: string;
}

/** One write. */
export interface WriteCall extends Omit<ObjectScope, "name"> {
  readonly operation: "create" | "replace" | "delete";
  readonly name?: string;
  /** The document; not for a delete. metadata.resourceVersion is a precondition of a replacement. */
  readonly object?: JsonObject;
  /** Absent = a new one; give your own to make repetitions of your process harmless, too. */
  readonly idempotencyKey?: string;
}

/** A proposed change; exactly one of `patch` and `data`. */
export interface ProposeCall {
  readonly namespace: string;
  readonly config: string;
  readonly patch?: JsonObject;
  readonly data?: JsonObject;
  /** Version the change was made against; absent = the present one. */
  readonly baseVersion?: number;
  readonly reason: string;
  readonly source?: JsonObject;
  readonly idempotencyKey?: string;
}

/** One event of a watch. A bookmark has no object: everything up to the revision was delivered. */
export type ObjectEvent =
  | {
      readonly type: "ADDED" | "MODIFIED" | "DELETED";
      readonly revision: number;
      readonly object: ApiObject;
    }
  | { readonly type: "BOOKMARK"; readonly revision: number };

/** A proposal with everything that belongs to it. */
export interface ProposalState {
  readonly proposal: Proposal;
  readonly votes: readonly Vote[];
  readonly progress: readonly TrialProgress[];
  readonly rollout: Rollout | undefined;
  readonly vetoes: readonly Veto[];
  readonly revision: number;
}

/** What to watch. */
export interface WatchCall {
  readonly kind: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Events after it; 0 or absent = the present objects first. */
  readonly fromRevision?: number;
  readonly signal: AbortSignal;
}

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: CallOptions,
  callback: (error: ServiceError | null, response?: Response) => void,
) => unknown;

function promise<Request, Response>(
  run: Unary<Request, Response>,
  request: Request,
  call: readonly [Metadata, CallOptions],
): Promise<Response> {
  return new Promise((resolve, reject) => {
    run(request, call[0], call[1], (error, response) => {
      if (error === null && response !== undefined) resolve(response);
      else reject(error ?? new Error("an empty answer"));
    });
  });
}

function decode<T>(bytes: Uint8Array): T {
  return JSON.parse(utf8Decode(bytes)) as T;
}

function encode(value: JsonObject): Buffer {
  return Buffer.from(utf8Encode(JSON.stringify(value)));
}

function stateOf(wire: WireProposalState): ProposalState {
  return {
    proposal: decode(wire.document),
    votes: wire.votes.map((bytes) => decode<Vote>(bytes)),
    progress: wire.progress.map((bytes) => decode<TrialProgress>(bytes)),
    rollout: wire.rollout.length === 0 ? undefined : decode(wire.rollout),
    vetoes: wire.vetoes.map((bytes) => decode<Veto>(bytes)),
    revision: wire.revision,
  };
}

function eventOf(wire: WireWatchEvent): ObjectEvent {
  const { revision } = wire;
  switch (wire.type) {
    case "TYPE_ADDED":
    case "TYPE_MODIFIED":
    case "TYPE_DELETED": {
      const type = wire.type.slice("TYPE_".length) as "ADDED" | "MODIFIED" | "DELETED";
      return { type, revision, object: decode(wire.document) };
    }
    case "TYPE_BOOKMARK":
      return { type: "BOOKMARK", revision };
    case "TYPE_UNSPECIFIED":
    default:
      throw new KinglyError("MalformedFrame", "a watch event of unknown type", { field: "type" });
  }
}

const OPERATIONS = {
  create: "OPERATION_CREATE",
  replace: "OPERATION_REPLACE",
  delete: "OPERATION_DELETE",
} as const;

/** A client of one cluster. Close it when done. */
export class GrpcClient {
  readonly #channel: GrpcChannel;

  constructor(options: GrpcClientOptions) {
    this.#channel = new GrpcChannel(options);
  }

  /** Reads one object; linearizable unless `stale`. NotFound when there is none. */
  async get<T = ApiObject>(
    scope: ObjectScope,
    options: { readonly stale?: boolean } = {},
  ): Promise<{ readonly object: T; readonly revision: number; readonly ageMs: number }> {
    const request = { ...scope, stale: options.stale ?? false };
    const answer: GetResponse = await this.#channel.call(
      (stubs, ...call) => promise(stubs.config.Get.bind(stubs.config), request, call),
      { harmless: true },
    );
    const { revision, ageMs } = answer;
    return { object: decode<T>(answer.document), revision, ageMs };
  }

  /** Reads a whole collection at one revision, page by page. */
  async list<T = ApiObject>(
    scope: { readonly kind: string; readonly namespace?: string },
    options: { readonly stale?: boolean; readonly limit?: number } = {},
  ): Promise<{ readonly objects: readonly T[]; readonly revision: number }> {
    const objects: T[] = [];
    for (let continueToken = ""; ;) {
      const request = { ...scope, ...options, continueToken };
      const page: ListResponse = await this.#channel.call(
        (stubs, ...call) => promise(stubs.config.List.bind(stubs.config), request, call),
        { harmless: true },
      );
      objects.push(...page.documents.map((bytes) => decode<T>(bytes)));
      ({ continueToken } = page);
      if (continueToken === "") return { objects, revision: page.revision };
    }
  }

  /** Writes one object, durably. Indeterminate (with the key) when the outcome stays unknown. */
  async write(call: WriteCall): Promise<{
    /** Undefined after a delete. */
    readonly object: ApiObject | undefined;
    readonly revision: number;
    readonly warnings: readonly string[];
  }> {
    const idempotencyKey = call.idempotencyKey ?? randomUUID();
    const request: WriteRequestInput = {
      operation: OPERATIONS[call.operation],
      kind: call.kind,
      namespace: call.namespace ?? "",
      name: call.name ?? "",
      document: call.object === undefined ? Buffer.alloc(0) : encode(call.object),
      idempotencyKey,
    };
    const answer: WriteResponse = await this.#channel.call(
      (stubs, ...rest) => promise(stubs.config.Write.bind(stubs.config), request, rest),
      { harmless: true, idempotencyKey },
    );
    const { document, revision, warnings } = answer;
    const object = document.length === 0 ? undefined : decode<ApiObject>(document);
    return { object, revision, warnings };
  }

  /** Opens a proposal; returns as soon as it is committed to the log. */
  async propose(
    call: ProposeCall,
  ): Promise<{ readonly proposal: Proposal; readonly revision: number }> {
    const idempotencyKey = call.idempotencyKey ?? randomUUID();
    const { namespace, config, patch, data, baseVersion = 0, reason, source } = call;
    if ((patch === undefined) === (data === undefined)) {
      throw new KinglyError("Usage", "exactly one of patch and data must be given", {
        field: "patch",
      });
    }
    const request: ProposeRequestInput = {
      namespace,
      config,
      baseVersion,
      reason,
      idempotencyKey,
      ...(source === undefined ? {} : { source: encode(source) }),
      ...(patch === undefined ? { data: encode(data ?? {}) } : { patch: encode(patch) }),
    };
    const answer: ProposeResponse = await this.#channel.call(
      (stubs, ...rest) => promise(stubs.config.Propose.bind(stubs.config), request, rest),
      { harmless: true, idempotencyKey },
    );
    return { proposal: decode<Proposal>(answer.document), revision: answer.revision };
  }

  /** A proposal with its votes, progress, rollout and vetoes. */
  async getProposal(namespace: string, name: string): Promise<ProposalState> {
    const answer: WireProposalState = await this.#channel.call(
      (stubs, ...call) =>
        promise(stubs.config.GetProposal.bind(stubs.config), { namespace, name }, call),
      { harmless: true },
    );
    return stateOf(answer);
  }

  /** What one server knows of the cluster. */
  async status(): Promise<StatusResponse> {
    return this.#channel.call(
      (stubs, ...call) => promise(stubs.cluster.Status.bind(stubs.cluster), {}, call),
      { harmless: true },
    );
  }

  /**
   * Events in revision order; ends only by `signal`. A broken stream is resumed, on another server
   * when needed, after the last revision that was delivered. Throws Expired when that was compacted
   * (list again), and anything that a repetition would not change.
   */
  async *watch(call: WatchCall): AsyncGenerator<ObjectEvent> {
    const { kind, namespace = "", name = "", signal } = call;
    let fromRevision = call.fromRevision ?? 0;
    for (let failures = 0; !signal.aborted;) {
      const request = { kind, namespace, name, fromRevision };
      const stream = this.#channel.stubs().config.Watch(request, this.#channel.metadata);
      try {
        for await (const wire of readAll<WireWatchEvent>(stream, signal)) {
          failures = 0;
          const event = eventOf(wire);
          // Initial objects come in key order: only the bookmark behind them is a place to resume.
          if (fromRevision > 0 || event.type === "BOOKMARK") fromRevision = event.revision;
          yield event;
        }
      } catch (thrown) {
        if (signal.aborted) return;
        failures += 1;
        await this.#recover(thrown, failures, signal);
      }
    }
  }

  /** States of a proposal until nothing more can happen; resumes like `watch`. */
  async *watchProposal(
    namespace: string,
    name: string,
    signal: AbortSignal,
  ): AsyncGenerator<ProposalState> {
    for (let failures = 0; !signal.aborted;) {
      const { config } = this.#channel.stubs();
      const stream = config.WatchProposal({ namespace, name }, this.#channel.metadata);
      try {
        for await (const wire of readAll<WireProposalState>(stream, signal)) {
          failures = 0;
          yield stateOf(wire);
        }
        return;
      } catch (thrown) {
        if (signal.aborted) return;
        failures += 1;
        await this.#recover(thrown, failures, signal);
      }
    }
  }

  /** Pauses before a stream is opened again; throws what a repetition would not change. */
  async #recover(thrown: unknown, failures: number, signal: AbortSignal): Promise<void> {
    const { error, unknown, elsewhere } = judge(thrown);
    const codes = ["NoLeader", "NotLeader", "Unavailable", "Recovering", "Overloaded"];
    const passing = unknown || codes.includes(error.code) || error.code === "RevisionTooLarge";
    if (!passing || failures >= ATTEMPTS_MAX) throw error;
    if (elsewhere) this.#channel.moveOn();
    await this.#channel.pause(failures, error, signal);
  }

  /** Releases the connections. */
  close(): void {
    this.#channel.close();
  }
}

/** Messages of a stream; cancels it when the consumer stops or the signal says so. */
async function* readAll<T>(
  stream: ClientReadableStream<T>,
  signal: AbortSignal,
): AsyncGenerator<T> {
  const cancel = (): void => stream.cancel();
  signal.addEventListener("abort", cancel);
  try {
    for await (const message of stream) yield message as T;
  } finally {
    signal.removeEventListener("abort", cancel);
    stream.cancel();
  }
}
