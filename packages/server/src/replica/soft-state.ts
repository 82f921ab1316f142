// Soft state: which nodes are alive and how far their trials are. Never logged; every server keeps
// what its own agents report and sends it to the others in digests, so that any server can answer
// and the leader can judge. After an election nothing turns unreachable for one full lease, because
// a digest is a second old at most.
import { utf8Decode, utf8Encode } from "@kingly/base";
import type { Clock } from "@kingly/base";
import type { TrialProgress } from "@kingly/resources";
import {
  DIGEST_BYTES_MAX,
  DIGEST_NODES_MAX,
  NODES_KEPT_MAX,
  NODE_FORGET_MS,
  NODE_LEASE_MS,
  PROGRESS_KEPT_MAX,
} from "../limits.ts";
import type { NodeAck, NodeHeartbeat, SoftState } from "./replica.ts";

interface Seen {
  readonly heartbeat: NodeHeartbeat;
  readonly atMs: number;
  /** Reported to this server since the last digest. */
  fresh: boolean;
}

interface Digest {
  readonly nodes: readonly { readonly ageMs: number; readonly heartbeat: NodeHeartbeat }[];
  readonly progress: readonly TrialProgress[];
}

/** What soft state needs. */
export interface SoftOptions {
  readonly memberId: string;
  readonly clock: Clock;
  /** Milliseconds; absent = 5 s. */
  readonly leaseMs?: number;
  readonly onAck: (ack: NodeAck) => void;
}

/** Soft state of one server. */
export class SoftStore implements SoftState {
  readonly #options: SoftOptions;
  readonly #leaseMs: number;
  readonly #nodes = new Map<string, Seen>();
  readonly #progress = new Map<string, { readonly progress: TrialProgress; fresh: boolean }>();
  readonly #reachable = new Set<string>();

  constructor(options: SoftOptions) {
    this.#options = options;
    this.#leaseMs = options.leaseMs ?? NODE_LEASE_MS;
  }

  get reachableNodes(): ReadonlySet<string> {
    return this.#reachable;
  }

  reportHeartbeat(heartbeat: Omit<NodeHeartbeat, "server">): void {
    const full: NodeHeartbeat = { ...heartbeat, server: this.#options.memberId };
    this.#record(full, this.#options.clock.nowMs(), true);
  }

  #record(heartbeat: NodeHeartbeat, atMs: number, fresh: boolean): void {
    const known = this.#nodes.get(heartbeat.node);
    if (known !== undefined) {
      const older = known.heartbeat.incarnation > heartbeat.incarnation || known.atMs > atMs;
      if (older) return;
    } else if (this.#nodes.size >= NODES_KEPT_MAX) return;
    this.#nodes.set(heartbeat.node, { heartbeat, atMs, fresh });
    if (this.#options.clock.nowMs() - atMs < this.#leaseMs) this.#reachable.add(heartbeat.node);
  }

  reportGone(node: string): void {
    const known = this.#nodes.get(node);
    // The agent may have moved to another server meanwhile: then it is not gone.
    if (known?.heartbeat.server === this.#options.memberId) this.#reachable.delete(node);
  }

  reportProgress(progress: TrialProgress): void {
    this.#recordProgress(progress, true);
  }

  #recordProgress(progress: TrialProgress, fresh: boolean): void {
    const key = `${progress.proposalUid}/${progress.node}`;
    this.#progress.delete(key);
    this.#progress.set(key, { progress, fresh });
    if (this.#progress.size <= PROGRESS_KEPT_MAX) return;
    for (const oldest of this.#progress.keys()) {
      this.#progress.delete(oldest);
      break;
    }
  }

  reportAck(ack: NodeAck): void {
    this.#options.onAck(ack);
  }

  heartbeat(node: string): (NodeHeartbeat & { readonly ageMs: number }) | undefined {
    const seen = this.#nodes.get(node);
    if (seen === undefined) return undefined;
    return { ...seen.heartbeat, ageMs: this.#options.clock.nowMs() - seen.atMs };
  }

  progress(proposalUid: string): readonly TrialProgress[] {
    const prefix = `${proposalUid}/`;
    const found: TrialProgress[] = [];
    for (const [key, { progress }] of this.#progress) {
      if (key.startsWith(prefix)) found.push(progress);
    }
    return found.sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  /** Nodes whose lease ran out become unreachable; long silent ones are forgotten. */
  expire(): void {
    const now = this.#options.clock.nowMs();
    for (const [node, seen] of this.#nodes) {
      const age = now - seen.atMs;
      if (age >= this.#leaseMs) this.#reachable.delete(node);
      if (age >= NODE_FORGET_MS) this.#nodes.delete(node);
    }
  }

  /** A new leader gives every node it knows one full lease before it counts as gone. */
  grace(): void {
    const now = this.#options.clock.nowMs();
    for (const [node, seen] of this.#nodes) {
      if (now - seen.atMs >= 2 * this.#leaseMs) continue;
      this.#nodes.set(node, { ...seen, atMs: now });
      this.#reachable.add(node);
    }
  }

  /** What was reported here since the last call; undefined when nothing was. */
  digest(): Uint8Array | undefined {
    const now = this.#options.clock.nowMs();
    const nodes: Digest["nodes"][number][] = [];
    for (const seen of this.#nodes.values()) {
      if (!seen.fresh || nodes.length >= DIGEST_NODES_MAX) continue;
      seen.fresh = false;
      nodes.push({ ageMs: now - seen.atMs, heartbeat: seen.heartbeat });
    }
    const progress: TrialProgress[] = [];
    for (const item of this.#progress.values()) {
      if (!item.fresh || progress.length >= DIGEST_NODES_MAX) continue;
      item.fresh = false;
      progress.push(item.progress);
    }
    if (nodes.length === 0 && progress.length === 0) return undefined;
    const bytes = utf8Encode(JSON.stringify({ nodes, progress } satisfies Digest));
    // Soft state may be lost; a digest that is too large is cut by what the next second reports.
    return bytes.length <= DIGEST_BYTES_MAX ? bytes : undefined;
  }

  /** Takes another server's digest; false when it is malformed. */
  merge(bytes: Uint8Array): boolean {
    let digest: Partial<Digest> | null;
    try {
      digest = JSON.parse(utf8Decode(bytes)) as Partial<Digest> | null;
    } catch {
      return false;
    }
    const { nodes, progress } = digest ?? {};
    if (!Array.isArray(nodes) || !Array.isArray(progress)) return false;
    const now = this.#options.clock.nowMs();
    for (const { ageMs, heartbeat } of nodes as Digest["nodes"]) {
      if (typeof heartbeat?.node !== "string" || typeof ageMs !== "number") return false;
      this.#record(heartbeat, now - Math.max(0, ageMs), false);
    }
    for (const item of progress as Digest["progress"]) {
      if (typeof item?.proposalUid !== "string") return false;
      this.#recordProgress(item, false);
    }
    return true;
  }
}
