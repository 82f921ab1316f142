// What every applier and every probe must do, by factory: a new one runs the same suite.
import { contentHash } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import type { Content } from "@kingly/node-core";
import { nodeCrypto } from "@kingly/protocol";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Applier, Probe } from "../../src/index.ts";

export function content(version: number, data: JsonObject): Content {
  return { version, hash: contentHash(data, nodeCrypto), data };
}

export interface ApplierFixture {
  readonly applier: Applier;
  /** The same target with a fresh applier, as after a restart of the agent. */
  reopen(): Applier;
  /** What the target runs, read past the applier. */
  running(): Promise<JsonObject>;
  /** Somebody else changes the target. */
  edit(data: JsonObject): Promise<void>;
  /** The next apply fails. */
  breakTarget(): Promise<void>;
  close(): Promise<void>;
}

export function applierConformance(
  name: string,
  make: (found: JsonObject) => Promise<ApplierFixture>,
): void {
  describe(`${name} as an applier`, () => {
    let fixture: ApplierFixture;
    beforeEach(async () => {
      fixture = await make({ window: 7 });
    });
    afterEach(async () => fixture.close());

    it("captures what it finds, and puts exactly that back", async () => {
      const found = await fixture.applier.capture();
      expect(found).toMatchObject({ version: 0, data: { window: 7 } });
      expect(await fixture.applier.apply(content(1, { window: 1 }))).toEqual({ ok: true });
      expect(await fixture.applier.apply(found)).toEqual({ ok: true });
      expect(await fixture.running()).toEqual({ window: 7 });
    });

    it("applies a content whole, twice if asked", async () => {
      const first = content(1, { window: 1, nested: { list: [1, "ä"] } });
      expect(await fixture.applier.check(first)).toBe("");
      expect(await fixture.applier.apply(first)).toEqual({ ok: true });
      expect(await fixture.applier.apply(first)).toEqual({ ok: true });
      expect(await fixture.running()).toEqual(first.data);
      expect(await fixture.applier.apply(content(2, { other: true }))).toEqual({ ok: true });
      expect(await fixture.running()).toEqual({ other: true });
    });

    it("notices somebody else's edit, leaves it alone, and goes on when it is undone", async () => {
      expect(await fixture.applier.edited()).toBe("");
      await fixture.applier.apply(content(1, { window: 1 }));
      expect(await fixture.applier.edited()).toBe("");
      const ours = await fixture.running();
      await fixture.edit({ window: 42 });
      expect(await fixture.applier.edited()).not.toBe("");
      expect(await fixture.applier.apply(content(2, { window: 2 }))).toMatchObject({
        ok: false,
        edited: true,
      });
      expect(await fixture.running()).toEqual({ window: 42 });
      await fixture.edit(ours);
      expect(await fixture.applier.edited()).toBe("");
      expect(await fixture.applier.apply(content(2, { window: 2 }))).toEqual({ ok: true });
    });

    it("does not call its own content of an earlier start an edit", async () => {
      await fixture.applier.apply(content(1, { window: 1 }));
      const again = fixture.reopen();
      expect(await again.edited()).toBe("");
      expect(await again.apply(content(2, { window: 2 }))).toEqual({ ok: true });
    });

    it("answers a failure with a sentence instead of throwing", async () => {
      await fixture.applier.apply(content(1, { window: 1 }));
      await fixture.breakTarget();
      const outcome = await fixture.applier.apply(content(2, { window: 2 }));
      expect(outcome).toMatchObject({ ok: false, edited: false });
      expect(outcome.ok ? "" : outcome.message).not.toBe("");
    });
  });
}

export interface ProbeFixture {
  readonly probe: Probe;
  /** Makes the signal's value `level` during whatever block runs now. */
  drive(level: number): Promise<void>;
  /** No data from now on. */
  silence(): Promise<void>;
  /** The target is gone. */
  gone(): Promise<void>;
  /** Whether a measured value can come from a block driven at this level. */
  readonly accepts: (value: number, level: number) => boolean;
  readonly levels: readonly [number, number];
  close(): Promise<void>;
}

export function probeConformance(name: string, make: () => Promise<ProbeFixture>): void {
  describe(`${name} as a probe`, () => {
    let fixture: ProbeFixture;
    beforeEach(async () => {
      fixture = await make();
    });
    afterEach(async () => fixture.close());

    it("measures what happened in its block, and nothing from before", async () => {
      const values: (number | null)[] = [];
      for (const level of fixture.levels) {
        const block = fixture.probe.begin();
        await fixture.drive(level);
        values.push(await block.end());
      }
      for (const [i, value] of values.entries()) {
        const level = fixture.levels[i] ?? 0;
        expect(fixture.accepts(value ?? Number.NaN, level), `${value} at ${level}`).toBe(true);
      }
    });

    it("lets blocks overlap without disturbing each other", async () => {
      const [low] = fixture.levels;
      const outer = fixture.probe.begin();
      const inner = fixture.probe.begin();
      await fixture.drive(low);
      const values = [await inner.end(), await outer.end()];
      for (const value of values) {
        expect(fixture.accepts(value ?? Number.NaN, low), `${value} at ${low}`).toBe(true);
      }
    });

    it("answers null without data, without a target, and after a cancelled block goes on", async () => {
      fixture.probe.begin().cancel();
      await fixture.silence();
      const silent = fixture.probe.begin();
      expect(await silent.end()).toBeNull();
      await fixture.gone();
      const gone = fixture.probe.begin();
      expect(await gone.end()).toBeNull();
    });
  });
}
