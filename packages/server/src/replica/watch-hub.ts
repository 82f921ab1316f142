// Fans changes out to watchers. One event object is made per change and shared by all of its
// watchers, which find their events by the first segment of the key (the plural). A watcher that
// resumes gets history first: from memory when the recent events reach back far enough, else from
// storage. Buffers are bounded: a watcher that does not drain is closed and may resume later.
import { KinglyError, utf8Encode } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { Change } from "@kingly/decision";
import type { HistoryEntry } from "@kingly/storage";
import {
  RETRY_AFTER_MS,
  WATCHERS_MAX,
  WATCH_BUFFER_EVENTS_MAX,
  WATCH_RECENT_EVENTS_MAX,
  WATCH_REPLAY_BATCH,
} from "../limits.ts";
import type { Subscription, WatchEvent, WatchOptions, WatchSink } from "./replica.ts";

class SharedEvent implements WatchEvent {
  readonly revision: number;
  readonly type: WatchEvent["type"];
  readonly key: string;
  readonly value: JsonValue;
  #json: Uint8Array | undefined;

  constructor(change: HistoryEntry | Change) {
    this.revision = change.revision;
    this.type = change.type;
    this.key = change.key;
    this.value = change.value;
  }

  get json(): Uint8Array {
    this.#json ??= utf8Encode(JSON.stringify(this.value));
    return this.#json;
  }
}

/** Where history comes from. */
export interface WatchHistory {
  /** Changes after a revision, oldest first; may throw Expired. */
  since(revision: number): AsyncIterable<HistoryEntry>;
  compactedRevision(): number;
  /** The state's present revision. */
  revision(): number;
}

function pluralOf(key: string): string {
  const slash = key.indexOf("/");
  return slash < 0 ? "" : key.slice(0, slash);
}

/** The server's watchers. */
export class WatchHub {
  readonly #history: WatchHistory;
  readonly #byPlural = new Map<string, Set<Watcher>>();
  /** Events of the newest revisions, ascending; everything after `#recentFrom` is in it. */
  #recent: SharedEvent[] = [];
  #recentFrom: number;
  #size = 0;

  constructor(history: WatchHistory) {
    this.#history = history;
    this.#recentFrom = history.revision();
  }

  /** Open watchers. */
  get size(): number {
    return this.#size;
  }

  /** Takes the changes of one slice of applying. */
  publish(changes: readonly Change[], revision: number): void {
    if (changes.length === 0) return;
    const byPlural = new Map<string, SharedEvent[]>();
    for (const change of changes) {
      const event = new SharedEvent(change);
      this.#recent.push(event);
      const plural = pluralOf(change.key);
      const list = byPlural.get(plural);
      if (list === undefined) byPlural.set(plural, [event]);
      else list.push(event);
    }
    this.#trim();
    for (const [plural, events] of byPlural) {
      for (const watcher of this.#byPlural.get(plural) ?? []) watcher.offer(events, revision);
    }
    const everything = this.#byPlural.get("");
    if (everything === undefined) return;
    const all = this.#recent.slice(-changes.length);
    for (const watcher of everything) watcher.offer(all, revision);
  }

  #trim(): void {
    if (this.#recent.length <= 2 * WATCH_RECENT_EVENTS_MAX) return;
    let cut = this.#recent.length - WATCH_RECENT_EVENTS_MAX;
    const revision = this.#recent[cut - 1]?.revision;
    while (this.#recent[cut]?.revision === revision) cut += 1; // never split a revision
    this.#recentFrom = revision ?? this.#recentFrom;
    this.#recent = this.#recent.slice(cut);
  }

  /** Opens a watch. Overloaded when there are too many; Expired arrives through the sink. */
  watch(options: WatchOptions, sink: WatchSink): Subscription {
    if (this.#size >= WATCHERS_MAX) {
      throw new KinglyError("Overloaded", "too many watches", {
        limit: WATCHERS_MAX,
        retryAfterMs: RETRY_AFTER_MS,
      });
    }
    const plural = pluralOf(options.keyPrefix);
    const group = this.#byPlural.get(plural) ?? new Set<Watcher>();
    this.#byPlural.set(plural, group);
    const watcher = new Watcher(options.keyPrefix, sink, () => {
      if (group.delete(watcher)) this.#size -= 1;
    });
    group.add(watcher);
    this.#size += 1;
    const from = options.fromRevision;
    const present = this.#history.revision();
    if (from === 0 || from >= present) watcher.start([], present, from === 0 ? present : from);
    else if (from >= this.#recentFrom && present - from <= WATCH_REPLAY_BATCH) {
      watcher.start(this.#after(from), present, from);
    } else void this.#replay(watcher, from);
    return watcher;
  }

  #after(revision: number): readonly SharedEvent[] {
    let low = 0;
    let high = this.#recent.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#recent[middle] as SharedEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#recent.slice(low);
  }

  /** Delivers history, from storage and then from memory, until live events take over. */
  async #replay(watcher: Watcher, from: number): Promise<void> {
    try {
      let position = from;
      while (position < this.#history.revision()) {
        const stored = position < this.#recentFrom;
        const next = stored
          ? await this.#replayStored(watcher, position)
          : await this.#replayRecent(watcher, position);
        if (next === undefined) return;
        position = next;
      }
      watcher.start([], position, position);
    } catch (error) {
      watcher.end(
        error instanceof KinglyError
          ? error
          : new KinglyError("Internal", "history cannot be read", {}, { cause: error }),
      );
    }
  }

  /** Everything that storage has after a revision; where it ended, undefined when the watch did. */
  async #replayStored(watcher: Watcher, from: number): Promise<number | undefined> {
    let position = from;
    let batch: SharedEvent[] = [];
    for await (const entry of this.#history.since(from)) {
      if (entry.revision !== position && batch.length >= WATCH_REPLAY_BATCH) {
        if (!(await watcher.replay(batch, position))) return undefined;
        batch = [];
      }
      position = entry.revision;
      batch.push(new SharedEvent(entry));
    }
    if (position === from) {
      throw new KinglyError("Expired", `changes after revision ${from} are not kept`);
    }
    return (await watcher.replay(batch, position)) ? position : undefined;
  }

