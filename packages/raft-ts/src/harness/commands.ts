// The commands of interaction transcripts. Beyond the published ones there are some of our own:
// read-index, report-snapshot, report-restarted, restart, duplicate-msgs and tick.
import { describeEntries, describeMessage, stateName } from "../describe.ts";
import { encodeText } from "./text.ts";
import { RaftError } from "../errors.ts";
import { logIndex, nodeId } from "../ids.ts";
import { NO_LIMIT } from "../limits.ts";
import { MESSAGE_TYPES, makeMessage } from "../messages.ts";
import type { ConfChange, ConfChangeTransition } from "../confchange/types.ts";
import { EMPTY_BYTES, EMPTY_SNAPSHOT } from "../types.ts";
import { parseChanges } from "./changes.ts";
import { InteractionEnv, faultOf } from "./interaction-script.ts";
import type { Recipient } from "./interaction-script.ts";
import { memberConfig, memberSnapshot } from "./member-options.ts";
import type { Member } from "./member.ts";
import { ScriptError, parseBoolean, parseCommand, parseNumber, valuesOf } from "./script.ts";
import type { Command, Directive } from "./script.ts";

type Handler = (env: InteractionEnv, command: Command) => void;

function argument(command: Command, at: number): string {
  const value = command.args[at]?.key;
  if (value === undefined) throw new ScriptError(`${command.name}: argument ${at + 1} is missing`);
  return value;
}

function numberAt(command: Command, at: number): number {
  return parseNumber(argument(command, at));
}

function first(env: InteractionEnv, command: Command): Member {
  return env.member(numberAt(command, 0));
}

function named(command: Command, key: string): number {
  const value = valuesOf(command, key)?.[0];
  if (value === undefined) throw new ScriptError(`${command.name}: ${key}= is missing`);
  return parseNumber(value);
}

function ticks(env: InteractionEnv, command: Command, count: number): void {
  const member = first(env, command);
  for (let i = 0; i < count; i++) member.node.tick();
}

function addNodes(env: InteractionEnv, command: Command): void {
  const config = memberConfig(command);
  const snapshot = memberSnapshot(command) ?? EMPTY_SNAPSHOT;
  for (let n = numberAt(command, 0); n > 0; n--) env.addMember({ config, snapshot });
}

function deliver(env: InteractionEnv, command: Command): void {
  const recipients: Recipient[] = [];
  for (const { key, values } of command.args) {
    if (values.length === 0) recipients.push({ id: nodeId(parseNumber(key)), drop: false });
    if (key !== "drop") continue;
    for (const value of values) recipients.push({ id: nodeId(parseNumber(value)), drop: true });
  }
  const type = valuesOf(command, "type")?.[0];
  if (type !== undefined && !MESSAGE_TYPES.some((t) => t === type)) {
    throw new ScriptError(`unknown message type ${type}`);
  }
  if (env.deliver(recipients, type) === 0) env.output.write("no messages\n");
}

function raftLog(env: InteractionEnv, command: Command): void {
  const { storage } = first(env, command);
  const from = storage.firstIndex();
  const last = storage.lastIndex();
  if (last < from) {
    env.output.write(`log is empty: first index=${from}, last index=${last}`);
    return;
  }
  env.output.write(describeEntries(storage.entries(from, logIndex(last + 1), NO_LIMIT)));
}

function raftState(env: InteractionEnv): void {
  for (const { node } of env.members) {
    const { id, state, term: currentTerm, lead, confState } = node.status();
    const isVoter = [...confState.voters, ...confState.votersOutgoing].includes(id);
    const kind = isVoter ? "(Voter)" : "(Non-Voter)";
    env.output.write(`${id}: ${stateName(state)} ${kind} Term:${currentTerm} Lead:${lead}\n`);
  }
}

function stabilize(env: InteractionEnv, command: Command): void {
  const { level } = env.output;
  const wanted = valuesOf(command, "log-level")?.[0];
  if (wanted !== undefined) env.output.setLevel(wanted);
  const members = env.idsOf(command);
  env.stabilize(members.length === 0 ? env.members : members);
  env.output.level = level;
}

function sendSnapshot(env: InteractionEnv, command: Command): void {
  const [from, to] = env.idsOf(command);
  if (from === undefined || to === undefined) throw new ScriptError("send-snapshot FROM TO");
  const message = makeMessage({
    type: "MsgSnap",
    term: from.node.basicStatus().term,
    from: from.id,
    to: to.id,
    snapshot: from.storage.snapshot(),
  });
  env.messages.push(message);
  env.output.write(describeMessage(message));
}

function propose(env: InteractionEnv, command: Command): void {
  const data = encodeText(argument(command, 1));
  const fault = faultOf(first(env, command).node.propose(data));
  if (fault !== undefined) throw new ScriptError(fault);
}

function readIndex(env: InteractionEnv, command: Command): void {
  const result = first(env, command).node.readIndex(encodeText(argument(command, 1)));
  if (!result.ok) env.output.write(`read dropped: ${result.reason}\n`);
}

