// Coins and draws: recomputable, fair, independent of each other, and pinned.

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { drawFrom, EvidenceInputError, switchbackOrder, type Sha256 } from "../src/index.ts";
import { bytesOfText } from "../src/design/bytes.ts";

const sha256: Sha256 = (bytes) => createHash("sha256").update(bytes).digest();
const seed = sha256(Uint8Array.of(1, 2, 3));
const nodes = Array.from({ length: 40 }, (_, i) => `node-${String(i).padStart(2, "0")}`);

describe("the coin of a pair", () => {
  it("is the lowest bit of the first hash byte over tagged, length-prefixed parts", () => {
    const length = (n: number): number[] => [0, 0, 0, n];
    const tag = new TextEncoder().encode("kingly/switchback/v1");
    const unit = new TextEncoder().encode("rack-7");
    const input = [...length(tag.length), ...tag, ...length(32), ...seed, ...length(6), ...unit];
    const digest = sha256(Uint8Array.from([...input, ...length(4), 0, 0, 1, 2]));
    const expected = (digest[0] ?? 0) % 2 === 0 ? "candidate-first" : "baseline-first";
    expect(switchbackOrder({ seed, unit: "rack-7", pair: 258 }, sha256)).toBe(expected);
  });

  it("is the same for everybody and stays what it was in earlier releases", () => {
    const orders = Array.from({ length: 32 }, (_, pair) =>
      switchbackOrder({ seed, unit: "node-01", pair }, sha256) === "candidate-first" ? "c" : "b",
    );
    expect(orders.join("")).toMatchInlineSnapshot(`"cbbbcbcbbbcccbcbbbbccccbcbccbbcc"`);
  });

  it("is fair, and differs between units and seeds", () => {
    const count = (unit: string, from: Uint8Array): boolean[] =>
      Array.from(
        { length: 2_000 },
        (_, pair) => switchbackOrder({ seed: from, unit, pair }, sha256) === "candidate-first",
      );
    const a = count("a", seed);
    const heads = a.filter(Boolean).length;
    expect(heads).toBeGreaterThan(900);
    expect(heads).toBeLessThan(1_100);
    for (const other of [count("b", seed), count("a", sha256(seed))]) {
      const same = other.filter((value, i) => value === a[i]).length;
      expect(same).toBeGreaterThan(900);
      expect(same).toBeLessThan(1_100);
    }
  });
});

describe("a draw", () => {
  it("takes distinct items, and a longer draw begins with the shorter one", () => {
    const five = drawFrom({ seed, label: "class/gpu", items: nodes, count: 5 }, sha256);
    const nine = drawFrom({ seed, label: "class/gpu", items: nodes, count: 9 }, sha256);
    expect(nine.slice(0, 5)).toEqual(five);
    expect(new Set(nine).size).toBe(9);
    expect(five).toMatchInlineSnapshot(`
      [
        "node-16",
        "node-30",
        "node-29",
        "node-05",
        "node-35",
      ]
    `);
    expect(nodes[0]).toBe("node-00");
  });

  it("of everything is a permutation, of nothing is empty", () => {
    const all = drawFrom({ seed, label: "x", items: nodes, count: 40 }, sha256);
    expect(all.toSorted()).toEqual(nodes);
    expect(all).not.toEqual(nodes);
    expect(drawFrom({ seed, label: "x", items: nodes, count: 0 }, sha256)).toEqual([]);
    expect(drawFrom({ seed, label: "x", items: [], count: 0 }, sha256)).toEqual([]);
  });

  it("gives every item the same chance", () => {
    const hits = new Map<string, number>();
    for (let i = 0; i < 3_000; i += 1) {
      for (const name of drawFrom(
        { seed, label: `l${i}`, items: ["a", "b", "c"], count: 1 },
        sha256,
      )) {
        hits.set(name, (hits.get(name) ?? 0) + 1);
      }
    }
    for (const name of ["a", "b", "c"]) {
      expect(hits.get(name)).toBeGreaterThan(900);
      expect(hits.get(name)).toBeLessThan(1_100);
    }
  });

  it("refuses lists that are not sorted or not distinct, and counts out of range", () => {
    const draw = (items: string[], count: number) => () =>
      drawFrom({ seed, label: "x", items, count }, sha256);
    expect(draw(["b", "a"], 1)).toThrow("items[1]");
    expect(draw(["a", "a"], 1)).toThrow("items[1]");
    expect(draw(["a"], 2)).toThrow("count must be an integer >= 0 and <= 1, got 2");
    expect(draw(["a"], 0.5)).toThrow(EvidenceInputError);
    const short: Sha256 = () => new Uint8Array(20);
    expect(() => switchbackOrder({ seed, unit: "u", pair: 0 }, short)).toThrow("sha256");
    const long = new Uint8Array(5_000);
    expect(() => switchbackOrder({ seed: long, unit: "u", pair: 0 }, sha256)).toThrow(
      "seed.length",
    );
    expect(() => switchbackOrder({ seed, unit: "u", pair: -1 }, sha256)).toThrow("pair");
  });
});

it("text becomes the same UTF-8 as everywhere, lone surrogates included", () => {
  for (const text of [
    "",
    "abc",
    "Königin",
    "日本",
    "👑 crown",
    "\ud800x",
    "x\udc00",
    "\u0080\u07ff\u0800\uffff",
  ]) {
    expect([...bytesOfText(text)]).toEqual([...new TextEncoder().encode(text)]);
  }
});
