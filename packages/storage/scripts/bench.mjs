// Synced append rates of the raft log with its mark: `npm run bench -w @kingly/storage` after a build.
// Bounded to about five seconds. Numbers are of this machine and this run only.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { initDirectory, openStorage } from "../dist/index.js";

const IDENTITY = { clusterId: "bench", memberId: "bench", raftId: 1, incarnation: "bench" };
const SECONDS_PER_ROW = 1.1;
const confState = {
  voters: [1],
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};

const print = (line) => process.stdout.write(`${line}\n`);

/** Appends `batch` entries at a time, `outstanding` appends under way, for a while. */
async function measure(storage, batch, outstanding) {
  const data = new Uint8Array(256).fill(7);
  const latencies = [];
  let count = 0;
  const began = process.hrtime.bigint();
  const until = began + BigInt(Math.round(SECONDS_PER_ROW * 1e9));
  const worker = async () => {
    while (process.hrtime.bigint() < until) {
      const first = storage.log.lastIndex() + 1;
      const entries = [];
      for (let at = 0; at < batch; at += 1) {
        entries.push({ term: 1, index: first + at, type: "normal", data });
      }
      const start = process.hrtime.bigint();
      await storage.log.append({ hardState: { term: 1, vote: 1, commit: first - 1 }, entries });
      latencies.push(Number(process.hrtime.bigint() - start) / 1e6);
      count += batch;
    }
  };
  await Promise.all(Array.from({ length: outstanding }, worker));
  const seconds = Number(process.hrtime.bigint() - began) / 1e9;
  latencies.sort((a, b) => a - b);
  const p50 = latencies[Math.floor(latencies.length / 2)] ?? 0;
  const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? 0;
  return { perSecond: Math.round(count / seconds), p50, p99 };
}

const root = await mkdtemp(join(tmpdir(), "kingly-bench-"));
const dir = `${root}/data`;
try {
  await initDirectory({ dir, ...IDENTITY, bootstrap: { confState } });
  const storage = await openStorage({ dir, expect: IDENTITY });
  print("256 B, synced, with mark: batch x outstanding, entries/s, p50 ms, p99 ms");
  for (const [batch, outstanding] of [
    [1, 1],
    [64, 1],
    [512, 1],
    [1, 64],
  ]) {
    const { perSecond, p50, p99 } = await measure(storage, batch, outstanding);
    const name = `${batch} x ${outstanding}`.padStart(10);
    const columns = [perSecond, p50.toFixed(2), p99.toFixed(2)].map((v) => String(v).padStart(9));
    print([name, ...columns].join(" "));
  }
  await storage.close();
} finally {
  await rm(root, { recursive: true, force: true });
}
