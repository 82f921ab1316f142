// Truth table of the linearizability checker: histories whose answer is known, and a comparison with a
// slow, obvious checker (try every order) on random small histories.
import { describe, expect, it } from "vitest";
import { createPrng } from "@kingly/base";
import { checkLinearizability, isLinearizable } from "../src/index.ts";
import type { Operation, RegisterAction } from "../src/index.ts";

let client = 0;

function op(
  action: RegisterAction,
  calledAt: number,
  returnedAt: number,
  seen?: string,
): Operation {
  client += 1;
  return { client, key: "k", action, calledAt, returnedAt, seen };
}

const put = (value: string, from: number, to: number): Operation =>
  op({ kind: "put", value }, from, to);
const get = (seen: string, from: number, to: number): Operation =>
  op({ kind: "get" }, from, to, seen);
const cas = (
  [expected, value]: readonly [string, string],
  from: number,
  to: number,
  seen?: string,
): Operation => op({ kind: "cas", expected, value }, from, to, seen);

const NEVER = Infinity;

const TABLE: readonly [string, readonly Operation[], boolean][] = [
  ["an empty history", [], true],
  ["a read of the value before any", [get("", 1, 2)], true],
  ["a read of a value nobody wrote", [get("a", 1, 2)], false],
  ["a read after a write", [put("a", 1, 2), get("a", 3, 4)], true],
  ["a stale read after a write was answered", [put("a", 1, 2), get("", 3, 4)], false],
  ["a read beside a write may see the old value", [put("a", 1, 4), get("", 2, 3)], true],
  ["a read beside a write may see the new value", [put("a", 1, 4), get("a", 2, 3)], true],
  [
    "two reads beside a write must not go back in time",
    [put("a", 1, 9), get("a", 2, 3), get("", 4, 5)],
    false,
  ],
  [
    "two concurrent writes are seen in one order only",
    [put("a", 1, 9), put("b", 1, 9), get("a", 10, 11), get("b", 12, 13)],
    false,
  ],
  [
    "two readers may not see two concurrent writes in different orders",
    [put("a", 1, 2), put("b", 1, 2), get("a", 3, 4), get("b", 5, 6), get("a", 7, 8)],
    false,
  ],
  ["a lost write", [put("a", 1, 2), put("b", 3, 4), get("a", 5, 6)], false],
  ["a write of unknown outcome may have happened", [put("a", 1, NEVER), get("a", 5, 6)], true],
  ["a write of unknown outcome may never happen", [put("a", 1, NEVER), get("", 5, 6)], true],
  [
    "a write of unknown outcome may take effect late",
    [put("a", 1, NEVER), get("", 5, 6), put("b", 7, 8), get("a", 9, 10)],
    true,
  ],
  [
    "a write of unknown outcome takes effect once",
    [put("a", 1, NEVER), get("a", 5, 6), put("b", 7, 8), get("a", 9, 10)],
    false,
  ],
  [
    "a cas that found its value",
    [put("a", 1, 2), cas(["a", "b"], 3, 4, "a"), get("b", 5, 6)],
    true,
  ],
  [
    "a cas that found another value changes nothing",
    [put("a", 1, 2), cas(["x", "b"], 3, 4, "a"), get("b", 5, 6)],
    false,
  ],
  [
    "two cas of one value cannot both succeed",
    [put("a", 1, 2), cas(["a", "b"], 3, 9, "a"), cas(["a", "c"], 3, 9, "a")],
    false,
  ],
  [
    "a cas of unknown outcome may explain a value",
    [put("a", 1, 2), cas(["a", "b"], 3, NEVER), get("b", 5, 6)],
    true,
  ],
];

describe("the linearizability checker", () => {
  for (const [name, history, expected] of TABLE) {
    it(`${expected ? "accepts" : "refuses"} ${name}`, () => {
      expect(isLinearizable(history)).toBe(expected);
    });
  }

  it("checks keys apart and names the one that fails", () => {
    const good = [put("a", 1, 2), get("a", 3, 4)];
    const bad = [put("z", 1, 2), get("", 3, 4)].map((one) => ({ ...one, key: "other" }));
    expect(() => checkLinearizability(good)).not.toThrow();
    expect(() => checkLinearizability([...good, ...bad])).toThrow(/key other .*no linearization/);
  });

  it("agrees with trying every order on 2,000 random histories of both kinds", () => {
    const prng = createPrng("histories");
    const verdicts = { good: 0, bad: 0 };
    for (let round = 0; round < 2_000; round += 1) {
      const history = randomHistory(prng);
      const expected = existsOrder(history, "");
      expect(isLinearizable(history), JSON.stringify(history)).toBe(expected);
      verdicts[expected ? "good" : "bad"] += 1;
    }
    expect(verdicts.good).toBeGreaterThan(300);
    expect(verdicts.bad).toBeGreaterThan(300);
  });
});

/** Up to six operations with answers that are plausible, often wrong. */
function randomHistory(prng: ReturnType<typeof createPrng>): Operation[] {
  const count = 2 + prng.below(5);
  const values = ["", ...Array.from({ length: count }, (_, at) => `v${at}`)];
  return Array.from({ length: count }, (_, at) => {
    const from = prng.below(12);
    const unknown = prng.chance(0.2);
    const to = unknown ? NEVER : from + 1 + prng.below(8);
    const kind = prng.pick(["get", "put", "cas"] as const);
    const seen = unknown ? undefined : prng.pick(values.slice(0, 4));
    if (kind === "get") return op({ kind }, from, to, seen);
    if (kind === "put") return put(`v${at}`, from, to);
    return cas([prng.pick(values.slice(0, 3)), `v${at}`], from, to, seen);
  });
}

/** The definition itself: some order that respects real time explains every answer. */
function existsOrder(left: readonly Operation[], value: string): boolean {
  if (left.every((one) => one.returnedAt === NEVER)) return true;
  return left.some((one, at) => {
    const isFirst = left.every((other) => other === one || other.returnedAt >= one.calledAt);
    if (!isFirst) return false;
    const rest = left.filter((_, other) => other !== at);
    const { action, seen, returnedAt } = one;
    const known = returnedAt !== NEVER;
    if (action.kind === "put") return existsOrder(rest, action.value);
    if (known && seen !== value) return false;
    if (action.kind === "get") return existsOrder(rest, value);
    return existsOrder(rest, value === action.expected ? action.value : value);
  });
}
