// One client's watch over a kind: present objects first when asked, then changes, each once and in
// revision order, filtered by selectors, with bookmarks. Between the replica's hub and the REST or
// gRPC stream that carries the events; it holds at most one batch the consumer has not taken.

import { KinglyError, assert, isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue, Timer } from "@kingly/base";
import { objectKeyPrefix } from "@kingly/resources";
import type { KindInfo } from "@kingly/resources";
import type { Subscription, WatchEvent } from "../../replica/replica.ts";
import { BOOKMARK_MS, STREAM_STALL_MS } from "../limits.ts";
import type { ApiContext } from "./context.ts";
import { rowsOf } from "./reader.ts";
import { selects } from "./selectors.ts";
import type { Selection } from "./selectors.ts";
import { atRevision, isServedAsStored, serve } from "./serve.ts";

/** Type of an event as clients see it. */
export type ServedType = "ADDED" | "MODIFIED" | "DELETED";

/** One event for a client. */
export interface ServedEvent {
  readonly type: ServedType;
  readonly revision: number;
  readonly object: JsonObject;
  /** UTF-8 JSON of `object` when it is served as stored: encoded once for all watchers. */
  readonly json?: Uint8Array;
}

/** The stream to the client. */
export interface WatchConsumer {
  /** Sends one event; false when the stream's buffer is full (then `ready` is awaited). */
  event(event: ServedEvent): boolean;
  /** Everything up to the revision was sent. `initial` ends the initial objects. */
  bookmark(revision: number, initial: boolean): boolean;
  /** The watch failed; nothing more comes. */
  failed(error: KinglyError): void;
}

/** What to watch. */
export interface WatchQuery {
  readonly info: KindInfo;
  readonly namespace: string;
  readonly selection: Selection;
  /** Changes after it; undefined = the present objects first. */
  readonly fromRevision: number | undefined;
  readonly bookmarks: boolean;
  /** Mark the end of the initial objects with a bookmark (`sendInitialEvents`). */
  readonly markInitialEnd: boolean;
}

/** A running watch. */
export class ObjectWatch {
  readonly #context: ApiContext;
  readonly #query: WatchQuery;
  readonly #consumer: WatchConsumer;
  readonly #matched = new Map<string, boolean>();
  #subscription: Subscription | undefined;
  #bookmarkTimer: Timer | undefined;
  #stallTimer: Timer | undefined;
  #blocked = false;
  #closed = false;
  #delivered = 0;
  /** State revision at the last bookmark tick: its events have been delivered at the next one. */
  #settled = 0;

  constructor(context: ApiContext, query: WatchQuery, consumer: WatchConsumer) {
    assert(!query.info.rendered, "rendered kinds cannot be watched");
    this.#context = context;
    this.#query = query;
    this.#consumer = consumer;
  }

  /** Sends the initial objects and subscribes. Throws Overloaded when there are too many watches. */
  start(): void {
    const { replica } = this.#context;
    const { info, namespace, selection, fromRevision } = this.#query;
    const revision = replica.state.meta().revision;
    const from = fromRevision ?? revision;
    for (const row of rowsOf(this.#context, info, namespace)) {
      const matches = selects(selection, row.value);
      // What changed after `from` comes as an event and finds no memory: both ways are right then.
      if (revisionOf(row.value) <= from) this.#remember(row.key, matches);
      if (fromRevision === undefined && matches) this.#initial(row.value);
    }
    this.#delivered = from;
    this.#settled = from;
    if (fromRevision === undefined && this.#query.markInitialEnd) {
      this.#note(this.#consumer.bookmark(revision, true));
    }
    this.#subscription = replica.watch(
      { keyPrefix: objectKeyPrefix(info.kind, namespace), fromRevision: from },
      {
        deliver: (events, upTo) => this.#deliver(events, upTo),
        closed: (error) => this.#fail(error),
      },
    );
    if (this.#closed) this.#subscription.close();
    else if (this.#query.bookmarks) this.#armBookmark();
  }

  #initial(value: JsonValue): void {
    const object = serve(this.#context.replica, this.#query.info.kind, value);
    this.#note(this.#consumer.event({ type: "ADDED", revision: revisionOf(value), object }));
  }

  /** Only label selectors can begin or cease to match; names cannot change. */
  #remember(key: string, matches: boolean): void {
    if (this.#query.selection.labels !== undefined || this.#query.selection.fields !== undefined) {
      this.#matched.set(key, matches);
    }
  }

  #deliver(events: readonly WatchEvent[], upTo: number): boolean {
    if (this.#closed) return true;
    for (const event of events) {
      const served = this.#served(event);
      if (served !== undefined) this.#note(this.#consumer.event(served));
      if (this.#closed) return true;
    }
    this.#delivered = Math.max(this.#delivered, upTo);
    return !this.#blocked;
  }

  #served(event: WatchEvent): ServedEvent | undefined {
    const { key, value, revision } = event;
    const matches = selects(this.#query.selection, value);
    const before = this.#matched.get(key);
    if (event.type === "DELETED") {
      this.#matched.delete(key);
      if (!matches && before !== true) return undefined;
      return this.#make("DELETED", event);
    }
    this.#remember(key, matches);
    if (matches) return this.#make(before === false ? "ADDED" : event.type, event);
    if (before === false || event.type === "ADDED") return undefined;
    return { ...this.#make("DELETED", event), revision };
  }

  #make(type: ServedType, event: WatchEvent): ServedEvent {
    const { kind } = this.#query.info;
    const { revision, value } = event;
    const object = serve(this.#context.replica, kind, value);
    if (type === "DELETED") return { type, revision, object: atRevision(object, revision) };
    if (!isServedAsStored(kind)) return { type, revision, object };
    return { type, revision, object, json: event.json };
  }

  #note(more: boolean): void {
    if (more || this.#blocked || this.#closed) return;
    this.#blocked = true;
    this.#stallTimer = this.#context.clock.setTimer(STREAM_STALL_MS, () => {
      this.#fail(
        new KinglyError("Overloaded", "the watcher takes nothing; resume from its last revision", {
          limit: STREAM_STALL_MS,
        }),
      );
    });
  }

  /** The stream's buffer has room again. */
  resume(): void {
    if (!this.#blocked || this.#closed) return;
    this.#blocked = false;
    this.#stallTimer?.cancel();
    this.#subscription?.resume();
  }

  #armBookmark(): void {
    this.#bookmarkTimer = this.#context.clock.setTimer(BOOKMARK_MS, () => {
      this.bookmark();
      this.#armBookmark();
    });
  }

  /** Sends a bookmark now, unless the consumer is blocked. */
  bookmark(): void {
    if (this.#closed || this.#blocked) return;
    this.#delivered = Math.max(this.#delivered, this.#settled);
    this.#settled = this.#context.replica.state.meta().revision;
    this.#note(this.#consumer.bookmark(this.#delivered, false));
  }

  #fail(error: KinglyError): void {
    if (this.#closed) return;
    this.close();
    this.#consumer.failed(error);
  }

  /** Ends the watch; the consumer hears nothing more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#bookmarkTimer?.cancel();
    this.#stallTimer?.cancel();
    this.#subscription?.close();
    this.#matched.clear();
  }
}

function revisionOf(value: JsonValue): number {
  const metadata = isJsonObject(value) ? value["metadata"] : undefined;
  return Number(isJsonObject(metadata) ? metadata["resourceVersion"] : 0);
}
