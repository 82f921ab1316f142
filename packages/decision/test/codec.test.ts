// Commands as bytes: what is encoded is decoded, nothing else is, and no bytes make apply throw.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KinglyError, utf8Encode } from "@kingly/base";
import { COMMAND_TYPES, StateMachine, decodeCommand, encodeCommand } from "../src/index.ts";
import type { Command } from "../src/index.ts";
import { testCrypto } from "./support/crypto.ts";
import { Fleet, nodes } from "./support/fleet.ts";

const text = (maxLength: number) => fc.string({ unit: "grapheme", maxLength: maxLength / 4 });
const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

const commands: fc.Arbitrary<Command> = fc
  .record(
    {
      type: fc.constantFrom(...COMMAND_TYPES),
      body: fc.uint8Array({ maxLength: 400 }),
      signature: fixed(64),
      actor: fc.record({ name: text(100), method: text(20), server: text(20) }),
      timeMs: fc.integer({ min: 0, max: 253_402_300_799_999 }),
      entropy: fixed(32),
      readSet: fc.array(fc.record({ key: text(200), revision: fc.maxSafeNat() }), { maxLength: 6 }),
      requestId: text(64),
      idempotencyKey: text(64),
      isAdmitted: fc.constant(true),
    },
    { requiredKeys: ["type", "body", "actor", "timeMs", "readSet", "requestId"] },
  )
  .map((command) => command as Command);

const SAMPLE: Command = {
  type: "write",
  body: utf8Encode("{}"),
  actor: { name: "alice", method: "token", server: "s1" },
  timeMs: 1_700_000_000_000,
  readSet: [{ key: "policies/default/a", revision: 300 }],
  requestId: "r1",
};

describe("the codec of commands", () => {
  it("gives back exactly what was encoded", () => {
    fc.assert(
      fc.property(commands, (command) => {
        expect(decodeCommand(encodeCommand(command))).toEqual(command);
      }),
      { numRuns: 300 },
    );
  });

  it("has one encoding per command: bytes that decode encode to themselves", () => {
    fc.assert(
      fc.property(commands, fc.nat(), fc.nat(255), (command, at, byte) => {
        const bytes = encodeCommand(command).slice();
        bytes[at % bytes.length] = byte;
        let decoded: Command;
        try {
          decoded = decodeCommand(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(KinglyError);
          return;
        }
        expect(encodeCommand(decoded)).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it("refuses every prefix and any trailing byte", () => {
    const bytes = encodeCommand(SAMPLE);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeCommand(bytes.slice(0, length))).toThrow(KinglyError);
    }
    expect(() => decodeCommand(Uint8Array.of(...bytes, 0))).toThrow(/trailing/u);
  });

  it("names field, limit and value of what it refuses", () => {
    const cases: readonly (readonly [Partial<Command>, object])[] = [
      [{ timeMs: -1 }, { code: "MalformedFrame", details: { field: "timeMs", value: -1 } }],
      [{ timeMs: 0.5 }, { code: "MalformedFrame", details: { field: "timeMs" } }],
      [{ requestId: "x".repeat(129) }, { details: { field: "requestId", limit: 128, value: 129 } }],
      [{ entropy: new Uint8Array(31) }, { details: { field: "entropy", limit: 32, value: 31 } }],
      [{ signature: new Uint8Array(1) }, { details: { field: "signature", limit: 64, value: 1 } }],
      [{ requestId: "\ud800" }, { code: "MalformedFrame", details: { field: "requestId" } }],
      [{ body: new Uint8Array(1_441_793) }, { code: "DocumentTooLarge" }],
    ];
    for (const [change, expected] of cases) {
      let thrown: unknown;
      try {
        encodeCommand({ ...SAMPLE, ...change });
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(KinglyError);
      expect(thrown).toMatchObject(expected);
    }
  });

  it("refuses another version and unknown types and flags", () => {
    const bytes = encodeCommand(SAMPLE);
    for (const [at, value] of [
      [0, 2],
      [1, COMMAND_TYPES.length],
      [2, 16],
    ] as const) {
      const changed = bytes.slice();
      changed[at] = value;
      expect(() => decodeCommand(changed)).toThrow(KinglyError);
    }
  });
});

describe("applying garbage", () => {
  it("never throws and changes no row, only index and term", () => {
    const machine = new StateMachine({ crypto: testCrypto });
    let index = 0;
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (data) => {
        index += 1;
        const result = machine.apply({ index, term: 1, data, chainHash: new Uint8Array(32) });
        expect(result.outcome.ok).toBe(false);
        expect(result.changes).toEqual([]);
      }),
      { numRuns: 500 },
    );
    expect(machine.size).toBe(0);
    expect(machine.meta().appliedIndex).toBe(index);
  });

  it("never throws for a real command with a flipped byte in its body", () => {
    const fleet = Fleet.settled({ nodes: nodes(4) });
    fleet.decide({ batch: 16 }, "p2", () => 0);
    fleet.settle();
    const originals = fleet.entries.map((entry) => entry.data);
    for (const data of originals) {
      const command = decodeCommand(data);
      for (let i = 0; i < 6; i += 1) {
        const body = command.body.slice();
        if (body.length === 0) continue;
        body[fleet.prng.below(body.length)] = fleet.prng.below(256);
        expect(() => fleet.applyBytes(encodeCommand({ ...command, body }))).not.toThrow();
      }
    }
  });

  it("an empty entry, as a new leader writes it, changes nothing and succeeds", () => {
    const machine = new StateMachine({ crypto: testCrypto });
    const entry = { index: 1, term: 3, data: new Uint8Array(0), chainHash: new Uint8Array(32) };
    const result = machine.apply(entry);
    expect(result).toMatchObject({ requestId: "", outcome: { ok: true }, changes: [] });
    expect(machine.meta()).toMatchObject({ appliedIndex: 1, appliedTerm: 3, revision: 0 });
  });
});
