// Whole groups under random faults: messages lost, repeated and reordered, nodes cut off, disks slow,
// crashes that lose what was not written, membership changes, transfers, windows that close, snapshots. One seed decides
// everything. Safety is checked at every step; then the faults stop and the group must get going.
import { describe, expect, it } from "vitest";
import { NO_LIMIT, isLocalTarget, logIndex, nodeId } from "../src/index.ts";
import type { ConfChange, ConfState, Entry, LogIndex, Message } from "../src/index.ts";
import { Cluster, bytes, confState, prng, text } from "./cluster.ts";
import type { Options, Peer } from "./cluster.ts";

const STEPS = 6000;
const SEEDS = 150;

interface OpenRead {
  readonly atLeast: number;
}

class Swarm {
  readonly random: (bound: number) => number;
  readonly cluster: Cluster;
  readonly initial: number[];
  readonly options: Options;
  readonly leaders = new Map<number, number>();
  readonly committed = new Map<number, string>();
  readonly reads = new Map<string, OpenRead>();
  readonly seen = new Map<number, { term: number; commit: number }>();
  readonly stalled = new Set<number>();
  readonly configs = new Map<number, string>();
  readonly checkedReads = new Map<number, number>();
  readonly checkedApplied = new Map<number, number>();
  readonly checkedEvents = new Map<number, number>();
  highest = 0;
  proposals = 0;
  answered = 0;

  constructor(seed: number) {
    this.random = prng(seed);
    const size = [1, 3, 3, 5][this.random(4)] ?? 3;
    this.initial = Array.from({ length: size }, (_, i) => i + 1);
    this.options = {
      random: this.random,
      preVote: this.random(2) === 0,
      checkQuorum: this.random(2) === 0,
      // Without it a removed leader keeps leading and takes no proposals: no liveness to check.
      stepDownOnRemoval: true,
      maxMessageBytes: [0, 60, 10_000][this.random(3)] ?? 0,
      maxInflightMessages: 1 + this.random(8),
      maxCommittedBytesPerReady: [0, 1, 100][this.random(3)] ?? 0,
      membershipGuard: this.random(2) === 0,
      diskStallTicks: [0, 10, 40][this.random(3)] ?? 0,
      ...(this.random(2) === 0 ? { autoPromote: (id: number) => id % 2 === 0 } : {}),
      ...(this.random(2) === 0 ? { leaderPriority: (id: number) => id % 3 } : {}),
    };
    this.cluster = new Cluster(this.initial, this.options);
    const spare = size + 1;
    this.cluster.add(spare, confState(this.initial), this.options);
  }

  peers(): Peer[] {
    return [...this.cluster.peers.values()];
  }

  pick(): Peer {
    const peers = this.peers();
    return peers[this.random(peers.length)] as Peer;
  }

  step(): void {
    const peer = this.pick();
    const dice = this.random(1000);
    if (dice < 120) peer.node.tick();
    else if (dice < 300) this.cluster.net.push(...peer.ready());
    else if (dice < 600) this.deliver();
    else if (dice < 750) this.write(peer);
    else if (dice < 850) this.respond(peer, peer.apply());
    else if (dice < 920) peer.node.propose(bytes(`p${this.proposals++}`));
    else if (dice < 950) this.read(peer);
    else if (dice < 965) this.deliverAll();
    else if (dice < 970) this.crash(peer);
    else if (dice < 975) this.cut(peer);
    else if (dice < 980) peer.node.proposeConfChange(this.change(peer));
    else if (dice < 984) peer.node.transferLeadership(nodeId(1 + this.random(this.peers().length)));
    else if (dice < 988) this.compact(peer);
    else if (dice < 990) peer.node.setReceiveWindow([0, 20, NO_LIMIT][this.random(3)] ?? 0);
    else if (dice < 993) peer.node.reportUnreachable(nodeId(1 + this.random(this.peers().length)));
    else if (dice < 996) peer.node.forgetLeader();
    else peer.node.campaign();
    this.check();
  }

  deliver(): void {
    const { net } = this.cluster;
    if (net.length === 0) return;
    const at = this.random(3) === 0 ? this.random(net.length) : 0;
    const message = net[at] as Message;
    const dice = this.random(20);
    if (dice > 0) net.splice(at, 1);
    this.hand(message, dice > 1);
  }

  deliverAll(): void {
    for (const m of this.cluster.net.splice(0)) this.hand(m, true);
  }

