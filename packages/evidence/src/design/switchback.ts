// The randomness of a trial's design: a coin per pair and a draw of nodes, both functions of a seed that
// nobody chose (entropy, proposal and log hash). Anyone can recompute them; nobody can steer them. Hash
// inputs are length-prefixed under a domain tag, so that no two questions share an answer.

import { EvidenceInputError, requireNumber } from "../errors.ts";
import { DESIGN_INPUT_BYTES_MAX, FLEET_NODES_MAX, PROCESS_PAIRS_MAX } from "../limits.ts";
import { bytesOfText, concat, uint32 } from "./bytes.ts";

/** SHA-256: 32 bytes from any bytes. Injected, because the core has no crypto of its own. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Which arm of a pair runs first. */
export type PairOrder = "candidate-first" | "baseline-first";

/** Which coin is tossed. */
export interface SwitchbackCoin {
  /** The trial's seed. */
  readonly seed: Uint8Array;
  /** The interference group, or the node where it has none: what switches as one. */
  readonly unit: string;
  /** Number of the pair. */
  readonly pair: number;
}

/** The fair coin H(seed | unit | pair) that orders the two blocks of a pair. */
export function switchbackOrder(coin: SwitchbackCoin, sha256: Sha256): PairOrder {
  requireNumber("pair", coin.pair, { integer: true, min: 0, max: PROCESS_PAIRS_MAX });
  const digest = digestOf(
    "kingly/switchback/v1",
    [bounded("seed", coin.seed), bounded("unit", bytesOfText(coin.unit)), uint32(coin.pair)],
    sha256,
  );
  return (digest[0] ?? 0) % 2 === 0 ? "candidate-first" : "baseline-first";
}

/** A draw without replacement. */
export interface Draw {
  /** The trial's seed. */
  readonly seed: Uint8Array;
  /** What is drawn, such as `class/gpu-large`: draws with different labels are independent. */
  readonly label: string;
  /** Distinct names in ascending order of their UTF-16 code units. */
  readonly items: readonly string[];
  /** How many to draw; 0..items.length. */
  readonly count: number;
}

/**
 * `count` items in the order drawn, every ordered selection equally likely. A longer draw begins with
 * the shorter one, so redrawing a replacement is drawing one more.
 */
export function drawFrom(draw: Draw, sha256: Sha256): readonly string[] {
  const { items, count } = draw;
  requireNumber("items.length", items.length, { max: FLEET_NODES_MAX });
  requireNumber("count", count, { integer: true, min: 0, max: items.length });
  for (const [i, item] of items.entries()) {
    const previous = items[i - 1];
    if (previous !== undefined && !(previous < item)) {
      throw new EvidenceInputError(`items[${i}]`, `above items[${i - 1}]`, item);
    }
  }
  const prefix = [bounded("seed", draw.seed), bounded("label", bytesOfText(draw.label))];
  const pool = items.slice();
  const drawn: string[] = [];
  let counter = 0;
  for (let i = 0; i < count; i += 1) {
    const size = pool.length - i;
    // Rejection keeps every index equally likely: 2^32 is not a multiple of most sizes.
    const limit = 4_294_967_296 - (4_294_967_296 % size);
    let word = limit;
    while (word >= limit) {
      word = wordOf(digestOf("kingly/draw/v1", [...prefix, uint32(counter)], sha256));
      counter += 1;
    }
    const j = i + (word % size);
    const chosen = pool[j];
    const displaced = pool[i];
    if (chosen === undefined || displaced === undefined) {
      throw new EvidenceInputError("sha256", "a function to 32 bytes", word);
    }
    pool[j] = displaced;
    pool[i] = chosen;
    drawn.push(chosen);
  }
  return drawn;
}

function bounded(field: string, bytes: Uint8Array): Uint8Array {
  requireNumber(`${field}.length`, bytes.length, { max: DESIGN_INPUT_BYTES_MAX });
  return bytes;
}

function digestOf(tag: string, parts: readonly Uint8Array[], sha256: Sha256): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const part of [bytesOfText(tag), ...parts]) pieces.push(uint32(part.length), part);
  const digest = sha256(concat(pieces));
  requireNumber("sha256 result length", digest.length, { min: 32, max: 32 });
  return digest;
}

function wordOf(digest: Uint8Array): number {
  return new DataView(digest.buffer, digest.byteOffset, digest.byteLength).getUint32(0);
}
