// Crashes on the simulated disk: at every write, with nothing, all or a part of the write done, and
// with every kind of loss of unsynced data. Nothing acknowledged may be missing, nothing may be mixed,
// and a plain crash never ends in recovering or in a refusal.
import { createPrng } from "@kingly/base";
import { describe, expect, test } from "vitest";
import { MemoryDisk, faultyDisk } from "../src/index.ts";
import type { Fault, FaultPlan } from "../src/index.ts";
import { initAt, openAt } from "./helpers.ts";
import { Ledger } from "./model.ts";

const DIR = "/data";
const WRITES = new Set(["write", "datasync", "batch", "writeFile", "remove", "makeDirectory"]);

type Effect = NonNullable<Fault["effect"]> | "none";

/** Fails the nth write with the effect, and every operation after it. */
function crashAt(nth: number, effect: Effect): { plan: FaultPlan; seen: () => number } {
  let seen = 0;
  const error = new Error("power loss");
  const plan: FaultPlan = (operation) => {
    if (seen >= nth) return { error };
    if (!WRITES.has(operation.kind)) return undefined;
    seen += 1;
    if (seen < nth) return undefined;
    return effect === "none" ? { error } : { error, effect };
  };
  return { plan, seen: () => seen };
}

async function runUntilFailure(disk: MemoryDisk, plan: FaultPlan, seed: string): Promise<Ledger> {
  const ledger = new Ledger();
  const prng = createPrng(seed);
  try {
    const storage = await openAt(DIR, faultyDisk(disk, plan));
    for (let step = 0; step < 40; step += 1) await ledger.step(storage, prng);
    await ledger.settle();
  } catch (error) {
    ledger.failure ??= error;
  }
  await ledger.settle();
  return ledger;
}

async function freshDisk(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await initAt(DIR, disk);
  return disk;
}

describe.each<[string, Effect]>([
  ["before the write", "none"],
  ["after the write", "all"],
  ["with the write not synced", "unsynced"],
  ["with a torn write", { bytes: 70 }],
])("a crash %s", (_name, effect) => {
  test.each(["a", "b", "c"])(
    "at every write of run %s keeps what was acknowledged",
    async (seed) => {
      const whole = crashAt(Infinity, "none");
      await runUntilFailure(await freshDisk(), whole.plan, seed);
      expect(whole.seen()).toBeGreaterThan(30);
      for (let nth = 1; nth <= whole.seen(); nth += 1) {
        for (const loss of [undefined, createPrng(`${seed}${nth}`)]) {
          const disk = await freshDisk();
          const ledger = await runUntilFailure(disk, crashAt(nth, effect).plan, seed);
          expect(ledger.failure).toBeDefined();
          disk.crash(loss === undefined ? {} : { prng: loss });
          const storage = await openAt(DIR, disk);
          expect(storage.log.recovering).toBe(false);
          await ledger.check(storage);
          await storage.close();
        }
      }
    },
  );
});

test("a crash at every write of the opening itself is followed by the same opening", async () => {
  const make = async (): Promise<{ disk: MemoryDisk; ledger: Ledger }> => {
    const disk = await freshDisk();
    const ledger = await runUntilFailure(disk, crashAt(25, "all").plan, "opening");
    disk.crash();
    return { disk, ledger };
  };
  const count = crashAt(Infinity, "none");
  const probe = await make();
  await (await openAt(DIR, faultyDisk(probe.disk, count.plan))).close();
  expect(count.seen()).toBeGreaterThan(2);
  for (let nth = 1; nth <= count.seen(); nth += 1) {
    for (const effect of ["none", "all", "unsynced", { bytes: 50 }] as const) {
      const { disk, ledger } = await make();
      const opening = openAt(DIR, faultyDisk(disk, crashAt(nth, effect).plan));
      await expect(opening.then((s) => s.close())).rejects.toMatchObject({
        code: "StorageFailure",
      });
      disk.crash();
      const storage = await openAt(DIR, disk);
      expect(storage.log.recovering).toBe(false);
      await ledger.check(storage);
      await storage.close();
    }
  }
});

test("an initialisation that crashes can be started over and is never half done", async () => {
  const count = crashAt(Infinity, "none");
  await initAt(DIR, faultyDisk(new MemoryDisk(), count.plan));
  expect(count.seen()).toBeGreaterThan(5);
  for (let nth = 1; nth <= count.seen(); nth += 1) {
    for (const effect of ["none", "all"] as const) {
      const disk = new MemoryDisk();
      await expect(initAt(DIR, faultyDisk(disk, crashAt(nth, effect).plan))).rejects.toThrow(
        "power loss",
      );
      disk.crash();
      try {
        const early = await openAt(DIR, disk);
        expect(early.log.lastIndex()).toBe(1);
        await early.close();
      } catch (error) {
        expect(error).toMatchObject({ code: "IdentityMismatch" });
        await initAt(DIR, disk);
        await (await openAt(DIR, disk)).close();
      }
    }
  }
});

test("many random runs with crashes and reopenings never lose what was acknowledged", async () => {
  for (let seed = 0; seed < 150; seed += 1) {
    const prng = createPrng(`crashes ${seed}`);
    const disk = await freshDisk();
    const ledger = new Ledger();
    for (let life = 0; life < 4; life += 1) {
      const storage = await openAt(DIR, disk, { window: { bytesMax: 200, entriesMax: 6 } });
      expect(storage.log.recovering).toBe(false);
      if (life > 0) {
        const step = await ledger.check(storage);
        // The survivor's state is the truth from here on.
        const state = ledger.states[step];
        const { appliedIndex } = storage.objects.meta;
        ledger.model.entries = [...(state?.entries ?? [])];
        ledger.model.first = state?.first ?? 2;
        ledger.model.term = state?.term ?? 1;
        ledger.model.vote = state?.vote ?? 0;
        ledger.model.commit = Math.max(appliedIndex, ledger.model.first - 1);
        while (ledger.model.applied > appliedIndex) {
          ledger.model.rowsAt.delete(ledger.model.applied);
          ledger.model.applied -= 1;
        }
        ledger.model.resetRows(appliedIndex);
        ledger.states.push(ledger.model.state());
        ledger.acked = ledger.states.length - 1;
      }
      expect(ledger.failure).toBeUndefined();
      const steps = 10 + prng.below(40);
      for (let step = 0; step < steps; step += 1) await ledger.step(storage, prng);
      expect(ledger.failure).toBeUndefined();
      if (prng.chance(0.3)) {
        await ledger.settle();
        await storage.close();
        ledger.syncedApplied = ledger.model.applied;
      } else {
        disk.crash(prng.chance(0.5) ? { prng: prng.fork(`${life}`) } : {});
        await ledger.settle();
        ledger.failure = undefined;
      }
    }
  }
});
