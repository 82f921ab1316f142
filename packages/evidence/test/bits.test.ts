// Every result bit of 2,600 calls, as committed. Replicas that run different engines or releases must
// agree on them; a failure here means that recorded logs would replay to another state.

import { readFileSync, writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { fromHex, toHex } from "../src/index.ts";
import { bitLines } from "./support/bit-cases.ts";
import { FUNCTIONS } from "./support/functions.ts";

const file = new URL("./pinned/bits.txt", import.meta.url);

it("returns the pinned bits for every pinned input", () => {
  if (process.env["KINGLY_PIN_BITS"] === "write") writeFileSync(file, `${bitLines().join("\n")}\n`);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const changed: string[] = [];
  for (const line of lines) {
    const [name = "", ...hex] = line.split(" ");
    const numbers = hex.map(fromHex);
    const actual = toHex(FUNCTIONS[name]?.(...numbers.slice(0, -1)) ?? Number.NaN);
    if (actual !== hex.at(-1)) changed.push(`${line}, now ${actual}`);
  }
  expect(changed).toEqual([]);
  expect(lines.length).toBe(2_600);
});

it("pins exactly the inputs that the case list makes, so that none is lost in editing", () => {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  expect(lines).toEqual(bitLines());
});

it("pins no call that fails: every result is a number", () => {
  const lines = readFileSync(file, "utf8").trim().split("\n");
  for (const line of lines) expect(fromHex(line.slice(-16))).not.toBeNaN();
});

it("round-trips every kind of float64 through its hex form", () => {
  for (const x of [0, -0, 1, -1.5, 5e-324, 1.7976931348623157e308, Infinity, Math.PI]) {
    expect(Object.is(fromHex(toHex(x)), x)).toBe(true);
  }
  expect(toHex(1)).toBe("3ff0000000000000");
  expect(toHex(-0)).toBe("8000000000000000");
});
