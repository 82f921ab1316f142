// Three nodes in one process elect a leader and replicate a command.
import { MemoryLogStorage, RawNode, nodeId, term, logIndex } from "raft-ts";

const ids = [1, 2, 3].map(nodeId);
const confState = {
  voters: ids,
  learners: [],
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
};
const metadata = { confState, index: logIndex(1), term: term(1) };
const network = []; // messages on their way
const applied = new Map(); // what each node's state machine has seen

const nodes = new Map(
  ids.map((id) => {
    const storage = new MemoryLogStorage();
    storage.applySnapshot({ data: new Uint8Array(), metadata }); // the common beginning
    applied.set(id, []);
    const random = (bound) => (id * 7) % bound; // the only source of chance
    const options = { electionTicks: 10, heartbeatTicks: 1, asyncStorageWrites: true };
    const node = new RawNode({ id, storage, random, applied: metadata.index, ...options });
    return [id, { id, node, storage }];
  }),
);

function work({ id, node, storage }) {
  for (const m of node.ready().messages) {
    if (m.type === "MsgStorageAppend") {
      const { term, vote, commit } = m;
      if (term > 0) storage.setHardState({ term, vote, commit });
      storage.append(m.entries); // a real store syncs here, before the responses go out
    } else if (m.type === "MsgStorageApply") {
      for (const entry of m.entries) {
        if (entry.data.length > 0) applied.get(id).push(new TextDecoder().decode(entry.data));
      }
    }
    network.push(...(m.type.startsWith("MsgStorage") ? m.responses : [m]));
  }
}

function settle() {
  for (const peer of nodes.values()) if (peer.node.hasReady()) work(peer);
  for (const m of network.splice(0)) nodes.get(m.to).node.step(m);
  if (network.length > 0 || [...nodes.values()].some((p) => p.node.hasReady())) settle();
}

const { node } = nodes.get(ids[0]);
while (node.basicStatus().lead === 0) {
  for (const peer of nodes.values()) peer.node.tick();
  settle();
}
const { ok } = node.propose(new TextEncoder().encode("hello"));
settle();
process.stdout.write(`proposed: ${ok}\napplied: ${JSON.stringify([...applied.values()])}\n`);
