// The seam between the replicated core of a server and everything that talks to clients. The API
// layer sees only these types: it submits writes, asks for linearizable reads, reads the local state
// and follows changes. Raft, storage and transport stay behind it.
import type { JsonObject, JsonValue, KinglyError } from "@kingly/base";
import type { Command, StateMachine } from "@kingly/decision";
import type { TrialProgress } from "@kingly/resources";

/** Who asks, as established by the server that authenticated the caller. */
export interface Actor {
  /** User, service account or node name; "system:..." names are the servers' own. */
  readonly name: string;
  /** How the identity was proved. "system" is reserved for the servers themselves. */
  readonly method: "token" | "certificate" | "node" | "oidc" | "system";
  /** Member id of the server that authenticated the caller. */
  readonly server: string;
  /** Groups for authorisation; not replicated. */
  readonly groups?: readonly string[];
}

/** One write, before admission. */
export interface WriteRequest {
  /** Command type of the decision state machine. */
  readonly command: Command["type"];
  /** UTF-8 JSON of the command's body, or the exact bytes of a signed document. */
  readonly body: Uint8Array;
  /**
   * The body already parsed (strictly), for `write` and `propose`: then `body` may be empty, the
   * body is not parsed again and is encoded once, after admission.
   */
  readonly bodyObject?: JsonObject;
  /**
   * The object in `bodyObject` has been validated and defaulted in this process, so that admission
   * need not repeat it. Never sent to another server: its admission validates for itself.
   */
  readonly isValidated?: boolean;
  /** Ed25519 signature over the document, for commands that a node wrote. */
  readonly signature?: Uint8Array | undefined;
  /** 1 to 128 characters; the same key of the same principal is applied once (kept 24 h). */
  readonly idempotencyKey?: string | undefined;
  /** True: run admission only and return the object as it would be proposed. Nothing is written. */
  readonly dryRun?: boolean | undefined;
}

/** Limits of one submit. */
export interface SubmitOptions {
  /** Milliseconds from now after which the caller stops waiting; 0 = the server's default (5 s). */
  readonly deadlineMs: number;
}

/** What apply answered. */
export interface SubmitResult {
  /** The command's result, usually the written object. */
  readonly value: JsonValue;
  /** Last revision of the entry; the revision after which the result is visible everywhere. */
  readonly revision: number;
}

/** One change as a watcher sees it. Shared by all watchers: never modify it. */
export interface WatchEvent {
  readonly revision: number;
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  /** Row key: `plural/namespace/name`. */
  readonly key: string;
  /** The new value; for DELETED the last one. */
  readonly value: JsonValue;
  /** UTF-8 JSON of `value`, encoded once for all watchers at first use. */
  readonly json: Uint8Array;
}

/** Which changes to follow. */
export interface WatchOptions {
  /** Row keys beginning with it, for example `configs/` or `configs/default/web`. */
  readonly keyPrefix: string;
  /** Changes after this revision; 0 = from now on. */
  readonly fromRevision: number;
}

/** Where a subscription delivers. Called on the event loop, never re-entrantly. */
export interface WatchSink {
  /**
   * Takes a batch in revision order; everything up to `revision` has then been delivered (the batch
   * may be empty: a bookmark). Events of one revision are never split. Return false when the
   * consumer cannot take more now: nothing more comes until `Subscription.resume()`, and if the
   * bounded buffer fills meanwhile the subscription is closed with Overloaded.
   */
  deliver(events: readonly WatchEvent[], revision: number): boolean;
  /** The subscription ended: Expired (compacted), Overloaded (too slow), Unavailable (shutdown). */
  closed(error: KinglyError): void;
}

/** A running watch. */
export interface Subscription {
  /** Says that the sink can take more again. */
  resume(): void;
  /** Ends the watch; `closed` is not called for it. */
  close(): void;
}

