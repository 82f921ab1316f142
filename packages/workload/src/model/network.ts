// The classifier: features (256) -> 512 -> 512 -> 16 scores, the label is the largest score. The
// weights are drawn from a seed, not trained: the labels mean nothing to a reader, but every one is
// computed in full, and costs what a trained network of this shape costs.
import { Random } from "../random.ts";
import { BATCH_SIZE_MAX } from "../limits.ts";
import { FEATURE_COUNT } from "./features.ts";
import { emptyLayer, forwardLayer, quantise } from "./quantised.ts";
import type { QuantisedLayer } from "./quantised.ts";

/** Classes, and so scores per request. */
export const LABEL_COUNT = 16;
const HIDDEN = 512;

/** The layers in order. Held in shared memory: hand it to a worker without copying. */
export interface Network {
  readonly layers: readonly QuantisedLayer[];
}

/** Draws the network of a seed. Takes some 30 ms. */
export function createNetwork(seed: number): Network {
  const random = new Random(seed);
  const shapes = [
    { rows: HIDDEN, columns: FEATURE_COUNT },
    { rows: HIDDEN, columns: HIDDEN },
    { rows: LABEL_COUNT, columns: HIDDEN },
  ];
  const layers = shapes.map(({ rows, columns }, index) => {
    const layer = emptyLayer(rows, columns, index < shapes.length - 1);
    const spread = Math.sqrt(6 / columns);
    const weights = new Float32Array(rows * columns);
    for (let at = 0; at < weights.length; at++) weights[at] = (2 * random.uniform() - 1) * spread;
    quantise(weights, layer);
    for (let row = 0; row < rows; row++) layer.bias[row] = (random.uniform() - 0.5) * 0.1;
    return layer;
  });
  return { layers };
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
  readonly #hidden: readonly Float32Array[];
  readonly #row: Float32Array = new Float32Array(HIDDEN);

  constructor(network: Network) {
    this.#network = network;
    this.#hidden = network.layers
      .slice(0, -1)
      .map((layer) => new Float32Array(BATCH_SIZE_MAX * layer.rows));
  }

  /** Reads the first `count` feature vectors, writes as many score rows and labels. */
  run(buffers: BatchBuffers, count: number): void {
    if (!Number.isInteger(count) || count < 1 || count > BATCH_SIZE_MAX) {
      throw new RangeError(`batch of ${count}, allowed 1 to ${BATCH_SIZE_MAX}`);
    }
    let input = buffers.features;
    for (const [index, layer] of this.#network.layers.entries()) {
      const output = this.#hidden[index] ?? buffers.scores;
      forwardLayer(layer, { input, output, row: this.#row }, count);
      input = output;
    }
    for (let request = 0; request < count; request++) {
      buffers.labels[request] = largestIndex(buffers.scores, request * LABEL_COUNT);
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