  /** Hands a message over or loses it; a transport tells the sender how a snapshot fared. */
  hand(m: Message, arrives: boolean): void {
    const { isolated } = this.cluster;
    const lost = !arrives || isolated.has(m.from) || isolated.has(m.to);
    if (!lost) this.cluster.step(m);
    if (m.type !== "MsgSnap") return;
    this.cluster.node(m.from).reportSnapshot(m.to, lost ? "failure" : "finish");
  }

  respond(peer: Peer, responses: readonly Message[]): void {
    for (const m of responses) {
      if (m.to === peer.id && (m.from === peer.id || isLocalTarget(m.from))) this.cluster.step(m);
      else this.cluster.net.push(m);
    }
  }

  /** Now and then a disk stands still for a while. */
  write(peer: Peer): void {
    if (this.random(300) === 0) this.stalled.add(peer.id);
    else if (!this.stalled.has(peer.id)) this.respond(peer, peer.write());
    else if (this.random(60) === 0) this.stalled.delete(peer.id);
  }

  read(peer: Peer): void {
    const name = `r${this.reads.size}`;
    this.reads.set(name, { atLeast: this.highest });
    peer.node.readIndex(bytes(name));
  }

  crash(peer: Peer): void {
    this.cluster.restart(peer.id);
    this.seen.delete(peer.id);
  }

  cut(peer: Peer): void {
    const { isolated } = this.cluster;
    if (isolated.size > 0) isolated.clear();
    else isolated.add(peer.id);
  }

  change(peer: Peer): ConfChange {
    const one = () => ({
      type:
        (["add-node", "add-learner-node", "remove-node"] as const)[this.random(3)] ?? "add-node",
      nodeId: nodeId(1 + this.random(this.peers().length)),
    });
    const context = bytes("");
    if (this.random(3) === 0) return { version: 1, ...one(), context };
    const changes = Array.from({ length: this.random(3) }, one);
    const transition = (["auto", "joint-implicit"] as const)[this.random(2)] ?? "auto";
    const seen = peer.node.status().confState.configId ?? logIndex(0);
    const condition = this.random(2) === 0 ? { expectedConfigId: seen } : {};
    return { version: 2, transition, changes, context, ...condition };
  }

  compact(peer: Peer): void {
    const last = peer.applied.at(-1);
    const { storage } = peer;
    if (last === undefined || last.index <= storage.snapshot().metadata.index) return;
    storage.createSnapshot(last.index, storage.confState, bytes(`${last.term}`));
    storage.compact(last.index);
  }

  check(): void {
    for (const peer of this.peers()) {
      this.checkEvents(peer);
      this.checkApplied(peer);
      this.checkReads(peer);
      const { term, commit, applied } = peer.node.basicStatus();
      const before = this.seen.get(peer.id);
      if (before !== undefined) {
        if (term < before.term) throw new Error(`term of ${peer.id} went back`);
        if (commit < before.commit) throw new Error(`commit of ${peer.id} went back`);
      }
      if (applied > commit) throw new Error(`node ${peer.id} applied beyond commit`);
      this.seen.set(peer.id, { term, commit });
      if (commit > this.highest) this.highest = commit;
    }
  }

  /** Election safety: at most one leader per term. */
  checkEvents(peer: Peer): void {
    const from = this.checkedEvents.get(peer.id) ?? 0;
    for (const event of peer.events.slice(from)) {
      if (event.kind === "config-switched") this.checkConfig(event.config);
      if (event.kind !== "became" || event.state !== "leader") continue;
      const other = this.leaders.get(event.term);
      if (other !== undefined && other !== peer.id) {
        throw new Error(`nodes ${other} and ${peer.id} both lead term ${event.term}`);
      }
      this.leaders.set(event.term, peer.id);
    }
    this.checkedEvents.set(peer.id, peer.events.length);
  }

  /** State machine safety: the same entry at every index, in order, once. */
  checkApplied(peer: Peer): void {
    const from = this.checkedApplied.get(peer.id) ?? 0;
    let previous = from === 0 ? 0 : (peer.applied[from - 1]?.index ?? 0);
    for (const entry of peer.applied.slice(from)) {
      const isSnapshot = text(entry.data) === "snapshot";
      if (!isSnapshot && entry.index !== previous + 1) {
        throw new Error(`node ${peer.id} applied ${entry.index} after ${previous}`);
      }
      previous = entry.index;
      this.agree(entry, isSnapshot);
    }
    this.checkedApplied.set(peer.id, peer.applied.length);
  }

