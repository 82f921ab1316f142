// A group of nodes in asynchronous mode under full control of a test: every message, write and apply
// happens when the test says so. Storage survives a restart, queues and messages to oneself do not.
import {
  MemoryLogStorage,
  RawNode,
  confChangeOfEntry,
  isLocalTarget,
  logIndex,
  nodeId,
  term,
} from "../src/index.ts";
import type {
  ConfState,
  Entry,
  HardState,
  LogIndex,
  Message,
  MessageType,
  NodeId,
  RaftConfig,
  ReadState,
  Snapshot,
  TraceEvent,
} from "../src/index.ts";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array): string => new TextDecoder().decode(data);

export type Options = Partial<Omit<RaftConfig, "id" | "storage">>;

/** Storage whose membership follows what was applied, as a real one's would. */
export class TestStorage extends MemoryLogStorage {
  confState: ConfState;
  constructor(confState: ConfState) {
    super();
    this.confState = confState;
  }
  override initialState(): { hardState: HardState; confState: ConfState } {
    return { hardState: super.initialState().hardState, confState: this.confState };
  }
}

export class Peer {
  readonly id: NodeId;
  readonly storage: TestStorage;
  readonly options: Options;
  node: RawNode;
  appendWork: Message[] = [];
  applyWork: Message[] = [];
  applied: Entry[] = [];
  reads: ReadState[] = [];
  events: TraceEvent[] = [];

  constructor(id: NodeId, confState: ConfState, options: Options) {
    this.id = id;
    this.storage = new TestStorage(confState);
    this.options = options;
    this.node = this.start();
  }

  start(extra: Options = {}): RawNode {
    this.appendWork = [];
    this.applyWork = [];
    return new RawNode({
      electionTicks: 10,
      heartbeatTicks: 1,
      random: () => 0,
      asyncStorageWrites: true,
      // Tests ask for what they are about.
      preVote: false,
      checkQuorum: false,
      stepDownOnRemoval: false,
      membershipGuard: false,
      diskStallTicks: 0,
      trace: (event) => this.events.push(event),
      ...this.options,
      ...extra,
      id: this.id,
      storage: this.storage,
      applied: logIndex(this.applied.at(-1)?.index ?? 0),
    });
  }

  /** Takes a Ready; returns the messages for others. */
  ready(): Message[] {
    const out: Message[] = [];
    if (!this.node.hasReady()) return out;
    const ready = this.node.ready();
    this.reads.push(...ready.readStates);
    for (const m of ready.messages) {
      if (m.type === "MsgStorageAppend") this.appendWork.push(m);
      else if (m.type === "MsgStorageApply") this.applyWork.push(m);
      else out.push(m);
    }
    return out;
  }

  /** Does one write; returns its responses. */
  write(): readonly Message[] {
    const work = this.appendWork.shift();
    if (work === undefined) return [];
    if (work.term !== 0 || work.vote !== 0 || work.commit !== 0) {
      this.storage.setHardState({ term: work.term, vote: work.vote, commit: work.commit });
    }
    if (work.snapshot !== undefined) this.install(work.snapshot);
    this.storage.append(work.entries);
    return work.responses;
  }

  private install(snapshot: Snapshot): void {
    this.storage.applySnapshot(snapshot);
    this.storage.confState = snapshot.metadata.confState;
    const { index, term: at } = snapshot.metadata;
    this.applied.push({ index, term: at, type: "normal", data: bytes("snapshot") });
  }

  /** Applies one batch; returns its responses. */
  apply(): readonly Message[] {
    const work = this.applyWork.shift();
    if (work === undefined) return [];
    for (const entry of work.entries) {
      // A snapshot was installed while this batch waited; it holds these entries already.
      if (entry.index <= (this.applied.at(-1)?.index ?? 0)) continue;
      const cc = confChangeOfEntry(entry);
      if (cc !== undefined) this.storage.confState = this.node.applyConfChange(cc, entry.index);
      this.applied.push(entry);
    }
    return work.responses;
  }

  get state(): string {
    return this.node.basicStatus().state;
  }

