// ConfigService.Watch: an ObjectWatch over a gRPC stream. HTTP/2 flow control is the back-pressure:
// when `write` says no, the watch takes no further event until the stream drains.

import type { ServerWritableStream } from "@grpc/grpc-js";
import { KinglyError, toKinglyError, utf8Encode } from "@kingly/base";
import { safeUint } from "@kingly/protocol";
import type { WatchEventInput, WatchRequest } from "@kingly/protocol";
import { findKind } from "@kingly/resources";
import type { KindInfo } from "@kingly/resources";
import { requireAllowed } from "../core/auth.ts";
import type { ApiContext } from "../core/context.ts";
import { ObjectWatch } from "../core/object-watch.ts";
import type { ServedEvent, WatchConsumer } from "../core/object-watch.ts";
import { settle } from "../core/reader.ts";
import { parseSelection } from "../core/selectors.ts";
import { failStream, principalOf, statusError } from "./calls.ts";
import type { Closable, StreamSet } from "./streams.ts";

type WatchCall = ServerWritableStream<WatchRequest, WatchEventInput>;

const TYPES = { ADDED: "TYPE_ADDED", MODIFIED: "TYPE_MODIFIED", DELETED: "TYPE_DELETED" } as const;

class GrpcWatch implements WatchConsumer, Closable {
  readonly #call: WatchCall;
  readonly #context: ApiContext;
  readonly #streams: StreamSet;
  #watch: ObjectWatch | undefined;
  #ended = false;

  constructor(context: ApiContext, streams: StreamSet, call: WatchCall) {
    this.#context = context;
    this.#streams = streams;
    this.#call = call;
    streams.add(this);
    context.metrics.watches.inc({ interface: "grpc" });
    call.on("cancelled", () => this.#finish());
    call.on("close", () => this.#finish());
    call.on("error", () => this.#finish());
    call.on("drain", () => this.#watch?.resume());
  }

  async start(info: KindInfo): Promise<void> {
    const { namespace, name } = this.#call.request;
    const revision = safeUint(this.#call.request.fromRevision, "from_revision");
    await settle(
      this.#context,
      revision === 0 ? { kind: "linearizable" } : { kind: "atLeast", revision },
    );
    if (this.#ended) return;
    this.#watch = new ObjectWatch(
      this.#context,
      {
        info,
        namespace,
        selection: parseSelection(info, "", name === "" ? "" : `metadata.name=${name}`),
        fromRevision: revision === 0 ? undefined : revision,
        bookmarks: true,
        markInitialEnd: true,
      },
      this,
    );
    this.#watch.start();
  }

  event(event: ServedEvent): boolean {
    this.#context.metrics.watchEvents.inc({ interface: "grpc" });
    const document = Buffer.from(event.json ?? utf8Encode(JSON.stringify(event.object)));
    return this.#call.write({ type: TYPES[event.type], revision: event.revision, document });
  }

  bookmark(revision: number): boolean {
    return this.#call.write({ type: "TYPE_BOOKMARK", revision, document: Buffer.alloc(0) });
  }

  failed(error: KinglyError): void {
    this.end(error);
  }

  end(error: KinglyError): void {
    if (this.#ended) return;
    this.#finish();
    failStream(this.#call as never, error);
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#watch?.close();
    this.#streams.remove(this);
    this.#context.metrics.watches.dec({ interface: "grpc" });
  }
}

/** Serves one Watch call. */
export function watchObjects(context: ApiContext, streams: StreamSet, call: WatchCall): void {
  const method = call.getPath();
  let stream: GrpcWatch;
  let info: KindInfo | undefined;
  try {
    const principal = principalOf(context, call);
    info = findKind(call.request.kind);
    if (info === undefined || !info.verbs.includes("watch")) {
      throw new KinglyError("UnknownKind", `"${call.request.kind}" cannot be watched`, {
        field: "kind",
        value: call.request.kind.slice(0, 80),
      });
    }
    requireAllowed(principal, "watch", info.plural);
    stream = new GrpcWatch(context, streams, call);
  } catch (error) {
    failStream(call as never, statusError(context, error, method));
    return;
  }
  stream.start(info).catch((error: unknown) => {
    stream.end(statusError(context, toKinglyError(error), method));
  });
}
