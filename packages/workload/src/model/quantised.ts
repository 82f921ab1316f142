// A dense layer whose weights are kept as 4-bit integers in groups of 32 with one scale per group, as
// served language models keep theirs. A row is unpacked into a scratch row once per *batch* and then
// used for every request in it: that cost is what batching amortises. Each request's sum runs over
// the inputs in the same order whatever the batch, so a batched result equals the single one bit for
// bit; four requests at a time only interleave four independent sums.

/** Weights that share one scale. */
export const GROUP_SIZE = 32;
/** Quantised values run from -7 to 7, stored with this added. */
const ZERO_POINT = 8;
const QUANTISED_MAX = 7;

/** One layer: `rows` outputs, `columns` inputs (a multiple of GROUP_SIZE). Shared between threads. */
export interface QuantisedLayer {
  readonly rows: number;
  readonly columns: number;
  /** Two weights per byte, the lower half first; rows one after the other. */
  readonly packed: Uint8Array;
  /** One scale per group, in the same order. */
  readonly scales: Float32Array;
  /** Added to each output. */
  readonly bias: Float32Array;
  /** True: negative outputs become 0. */
  readonly rectify: boolean;
}

/** Allocates a layer of zeros in shared memory. */
export function emptyLayer(rows: number, columns: number, rectify: boolean): QuantisedLayer {
  if (columns % GROUP_SIZE !== 0) throw new Error(`columns ${columns} not in groups of 32`);
  const groups = (rows * columns) / GROUP_SIZE;
  return {
    rows,
    columns,
    rectify,
    packed: new Uint8Array(new SharedArrayBuffer((rows * columns) / 2)),
    scales: new Float32Array(new SharedArrayBuffer(groups * 4)),
    bias: new Float32Array(new SharedArrayBuffer(rows * 4)),
  };
}

/** Rounds `weights` (row-major) into the layer; the error of a weight is at most half its scale. */
export function quantise(weights: Float32Array, layer: QuantisedLayer): void {
  for (let group = 0; group < layer.scales.length; group++) {
    const start = group * GROUP_SIZE;
    let largest = 0;
    for (let index = 0; index < GROUP_SIZE; index++) {
      largest = Math.max(largest, Math.abs(weights[start + index] ?? 0));
    }
    const scale = largest / QUANTISED_MAX;
    layer.scales[group] = scale;
    for (let index = 0; index < GROUP_SIZE; index += 2) {
      const low = code(weights[start + index] ?? 0, scale);
      const high = code(weights[start + index + 1] ?? 0, scale);
      layer.packed[(start + index) / 2] = low | (high << 4);
    }
  }
}

function code(weight: number, scale: number): number {
  const value = scale === 0 ? 0 : Math.round(weight / scale);
  return Math.max(-QUANTISED_MAX, Math.min(QUANTISED_MAX, value)) + ZERO_POINT;
}

/** Unpacks one row into `target[0 .. columns - 1]`. */
export function unpackRow(layer: QuantisedLayer, row: number, target: Float32Array): void {
  const { packed, scales, columns } = layer;
  let from = (row * columns) / 2;
  let group = (row * columns) / GROUP_SIZE;
  for (let start = 0; start < columns; start += GROUP_SIZE) {
    const scale = scales[group++]!;
    for (let index = start; index < start + GROUP_SIZE; index += 2) {
      const byte = packed[from++]!;
      target[index] = ((byte & 15) - ZERO_POINT) * scale;
      target[index + 1] = ((byte >> 4) - ZERO_POINT) * scale;
    }
  }
}

/** Inputs and outputs (request after request) and the scratch row of one layer call. */
export interface LayerBuffers {
  readonly input: Float32Array;
  readonly output: Float32Array;
  readonly row: Float32Array;
}

/** Computes the layer for `count` requests. */
export function forwardLayer(layer: QuantisedLayer, buffers: LayerBuffers, count: number): void {
  for (let row = 0; row < layer.rows; row++) {
    unpackRow(layer, row, buffers.row);
    let request = 0;
    for (; request + 4 <= count; request += 4) fourSums(layer, buffers, row, request);
    for (; request < count; request++) oneSum(layer, buffers, row, request);
  }
}

function oneSum(layer: QuantisedLayer, buffers: LayerBuffers, row: number, request: number): void {
  const { input, output, row: weights } = buffers;
  const columns = layer.columns;
  const from = request * columns;
  let sum = layer.bias[row]!;
  for (let index = 0; index < columns; index++) sum += weights[index]! * input[from + index]!;
  output[request * layer.rows + row] = layer.rectify && sum < 0 ? 0 : sum;
}

function fourSums(layer: QuantisedLayer, buffers: LayerBuffers, row: number, first: number): void {
  const { input, output, row: weights } = buffers;
  const { columns, rows, rectify } = layer;
  const from0 = first * columns;
  const from1 = from0 + columns;
  const from2 = from1 + columns;
  const from3 = from2 + columns;
  let sum0 = layer.bias[row]!;
  let sum1 = sum0;
  let sum2 = sum0;
  let sum3 = sum0;
  for (let index = 0; index < columns; index++) {
    const weight = weights[index]!;
    sum0 += weight * input[from0 + index]!;
    sum1 += weight * input[from1 + index]!;
    sum2 += weight * input[from2 + index]!;
    sum3 += weight * input[from3 + index]!;
  }
  const to = first * rows + row;
  output[to] = rectify && sum0 < 0 ? 0 : sum0;
  output[to + rows] = rectify && sum1 < 0 ? 0 : sum1;
  output[to + 2 * rows] = rectify && sum2 < 0 ? 0 : sum2;
  output[to + 3 * rows] = rectify && sum3 < 0 ? 0 : sum3;
}