  log(): string[] {
    const first = this.storage.firstIndex();
    const end = logIndex(this.storage.lastIndex() + 1);
    return this.storage.entries(first, end, 1e9).map((e) => `${e.term}/${e.index}${text(e.data)}`);
  }

  appliedData(): string[] {
    return this.applied
      .filter((e) => e.type === "normal" && e.data.length > 0)
      .map((e) => text(e.data));
  }
}

export const confState = (voters: number[], learners: number[] = []): ConfState => ({
  voters: voters.map(nodeId),
  learners: learners.map(nodeId),
  votersOutgoing: [],
  learnersNext: [],
  autoLeave: false,
});

export class Cluster {
  readonly peers = new Map<number, Peer>();
  net: Message[] = [];
  /** Nodes cut off from everybody else. */
  readonly isolated = new Set<number>();

  constructor(voters: number[], options: Options = {}, learners: number[] = []) {
    const members = confState(voters, learners);
    for (const id of [...voters, ...learners]) this.add(id, members, options);
  }

  add(id: number, members: ConfState, options: Options = {}): Peer {
    const peer = new Peer(nodeId(id), members, options);
    this.peers.set(id, peer);
    return peer;
  }

  peer(id: number): Peer {
    const peer = this.peers.get(id);
    if (peer === undefined) throw new Error(`no peer ${id}`);
    return peer;
  }

  node(id: number): RawNode {
    return this.peer(id).node;
  }

  /** Steps a message; unknown peers and the like are ignored as a transport would. */
  step(m: Message): void {
    if (m.from !== m.to && !isLocalTarget(m.from)) {
      if (this.isolated.has(m.from) || this.isolated.has(m.to)) return;
    }
    try {
      this.peers.get(m.to)?.node.step(m);
    } catch (error) {
      if ((error as { code?: string }).code !== "RAFT_STEP_PEER_NOT_FOUND") throw error;
    }
  }

  /** One node does all it can by itself; its messages go to the network. */
  work(id: number): boolean {
    const peer = this.peer(id);
    let moved = false;
    for (;;) {
      const out = peer.ready();
      const done = [...peer.write(), ...peer.apply()];
      if (out.length === 0 && done.length === 0 && !peer.node.hasReady()) {
        if (peer.appendWork.length === 0 && peer.applyWork.length === 0) return moved;
      }
      moved = true;
      this.net.push(...out);
      for (const m of done) {
        if (m.to === peer.id) this.step(m);
        else this.net.push(m);
      }
    }
  }

  /** Everything runs until nothing moves. */
  settle(ids: number[] = [...this.peers.keys()]): void {
    for (let round = 0; round < 10_000; round++) {
      let moved = false;
      for (const id of ids) moved = this.work(id) || moved;
      const due = this.net.filter((m) => ids.includes(m.to));
      this.net = this.net.filter((m) => !ids.includes(m.to));
      for (const m of due) this.step(m);
      if (!moved && due.length === 0) return;
    }
    throw new Error("cluster does not settle");
  }

  elect(id: number): void {
    this.node(id).campaign();
    this.settle();
    if (this.peer(id).state !== "leader") throw new Error(`node ${id} was not elected`);
  }

  tick(id: number, count = 1): void {
    for (let i = 0; i < count; i++) this.node(id).tick();
  }

  propose(id: number, data: string): void {
    const result = this.node(id).propose(bytes(data));
    if (!result.ok) throw new Error(result.reason);
  }

  /** Takes messages off the network. */
  take(filter: Partial<Message>): Message[] {
    const wanted = (m: Message): boolean =>
      Object.entries(filter).every(([k, v]) => m[k as keyof Message] === v);
    const taken = this.net.filter(wanted);
    this.net = this.net.filter((m) => !wanted(m));
    return taken;
  }

  types(): MessageType[] {
    return this.net.map((m) => m.type);
  }

  restart(id: number, extra: Options = {}): void {
    const peer = this.peer(id);
    peer.node = peer.start(extra);
  }
}

export const pos = (
  t: number,
  i: number,
): { logTerm: ReturnType<typeof term>; index: LogIndex } => ({
  logTerm: term(t),
  index: logIndex(i),
});

/** A small seeded generator (mulberry32). */
export function prng(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4_294_967_296) * bound);
  };
}
