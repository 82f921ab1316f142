// The arithmetic behind `npm run measure`.
import { expect, it } from "vitest";
import { blockBetween, parseReading, pooledQuantile } from "../src/measure/scrape.ts";
import { effect } from "../src/measure/switchback.ts";

const text = (buckets: readonly number[], sum: number, cpu: number): string => `# HELP x y
inference_request_seconds_bucket{le="0.001"} ${buckets[0]}
inference_request_seconds_bucket{le="0.002"} ${buckets[1]}
inference_request_seconds_bucket{le="+Inf"} ${buckets[2]}
inference_request_seconds_sum ${sum}
inference_request_seconds_count ${buckets[2]}
inference_cpu_seconds_total ${cpu}
`;

it("takes the difference of two readings", () => {
  const before = parseReading(text([1, 2, 2], 0.5, 1));
  const block = blockBetween(before, parseReading(text([5, 8, 12], 2.5, 3)));
  expect(block.count).toBe(10);
  expect(block.mean).toBeCloseTo(0.2);
  expect(block.cpuPerRequest).toBeCloseTo(0.2);
  expect([...block.buckets]).toEqual([
    [0.001, 4],
    [0.002, 2],
    [Infinity, 4],
  ]);
  expect(pooledQuantile([block, block], 0.4)).toBe(0.001);
  expect(pooledQuantile([block, block], 0.6)).toBe(0.002);
  expect(pooledQuantile([block, block], 0.95)).toBe(Infinity);
});

it("reports log ratios as a change with its scatter", () => {
  const { change, plusMinus, sd } = effect([Math.log(2), Math.log(2), Math.log(2)]);
  expect(change).toBeCloseTo(1);
  expect(sd).toBeCloseTo(0);
  expect(plusMinus).toBeCloseTo(0);
  expect(effect([-0.1, 0.1]).sd).toBeCloseTo(Math.sqrt(0.02));
});
