// One life of a simulated server: the real raft core and the real storage, driven as the server drives
// them. Messages, ticks and calls are stepped into the core; after a short turn everything that came
// of it leaves together. Log writes overlap and finish in order; answers that must wait for them do.

import { KinglyError, assert } from "@kingly/base";
import type { JsonValue, Prng } from "@kingly/base";
import { openStorage } from "@kingly/storage";
import type { Storage } from "@kingly/storage";
import {
  InvalidMessageError,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  RawNode,
  StepLocalMessageError,
  StepPeerNotFoundError,
  renderTrace,
} from "raft-ts";
import type {
  BasicStatus,
  ConfChange,
  ConfState,
  LogIndex,
  Message,
  NodeId,
  TraceEvent,
} from "raft-ts";
import type { Recorder } from "../checkers/recorder.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import { Violation } from "../engine/violation.ts";
import { LEASE_DRIFT_TICKS, TICK_CATCH_UP_MAX } from "../limits.ts";
import { Applier } from "./applier.ts";
import { CallDesk } from "./call-desk.ts";
import { CLUSTER_ID, DATA_DIRECTORY } from "./directory.ts";
import type { SimDisk } from "./disk.ts";
import type { Host } from "./host.ts";
import { LogWriter } from "./log-writer.ts";
import { RowsPrint } from "./machine.ts";
import type { Machine, MachineKind } from "./machine.ts";
import type { Call, Introduction, Parcel, Reply } from "./parcels.ts";
import type { Scenario } from "./scenario.ts";
import { SnapshotDesk } from "./snapshot-desk.ts";

/** What a process runs on. */
export interface ProcessPorts {
  readonly id: number;
  readonly life: number;
  readonly scenario: Scenario;
  readonly scheduler: Scheduler;
  readonly host: Host;
  readonly disk: SimDisk;
  readonly prng: Prng;
  readonly recorder: Recorder;
  readonly machine: MachineKind;
  readonly send: (to: number, parcel: Parcel, bytes: number) => void;
  readonly reply: (client: number, reply: Reply) => void;
  /** The process ended itself because its disk failed. */
  readonly halted: () => void;
}

/** Parts that exist once the storage is open. */
interface Running {
  readonly storage: Storage;
  readonly node: RawNode;
  readonly applier: Applier;
  readonly writer: LogWriter;
  readonly calls: CallDesk;
  readonly snapshots: SnapshotDesk;
  readonly by: Introduction;
}

/** One life of a server. */
export class Process {
  readonly #ports: ProcessPorts;
  /** Newest life seen of each peer. */
  readonly #lives = new Map<number, number>();
  #parts: Running | undefined;
  #ended = false;
  #turnDue = false;
  #lastTickUs = 0;

  constructor(ports: ProcessPorts) {
    this.#ports = ports;
  }

  /** Undefined while the storage is opening. */
  get status(): BasicStatus | undefined {
    return this.#parts?.node.basicStatus();
  }

  get machine(): Machine | undefined {
    return this.#parts?.applier.machine;
  }

  get storage(): Storage | undefined {
    return this.#parts?.storage;
  }

  get rowsPrint(): number {
    return this.#parts?.applier.rowsPrint ?? 0;
  }

  /** Last index of the log, 0 while opening. */
  get lastIndex(): number {
    return this.#parts?.storage.log.lastIndex() ?? 0;
  }

  /** The machine is gone; nothing of this life happens any more. */
  end(): void {
    this.#ended = true;
  }