  /** The next batch from memory. */
  async #replayRecent(watcher: Watcher, from: number): Promise<number | undefined> {
    const after = this.#after(from);
    let end = Math.min(after.length, WATCH_REPLAY_BATCH);
    const last = after[end - 1]?.revision;
    if (last === undefined) return this.#history.revision();
    while (after[end]?.revision === last) end += 1; // never split a revision
    return (await watcher.replay(after.slice(0, end), last)) ? last : undefined;
  }

  /** Tells every watcher that it is up to date. */
  bookmark(): void {
    const revision = this.#history.revision();
    for (const group of this.#byPlural.values()) {
      for (const watcher of group) watcher.offer([], revision);
    }
  }

  /** State was replaced by a snapshot: events were skipped, so every watcher must list again. */
  reset(revision: number): void {
    this.#recent = [];
    this.#recentFrom = revision;
    this.closeAll(new KinglyError("Expired", "the state was replaced by a snapshot; list again"));
  }

  closeAll(error: KinglyError): void {
    for (const group of this.#byPlural.values()) {
      for (const watcher of group) watcher.end(error);
    }
  }
}

class Watcher implements Subscription {
  readonly #prefix: string;
  readonly #sink: WatchSink;
  readonly #forget: () => void;
  #buffer: WatchEvent[] = [];
  #live = false;
  #open = true;
  #ready = true;
  /** Everything up to here has been delivered or buffered. */
  #offered = 0;
  #delivered = 0;
  #resumed: (() => void) | undefined;

  constructor(prefix: string, sink: WatchSink, forget: () => void) {
    this.#prefix = prefix;
    this.#sink = sink;
    this.#forget = forget;
  }

  /** History is through: from here on events come live. `after` is what was delivered before. */
  start(events: readonly WatchEvent[], revision: number, after: number): void {
    if (!this.#open) return;
    this.#live = true;
    this.#offered = after;
    this.#delivered = after;
    this.offer(events, revision);
  }

  /** Delivers history; false when the watch ended meanwhile. */
  async replay(events: readonly WatchEvent[], revision: number): Promise<boolean> {
    const wanted = events.filter((event) => event.key.startsWith(this.#prefix));
    if (wanted.length > 0 && this.#open) {
      this.#ready = this.#sink.deliver(wanted, revision);
      if (!this.#ready) await new Promise<void>((resolve) => (this.#resumed = resolve));
    }
    return this.#open;
  }

  /** Live events; ignores what history has already delivered. */
  offer(events: readonly WatchEvent[], revision: number): void {
    if (!this.#live || !this.#open) return;
    const { length } = this.#buffer;
    for (const event of events) {
      if (event.revision > this.#offered && event.key.startsWith(this.#prefix)) {
        this.#buffer.push(event);
      }
    }
    const isBookmark = events.length === 0;
    if (revision > this.#offered) this.#offered = revision;
    if (this.#buffer.length > WATCH_BUFFER_EVENTS_MAX) {
      this.end(
        new KinglyError("Overloaded", "the watcher is too slow; resume from its last revision", {
          limit: WATCH_BUFFER_EVENTS_MAX,
          retryAfterMs: RETRY_AFTER_MS,
        }),
      );
      return;
    }
    if (this.#buffer.length > length || isBookmark) this.#flush();
  }

  #flush(): void {
    if (!this.#ready || !this.#open) return;
    if (this.#buffer.length === 0 && this.#offered === this.#delivered) return;
    const events = this.#buffer;
    this.#buffer = [];
    this.#delivered = this.#offered;
    this.#ready = this.#sink.deliver(events, this.#offered);
  }

  resume(): void {
    this.#ready = true;
    const resumed = this.#resumed;
    this.#resumed = undefined;
    if (resumed !== undefined) resumed();
    else if (this.#live) this.#flush();
  }

  end(error: KinglyError): void {
    if (!this.#open) return;
    this.close();
    this.#sink.closed(error);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#buffer = [];
    this.#resumed?.();
    this.#forget();
  }
}