/** What a node's agent reported last; soft, may be lost. */
export interface NodeHeartbeat {
  readonly node: string;
  /** Rises with every start of the agent. */
  readonly incarnation: number;
  /** Member that holds the agent's session. */
  readonly server: string;
  readonly agentVersion: string;
  readonly targets: readonly string[];
  readonly signals: readonly string[];
  readonly active: readonly ActiveConfigReport[];
}

/** What runs for one Config on a node (proto ActiveConfig). */
export interface ActiveConfigReport {
  readonly configUid: string;
  readonly version: number;
  readonly generation: number;
  readonly state: string;
  readonly lastKnownGood: number;
  readonly message: string;
}

/** One acknowledgement of an assigned version. */
export interface NodeAck {
  readonly configUid: string;
  readonly version: number;
  readonly state: "received" | "applied" | "confirmed" | "failed";
  readonly node: string;
  /** Why it failed, for people. */
  readonly message?: string;
}

/** State that is shared between servers but never logged. All reads are local. */
export interface SoftState {
  /** Nodes whose heartbeat is younger than the lease (5 s), through any server. */
  readonly reachableNodes: ReadonlySet<string>;
  /** Records that the agent of `heartbeat.node` is alive, now. */
  reportHeartbeat(heartbeat: Omit<NodeHeartbeat, "server">): void;
  /** Records that the node's session ended. */
  reportGone(node: string): void;
  /** Records how far a trial is; only the newest per node and proposal is kept. */
  reportProgress(progress: TrialProgress): void;
  /** Queues an acknowledgement for the next `acks` command (at most one per 200 ms). */
  reportAck(ack: NodeAck): void;
  /** Last heartbeat of a node, whatever its age; undefined when never heard or forgotten. */
  heartbeat(node: string): (NodeHeartbeat & { readonly ageMs: number }) | undefined;
  /** Newest trial progress per node, by node name. */
  progress(proposalUid: string): readonly TrialProgress[];
}

/** Role of this server in Raft. */
export type ServerRole = "leader" | "follower" | "candidate" | "pre-candidate" | "recovering";

/** One member as this server sees it. */
export interface MemberStatus {
  readonly id: string;
  readonly raftId: number;
  /** Public gRPC address, host:port. */
  readonly address: string;
  readonly voter: boolean;
  /** Highest log index known durable on it; 0 when this server is not the leader. */
  readonly matchIndex: number;
  readonly reachable: boolean;
}

/** A moment of this server's view of the cluster. */
export interface ClusterStatus {
  readonly clusterId: string;
  readonly memberId: string;
  readonly role: ServerRole;
  /** Member id; "" when no leader is known. */
  readonly leaderId: string;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly revision: number;
  readonly members: readonly MemberStatus[];
  readonly version: string;
  readonly uptimeMs: number;
}

/** The replicated core of one server. */
export interface Replica {
  readonly clusterId: string;
  readonly memberId: string;
  /**
   * Admits (on the leader; followers forward), replicates and applies one write. Rejects with a
   * KinglyError: what admission or apply refused, Overloaded, NoLeader or Unavailable when certainly
   * nothing was written, Indeterminate (with the idempotency key to retry with) when unknown.
   */
  submit(request: WriteRequest, actor: Actor, options: SubmitOptions): Promise<SubmitResult>;
  /**
   * Linearizable read point: resolves with a revision that `state` has reached and that covers every
   * write finished before the call. NoLeader / DeadlineExceeded / Recovering otherwise.
   */
  readBarrier(deadlineMs: number): Promise<number>;
  /** Local applied state. Read only, and only synchronously: it changes between awaits. */
  readonly state: StateMachine;
  /** Resolves once `state` has reached `revision`; RevisionTooLarge after `deadlineMs`. */
  waitForRevision(revision: number, deadlineMs: number): Promise<void>;
  /** Follows changes; resumes from history, Expired when that was compacted. */
  watch(options: WatchOptions, sink: WatchSink): Subscription;
  /** Oldest revision a watch can resume from. */
  readonly compactedRevision: number;
  readonly soft: SoftState;
  status(): ClusterStatus;
  /** Milliseconds since this server last knew itself current (heard from or was the leader). */
  stalenessMs(): number;
}