function duplicate(env: InteractionEnv, command: Command): void {
  const ids = env.idsOf(command).map((m) => m.id);
  env.messages.push(...env.messages.filter((m) => ids.includes(m.to) && m.from !== m.to));
}

const TRANSITIONS: Readonly<Record<string, ConfChangeTransition>> = {
  auto: "auto",
  implicit: "joint-implicit",
  explicit: "joint-explicit",
};

function proposeConfChange(env: InteractionEnv, d: Directive): void {
  for (const { key } of d.args.slice(1)) {
    if (key !== "v1" && key !== "transition") throw new ScriptError(`unknown command ${key}`);
  }
  const wanted = valuesOf(d, "transition")?.[0] ?? "auto";
  const transition = TRANSITIONS[wanted];
  if (transition === undefined) throw new ScriptError(`unknown transition ${wanted}`);
  const changes = parseChanges(d.input);
  let cc: ConfChange = { version: 2, transition, changes, context: EMPTY_BYTES };
  if (parseBoolean(valuesOf(d, "v1")?.[0] ?? "false")) {
    const [only] = changes;
    if (changes.length !== 1 || only === undefined || transition !== "auto") {
      throw new ScriptError("v1 conf change can only have one operation and no transition");
    }
    cc = { version: 1, ...only, context: EMPTY_BYTES };
  }
  const fault = faultOf(first(env, d).node.proposeConfChange(cc));
  if (fault !== undefined) throw new ScriptError(fault);
}

const COMMANDS: Readonly<Record<string, Handler>> = {
  _breakpoint: () => undefined,
  "add-nodes": addNodes,
  campaign: (env, c) => first(env, c).node.campaign(),
  compact: (env, c) => {
    first(env, c).storage.compact(logIndex(numberAt(c, 1)));
    raftLog(env, c);
  },
  "deliver-msgs": deliver,
  "duplicate-msgs": duplicate,
  "process-ready": (env, c) =>
    env.forEach(env.idsOf(c), "handling Ready", (m) => env.processReady(m)),
  "process-append-thread": (env, c) =>
    env.forEach(env.idsOf(c), "processing append thread", (m) => env.processAppend(m)),
  "process-apply-thread": (env, c) =>
    env.forEach(env.idsOf(c), "processing apply thread", (m) => env.processApply(m)),
  "log-level": (env, c) => env.output.setLevel(argument(c, 0)),
  "raft-log": raftLog,
  "raft-state": raftState,
  "set-randomized-election-timeout": (env, c) =>
    first(env, c).node.setRandomizedElectionTicks(named(c, "timeout")),
  stabilize,
  status: (env, c) => {
    const { progress } = first(env, c).node.status();
    for (const { id, text } of progress) env.output.write(`${id}: ${text}\n`);
  },
  tick: (env, c) => ticks(env, c, numberAt(c, 1)),
  "tick-election": (env, c) => ticks(env, c, first(env, c).config.electionTicks),
  "tick-heartbeat": (env, c) => ticks(env, c, first(env, c).config.heartbeatTicks),
  "transfer-leadership": (env, c) =>
    env.member(named(c, "from")).node.transferLeadership(nodeId(named(c, "to"))),
  "forget-leader": (env, c) => first(env, c).node.forgetLeader(),
  "send-snapshot": sendSnapshot,
  propose,
  "read-index": readIndex,
  "report-unreachable": (env, c) => first(env, c).node.reportUnreachable(nodeId(numberAt(c, 1))),
  "report-snapshot": (env, c) => {
    const status = argument(c, 2);
    if (status !== "finish" && status !== "failure") throw new ScriptError("finish or failure");
    first(env, c).node.reportSnapshot(nodeId(numberAt(c, 1)), status);
  },
  "report-restarted": (env, c) => {
    const peer = env.member(numberAt(c, 1));
    first(env, c).node.reportRestarted(peer.id, peer.node.status().lastIndex);
  },
  restart: (env, c) => env.restart(first(env, c)),
};

function runCommand(env: InteractionEnv, command: Command): void {
  const handler = COMMANDS[command.name];
  if (handler === undefined) throw new ScriptError("unknown command");
  handler(env, command);
}

/** Runs one directive of an interaction transcript. Errors become its output. */
export function runInteractionDirective(env: InteractionEnv, d: Directive): string {
  let fault = "";
  try {
    if (d.name === "propose-conf-change") {
      proposeConfChange(env, d);
    } else {
      runCommand(env, d);
      // Further input lines are further commands.
      for (const line of d.input.split("\n")) {
        const command = parseCommand(line);
        if (command !== undefined) runCommand(env, command);
      }
    }
  } catch (error) {
    if (!(error instanceof ScriptError) && !(error instanceof RaftError)) throw error;
    fault = error.message;
  }
  const text = env.output.take() + fault;
  return text === "" ? "ok" : text;
}

/** A fresh group for one transcript. */
export function newInteraction(): InteractionEnv {
  return new InteractionEnv();
}
