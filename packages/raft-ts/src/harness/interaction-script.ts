// Transcripts of whole groups of nodes: a script proposes, campaigns, delivers and drops messages, and
// sees every message, Ready and log line. Commands are in the table at the end.
import { isLocalTarget, nodeId } from "../ids.ts";
import type { NodeId } from "../ids.ts";
import { describeMessage, describeReady } from "../describe.ts";
import { RaftError } from "../errors.ts";
import type { Message } from "../messages.ts";
import type { ProposeResult } from "../types.ts";
import { Member } from "./member.ts";
import { Output } from "./output.ts";
import { ScriptError } from "./script.ts";
import type { Command } from "./script.ts";

/** Rounds after which `stabilize` is taken for an endless loop. */
const MAX_STABILIZE_ROUNDS = 10_000;

/** A message between a node and its own workers or itself; never lost on the way. */
function isReliable(m: Message): boolean {
  return m.from === m.to || isLocalTarget(m.from) || isLocalTarget(m.to);
}

/** Which messages a delivery is about. */
export interface Recipient {
  readonly id: NodeId;
  readonly drop: boolean;
}

/** Nodes and the network between them. */
export class InteractionEnv {
  readonly output: Output = new Output();
  readonly members: Member[] = [];
  messages: Message[] = [];

  /** The node with this id. */
  member(id: number): Member {
    const member = this.members[id - 1];
    if (member === undefined) throw new ScriptError(`no node ${id}`);
    return member;
  }

  /** Ids given as bare arguments, or all. */
  idsOf(command: Command): readonly Member[] {
    return command.args.filter((a) => a.values.length === 0).map((a) => this.member(Number(a.key)));
  }

  /** Runs `body` for each node, with a header if there are several. */
  forEach(members: readonly Member[], what: string, body: (member: Member) => void): void {
    for (const member of members) {
      if (members.length === 1) {
        body(member);
        continue;
      }
      this.output.write(`> ${member.id} ${what}\n`);
      this.output.indented(() => body(member));
    }
  }

  /** Handles one Ready. */
  processReady(member: Member): void {
    const { node, config } = member;
    const ready = node.ready();
    this.output.write(describeReady(ready));
    const sync = config.asyncStorageWrites !== true;
    if (sync) {
      const { hardState, entries, snapshot } = ready;
      const none = { term: 0, vote: 0, commit: 0 } as NonNullable<typeof hardState>;
      member.store(hardState ?? none, entries, snapshot);
      member.apply(ready.committedEntries);
    }
    for (const m of ready.messages) {
      if (m.type === "MsgStorageAppend") member.appendWork.push(m);
      else if (m.type === "MsgStorageApply") member.applyWork.push(m);
      else this.messages.push(m);
    }
    if (sync) node.advance();
  }

  /** Carries out one write of the append worker. */
  processAppend(member: Member): void {
    const work = member.appendWork.shift();
    if (work === undefined) return this.output.write("no append work to perform");
    this.#showWork(work);
    const { term, vote, commit } = work;
    member.store({ term, vote, commit }, work.entries, work.snapshot);
    this.#respond(work);
  }

  /** Carries out one batch of the apply worker. */
  processApply(member: Member): void {
    const work = member.applyWork.shift();
    if (work === undefined) return this.output.write("no apply work to perform");
    this.#showWork(work);
    member.apply(work.entries);
    this.#respond(work);
  }

  #showWork(work: Message): void {
    this.output.write(`Processing:\n${describeMessage({ ...work, responses: [] })}\n`);
  }

  #respond(work: Message): void {
    this.output.write("Responses:\n");
    for (const m of work.responses) this.output.write(`${describeMessage(m)}\n`);
    this.messages.push(...work.responses);
  }

  /** Messages on their way to a node. Dropping spares those that cannot get lost. */
  #pending(to: Recipient, type: string | undefined): readonly Message[] {
    return this.messages.filter(
      (m) =>
        m.to === to.id && !(to.drop && isReliable(m)) && (type === undefined || m.type === type),
    );
  }

  /** Delivers or drops messages; returns how many. */
  deliver(recipients: readonly Recipient[], type: string | undefined): number {
    let count = 0;
    for (const to of recipients) {
      const pending = new Set(this.#pending(to, type));
      this.messages = this.messages.filter((m) => !pending.has(m));
      count += pending.size;
      for (const m of pending) {
        this.output.write(`${to.drop ? "dropped: " : ""}${describeMessage(m)}\n`);
        if (!to.drop) this.#stepInto(this.member(m.to), m);
      }
    }
    return count;
  }

  #stepInto(member: Member, m: Message): void {
    try {
      const fault = faultOf(member.node.step(m));
      if (fault !== undefined) this.output.write(`${fault}\n`);
    } catch (error) {
      if (!(error instanceof RaftError)) throw error;
      this.output.write(`${error.message}\n`);
    }
  }

  /** Runs everything on the given nodes until nothing moves. */
  stabilize(members: readonly Member[]): void {
    for (let round = 0; round < MAX_STABILIZE_ROUNDS; round++) {
      if (!this.#stabilizeOnce(members)) return;
    }
    throw new ScriptError(`stabilize did not end within ${MAX_STABILIZE_ROUNDS} rounds`);
  }

  #stabilizeOnce(members: readonly Member[]): boolean {
    let moved = false;
    const run = (member: Member, what: string, body: () => void): void => {
      moved = true;
      this.output.write(`> ${member.id} ${what}\n`);
      body();
    };
    for (const member of members) {
      if (!member.node.hasReady()) continue;
      run(member, "handling Ready", () => this.output.indented(() => this.processReady(member)));
    }
    for (const member of members) {
      const to = { id: member.id, drop: false };
      if (this.#pending(to, undefined).length === 0) continue;
      run(member, "receiving messages", () =>
        this.output.indented(() => this.deliver([to], undefined)),
      );
    }
    for (const member of members) {
      if (member.appendWork.length === 0) continue;
      run(member, "processing append thread", () => {
        while (member.appendWork.length > 0) {
          this.output.indented(() => this.processAppend(member));
        }
      });
    }
    for (const member of members) {
      if (member.applyWork.length === 0) continue;
      run(member, "processing apply thread", () => {
        while (member.applyWork.length > 0) {
          this.output.indented(() => this.processApply(member));
        }
      });
    }
    return moved;
  }

  /** Crashes and restarts a node; what its workers were about to tell it is lost. */
  restart(member: Member): void {
    this.messages = this.messages.filter((m) => m.to !== member.id || !isReliable(m));
    member.restart();
  }

  /** Adds a node with the next id. */
  addMember(init: Omit<ConstructorParameters<typeof Member>[0], "id" | "trace">): void {
    const id = nodeId(this.members.length + 1);
    this.members.push(new Member({ ...init, id, trace: (e) => this.output.trace(e) }));
  }
}

/**
 * What a transcript shows for a dropped proposal. A refused configuration change shows nothing: an
 * empty entry took its place, and the log line said why.
 */
export function faultOf(result: ProposeResult): string | undefined {
  if (result.ok) return undefined;
  const silent = /^conf-change-(pending|in-joint|not-joint|invalid)$/.test(result.reason);
  return silent ? undefined : "raft proposal dropped";
}
