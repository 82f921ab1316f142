// What the core itself costs, without disk and network: npm run bench:core [-- seconds per row]
// Three nodes in one process pass messages by hand; writes are done at once, in memory. Prints time and
// bytes allocated per proposal for several batch sizes, and per heartbeat round and step. Works on
// dist/, so build first (the npm script does). Bytes are what the heap grew by while no collection
// ran; a row in which one ran is measured again with fewer rounds.
import { PerformanceObserver, performance } from "node:perf_hooks";
import { MemoryLogStorage, RawNode, logIndex, makeMessage, nodeId, term } from "../dist/index.js";

const SECONDS = Number(process.argv[2] ?? "1");
if (!(SECONDS > 0)) {
  process.stderr.write("usage: bench-core [seconds per row, more than 0]\n");
  process.exit(2);
}
const BATCHES = [1, 16, 64, 256];
const PAYLOAD_BYTES = 256;
/** Applied entries kept before the log in memory is cut, so that the heap stays small. */
const KEEP = 4096;

/** When the last collection began that did not come from our own call of gc(). */
let collectedAt = 0;
new PerformanceObserver((list) => {
  for (const { startTime } of list.getEntries()) collectedAt = Math.max(collectedAt, startTime);
}).observe({ entryTypes: ["gc"] });

class Group {
  constructor(ids) {
    const confState = {
      voters: ids.map(nodeId),
      learners: [],
      votersOutgoing: [],
      learnersNext: [],
      autoLeave: false,
    };
    const metadata = { confState, index: logIndex(1), term: term(1) };
    this.network = [];
    this.applied = 0;
    this.peers = ids.map((id) => {
      const storage = new MemoryLogStorage();
      storage.applySnapshot({ data: new Uint8Array(0), metadata });
      const node = new RawNode({
        id: nodeId(id),
        storage,
        random: () => 0,
        applied: metadata.index,
        electionTicks: 10,
        heartbeatTicks: 1,
        asyncStorageWrites: true,
      });
      return { id, node, storage };
    });
    this.leader = this.peers[0];
    this.leader.node.campaign();
    this.settle();
    if (this.leader.node.basicStatus().state !== "leader") throw new Error("nobody was elected");
  }

  work(peer) {
    const ready = peer.node.ready();
    for (const m of ready.messages) {
      if (m.type === "MsgStorageAppend") {
        if (m.term > 0) peer.storage.setHardState({ term: m.term, vote: m.vote, commit: m.commit });
        peer.storage.append(m.entries);
        for (const response of m.responses) this.network.push(response);
      } else if (m.type === "MsgStorageApply") {
        if (peer === this.leader) this.applied += m.entries.length;
        for (const response of m.responses) this.network.push(response);
      } else {
        this.network.push(m);
      }
    }
  }

  settle() {
    for (;;) {
      for (const peer of this.peers) if (peer.node.hasReady()) this.work(peer);
      if (this.network.length === 0) return;
      const due = this.network;
      this.network = [];
      for (const m of due) this.peers[m.to - 1].node.step(m);
    }
  }

  compact() {
    for (const { node, storage } of this.peers) {
      const { applied } = node.basicStatus();
      if (applied - storage.firstIndex() >= 2 * KEEP) storage.compact(logIndex(applied - KEEP));
    }
  }
}

/** Runs `round` for about the given time; returns time, bytes allocated (undefined after a collection)
 * and rounds. */
function measure(round, seconds) {
  globalThis.gc();
  const heap = process.memoryUsage().heapUsed;
  const start = performance.now();
  const end = start + seconds * 1000;
  let rounds = 0;
  while (performance.now() < end) {
    for (let i = 0; i < 16; i++) round();
    rounds += 16;
  }
  const milliseconds = performance.now() - start;
  const bytes = process.memoryUsage().heapUsed - heap;
  return { milliseconds, rounds, bytes, start };
}

/** Collections are reported by an event: let it arrive before judging. */
async function settled({ start, bytes, ...rest }) {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { ...rest, bytes: collectedAt < start ? bytes : undefined };
}

async function row(name, perRound, round) {
  for (let i = 0; i < 2000; i++) round();
  const timed = await settled(measure(round, SECONDS));
  let spent = timed;
  for (let seconds = SECONDS / 4; spent.bytes === undefined && seconds > 0.002; seconds /= 2) {
    spent = await settled(measure(round, seconds));
  }
  const count = timed.rounds * perRound;
  const each = (timed.milliseconds * 1e6) / count;
  const bytes =
    spent.bytes === undefined ? "?" : Math.round(spent.bytes / (spent.rounds * perRound));
  const cells = [
    name.padEnd(34),
    Math.round(1e9 / each)
      .toString()
      .padStart(11),
    Math.round(each).toString().padStart(9),
    String(bytes).padStart(9),
  ];
  process.stdout.write(`${cells.join(" ")}\n`);
}

const group = new Group([1, 2, 3]);
const payload = new Uint8Array(PAYLOAD_BYTES);
const nothing = () => {};

process.stdout.write(`${"".padEnd(34)} ${"per second".padStart(11)} ${"ns each".padStart(9)} `);
process.stdout.write(`${"B each".padStart(9)}\n`);
for (const batch of BATCHES) {
  const commands = Array.from({ length: batch }, () => payload);
  let since = 0;
  await row(`proposal, ${batch} at a time, 3 nodes`, batch, () => {
    const result = group.leader.node.proposeBatch(commands);
    if (!result.ok) throw new Error(result.reason);
    group.settle();
    since += batch;
    if (since >= KEEP) {
      group.compact();
      since = 0;
    }
  });
}
await row("heartbeat round, 3 nodes", 1, () => {
  group.leader.node.tick();
  group.settle();
});
const follower = group.peers[1].node;
const { term: now, commit } = follower.basicStatus();
const heartbeat = makeMessage({
  type: "MsgHeartbeat",
  from: nodeId(1),
  to: nodeId(2),
  term: now,
  commit,
});
await row("step of a heartbeat, and its Ready", 1, () => {
  follower.step(heartbeat);
  follower.ready();
});
await row("hasReady without work", 1, () => follower.hasReady() && nothing());
process.stdout.write(`${group.applied} entries applied, payload of ${PAYLOAD_BYTES} bytes each\n`);
