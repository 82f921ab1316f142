// The replicated core of one server: raft, storage, state machine and transport wired together on
// one event loop, behind the Replica interface. This file holds the wiring and the life cycle; the
// work is in the parts it connects.
import { randomBytes } from "node:crypto";
import { KinglyError, assert, toKinglyError } from "@kingly/base";
import type { Clock, Logger } from "@kingly/base";
import type { ApplyResult, Change, StateMachine } from "@kingly/decision";
import type { BasicStatus, Entry, SoftState as RaftRole } from "raft-ts";
import type { Storage } from "@kingly/storage";
import { Admission } from "../admission/admit.ts";
import type { ServerConfig } from "../config.ts";
import {
  DIGEST_INTERVAL_MS,
  SUBMIT_DEADLINE_MS,
  SUBMIT_DEADLINE_MS_MAX,
  TICK_CATCH_UP_MAX,
} from "../limits.ts";
import type { Metrics } from "../observe/metrics.ts";
import { Applier } from "../raft/applier.ts";
import { RaftDriver } from "../raft/driver.ts";
import { Compactor } from "../raft/compactor.ts";
import { loadState } from "../raft/load-state.ts";
import { LogWriter } from "../raft/log-writer.ts";
import { PendingWrites } from "../raft/pending.ts";
import { raftConfigOf } from "../raft/raft-config.ts";
import { ReadPoints } from "../raft/reads.ts";
import { SnapshotIntake, SnapshotSender } from "../raft/snapshots.ts";
import type { IncomingSnapshot, Member, Transport } from "../transport/types.ts";
import { AckBatcher } from "./acks.ts";
import { LeaderController } from "./controller.ts";
import { LeaderWatch } from "./leader-watch.ts";
import { Leadership } from "./leadership.ts";
import type {
  Actor,
  ClusterStatus,
  Replica,
  SoftState,
  SubmitOptions,
  SubmitResult,
  Subscription,
  WatchOptions,
  WatchSink,
  WriteRequest,
} from "./replica.ts";
import { RevisionWaiters } from "./revision-waiters.ts";
import { SoftStore } from "./soft-state.ts";
import { connectedPeers, proposalsByPhase, statusOf } from "./status.ts";
import { Submitter } from "./submitter.ts";
import { WatchHub } from "./watch-hub.ts";

/** What a replica is made of. */
export interface ReplicaOptions {
  readonly config: ServerConfig;
  readonly storage: Storage;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The server cannot go on; the process should end with this error. */
  readonly onFatal: (error: KinglyError) => void;
}

/** One server's replica. */
export class ServerReplica implements Replica {
  readonly #options: ReplicaOptions;
  readonly #self: Member;
  readonly #driver: RaftDriver;
  readonly #applier: Applier;
  readonly #writer: LogWriter;
  readonly #intake: SnapshotIntake;
  readonly #compactor: Compactor;
  readonly #pending: PendingWrites;
  readonly #reads: ReadPoints;
  readonly #hub: WatchHub;
  readonly #soft: SoftStore;
  readonly #acks: AckBatcher;
  readonly #submitter: Submitter;
  readonly #leaders = new LeaderWatch();
  readonly #leadership: Leadership;
  readonly #revisions = new RevisionWaiters();
  readonly #controller: LeaderController;
  readonly #snapshots: SnapshotSender;
  readonly #startedAt = performance.now();
  #state: StateMachine;
  #timers: NodeJS.Timeout[] = [];
  #lastTick = 0;
  #heardLeaderAt = -Infinity;
  #stopped = false;

