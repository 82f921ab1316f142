// Commands: what a raft entry says. A header that the leader vouches for (who, when, what it read,
// entropy) and opaque body bytes; documents that nodes wrote travel as the exact bytes they signed.
// Bodies are listed here, one interface per command; commands/ holds what they do.

import type { JsonObject } from "@kingly/base";
import type { NodeStatus, ProposalSource } from "@kingly/resources";

/** Every command type; the position is its number on the wire and never changes. */
export const COMMAND_TYPES = [
  "genesis",
  "write",
  "propose",
  "vote",
  "veto",
  "agent-proposal",
  "calibration",
  "trial-start",
  "deadline",
  "advance-rollout",
  "acks",
  "enroll-node",
  "join-token",
  "rollback-rollout",
  "resume-rollout",
  "withdraw",
  "node-status",
  "release-quarantine",
  "direct-commit",
] as const;

/** Type of a command. */
export type CommandType = (typeof COMMAND_TYPES)[number];

/** Who asked, as the admitting server established it; recorded as the audit trail. */
export interface CommandActor {
  /** Principal: user, service account, node or "system:leader". Idempotency is per principal. */
  readonly name: string;
  /** How the identity was proved, for example "token", "certificate", "node", "system". */
  readonly method: string;
  /** Member id of the admitting server. */
  readonly server: string;
}

/** One object that admission read; apply refuses with Retry when it moved. */
export interface ReadSetEntry {
  readonly key: string;
  /** Its resourceVersion as a number; 0 = it did not exist. */
  readonly revision: number;
}

/** One command, before it is encoded as an entry. */
export interface Command {
  readonly type: CommandType;
  /** UTF-8 JSON of the body, or the exact bytes of a signed document. */
  readonly body: Uint8Array;
  /** Ed25519 over the document (64 bytes); for documents that a node wrote. */
  readonly signature?: Uint8Array | undefined;
  readonly actor: CommandActor;
  /** The leader's clock, milliseconds since the Unix epoch. */
  readonly timeMs: number;
  /** 32 bytes of the leader's randomness; required by trial-start. */
  readonly entropy?: Uint8Array | undefined;
  readonly readSet: readonly ReadSetEntry[];
  /** Echoed in the result, so that the submitter recognises its entry. */
  readonly requestId: string;
  /** (actor.name, this) is applied once within 24 h. */
  readonly idempotencyKey?: string | undefined;
  /**
   * The leader's admission made the body: its object is valid and has its defaults, and apply need
   * not find out again on every replica. Commands without it are checked whole.
   */
  readonly isAdmitted?: boolean | undefined;
}

/** First command of a cluster. */
export interface GenesisBody {
  readonly clusterId: string;
  readonly namespaces: readonly string[];
  /** Objects to create (kind, namespace, name, spec), for example a default Policy. */
  readonly objects?: readonly {
    readonly kind: string;
    readonly namespace?: string;
    readonly name: string;
    readonly spec: JsonObject;
  }[];
}

/** Create, replace or delete one object of a writable kind, already defaulted and validated. */
export interface WriteBody {
  readonly op: "create" | "replace" | "delete";
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  readonly object?: JsonObject;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/** Open a Proposal. */
export interface ProposeBody {
  readonly namespace: string;
  /** Absent: derived from the Config's name. */
  readonly name?: string;
  readonly config: string;
  /** Version the change was made against. */
  readonly baseVersion: number;
  readonly patch?: JsonObject;
  readonly data?: JsonObject;
  readonly reason: string;
  readonly source: ProposalSource;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Start the trial of a Validated proposal; needs entropy in the header. */
export interface TrialStartBody {
  readonly proposalUid: string;
  /** 1 for the first trial. */
  readonly attempt: number;
  /** Nodes that the leader can reach, sorted. */
  readonly reachable: readonly string[];
  /** Hash of the content that admission checked against the schema; Retry when it moved since. */
  readonly candidateHash?: string;
  /** Why that content breaks the schema: the proposal ends Denied instead of being tried. */
  readonly invalid?: string;
}

/** Commit a Validated proposal whose turn it is, without a trial. */
export interface DirectCommitBody {
  readonly proposalUid: string;
  /** Hash of the content that admission checked against the schema; Retry when it moved since. */
  readonly candidateHash: string;
  /** Why that content breaks the schema: the proposal ends Denied instead of being committed. */
  readonly invalid?: string;
}

/** A deadline passed: ignored unless due and the object is still in that phase. */
export interface DeadlineBody {
  readonly uid: string;
  /** Phase of the Proposal; "Veto" for a veto's expiry, "Retention" for what a Config keeps. */
  readonly phase: string;
  readonly deadlineMs: number;
}

/** End a stage of a rollout. */
export interface AdvanceRolloutBody {
  readonly rolloutUid: string;
  /** The 0-based stage that ends. */
  readonly stage: number;
  /** Assigned nodes that the leader cannot reach, sorted. */
  readonly unreachable: readonly string[];
}

/** Nodes acknowledged a version, batched. */
export interface AcksBody {
  readonly configUid: string;
  readonly version: number;
  readonly state: "received" | "applied" | "confirmed" | "failed";
  readonly nodes: readonly string[];
  /** Why they failed. */
  readonly message?: string;
}

/** A node joins with a one-time token. */
export interface EnrollNodeBody {
  readonly node: string;
  /** Base64 of the raw 32-byte Ed25519 key. */
  readonly publicKey: string;
  /** Lower-case hex sha256 of the token. */
  readonly tokenHash: string;
  readonly targets: readonly string[];
  readonly signals: readonly string[];
  readonly agentVersion: string;
}

/** Make a one-time join token; only its hash is replicated. */
export interface JoinTokenBody {
  /** Lower-case hex sha256 of the token. */
  readonly tokenHash: string;
  readonly expiresAtMs: number;
  readonly class: string;
  readonly ownerGroup: string;
  readonly pool: string;
  readonly interferenceGroup: string;
  readonly labels: Readonly<Record<string, string>>;
  /** "" = any name. */
  readonly node: string;
}

/** Bring the fleet back to the version before; also takes back the newest completed rollout. */
export interface RollbackRolloutBody {
  readonly rolloutUid: string;
  readonly reason: string;
}

/** Let a paused rollout go on. */
export interface ResumeRolloutBody {
  readonly rolloutUid: string;
  readonly reason: string;
}

/** Take back a proposal that is not committed yet. */
export interface WithdrawBody {
  readonly proposalUid: string;
  readonly reason: string;
}

/** What a node reported about itself at the start of a session. */
export interface NodeStatusBody {
  readonly node: string;
  readonly targets: readonly string[];
  readonly signals: readonly string[];
  readonly agentVersion: string;
  readonly conditions?: NodeStatus["conditions"];
}

/** Let a lost delta be proposed again. */
export interface ReleaseQuarantineBody {
  readonly namespace: string;
  readonly config: string;
  /** Name of the proposal that lost; "" = all of this Config. */
  readonly proposal: string;
  readonly reason: string;
}