  /** Opens the storage and takes part. Rejects with Corrupted when the disk is beyond use. */
  async start(): Promise<void> {
    const { id, life, disk, host, recorder, machine: kind } = this.#ports;
    const storage = await openStorage({
      dir: DATA_DIRECTORY,
      expect: { clusterId: CLUSTER_ID, memberId: `server-${id}`, incarnation: `life-${id}` },
      disk,
      window: { entriesMax: this.#ports.scenario.windowEntries },
    });
    const { machine, rows } = await loadMachine(kind, storage);
    const { log } = storage;
    const node = this.#createNode(storage);
    const first = log.firstIndex();
    const base = (first - 1) as LogIndex;
    recorder.started(id, {
      status: node.basicStatus(),
      base: { index: base, term: log.term(base) },
      entries: log.entries(first, (log.lastIndex() + 1) as LogIndex, Infinity),
      recovering: log.recovering,
      rowsPrint: rows.value,
      members: storage.objects.meta.confState,
    });
    this.#ports.scheduler.note(() => {
      const { term, commit, applied, recovering } = node.basicStatus();
      const note = recovering ? " recovering" : "";
      return `server ${id} starts: term ${term}, ${applied}/${commit}/${log.lastIndex()}${note}`;
    });
    const by = { from: id, life, startIndex: log.lastIndex() };
    this.#parts = this.#assemble(storage, node, { machine, rows, by });
    this.#lastTickUs = host.nowUs;
    this.#nextTick();
  }

  #createNode(storage: Storage): RawNode {
    const { id, scenario, prng, scheduler } = this.#ports;
    const mark = storage.log.recoveryMark;
    return new RawNode({
      id: id as NodeId,
      electionTicks: scenario.electionTicks,
      heartbeatTicks: 1,
      storage: storage.log,
      applied: storage.objects.meta.appliedIndex as LogIndex,
      asyncStorageWrites: true,
      maxMessageBytes: scenario.messageBytesMax,
      maxInflightMessages: scenario.inflightMessagesMax,
      maxUncommittedBytes: 1024 * 1024,
      checkQuorum: scenario.checkQuorum,
      readOnlyOption: scenario.leaseReads ? "lease-based" : "safe",
      leaseDriftTicks: scenario.leaseReads ? LEASE_DRIFT_TICKS : 0,
      preVote: scenario.preVote,
      disableProposalForwarding: true,
      stepDownOnRemoval: true,
      // Off, so that also changes happen that a cautious leader would refuse: they must be safe too.
      membershipGuard: false,
      random: (bound) => prng.below(bound),
      ...(scheduler.isTraced ? { trace: (event) => this.#note(event) } : {}),
      ...(mark === undefined ? {} : { recoveryMark: mark }),
    });
  }

  #note(event: TraceEvent): void {
    const line = renderTrace(event);
    if (line !== undefined) this.#ports.scheduler.note(() => line.text);
  }

  #assemble(
    storage: Storage,
    node: RawNode,
    from: { readonly machine: Machine; readonly rows: RowsPrint; readonly by: Introduction },
  ): Running {
    const { id, host, recorder, prng, scenario, machine: kind } = this.#ports;
    const fatal = (error: unknown): void => this.#fatal(error);
    const calls = new CallDesk({
      node,
      machine: () => applier.machine,
      encode: (request) => kind.encode(request, host.clockMs),
      life: from.by.life,
      reads: {
        called: () => recorder.readCalled(),
        confirmed: (index, called) => recorder.readConfirmed(id, index, called),
      },
      reply: this.#ports.reply,
    });
    const applier = new Applier(
      {
        id,
        host,
        storage,
        recorder,
        delayUs: () => prng.below(scenario.applyDelayUs + 1),
        reconfigure: (change, index) => this.#reconfigure(change, index),
        applied: (applied) => calls.applied(applied),
        done: (message) => this.#applied(message),
        fatal,
      },
      from.machine,
      from.rows,
    );
    const snapshots = new SnapshotDesk({
      storage,
      node,
      host,
      run: (action) => this.#run(action),
      send: (to, message, chunks, bytes) =>
        this.#send(to, { kind: "snapshot", by: from.by, message, chunks }, bytes),
      taken: (to) => this.#send(to, { kind: "snapshot-taken", by: from.by }, 0),
      fatal,
    });
    const writer = new LogWriter({
      storage,
      applier,
      snapshots,
      reload: async () => {
        await this.#reload(storage, applier);
        calls.stateMoved();
      },
    });
    return { storage, node, applier, writer, calls, snapshots, by: from.by };
  }

  async #reload(storage: Storage, applier: Applier): Promise<void> {
    const { machine, rows } = await loadMachine(this.#ports.machine, storage);
    applier.replace(machine, rows);
    const { recorder, id } = this.#ports;
    const { confState } = storage.objects.meta;
    recorder.installed(id, machine.appliedIndex, rows.value, confState);
  }

  /** A committed change of members is applied: it is in force from here on. */
  #reconfigure(change: ConfChange, index: LogIndex): ConfState {
    const node = this.#parts?.node;
    assert(node !== undefined, "entries are applied by a running process");
    const state = node.applyConfChange(change, index);
    this.#run(() => {});
    return state;
  }

  /** Proposes a change of members, if this server leads. */
  proposeMembers(change: ConfChange): void {
    this.#run(() => this.#parts?.node.proposeConfChange(change));
  }

  /** The members as this server has applied them. */
  get members(): ConfState | undefined {
    return this.#parts?.storage.objects.meta.confState;
  }

  /** A call of a client. */
  call(call: Call): void {
    this.#run(() => this.#parts?.calls.take(call));
  }

  /** A parcel of another server. */
  receive(parcel: Parcel): void {
    this.#run(() => {
      const parts = this.#parts;
      if (parts === undefined) return;
      const { from, life, startIndex } = parcel.by;
      const known = this.#lives.get(from) ?? 0;
      if (life < known) return;
      if (life > known) {
        this.#lives.set(from, life);
        parts.node.reportRestarted(from as NodeId, startIndex as LogIndex);
      }
      if (parcel.kind === "raft") this.#step(parts.node, parcel.message);
      else if (parcel.kind === "snapshot") {
        parts.snapshots.receive(parcel.message, parcel.chunks, parts.applier.machine.appliedIndex);
      } else parts.snapshots.wasTaken(from);
    });
  }

  #step(node: RawNode, message: Message): void {
    try {
      node.step(message);
    } catch (error) {
      const known =
        error instanceof StepPeerNotFoundError ||
        error instanceof StepLocalMessageError ||
        error instanceof InvalidMessageError;
      if (!known) throw error;
    }
  }

  /** Asks the leader, if this is it, to hand over. */
  transferTo(id: number): void {
    this.#run(() => this.#parts?.node.transferLeadership(id as NodeId));
  }

  #nextTick(): void {
    const { host, scenario } = this.#ports;
    const tickUs = Math.max(1, Math.floor(scenario.tickUs * host.tickFactor));
    host.after(tickUs, () => {
      if (this.#ended) return;
      const elapsed = Math.floor((host.nowUs - this.#lastTickUs) / tickUs + 0.5);
      this.#lastTickUs = host.nowUs;
      this.#run(() => {
        const ticks = Math.min(Math.max(elapsed, 1), TICK_CATCH_UP_MAX);
        for (let i = 0; i < ticks; i += 1) this.#parts?.node.tick();
      });
      this.#nextTick();
    });
  }

  #run(action: () => void): void {
    if (this.#ended || this.#parts === undefined) return;
    try {
      action();
    } catch (error) {
      this.#fatal(error);
      return;
    }
    if (this.#turnDue) return;
    this.#turnDue = true;
    this.#ports.host.after(this.#ports.scenario.turnUs, () => {
      this.#turnDue = false;
      if (this.#ended) return;
      try {
        this.#turn();
      } catch (error) {
        this.#fatal(error);
      }
    });
  }

  #fatal(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    const { scheduler, halted, id } = this.#ports;
    if (error instanceof KinglyError && error.code === "StorageFailure") {
      scheduler.after(0, halted);
      return;
    }
    if (error instanceof Violation) return scheduler.fail(error);
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    scheduler.fail(new Violation("no-crash", `server ${id} failed: ${text}`));
  }

  #turn(): void {
    const parts = this.#parts;
    assert(parts !== undefined, "a turn needs an open storage");
    const { node, storage } = parts;
    this.#offerGenesis(parts);
    while (node.hasReady()) {
      const ready = node.ready();
      parts.calls.confirmed(ready.readStates);
      for (const message of ready.messages) this.#dispatch(parts, message);
    }
    parts.snapshots.turnEnded();
    this.#ports.recorder.settled(this.#ports.id, node.basicStatus(), storage.log.firstIndex());
  }

  /** The first leader of a cluster writes what its machine wants to begin with. */
  #offerGenesis({ node, calls }: Running): void {
    const { machine, host } = this.#ports;
    const status = node.basicStatus();
    if (status.state !== "leader" || status.commit !== status.applied) return;
    calls.offerGenesis(status.term, () => machine.genesis(host.clockMs));
  }

  #dispatch(parts: Running, message: Message): void {
    if (message.to === LOCAL_APPEND_THREAD) this.#append(parts, message);
    else if (message.to === LOCAL_APPLY_THREAD) parts.applier.apply(message);
    else if (message.type === "MsgSnap") parts.snapshots.send(message);
    else this.#sendRaft(parts, message);
  }

  #sendRaft(parts: Running, message: Message): void {
    let bytes = 0;
    for (const entry of message.entries) bytes += entry.data.length;
    this.#send(message.to, { kind: "raft", by: parts.by, message }, bytes);
  }

  #send(to: number, parcel: Parcel, bytes: number): void {
    if (!this.#ended) this.#ports.send(to, parcel, bytes);
  }

  #append(parts: Running, message: Message): void {
    const { id, recorder } = this.#ports;
    const write = recorder.handed(id, message);
    parts.writer.append(message).then(
      () => {
        if (this.#ended) return;
        recorder.durable(id, write);
        this.#deliver(parts, message.responses);
      },
      (error: unknown) => this.#fatal(error),
    );
  }

  #applied(message: Message): void {
    const parts = this.#parts;
    if (parts === undefined || this.#ended) return;
    this.#deliver(parts, message.responses);
    this.#compact(parts);
  }

  #compact({ storage, applier, writer }: Running): void {
    const { compactEvery, compactKeep } = this.#ports.scenario;
    const index = applier.machine.appliedIndex;
    if (index - storage.log.firstIndex() < compactEvery + compactKeep) return;
    writer.compact(index, compactKeep).catch((error: unknown) => this.#fatal(error));
  }

  /** Answers that waited for a write: to ourselves at once, to others by the network. */
  #deliver(parts: Running, responses: readonly Message[]): void {
    this.#run(() => {
      for (const response of responses) {
        // A server that is no member, not yet or no longer, may find its own answer refused.
        if (response.to === this.#ports.id) this.#step(parts.node, response);
        else this.#sendRaft(parts, response);
      }
    });
  }
}

async function loadMachine(
  kind: MachineKind,
  storage: Storage,
): Promise<{ machine: Machine; rows: RowsPrint }> {
  const stored: (readonly [string, JsonValue])[] = [];
  const rows = new RowsPrint();
  for await (const [key, value] of storage.objects.loadRows()) {
    stored.push([key, value]);
    rows.set(key, value);
  }
  return { machine: kind.create(stored, storage.objects.meta), rows };
}
