// Metrics of the server's core, in one prom-client registry that the API exports. Names are stable;
// counters and histograms are written where things happen, gauges are read at scrape time.
import type { ApplyResult } from "@kingly/decision";
import type { Veto, Vote } from "@kingly/resources";
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client";

const FAST_SECONDS = [
  0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5,
];

/** Values that are read when somebody scrapes. */
export interface MetricSources {
  readonly term: () => number;
  readonly commitIndex: () => number;
  readonly appliedIndex: () => number;
  readonly isLeader: () => boolean;
  readonly revision: () => number;
  readonly pendingWrites: () => number;
  readonly pendingReads: () => number;
  readonly applyQueue: () => number;
  readonly appendsOutstanding: () => number;
  readonly watchers: () => number;
  readonly reachableNodes: () => number;
  /** Open proposals by phase. */
  readonly proposals: () => ReadonlyMap<string, number>;
  /** Queue length by peer. */
  readonly peerQueues: () => ReadonlyMap<string, number>;
  /** 1 when connected, by peer. */
  readonly peersConnected: () => ReadonlyMap<string, number>;
}

/** The registry and what the core writes into it. */
export class Metrics {
  readonly registry: Registry = new Registry();
  readonly proposalSeconds: Histogram;
  readonly appendSeconds: Histogram;
  readonly applySeconds: Histogram;
  readonly loopLagSeconds: Histogram;
  readonly elections: Counter;
  readonly refusedFrames: Counter<"reason">;
  readonly droppedMessages: Counter<"peer">;
  readonly snapshotsSent: Counter<"result">;
  readonly snapshotsInstalled: Counter;
  readonly documents: Counter<"kind" | "decision">;
  readonly controllerCommands: Counter<"type" | "result">;
  readonly #outcomes = new Map<string, number>();

  constructor() {
    const registers = [this.registry];
    const histogram = (name: string, help: string): Histogram =>
      new Histogram({ name, help, buckets: FAST_SECONDS, registers });
    this.proposalSeconds = histogram("kingly_proposal_seconds", "From proposal to apply, leader");
    this.appendSeconds = histogram("kingly_log_append_seconds", "One durable write of the log");
    this.applySeconds = histogram("kingly_apply_slice_seconds", "One slice of applying entries");
    this.loopLagSeconds = histogram("kingly_loop_lag_seconds", "Delay of the event loop");
    this.elections = this.#counter("kingly_elections_total", "Times this server became leader");
    this.#countOutcomes();
    this.refusedFrames = this.#counter("kingly_refused_frames_total", "Refused peer frames", [
      "reason",
    ]);
    this.droppedMessages = this.#counter("kingly_dropped_messages_total", "Raft messages dropped", [
      "peer",
    ]);
    this.snapshotsSent = this.#counter("kingly_snapshots_sent_total", "Snapshot transfers", [
      "result",
    ]);
    this.snapshotsInstalled = this.#counter("kingly_snapshots_installed_total", "Installed");
    this.documents = this.#counter("kingly_documents_total", "Applied votes and vetoes", [
      "kind",
      "decision",
    ]);
    this.controllerCommands = this.#counter(
      "kingly_controller_commands_total",
      "Commands of the leader's controller",
      ["type", "result"],
    );
    collectDefaultMetrics({ register: this.registry, prefix: "kingly_" });
  }

  #counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
  ): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  /** Outcomes are counted for every entry, so they go into the counter only when somebody reads. */
  #countOutcomes(): void {
    const outcomes = this.#outcomes;
    new Counter({
      name: "kingly_applied_entries_total",
      help: "Applied entries by outcome",
      labelNames: ["outcome"],
      registers: [this.registry],
      collect(this: Counter) {
        for (const [outcome, count] of outcomes) this.inc({ outcome }, count);
        outcomes.clear();
      },
    });
  }

  /** Counts one applied entry, and the votes and vetoes that it brought. */
  countApplied(result: ApplyResult): void {
    const { outcome } = result;
    const name = outcome.ok ? "ok" : outcome.code;
    this.#outcomes.set(name, (this.#outcomes.get(name) ?? 0) + 1);
    for (const { type, key, value } of result.changes) {
      if (type !== "ADDED") continue;
      if (!key.startsWith("votes/") && !key.startsWith("vetoes/")) continue;
      const { kind, spec } = value as unknown as Vote | Veto;
      this.documents.inc({ kind, decision: "decision" in spec ? spec.decision : spec.cause });
    }
  }

  /** Registers the gauges that read the running server. */
  observe(sources: MetricSources): void {
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect(this: Gauge) {
          this.set(read());
        },
      });
    };
    gauge("kingly_raft_term", "Current term", sources.term);
    gauge("kingly_raft_commit_index", "Highest committed index known", sources.commitIndex);
    gauge("kingly_raft_applied_index", "Highest applied index", sources.appliedIndex);
    gauge("kingly_raft_is_leader", "1 on the leader", () => (sources.isLeader() ? 1 : 0));
    gauge("kingly_revision", "Revision of the state", sources.revision);
    gauge("kingly_pending_writes", "Writes waiting for apply", sources.pendingWrites);
    gauge("kingly_pending_reads", "Reads waiting for a read point", sources.pendingReads);
    gauge("kingly_apply_queue_entries", "Entries waiting for apply", sources.applyQueue);
    gauge("kingly_log_appends_outstanding", "Log writes under way", sources.appendsOutstanding);
    gauge("kingly_watchers", "Open watches", sources.watchers);
    gauge("kingly_nodes_reachable", "Nodes with a live lease", sources.reachableNodes);
    this.#labelled("kingly_proposals", "Proposals by phase", "phase", sources.proposals);
    this.#labelled("kingly_peer_queue_messages", "Queued per peer", "peer", sources.peerQueues);
    this.#labelled("kingly_peer_connected", "1 = streams are up", "peer", sources.peersConnected);
  }

  #labelled(
    name: string,
    help: string,
    label: string,
    read: () => ReadonlyMap<string, number>,
  ): void {
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [this.registry],
      collect(this: Gauge) {
        this.reset();
        for (const [key, value] of read()) this.set({ [label]: key }, value);
      },
    });
  }
}
