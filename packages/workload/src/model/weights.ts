// How the weights are kept: 4-bit integers in groups of 32 with one scale per group, as served
// language models keep theirs. All layers lie in one shared memory area each for weights, scales and
// biases, so that threads share them without a copy.

/** Weights that share one scale. */
export const GROUP_SIZE = 32;
/** Weights in one 32-bit word, the first in the lowest four bits. */
export const WEIGHTS_PER_WORD = 8;
/** Added to a quantised value (-7..7) before it is stored. */
export const ZERO_POINT = 8;
const QUANTISED_MAX = 7;

/** The place and shape of one dense layer. */
export interface Layer {
  /** Outputs. */
  readonly rows: number;
  /** Inputs, a multiple of GROUP_SIZE. */
  readonly columns: number;
  /** Index of its first word in `packed`; rows follow one another. */
  readonly firstWord: number;
  /** Index of its first group in `scales`. */
  readonly firstScale: number;
  /** Index of its first bias. */
  readonly firstBias: number;
  /** True: negative outputs become 0. */
  readonly rectify: boolean;
}

/** All layers in order and the shared memory that holds them. */
export interface Network {
  readonly layers: readonly Layer[];
  readonly packed: Int32Array;
  readonly scales: Float32Array;
  readonly bias: Float32Array;
}

/** Allocates a network of zeros; `widths` are inputs, hidden sizes and outputs in order. */
export function emptyNetwork(widths: readonly number[]): Network {
  const layers: Layer[] = [];
  let weights = 0;
  let biases = 0;
  for (const [index, rows] of widths.slice(1).entries()) {
    const columns = widths[index] ?? 0;
    if (columns === 0 || columns % GROUP_SIZE !== 0) {
      throw new RangeError(`layer ${index} has ${columns} inputs, not a multiple of ${GROUP_SIZE}`);
    }
    layers.push({
      rows,
      columns,
      firstWord: weights / WEIGHTS_PER_WORD,
      firstScale: weights / GROUP_SIZE,
      firstBias: biases,
      rectify: index < widths.length - 2,
    });
    weights += rows * columns;
    biases += rows;
  }
  return {
    layers,
    packed: new Int32Array(new SharedArrayBuffer(weights / 2)),
    scales: new Float32Array(new SharedArrayBuffer((weights / GROUP_SIZE) * 4)),
    bias: new Float32Array(new SharedArrayBuffer(biases * 4)),
  };
}

/** Rounds a layer's `weights` (row-major) into place; each is off by at most half its scale. */
export function quantise(network: Network, layer: Layer, weights: Float32Array): void {
  for (let start = 0; start < weights.length; start += GROUP_SIZE) {
    let largest = 0;
    for (let index = start; index < start + GROUP_SIZE; index++) {
      largest = Math.max(largest, Math.abs(weights[index] ?? 0));
    }
    const scale = largest / QUANTISED_MAX;
    network.scales[layer.firstScale + start / GROUP_SIZE] = scale;
    for (let index = start; index < start + GROUP_SIZE; index += WEIGHTS_PER_WORD) {
      let word = 0;
      for (let part = 0; part < WEIGHTS_PER_WORD; part++) {
        word |= code(weights[index + part] ?? 0, scale) << (4 * part);
      }
      network.packed[layer.firstWord + index / WEIGHTS_PER_WORD] = word;
    }
  }
}

function code(weight: number, scale: number): number {
  const value = scale === 0 ? 0 : Math.round(weight / scale);
  return Math.max(-QUANTISED_MAX, Math.min(QUANTISED_MAX, value)) + ZERO_POINT;
}
