// What admission vouched for is taken as it is; everything that depends on state is still checked.

import { describe, expect, it } from "vitest";
import { createPrng, utf8Encode } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { StateMachine } from "../src/index.ts";
import type { StateMeta } from "../src/index.ts";
import { testCrypto } from "./support/crypto.ts";
import { Fleet, NS, nodes } from "./support/fleet.ts";

const SPEC = { signal: "latency", direction: "lower", role: "guardrail" };

function body(op: string, name: string, more: JsonObject = {}): JsonObject {
  return { op, kind: "Objective", namespace: NS, name, object: { spec: { ...SPEC, ...more } } };
}

function specOf(fleet: Fleet, name: string): unknown {
  return fleet.machine.object("Objective", NS, name)?.spec;
}

describe("an admitted object", () => {
  it("keeps what a newer leader knows and this release does not", () => {
    const fleet = Fleet.settled({ nodes: nodes(1) });
    fleet.ok("write", body("create", "marked", { later: 1 }), { isAdmitted: true });
    fleet.ok("write", body("create", "unmarked", { later: 1 }));
    expect(specOf(fleet, "marked")).toMatchObject({ later: 1 });
    expect(specOf(fleet, "unmarked")).not.toHaveProperty("later");
  });

  it("still needs a free name, an existing namespace and the version it was read at", () => {
    const fleet = Fleet.settled({ nodes: nodes(1) });
    const mark = { isAdmitted: true };
    fleet.ok("write", body("create", "one"), mark);
    const stale = { ...body("replace", "one"), preconditions: { resourceVersion: "1" } };
    const elsewhere = { ...body("create", "two"), namespace: "nowhere" };
    const cases = [
      [body("create", "one"), "AlreadyExists"],
      [body("replace", "none"), "NotFound"],
      [stale, "Conflict"],
      [elsewhere, "NotFound"],
      [{ ...body("create", "three"), extra: 1 }, "UnknownField"],
    ] as const;
    for (const [bad, code] of cases) {
      const before = fleet.machine.stateHash();
      expect(fleet.submit("write", bad, mark).outcome).toMatchObject({ ok: false, code });
      expect(fleet.machine.stateHash()).toBe(before);
    }
  });

  it("that is no JSON is refused and changes nothing", () => {
    const fleet = Fleet.settled({ nodes: nodes(1) });
    const before = fleet.machine.stateHash();
    for (const bytes of [utf8Encode("{"), Uint8Array.of(0xff), utf8Encode("[]")]) {
      const { outcome } = fleet.submit("write", bytes, { isAdmitted: true });
      expect(outcome.ok).toBe(false);
    }
    expect(fleet.machine.stateHash()).toBe(before);
  });
});

describe("first results", () => {
  it("expire in the same order on a replica that was restored in between", () => {
    const fleet = Fleet.settled({ nodes: nodes(1) });
    const prng = createPrng("first results");
    // Few keys, long pauses: keys are used again after their results expired.
    for (let i = 0; i < 400; i += 1) {
      if (prng.chance(0.1)) fleet.nowMs += 1 + prng.below(50_000_000);
      const name = `o${prng.below(30)}`;
      const op = fleet.machine.object("Objective", NS, name) === undefined ? "create" : "replace";
      const idempotencyKey = `k${prng.below(60)}`;
      fleet.submit("write", body(op, name, { floor: prng.below(9) }), { idempotencyKey });
    }
    let machine = new StateMachine({ crypto: testCrypto });
    let forgotten = 0;
    for (const [i, entry] of fleet.entries.entries()) {
      if (prng.chance(0.1)) {
        const stored = { rows: [...machine.rows()], meta: machine.meta() };
        const copy = JSON.parse(JSON.stringify(stored)) as {
          rows: [string, JsonObject][];
          meta: StateMeta;
        };
        machine = StateMachine.restore(copy, { crypto: testCrypto });
      }
      const result = machine.apply(entry);
      expect(result).toEqual(fleet.results[i]);
      for (const { key, type } of result.changes) {
        if (key.startsWith("~idem/") && type === "DELETED") forgotten += 1;
      }
    }
    expect(machine.stateHash()).toBe(fleet.machine.stateHash());
    expect(forgotten).toBeGreaterThan(20);
  });
});
