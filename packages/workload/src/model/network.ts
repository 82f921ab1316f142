// The classifier: features (256) -> 512 -> 512 -> 16 scores, the label is the largest score. The
// weights are drawn from a seed, not trained: the labels mean nothing to a reader, but every one is
// computed in full, and costs what a trained network of this shape costs.
import { Random } from "../random.ts";
import { BATCH_SIZE_MAX } from "../limits.ts";
import { FEATURE_COUNT } from "./features.ts";
import { createSumProducts, createUnpackRow } from "./kernel.ts";
import type { SumProducts, UnpackRow } from "./kernel.ts";
import { emptyNetwork, quantise } from "./weights.ts";
import type { Layer, Network } from "./weights.ts";

/** Classes, and so scores per request. */
export const LABEL_COUNT = 16;
const HIDDEN = 512;

/** Draws the network of a seed. Takes some 30 ms. */
export function createNetwork(seed: number): Network {
  const random = new Random(seed);
  const network = emptyNetwork([FEATURE_COUNT, HIDDEN, HIDDEN, LABEL_COUNT]);
  for (const layer of network.layers) {
    const spread = Math.sqrt(6 / layer.columns);
    const weights = new Float32Array(layer.rows * layer.columns);
    for (let at = 0; at < weights.length; at++) weights[at] = (2 * random.uniform() - 1) * spread;
    if (layer === network.layers.at(-1)) centreRows(weights, layer.columns);
    quantise(network, layer, weights);
    for (let row = 0; row < layer.rows; row++) {
      network.bias[layer.firstBias + row] = (random.uniform() - 0.5) * 0.1;
    }
  }
  return network;
}

/** Makes each row sum to 0: hidden values are all positive, and would favour one label otherwise. */
function centreRows(weights: Float32Array, columns: number): void {
  for (let start = 0; start < weights.length; start += columns) {
    const row = weights.subarray(start, start + columns);
    const mean = row.reduce((sum, weight) => sum + weight, 0) / columns;
    for (let at = 0; at < columns; at++) row[at] = (row[at] ?? 0) - mean;
  }
}

/** What one caller shares with one worker: it writes features, the worker writes the rest. */
export interface BatchBuffers {
  /** BATCH_SIZE_MAX x 256. */
  readonly features: Float32Array;
  /** BATCH_SIZE_MAX x 16. */
  readonly scores: Float32Array;
  /** BATCH_SIZE_MAX labels, 0..15. */
  readonly labels: Int32Array;
}

/** Allocates the shared buffers of one worker, 70 KB. */
export function createBatchBuffers(): BatchBuffers {
  const floats = (length: number): Float32Array =>
    new Float32Array(new SharedArrayBuffer(length * 4));
  return {
    features: floats(BATCH_SIZE_MAX * FEATURE_COUNT),
    scores: floats(BATCH_SIZE_MAX * LABEL_COUNT),
    labels: new Int32Array(new SharedArrayBuffer(BATCH_SIZE_MAX * 4)),
  };
}

/** Computes batches. Owns its scratch memory; not for use by two callers at once. */
export class Classifier {
  readonly #network: Network;
  readonly #unpackRow: UnpackRow;
  readonly #sumProducts: SumProducts;
  /** Two halves: each layer reads one and writes the other. */
  readonly #cells: Float32Array;

  constructor(network: Network) {
    const scratch = new Float32Array(HIDDEN);
    this.#network = network;
    this.#cells = new Float32Array(2 * BATCH_SIZE_MAX * HIDDEN);
    this.#unpackRow = createUnpackRow(network, scratch);
    this.#sumProducts = createSumProducts(scratch, this.#cells);
  }

  /** Reads the first `count` feature vectors, writes as many score rows and labels. */
  run(buffers: BatchBuffers, count: number): void {
    if (!Number.isInteger(count) || count < 1 || count > BATCH_SIZE_MAX) {
      throw new RangeError(`batch must be an integer from 1 to ${BATCH_SIZE_MAX}, found ${count}`);
    }
    const half = BATCH_SIZE_MAX * HIDDEN;
    this.#cells.set(buffers.features.subarray(0, count * FEATURE_COUNT));
    let from = 0;
    for (const layer of this.#network.layers) {
      const to = half - from;
      this.#forward(layer, from, to, count);
      from = to;
    }
    buffers.scores.set(this.#cells.subarray(from, from + count * LABEL_COUNT));
    for (let request = 0; request < count; request++) {
      buffers.labels[request] = largestIndex(buffers.scores, request * LABEL_COUNT);
    }
  }

  #forward(layer: Layer, from: number, to: number, count: number): void {
    const cells = this.#cells;
    const { rows, columns, rectify } = layer;
    for (let row = 0; row < rows; row++) {
      this.#unpackRow(layer, row);
      this.#sumProducts({ columns, from, to: to + row, stride: rows }, count);
      const bias = this.#network.bias[layer.firstBias + row]!;
      for (let at = to + row; at < to + count * rows; at += rows) {
        const sum = cells[at]! + bias;
        cells[at] = rectify && sum < 0 ? 0 : sum;
      }
    }
  }
}

function largestIndex(scores: Float32Array, from: number): number {
  let best = 0;
  for (let label = 1; label < LABEL_COUNT; label++) {
    if (scores[from + label]! > scores[from + best]!) best = label;
  }
  return best;
}