  private constructor(options: ReplicaOptions, state: StateMachine) {
    this.#options = options;
    this.#state = state;
    const { config, storage, transport, clock, logger, metrics } = options;
    const self = config.members.find((member) => member.id === config.memberId);
    assert(self !== undefined, "the configuration lists this member");
    this.#self = self;
    this.#pending = new PendingWrites((ms) => metrics.proposalSeconds.observe(ms / 1000));
    this.#driver = this.#createDriver();
    this.#applier = this.#createApplier();
    this.#compactor = new Compactor(storage, config.compaction, logger);
    this.#writer = new LogWriter({
      storage,
      applierIdle: () => this.#applier.idle(),
      reload: () => this.#reload(),
      observe: (seconds) => metrics.appendSeconds.observe(seconds),
    });
    this.#intake = new SnapshotIntake({
      storage,
      deliver: (message) => this.#driver.receive([message]),
      settled: () => this.#writer.settled(),
    });
    this.#leadership = new Leadership({
      self,
      timing: config.timing,
      driver: this.#driver,
      leaders: this.#leaders,
      logger,
      stalledMs: () => this.#writer.stalledMs(),
    });
    this.#reads = new ReadPoints(
      {
        readIndex: (context) => this.#driver.readIndex(context),
        appliedIndex: () => this.#state.meta().appliedIndex,
        revision: () => this.#state.meta().revision,
        isRecovering: () => this.#driver.basicStatus().recovering,
      },
      randomBytes(8),
    );
    this.#hub = new WatchHub({
      since: (revision) => storage.objects.historySince(revision),
      compactedRevision: () => storage.objects.compactedRevision,
      revision: () => this.#state.meta().revision,
    });
    this.#acks = new AckBatcher((body) => this.#submitOwn("acks", body), logger);
    this.#soft = new SoftStore({
      memberId: self.id,
      clock,
      leaseMs: config.timing.nodeLeaseMs,
      onAck: (ack) => this.#acks.add(ack),
    });
    this.#submitter = this.#createSubmitter();
    this.#controller = this.#createController();
    this.#snapshots = new SnapshotSender({ storage, transport, logger, metrics });
  }

  /** Loads the state and starts to take part. */
  static async start(options: ReplicaOptions): Promise<ServerReplica> {
    const replica = new ServerReplica(options, await loadState(options.storage));
    replica.#run();
    return replica;
  }

  #createDriver(): RaftDriver {
    const { config, storage, transport, logger } = this.#options;
    const { appliedIndex } = this.#state.meta();
    return new RaftDriver(
      raftConfigOf(this.#self.raftId, appliedIndex, storage, config.timing),
      {
        send: (messages) => transport.send(this.#snapshots.divert(messages, this.#driver)),
        append: (write) => this.#writer.append(write),
        apply: (entries, done) => this.#applier.apply(entries, done),
        placed: (entries) => this.#pending.placed(entries),
        reads: (states) => this.#reads.confirmed(states),
        role: (role, status) => this.#roleChanged(role, status),
        fatal: (error) => this.#fail(error),
      },
      logger,
    );
  }

  #createSubmitter(): Submitter {
    const { clock, transport } = this.#options;
    return new Submitter({
      memberId: this.#self.id,
      clock,
      admission: new Admission(),
      pending: this.#pending,
      leaders: this.#leaders,
      transport,
      state: () => this.#state,
      driver: this.#driver,
      isStopped: () => this.#stopped,
    });
  }

  #createController(): LeaderController {
    const { config, clock, logger, metrics } = this.#options;
    return new LeaderController({
      memberId: this.#self.id,
      genesis: config.genesis,
      state: () => this.#state,
      soft: this.#soft,
      clock,
      logger,
      metrics,
      isLeader: () => this.#leaders.leads,
      fatal: (error) => this.#fail(error),
      lead: (request, actor, extra) => this.#submitter.lead(request, actor, extra),
    });
  }

  #createApplier(): Applier {
    const { storage, metrics } = this.#options;
    return new Applier({
      state: () => this.#state,
      confState: () => storage.objects.meta.confState,
      chainHash: (index) => storage.log.chainHash(index),
      commit: (commit) => storage.objects.commit(commit),
      applied: (entry, result) => this.#applied(entry, result),
      published: (changes, revision, seconds) => {
        metrics.applySeconds.observe(seconds);
        this.#published(changes, revision);
      },
      fatal: (error) => this.#fail(error),
    });
  }

  #run(): void {
    const { config, storage, transport } = this.#options;
    transport.start(
      {
        onMessages: (from, messages) => {
          if (this.#leaders.leaderId === from.raftId) this.#heardLeaderAt = performance.now();
          this.#driver.receive(messages);
        },
        onDigest: (from, bytes) => {
          if (!this.#soft.merge(bytes)) {
            this.#options.metrics.refusedFrames.inc({ reason: "MalformedDigest" });
            this.#options.logger.warn("refused a digest", { from: from.id });
          }
        },
        onSnapshot: (from, index, term) => this.#receiveSnapshot(from, index, term),
        onForward: (_from, request, actor, deadlineMs) =>
          this.#submitter.lead(request, actor, { deadlineMs }),
        onPeerStarted: (from, lastIndex) => this.#driver.reportRestarted(from.raftId, lastIndex),
        onPeerLost: (from) => this.#leadership.peerLost(from),
        onUnreachable: (peer) => this.#driver.reportUnreachable(peer.raftId),
      },
      () => storage.log.lastIndex(),
    );
    this.#lastTick = performance.now();
    this.#every(config.timing.tickMs, () => this.#tick());
    this.#every(DIGEST_INTERVAL_MS, () => this.#everySecond());
    this.#controller.start();
    // A cluster of one need not wait for anybody.
    if (config.members.length === 1) this.#driver.campaign();
  }

  #every(milliseconds: number, action: () => void): void {
    this.#timers.push(setInterval(action, milliseconds));
  }

  /** Ticks by the wall clock; a stalled loop is made up for only a little. */
  #tick(): void {
    const { tickMs } = this.#options.config.timing;
    const elapsed = Math.floor((performance.now() - this.#lastTick) / tickMs + 0.5);
    if (elapsed < 1) return;
    this.#lastTick += elapsed * tickMs;
    for (let i = 0; i < Math.min(elapsed, TICK_CATCH_UP_MAX); i += 1) this.#driver.tick();
    this.#reads.tick();
    this.#pending.tick();
    this.#leadership.tick();
  }

  /** Once per second: bookmarks to watchers, leases of nodes, news to the other servers. */
  #everySecond(): void {
    this.#hub.bookmark();
    this.#soft.expire();
    const digest = this.#soft.digest();
    if (digest !== undefined) this.#options.transport.broadcastDigest(digest);
  }

  /** A snapshot replaced the rows. */
  async #reload(): Promise<void> {
    const { storage, metrics, logger } = this.#options;
    this.#state = await loadState(storage);
    const { appliedIndex, revision } = this.#state.meta();
    metrics.snapshotsInstalled.inc();
    logger.info("installed a snapshot", { appliedIndex, revision });
    this.#pending.skippedTo(appliedIndex);
    this.#hub.reset(revision);
    this.#moved(revision);
  }

  #receiveSnapshot(from: Member, index: number, term: number): IncomingSnapshot | undefined {
    if (this.#stopped || index <= this.#state.meta().appliedIndex) return undefined;
    const place = this.#intake.open();
    if (place === undefined) return undefined;
    this.#options.logger.info("receiving a snapshot", { from: from.id, index, term });
    return place;
  }

  #applied(entry: Entry, result: ApplyResult): void {
    this.#options.metrics.countApplied(result);
    this.#pending.applied(entry, result);
  }

  #published(changes: readonly Change[], revision: number): void {
    this.#hub.publish(changes, revision);
    this.#moved(revision);
    if (this.#leaders.leads) this.#controller.kick();
    const { appliedIndex } = this.#state.meta();
    this.#compactor.applied(appliedIndex).catch((error: unknown) => this.#fail(error));
  }

  #moved(revision: number): void {
    this.#revisions.reached(revision);
    this.#reads.applied();
  }

  #roleChanged(role: RaftRole, status: BasicStatus): void {
    const { logger, config, metrics } = this.#options;
    const leader = config.members.find((member) => member.raftId === role.lead);
    const leads = role.state === "leader";
    if (leads && !this.#leaders.leads) {
      metrics.elections.inc();
      this.#soft.grace();
    }
    if (!leads && this.#leaders.leads) {
      this.#pending.leadershipLost(config.timing.tickMs * config.timing.electionTicks);
    }
    logger.info("role", { role: role.state, leader: leader?.id ?? "", term: status.term });
    this.#leaders.changed(leader, leads);
    if (leader !== undefined) {
      this.#heardLeaderAt = performance.now();
      this.#reads.tick(true);
    }
    if (leads) this.#controller.kick();
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    const { logger, onFatal } = this.#options;
    const cause = toKinglyError(error);
    logger.error("the server halts", { code: cause.code, error: cause.message });
    this.#halt(`the server halted: ${cause.message}`);
    onFatal(cause);
  }

  #halt(reason: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#controller.stop();
    this.#leadership.stop();
    this.#acks.stop();
    this.#driver.stop();
    this.#applier.stop();
    const error = new KinglyError("Unavailable", reason);
    this.#pending.failAll(reason);
    this.#reads.failAll(error);
    this.#revisions.failAll(error);
    this.#leaders.stop();
    this.#hub.closeAll(error);
  }

  get clusterId(): string {
    return this.#options.config.clusterId;
  }

  get memberId(): string {
    return this.#self.id;
  }

  get state(): StateMachine {
    return this.#state;
  }

  get soft(): SoftState {
    return this.#soft;
  }

  get compactedRevision(): number {
    return this.#options.storage.objects.compactedRevision;
  }

  async submit(request: WriteRequest, actor: Actor, options: SubmitOptions): Promise<SubmitResult> {
    const wanted = options.deadlineMs > 0 ? options.deadlineMs : SUBMIT_DEADLINE_MS;
    return this.#submitter.submit(request, actor, Math.min(wanted, SUBMIT_DEADLINE_MS_MAX));
  }

  #submitOwn(command: WriteRequest["command"], body: Uint8Array): Promise<SubmitResult> {
    const actor: Actor = { name: "system:server", method: "system", server: this.#self.id };
    return this.submit({ command, body }, actor, { deadlineMs: SUBMIT_DEADLINE_MS });
  }

  async readBarrier(deadlineMs: number): Promise<number> {
    if (this.#stopped) throw new KinglyError("Unavailable", "the server is stopping");
    return this.#reads.add(Math.min(deadlineMs, SUBMIT_DEADLINE_MS_MAX));
  }

  async waitForRevision(revision: number, deadlineMs: number): Promise<void> {
    if (this.#state.meta().revision >= revision) return;
    if (this.#stopped) throw new KinglyError("Unavailable", "the server is stopping");
    await this.#revisions.wait(revision, deadlineMs, this.#state.meta().revision);
  }

  watch(options: WatchOptions, sink: WatchSink): Subscription {
    if (this.#stopped) throw new KinglyError("Unavailable", "the server is stopping");
    return this.#hub.watch(options, sink);
  }

  stalenessMs(): number {
    return this.#leaders.leads ? 0 : Math.max(0, performance.now() - this.#heardLeaderAt);
  }

  status(): ClusterStatus {
    return statusOf({
      config: this.#options.config,
      raft: this.#driver.status(),
      meta: this.#state.meta(),
      transport: this.#options.transport,
      uptimeMs: performance.now() - this.#startedAt,
    });
  }

  /** Registers the gauges of this replica. */
  observe(): void {
    const { metrics, storage, transport } = this.#options;
    metrics.observe({
      term: () => this.#driver.basicStatus().term,
      commitIndex: () => this.#driver.basicStatus().commit,
      appliedIndex: () => this.#state.meta().appliedIndex,
      isLeader: () => this.#leaders.leads,
      revision: () => this.#state.meta().revision,
      pendingWrites: () => this.#pending.size,
      pendingReads: () => this.#reads.size,
      applyQueue: () => this.#applier.length,
      appendsOutstanding: () => storage.log.outstanding,
      watchers: () => this.#hub.size,
      reachableNodes: () => this.#soft.reachableNodes.size,
      proposals: () => proposalsByPhase(this.#state),
      peerQueues: () => transport.queueLengths(),
      peersConnected: () => connectedPeers(transport, this.#options.config),
    });
  }

  /** Hands leadership to another server, if this one has it. */
  handOver(deadlineMs: number): Promise<void> {
    return this.#leadership.handOver(deadlineMs);
  }

  /** Stops taking part; nothing is answered any more. The caller closes transport and storage. */
  async stop(): Promise<void> {
    this.#halt("the server is stopping");
    await this.#writer.idle();
    await this.#applier.idle();
  }
}
