// One node of an interaction transcript: the RawNode, its storage in memory, the work queued for its
// two local workers, and a state machine that appends every payload to its state.
import { confChangeOfEntry } from "../confchange/codec.ts";
import type { RaftConfig } from "../config.ts";
import type { LogIndex, NodeId } from "../ids.ts";
import { MemoryLogStorage } from "../memory-storage.ts";
import type { Message } from "../messages.ts";
import { RawNode } from "../raw-node.ts";
import type { InitialState } from "../storage.ts";
import type { TraceSink } from "../trace.ts";
import type { Entry, HardState, Snapshot } from "../types.ts";
import { isEmptyHardState, isEmptySnapshot } from "../types.ts";
import { ScriptError } from "./script.ts";

/** Storage whose snapshot is always the newest state of the state machine. */
class HarnessStorage extends MemoryLogStorage {
  readonly #newest: () => Snapshot;

  constructor(newest: () => Snapshot) {
    super();
    this.#newest = newest;
  }

  override snapshot(): Snapshot {
    return this.#newest();
  }

  override initialState(): InitialState {
    const { hardState } = super.initialState();
    return { hardState, confState: this.#newest().metadata.confState };
  }
}

/** Settings shared by all nodes that one directive adds. */
export type MemberConfig = Omit<RaftConfig, "id" | "storage" | "applied" | "trace">;

/** What one node is made of. */
export interface MemberInit {
  readonly id: NodeId;
  readonly config: MemberConfig;
  /** State to start from; an empty snapshot starts a node that knows nothing. */
  readonly snapshot: Snapshot;
  readonly trace: TraceSink;
}

/** A node with everything around it. */
export class Member {
  readonly id: NodeId;
  readonly config: MemberConfig;
  readonly storage: MemoryLogStorage;
  readonly #trace: TraceSink;
  #history: Snapshot[];
  #node: RawNode;
  appendWork: Message[] = [];
  applyWork: Message[] = [];

  constructor(init: MemberInit) {
    this.id = init.id;
    this.config = init.config;
    this.#trace = init.trace;
    this.#history = [init.snapshot];
    this.storage = new HarnessStorage(() => this.#newest());
    if (!isEmptySnapshot(init.snapshot)) {
      if (init.snapshot.metadata.index <= 1) {
        throw new ScriptError("index must be specified as > 1 due to bootstrap");
      }
      this.storage.applySnapshot(init.snapshot);
    }
    this.#node = this.#start();
  }

  get node(): RawNode {
    return this.#node;
  }

  #newest(): Snapshot {
    const newest = this.#history.at(-1);
    if (newest === undefined) throw new ScriptError("no state");
    return newest;
  }

  #start(): RawNode {
    const applied: LogIndex = this.#newest().metadata.index;
    const { id, storage } = this;
    return new RawNode({ ...this.config, id, storage, applied, trace: this.#trace });
  }

  /** Crashes and starts again from storage; work in the local queues is lost. */
  restart(): void {
    this.appendWork = [];
    this.applyWork = [];
    this.#node = this.#start();
  }

  /** Stores what a Ready or a MsgStorageAppend asks for. */
  store(state: HardState, entries: readonly Entry[], snapshot: Snapshot | undefined): void {
    if (!isEmptyHardState(state)) this.storage.setHardState(state);
    if (snapshot !== undefined && !isEmptySnapshot(snapshot)) {
      if (entries.length > 0) {
        throw new ScriptError("can't apply snapshot and entries at the same time");
      }
      this.storage.applySnapshot(snapshot);
      this.#history.push(snapshot);
      return;
    }
    this.storage.append(entries);
  }

  /** Applies entries to the state machine. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const before = this.#newest();
      const cc = confChangeOfEntry(entry);
      const confState =
        cc === undefined ? before.metadata.confState : this.#node.applyConfChange(cc, entry.index);
      const update = cc === undefined ? entry.data : cc.context;
      this.#history.push({
        data: Uint8Array.from([...before.data, ...update]),
        metadata: { confState, index: entry.index, term: entry.term },
      });
    }
  }
}
