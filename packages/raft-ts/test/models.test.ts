// Small parts against slow and obvious models: quorum arithmetic, inflight windows, and the log with
// its unstable tail.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  CompactedError,
  MemoryLogStorage,
  NO_LIMIT,
  logIndex,
  nodeId,
  term,
} from "../src/index.ts";
import type { Entry } from "../src/index.ts";
import { majorityCommitted, majorityOf, majorityVote } from "../src/quorum/majority.ts";
import { jointCommitted, jointVote } from "../src/quorum/joint.ts";
import { RaftLog } from "../src/raft-log.ts";
import { Inflights } from "../src/tracker/inflights.ts";
import { bytes } from "./cluster.ts";

const ids = fc
  .uniqueArray(fc.integer({ min: 1, max: 9 }), { maxLength: 7 })
  .map((l) => l.map(nodeId));
const acks = fc.dictionary(fc.integer({ min: 1, max: 9 }).map(String), fc.nat(20));

describe("quorums", () => {
  it("the committed index is the largest that a majority has reached", () => {
    fc.assert(
      fc.property(ids, acks, (members, acked) => {
        const reached = (index: number): number =>
          members.filter((id) => (acked[String(id)] ?? 0) >= index).length;
        let expected = 0;
        while (expected < 20 && reached(expected + 1) * 2 > members.length) expected++;
        const actual = majorityCommitted(majorityOf(members), (id) => acked[String(id)]);
        expect(actual).toBe(members.length === 0 ? NO_LIMIT : expected);
      }),
    );
  });

  it("a joint index is committed in both halves", () => {
    fc.assert(
      fc.property(ids, ids, acks, (a, b, acked) => {
        const of = (id: number): number | undefined => acked[String(id)];
        const both = jointCommitted({ incoming: majorityOf(a), outgoing: majorityOf(b) }, of);
        const left = majorityCommitted(majorityOf(a), of);
        expect(both).toBe(Math.min(left, majorityCommitted(majorityOf(b), of)));
      }),
    );
  });

  it("a vote is won or lost exactly if no answer still missing can change it", () => {
    fc.assert(
      fc.property(ids, ids, fc.array(fc.option(fc.boolean()), { maxLength: 9 }), (a, b, cast) => {
        const config = { incoming: majorityOf(a), outgoing: majorityOf(b) };
        const voters = majorityOf([...a, ...b]);
        const outcomes = new Set<boolean>();
        const missing = voters.filter((id) => (cast[id - 1] ?? null) === null);
        for (let bits = 0; bits < 1 << missing.length; bits++) {
          const yes = (id: number): boolean => {
            const at = missing.indexOf(nodeId(id));
            return at < 0 ? cast[id - 1] === true : (bits & (1 << at)) !== 0;
          };
          const wins = (half: readonly number[]): boolean =>
            half.length === 0 || half.filter(yes).length * 2 > half.length;
          outcomes.add(wins(config.incoming) && wins(config.outgoing));
        }
        const votes = new Map(
          voters.flatMap((id) => {
            const vote = cast[id - 1] ?? null;
            return vote === null ? [] : [[id, vote] as const];
          }),
        );
        const result = jointVote(config, votes);
        if (outcomes.size === 1) {
          // Both halves decide by themselves; a decision that needs both to be combined may be late.
          expect(result).not.toBe(outcomes.has(true) ? "lost" : "won");
          const single = majorityVote(config.incoming, votes);
          if (b.length === 0) expect(single).toBe(outcomes.has(true) ? "won" : "lost");
        } else {
          expect(result).toBe("pending");
        }
      }),
      { numRuns: 300 },
    );
  });
});

it("an inflight window behaves like a list of messages", () => {
  const op = fc.oneof(
    fc.record({ add: fc.nat(50) }),
    fc.record({ free: fc.nat(40) }),
    fc.record({ reset: fc.constant(true) }),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 200 }),
      fc.array(op, { maxLength: 100 }),
      (messages, limit, ops) => {
        const window = new Inflights(messages, limit);
        let model: { index: number; size: number }[] = [];
        let next = 0;
        for (const o of ops) {
          const full = model.length >= messages || model.reduce((n, m) => n + m.size, 0) >= limit;
          expect(window.full).toBe(full);
          if ("add" in o && full) expect(() => window.add(next, o.add)).toThrow("full");
          if ("add" in o && !full) {
            next += 1 + (o.add % 3);
            window.add(next, o.add);
            model.push({ index: next, size: o.add });
          }
          if ("free" in o) {
            window.freeUpTo(o.free);
            model = model.filter((m) => m.index > o.free);
          }
          if ("reset" in o) {
            window.reset();
            model = [];
          }
          expect(window.count).toBe(model.length);
          expect(window.bytes).toBe(model.reduce((n, m) => n + m.size, 0));
        }
      },
    ),
  );
});