  agree(entry: Entry, termOnly: boolean): void {
    const content = `${entry.term}/${entry.type}/${text(entry.data)}`;
    const known = this.committed.get(entry.index);
    if (known === undefined) {
      if (!termOnly) this.committed.set(entry.index, content);
    } else if (termOnly ? !known.startsWith(`${entry.term}/`) : known !== content) {
      throw new Error(`index ${entry.index} holds ${known} and ${content}`);
    }
  }

  /** One id, one configuration, on every node. */
  checkConfig({ configId = 0 as LogIndex, ...members }: ConfState): void {
    if (configId === 0) return;
    const content = JSON.stringify(members);
    const known = this.configs.get(configId) ?? content;
    if (known !== content) throw new Error(`config ${configId} is ${known} and ${content}`);
    this.configs.set(configId, content);
  }

  /** A read sees everything that was committed anywhere when it was asked for. */
  checkReads(peer: Peer): void {
    const from = this.checkedReads.get(peer.id) ?? 0;
    for (const { context, index } of peer.reads.slice(from)) {
      const open = this.reads.get(text(context));
      if (open === undefined) throw new Error(`answer to unknown read ${text(context)}`);
      if (index < open.atLeast) {
        throw new Error(`read ${text(context)} got ${index}, committed was ${open.atLeast}`);
      }
      this.answered++;
    }
    this.checkedReads.set(peer.id, peer.reads.length);
  }

  /** No more faults: within bounded time there is a leader and everybody in its group catches up. */
  heal(): void {
    const { cluster } = this;
    cluster.isolated.clear();
    for (const peer of this.peers()) peer.node.setReceiveWindow(NO_LIMIT);
    cluster.settle();
    for (let round = 0; round < 300; round++) {
      for (const peer of this.peers()) peer.node.tick();
      cluster.settle();
      this.check();
      const leader = this.peers().find((p) => this.leads(p));
      // Storage keeps making snapshots; one that is too old for a new member helps nobody.
      if (leader !== undefined) this.compact(leader);
      if (leader === undefined || !leader.node.propose(bytes("final")).ok) continue;
      cluster.settle();
      const { commit, confState: members, progress } = leader.node.status();
      const group = [...members.voters, ...members.learners];
      const behind = group.filter((id) => cluster.node(id).basicStatus().applied < commit);
      const joint = members.votersOutgoing.length > 0 && !members.autoLeave;
      const unpromoted = members.learners.some((id) => this.options.autoPromote?.(id) === true);
      if (unpromoted) continue;
      if (behind.length === 0 && !joint && progress.length > 0 && commit > this.highest - 1) return;
    }
    throw new Error("the group does not get going again");
  }

  /** Leads, and no member knows a later term; removed nodes may campaign in vain for ever. */
  leads(peer: Peer): boolean {
    const { state, term, confState: members } = peer.node.status();
    const group = [...members.voters, ...members.votersOutgoing];
    const later = group.some((id) => this.cluster.node(id).basicStatus().term > term);
    return state === "leader" && !later;
  }

  run(): void {
    for (let i = 0; i < STEPS; i++) this.step();
    this.heal();
  }
}

describe("random faults", () => {
  it("are survived without breaking safety, and the group gets going again", () => {
    let applied = 0;
    let answered = 0;
    let leaders = 0;
    let configs = 0;
    const kinds = new Set<string>();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const swarm = new Swarm(seed);
      try {
        swarm.run();
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
      applied += swarm.committed.size;
      answered += swarm.answered;
      leaders += swarm.leaders.size;
      configs += swarm.configs.size;
      for (const { events } of swarm.peers()) for (const { kind } of events) kinds.add(kind);
    }
    // The runs are worth something only if much happens in them.
    expect(applied).toBeGreaterThan(SEEDS * 20);
    expect(leaders).toBeGreaterThan(SEEDS * 2);
    expect(answered).toBeGreaterThan(SEEDS);
    expect(configs).toBeGreaterThan(SEEDS);
    for (const kind of ["learner-promoted", "leader-disk-stalled", "leader-preferred"]) {
      expect(kinds).toContain(kind);
    }
  });

  it("give the same history for the same seed", () => {
    const history = (): string => {
      const swarm = new Swarm(7);
      swarm.run();
      return JSON.stringify(swarm.peers().map((p) => [p.log(), p.events]));
    };
    expect(history()).toBe(history());
  });
});
