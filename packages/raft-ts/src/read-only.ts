// Reads without log entries (thesis section 6.4). The leader notes its commit index per request and
// proves by a round of heartbeats that it was still leader afterwards. Requests are numbered within
// the term; a heartbeat carries the number of the newest request, its answer acknowledges all up to
// it. The caller's context is never used for matching: it may repeat, and a delayed answer to an
// older request must not confirm a newer one.
import { InvalidMessageError } from "./errors.ts";
import type { LogIndex, NodeId } from "./ids.ts";
import { MAX_FORWARDED_READS, MAX_PENDING_READS } from "./limits.ts";
import { jointCommitted } from "./quorum/joint.ts";
import type { JointConfig } from "./quorum/joint.ts";

/** One read request as the leader holds it. */
export interface ReadRequest {
  /** Who asked; the leader itself or a follower. */
  readonly from: NodeId;
  readonly context: Uint8Array;
}

/** A request whose index is confirmed to be safe. */
export interface ConfirmedRead extends ReadRequest {
  readonly index: LogIndex;
}

interface Waiting {
  /** Undefined for a pure lease renewal. */
  readonly read: ConfirmedRead | undefined;
  /** Leader's tick count when the request was numbered. */
  readonly tick: number;
}

/** What an acknowledgement brought. */
export interface Confirmation {
  readonly reads: readonly ConfirmedRead[];
  /** Tick of the newest confirmed request: leadership is proven at that time. */
  readonly provenAtTick: number;
}

/** Leader's table of unconfirmed reads of one term. */
export class ReadIndexQueue {
  #waiting: Waiting[] = [];
  #confirmed = 0;
  readonly #acks = new Map<NodeId, number>();

  /** Requests not yet confirmed. */
  get size(): number {
    return this.#waiting.length;
  }

  /** True if no further request is taken (MAX_PENDING_READS). */
  get full(): boolean {
    return this.#waiting.length >= MAX_PENDING_READS;
  }

  /** Number of the newest request; 0 if there was none in this term. */
  get newest(): number {
    return this.#confirmed + this.#waiting.length;
  }

  /** True if a heartbeat should carry the newest number. */
  get hasUnconfirmed(): boolean {
    return this.#waiting.length > 0;
  }

  /** Numbers a request (or a lease renewal) at the given tick. */
  add(read: ConfirmedRead | undefined, tick: number): number {
    this.#waiting.push({ read, tick });
    return this.newest;
  }

  /** Takes an acknowledgement and returns what a quorum has confirmed by now. */
  acknowledge(from: NodeId, number: number, voters: JointConfig): Confirmation | undefined {
    if (number > this.newest) {
      throw new InvalidMessageError(
        `read token ${number} was never issued (${this.newest} is last)`,
      );
    }
    const before = this.#acks.get(from) ?? 0;
    if (number > before) this.#acks.set(from, number);
    return this.#advance(voters);
  }

  #advance(voters: JointConfig): Confirmation | undefined {
    const quorum = jointCommitted(voters, (id) => this.#acks.get(id));
    const confirmed = Math.min(quorum, this.newest);
    if (confirmed <= this.#confirmed) return undefined;
    const done = this.#waiting.slice(0, confirmed - this.#confirmed);
    this.#waiting = this.#waiting.slice(done.length);
    this.#confirmed = confirmed;
    const reads: ConfirmedRead[] = [];
    for (const waiting of done) if (waiting.read !== undefined) reads.push(waiting.read);
    return { reads, provenAtTick: done.at(-1)?.tick ?? 0 };
  }
}

/** Bytes of a token. */
export const TOKEN_BYTES = 8;
const TWO_32 = 4_294_967_296;
/** Starting points of forwarded read tokens: 2^20, so that token + 2^32 reads stay safe integers. */
const TOKEN_EPOCHS = 1_048_576;

/** A token as bytes: 8 bytes, little endian. */
export function encodeToken(token: number): Uint8Array {
  const bytes = new Uint8Array(TOKEN_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, token % TWO_32, true);
  view.setUint32(4, Math.floor(token / TWO_32), true);
  return bytes;
}

/** Reads a token; throws InvalidMessageError if the bytes are not one. */
export function decodeToken(bytes: Uint8Array): number {
  if (bytes.length !== TOKEN_BYTES) {
    throw new InvalidMessageError(`read token must have ${TOKEN_BYTES} bytes, got ${bytes.length}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const token = view.getUint32(4, true) * TWO_32 + view.getUint32(0, true);
  if (!Number.isSafeInteger(token)) throw new InvalidMessageError("read token above 2^53-1");
  return token;
}

/**
 * Follower's table of reads it has forwarded: own token on the wire, the caller's context kept here.
 * Tokens begin at a random point, so that an answer meant for an earlier life of this node is not
 * taken for one of this life.
 */
export class ForwardedReads {
  #next: number;
  readonly #contexts = new Map<number, Uint8Array>();

  constructor(random: (bound: number) => number) {
    this.#next = 1 + random(TOKEN_EPOCHS) * TWO_32;
  }

  /** Keeps a context and returns the token for the wire; forgets the oldest when full. */
  add(context: Uint8Array): Uint8Array {
    if (this.#contexts.size >= MAX_FORWARDED_READS) {
      // Map keeps insertion order, and tokens ascend: the first key is the oldest.
      const oldest = this.#contexts.keys().next().value;
      if (oldest !== undefined) this.#contexts.delete(oldest);
    }
    const token = this.#next++;
    this.#contexts.set(token, context);
    return encodeToken(token);
  }

  /** Takes back the context for an answered token; undefined if it is not ours or was answered. */
  take(bytes: Uint8Array): Uint8Array | undefined {
    const token = decodeToken(bytes);
    const context = this.#contexts.get(token);
    this.#contexts.delete(token);
    return context;
  }
}
