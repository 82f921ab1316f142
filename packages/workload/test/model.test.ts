// The network: quantisation, features, and that batches change cost but never results.
import { describe, expect, it } from "vitest";
import { Random } from "../src/random.ts";
import { BATCH_SIZE_MAX } from "../src/limits.ts";
import { FEATURE_COUNT, writeFeatures } from "../src/model/features.ts";
import { createUnpackRow } from "../src/model/kernel.ts";
import {
  Classifier,
  createBatchBuffers,
  createNetwork,
  LABEL_COUNT,
} from "../src/model/network.ts";
import { emptyNetwork, quantise } from "../src/model/weights.ts";
import type { Network } from "../src/model/weights.ts";
import { textNumber } from "../src/load/schedule.ts";
import { classify } from "./support.ts";

const texts = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => textNumber(5, index));

/** The same network by plain loops over unpacked weights, one request at a time. */
function obviousScores(network: Network, features: Float32Array): number[] {
  const scratch = new Float32Array(512);
  const unpackRow = createUnpackRow(network, scratch);
  let values = Array.from(features);
  for (const layer of network.layers) {
    const next: number[] = [];
    for (let row = 0; row < layer.rows; row++) {
      unpackRow(layer, row);
      let sum = network.bias[layer.firstBias + row] ?? 0;
      for (let at = 0; at < layer.columns; at++) sum += (scratch[at] ?? 0) * (values[at] ?? 0);
      next.push(layer.rectify ? Math.max(0, sum) : sum);
    }
    values = next;
  }
  return values;
}

describe("weights", () => {
  it("come back from 4 bits with an error of at most half the scale of their group", () => {
    const random = new Random(3);
    const network = emptyNetwork([64, 32]);
    const layer = network.layers[0]!;
    const weights = new Float32Array(64 * 32).map(() => random.uniform() * 4 - 2);
    quantise(network, layer, weights);
    const scratch = new Float32Array(64);
    const unpackRow = createUnpackRow(network, scratch);
    for (let row = 0; row < 32; row++) {
      unpackRow(layer, row);
      for (let at = 0; at < 64; at++) {
        const scale = network.scales[row * 2 + (at >> 5)]!;
        const error = Math.abs(scratch[at]! - weights[row * 64 + at]!);
        expect(error).toBeLessThanOrEqual(scale / 2 + 1e-6);
      }
    }
  });

  it("follow from the seed alone", () => {
    expect(createNetwork(7).packed).toEqual(createNetwork(7).packed);
    expect(createNetwork(7).packed).not.toEqual(createNetwork(8).packed);
  });

  it("must come in whole groups", () => {
    expect(() => emptyNetwork([33, 8])).toThrow("33 inputs, not a multiple of 32");
  });
});

describe("features", () => {
  it("have mean square 1, overwrite what was there, and depend on the text", () => {
    const first = new Float32Array(FEATURE_COUNT * 2).fill(9);
    writeFeatures("late parcel", first, FEATURE_COUNT);
    expect(first[0]).toBe(9);
    const norm = first.subarray(FEATURE_COUNT).reduce((sum, value) => sum + value * value, 0);
    expect(norm).toBeCloseTo(FEATURE_COUNT, 2);
    const second = new Float32Array(FEATURE_COUNT * 2).fill(9);
    writeFeatures("early parcel", second, FEATURE_COUNT);
    expect(second).not.toEqual(first);
  });

  it("are finite for any string, lone surrogates and spaces included", () => {
    const target = new Float32Array(FEATURE_COUNT);
    for (const text of ["", " ", "   ", "\ud800", "a", "é漢字 \u0000", "x".repeat(2_000)]) {
      writeFeatures(text, target, 0);
      expect(target.every((value) => Number.isFinite(value))).toBe(true);
    }
  });
});

describe("classifier", () => {
  it("gives every request of a batch the bits it gets alone, for every batch size", () => {
    const all = texts(BATCH_SIZE_MAX);
    const single = all.map((text) => classify([text])[0]!);
    for (let size = 1; size <= BATCH_SIZE_MAX; size++) {
      const batch = classify(all.slice(0, size));
      for (let index = 0; index < size; index++) {
        expect(Array.from(batch[index]!.scores)).toEqual(Array.from(single[index]!.scores));
        expect(batch[index]!.label).toBe(single[index]!.label);
      }
    }
  });

  it("agrees with plain loops over the unpacked weights", () => {
    const network = createNetwork(11);
    const buffers = createBatchBuffers();
    for (const [index, text] of texts(5).entries()) {
      writeFeatures(text, buffers.features, index * FEATURE_COUNT);
    }
    new Classifier(network).run(buffers, 5);
    for (let index = 0; index < 5; index++) {
      const from = index * FEATURE_COUNT;
      const expected = obviousScores(network, buffers.features.slice(from, from + FEATURE_COUNT));
      expected.forEach((score, label) => {
        expect(buffers.scores[index * LABEL_COUNT + label]).toBeCloseTo(score, 3);
      });
      expect(buffers.labels[index]).toBe(expected.indexOf(Math.max(...expected)));
    }
  });

  it("gives different texts different labels", () => {
    const labels = new Set(texts(300).map((text) => classify([text])[0]!.label));
    expect(labels.size).toBeGreaterThanOrEqual(4);
  });

  it("refuses a batch size outside its buffers", () => {
    const classifier = new Classifier(createNetwork(1));
    for (const count of [0, BATCH_SIZE_MAX + 1, 1.5]) {
      expect(() => classifier.run(createBatchBuffers(), count)).toThrow(`found ${count}`);
    }
  });
});
