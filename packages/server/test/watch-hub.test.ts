// The watch hub on its own: order, resumption, revisions that must not be split, slow consumers.
import { KinglyError, createPrng } from "@kingly/base";
import type { Change } from "@kingly/decision";
import type { HistoryEntry } from "@kingly/storage";
import { describe, expect, it } from "vitest";
import { WATCH_BUFFER_EVENTS_MAX, WATCH_RECENT_EVENTS_MAX } from "../src/limits.ts";
import type { WatchEvent } from "../src/replica/replica.ts";
import { WatchHub } from "../src/replica/watch-hub.ts";
import { eventually } from "./cluster.ts";

function change(revision: number, key = `configs/default/c${revision}`): Change {
  return { revision, type: "ADDED", key, value: { revision }, internal: false };
}

/** A hub over a history that the test writes. */
class World {
  readonly stored: HistoryEntry[] = [];
  revision = 0;
  compacted = 0;
  readonly hub: WatchHub = new WatchHub({
    since: (revision) => this.#since(revision),
    compactedRevision: () => this.compacted,
    revision: () => this.revision,
  });

  async *#since(revision: number): AsyncIterable<HistoryEntry> {
    if (revision < this.compacted) throw new KinglyError("Expired", "compacted");
    const snapshot = this.stored.filter((entry) => entry.revision > revision);
    for (const entry of snapshot) {
      await Promise.resolve();
      yield entry;
    }
  }

  publish(...changes: readonly Change[]): void {
    this.revision = changes.at(-1)?.revision ?? this.revision;
    this.stored.push(...changes);
    this.hub.publish(changes, this.revision);
  }

  watch(from: number, prefix = "configs/"): { got: WatchEvent[]; closed: string; stop(): void } {
    const seen = { got: [] as WatchEvent[], closed: "", stop: () => {} };
    const subscription = this.hub.watch(
      { keyPrefix: prefix, fromRevision: from },
      {
        deliver: (events) => (seen.got.push(...events), true),
        closed: (error) => (seen.closed = error.code),
      },
    );
    seen.stop = () => subscription.close();
    return seen;
  }
}

describe("the watch hub", () => {
  it("delivers every change once and in order, whenever a watch began", async () => {
    const prng = createPrng("watch-hub");
    const world = new World();
    const watches: { from: number; seen: ReturnType<World["watch"]> }[] = [];
    let revision = 0;
    for (let round = 0; round < 400; round += 1) {
      const count = prng.below(60);
      const changes = Array.from({ length: count }, () => change((revision += 1)));
      world.publish(...changes);
      if (prng.chance(0.1)) {
        const from = prng.below(world.revision + 1);
        watches.push({ from: from === 0 ? world.revision : from, seen: world.watch(from) });
      }
      if (prng.chance(0.5)) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(revision).toBeGreaterThan(WATCH_RECENT_EVENTS_MAX);
    for (const { from, seen } of watches) {
      const wanted = Array.from({ length: revision - from }, (_, i) => from + 1 + i);
      await eventually("all events", () => seen.got.length >= wanted.length);
      expect(seen.got.map((event) => event.revision)).toEqual(wanted);
    }
    expect(watches.length).toBeGreaterThan(20);
  });

  it("keeps a watch to its prefix", () => {
    const world = new World();
    const one = world.watch(0, "configs/default/a");
    const all = world.watch(0, "configs/");
    const other = world.watch(0, "policies/");
    world.publish(change(1, "configs/default/a"), change(2, "configs/default/b"));
    expect(one.got.map((event) => event.key)).toEqual(["configs/default/a"]);
    expect(all.got).toHaveLength(2);
    expect(other.got).toHaveLength(0);
  });

  it("encodes an event once for all watchers", () => {
    const world = new World();
    const [first, second] = [world.watch(0), world.watch(0)];
    world.publish(change(1));
    expect(first.got[0]?.json).toBe(second.got[0]?.json);
  });

  it("says Expired when history was compacted", async () => {
    const world = new World();
    for (let i = 0; i < 4; i += 1) {
      world.publish(...Array.from({ length: 5_000 }, (_, n) => change(i * 5_000 + n + 1)));
    }
    world.compacted = 500;
    const seen = world.watch(100);
    await eventually("the end", () => seen.closed !== "");
    expect(seen.closed).toBe("Expired");
    expect(world.hub.size).toBe(0);
  });

  it("closes a consumer that never drains and forgets it", () => {
    const world = new World();
    let closed = "";
    world.hub.watch(
      { keyPrefix: "configs/", fromRevision: 0 },
      { deliver: () => false, closed: (error) => (closed = error.code) },
    );
    for (let i = 1; i <= WATCH_BUFFER_EVENTS_MAX + 5; i += 1) world.publish(change(i));
    expect(closed).toBe("Overloaded");
    expect(world.hub.size).toBe(0);
  });

  it("goes on where a consumer stopped once it drained", () => {
    const world = new World();
    const got: number[] = [];
    const subscription = world.hub.watch(
      { keyPrefix: "configs/", fromRevision: 0 },
      {
        deliver: (events) => {
          got.push(...events.map((event) => event.revision));
          return got.length !== 1;
        },
        closed: () => {},
      },
    );
    world.publish(change(1));
    world.publish(change(2));
    world.publish(change(3));
    expect(got).toEqual([1]);
    subscription.resume();
    expect(got).toEqual([1, 2, 3]);
  });

  it("sends bookmarks only to those who are behind the state", () => {
    const world = new World();
    const marks: number[] = [];
    world.hub.watch(
      { keyPrefix: "policies/", fromRevision: 0 },
      {
        deliver: (events, revision) => (marks.push(revision), events.length === 0),
        closed: () => {},
      },
    );
    world.hub.bookmark();
    world.publish(change(1));
    world.hub.bookmark();
    world.hub.bookmark();
    expect(marks).toEqual([1]);
  });
});