describe("the log", () => {
  // The model: one array of terms (index = position + 1), how much is compacted, and what of it the
  // storage has. Writes finish in order, as one worker does them.
  const op = fc.oneof(
    fc.record({ kind: fc.constant("append" as const), n: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant("overwrite" as const), back: fc.nat(4) }),
    fc.record({ kind: fc.constant("write" as const) }),
    fc.record({ kind: fc.constant("done" as const) }),
    fc.record({ kind: fc.constant("commit" as const), n: fc.nat(3) }),
    fc.record({ kind: fc.constant("apply" as const) }),
    fc.record({ kind: fc.constant("compact" as const), n: fc.nat(2) }),
  );

  interface Write {
    readonly entries: readonly Entry[];
    readonly last: { readonly index: number; readonly term: number };
    readonly atTerm: number;
  }

  class Model {
    readonly storage = new MemoryLogStorage();
    readonly log = new RaftLog({
      id: nodeId(1),
      storage: this.storage,
      maxApplyingBytes: NO_LIMIT,
      trace: undefined,
    });
    terms: number[] = [];
    compacted = 0;
    committed = 0;
    applied = 0;
    currentTerm = 1;
    writes: Write[] = [];

    entry(index: number): Entry {
      const at = this.terms[index - 1] ?? 0;
      return { term: term(at), index: logIndex(index), type: "normal", data: bytes(`${index}`) };
    }

    append(from: number, count: number): void {
      this.terms.length = from - 1;
      for (let i = 0; i < count; i++) this.terms.push(this.currentTerm);
      const entries = Array.from({ length: count }, (_, i) => this.entry(from + i));
      this.log.append(entries);
    }

    run(o: typeof op extends fc.Arbitrary<infer T> ? T : never): void {
      switch (o.kind) {
        case "append":
          return this.append(this.terms.length + 1, o.n);
        case "overwrite": {
          // Only a new term overwrites, and nothing committed.
          this.currentTerm++;
          const from = Math.max(this.committed, this.terms.length - o.back) + 1;
          return this.append(from, 1);
        }
        case "write": {
          const entries = this.log.unstable.nextEntries();
          if (this.log.unstable.length === 0) return undefined;
          const last = this.log.last();
          this.writes.push({ entries, last, atTerm: this.currentTerm });
          return this.log.unstable.acceptInProgress();
        }
        case "done": {
          const write = this.writes.shift();
          if (write === undefined) return undefined;
          this.storage.append(write.entries);
          if (write.atTerm !== this.currentTerm) return undefined;
          return this.log.unstable.stableTo(logIndex(write.last.index), term(write.last.term));
        }
        case "commit":
          this.committed = Math.min(this.terms.length, this.committed + o.n);
          return this.log.commitTo(logIndex(this.committed));
        case "apply": {
          const entries = this.log.nextCommitted(false);
          for (const e of entries) expect(e).toEqual(this.entry(e.index));
          const last = entries.at(-1);
          if (last === undefined) return undefined;
          expect(entries[0]?.index).toBe(this.applied + 1);
          this.applied = last.index;
          this.log.acceptApplying(last.index, 0, false);
          return this.log.appliedTo(last.index, 0);
        }
        case "compact": {
          const to = Math.min(this.applied, this.compacted + o.n);
          if (to <= this.compacted) return undefined;
          this.compacted = to;
          return this.storage.compact(logIndex(to));
        }
      }
    }

    check(): void {
      const { log } = this;
      const last = this.terms.length;
      expect(log.lastIndex()).toBe(last);
      expect(log.firstIndex()).toBe(this.compacted + 1);
      expect(log.committed).toBe(this.committed);
      for (let i = this.compacted + 1; i <= last; i++) {
        expect(log.term(logIndex(i))).toBe(this.terms[i - 1]);
      }
      expect(log.term(logIndex(last + 1))).toBeUndefined();
      if (this.compacted > 0) {
        expect(log.term(logIndex(this.compacted))).toBe(this.terms[this.compacted - 1]);
        if (this.compacted > 1) expect(log.term(logIndex(this.compacted - 1))).toBeUndefined();
        expect(() => log.slice(logIndex(this.compacted), logIndex(last + 1), 1)).toThrow(
          CompactedError,
        );
      }
      const from = logIndex(this.compacted + 1);
      const all = log.entriesFrom(from, NO_LIMIT);
      expect(all).toEqual(this.terms.slice(this.compacted).map((_, i) => this.entry(from + i)));
      expect(log.entriesFrom(from, 0)).toHaveLength(Math.min(1, last - this.compacted));
    }
  }

  it("answers like one array, whatever is stored, being stored or compacted", () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
        const model = new Model();
        for (const o of ops) {
          model.run(o);
          model.check();
        }
      }),
      { numRuns: 500 },
    );
  });

  it("the conflict guess is the largest index up to the given one with a term no larger", () => {
    const sorted = fc
      .array(fc.integer({ min: 1, max: 6 }), { maxLength: 12 })
      .map((l) => l.sort((a, b) => a - b));
    fc.assert(
      fc.property(sorted, fc.nat(12), fc.nat(7), (terms, index, max) => {
        const model = new Model();
        model.terms = terms;
        if (terms.length > 0) model.log.append(terms.map((_, i) => model.entry(i + 1)));
        const from = Math.min(index, terms.length);
        let expected = from;
        while (expected > 0 && (terms[expected - 1] ?? 0) > max) expected--;
        const guess = model.log.findConflictByTerm(logIndex(from), term(max));
        expect(guess).toEqual({ index: expected, term: expected === 0 ? 0 : terms[expected - 1] });
      }),
    );
  });
});
