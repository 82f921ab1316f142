// One client's watch over a kind: present objects first when asked, then changes, each once and in
// revision order, filtered by selectors, with bookmarks. Between the replica's hub and the REST or
// gRPC stream that carries the events; it holds at most one batch the consumer has not taken.

import { KinglyError, assert, isJsonObject, toKinglyError } from "@kingly/base";
import type { JsonObject, JsonValue, Timer } from "@kingly/base";
import { objectKeyPrefix } from "@kingly/resources";
import type { KindInfo } from "@kingly/resources";
import type { Subscription, WatchEvent } from "../../replica/replica.ts";
import { BOOKMARK_MS, RENDER_SLICE_OBJECTS, STREAM_STALL_MS } from "../limits.ts";
import type { ApiContext } from "./context.ts";
import { rowsOf } from "./reader.ts";
import { selects } from "./selectors.ts";
import type { Selection } from "./selectors.ts";
import { atRevision, isServedAsStored, serve, tableForm } from "./serve.ts";

/** Type of an event as clients see it. */
export type ServedType = "ADDED" | "MODIFIED" | "DELETED";

/** One event for a client. */
export interface ServedEvent {
  readonly type: ServedType;
  readonly revision: number;
  /** As it is served. */
  readonly object: JsonObject;
  /** As it is stored; tables are made of it. */
  readonly stored: JsonObject;
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
  #initial: JsonValue[] = [];
  #initialAt = 0;
  #sliceTimer: Timer | undefined;
  #pending: readonly WatchEvent[] = [];
  #pendingAt = 0;
  #pendingUpTo = 0;
  #from = 0;
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

  /** Begins. Throws Overloaded when there are too many watches on this server. */
  start(): void {
    const { info, namespace, selection, fromRevision } = this.#query;
    this.#from = fromRevision ?? this.#context.replica.state.meta().revision;
    for (const row of rowsOf(this.#context, info, namespace)) {
      const matches = selects(selection, row.value);
      // What changed after `from` comes as an event and finds no memory: both ways are right then.
      if (revisionOf(row.value) <= this.#from) this.#remember(row.key, matches);
      if (fromRevision === undefined && matches) this.#initial.push(row.value);
    }
    this.#delivered = this.#from;
    this.#settled = this.#from;
    this.#sendInitial();
    if (this.#query.bookmarks) this.#armBookmark();
  }

  /** Sends present objects in slices, as fast as the consumer takes them; then subscribes. */
  #sendInitial(): void {
    let sent = 0;
    while (this.#initialAt < this.#initial.length) {
      if (this.#blocked || this.#closed) return;
      if (sent === RENDER_SLICE_OBJECTS) {
        this.#sliceTimer = this.#context.clock.setTimer(0, () => this.#sendInitial());
        return;
      }
      const value = this.#initial[this.#initialAt] as JsonValue;
      this.#initialAt += 1;
      sent += 1;
      const { object, stored } = this.#forms(value);
      const revision = revisionOf(value);
      this.#note(this.#consumer.event({ type: "ADDED", revision, object, stored }));
    }
    if (this.#closed) return;
    this.#initial = [];
    if (this.#query.fromRevision === undefined && this.#query.markInitialEnd) {
      this.#note(this.#consumer.bookmark(this.#from, true));
    }
    this.#subscribe();
  }

  #subscribe(): void {
    const { info, namespace } = this.#query;
    try {
      this.#subscription = this.#context.replica.watch(
        { keyPrefix: objectKeyPrefix(info.kind, namespace), fromRevision: this.#from },
        {
          deliver: (events, upTo) => this.#deliver(events, upTo),
          closed: (error) => this.#fail(error),
        },
      );
      if (this.#closed) this.#subscription.close();
    } catch (error) {
      this.#fail(toKinglyError(error));
    }
  }

  #remember(key: string, matches: boolean): void {
    if (!this.#query.selection.fixed) this.#matched.set(key, matches);
  }

  #deliver(events: readonly WatchEvent[], upTo: number): boolean {
    this.#pending = events;
    this.#pendingAt = 0;
    this.#pendingUpTo = upTo;
    return this.#flush();
  }

  /** Sends what is pending until the consumer is full; true when all of it was sent. */
  #flush(): boolean {
    while (this.#pendingAt < this.#pending.length) {
      if (this.#closed) return true;
      if (this.#blocked) return false;
      const event = this.#pending[this.#pendingAt] as WatchEvent;
      this.#pendingAt += 1;
      const served = this.#served(event);
      if (served !== undefined) this.#note(this.#consumer.event(served));
    }
    this.#pending = [];
    this.#pendingAt = 0;
    this.#delivered = Math.max(this.#delivered, this.#pendingUpTo);
    return !this.#blocked;
  }

  #served(event: WatchEvent): ServedEvent | undefined {
    const { key, value } = event;
    const matches = selects(this.#query.selection, value);
    const before = this.#matched.get(key);
    if (event.type === "DELETED") {
      this.#matched.delete(key);
      if (!matches && before !== true) return undefined;
      return this.#make("DELETED", event);
    }
    this.#remember(key, matches);
    if (matches) return this.#make(before === false ? "ADDED" : event.type, event);
    const never = before === false || event.type === "ADDED" || this.#query.selection.fixed;
    return never ? undefined : this.#make("DELETED", event);
  }

  #forms(value: JsonValue): { readonly object: JsonObject; readonly stored: JsonObject } {
    const { kind } = this.#query.info;
    const object = serve(this.#context.replica, kind, value);
    return { object, stored: tableForm(kind, value, object) };
  }

  #make(type: ServedType, event: WatchEvent): ServedEvent {
    const { revision, value } = event;
    const { object, stored } = this.#forms(value);
    if (type === "DELETED") return { type, revision, object: atRevision(object, revision), stored };
    if (!isServedAsStored(this.#query.info.kind)) return { type, revision, object, stored };
    return { type, revision, object, stored, json: event.json };
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
    if (this.#subscription === undefined) this.#sendInitial();
    else if (this.#flush()) this.#subscription.resume();
  }

  #armBookmark(): void {
    this.#bookmarkTimer = this.#context.clock.setTimer(BOOKMARK_MS, () => {
      this.bookmark();
      this.#armBookmark();
    });
  }

  /** Sends a bookmark now, unless the consumer is blocked. */
  bookmark(): void {
    if (this.#closed || this.#blocked || this.#subscription === undefined) return;
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
    this.#sliceTimer?.cancel();
    this.#subscription?.close();
    this.#initial = [];
    this.#pending = [];
    this.#matched.clear();
  }
}

function revisionOf(value: JsonValue): number {
  const metadata = isJsonObject(value) ? value["metadata"] : undefined;
  return Number(isJsonObject(metadata) ? metadata["resourceVersion"] : 0);
}
