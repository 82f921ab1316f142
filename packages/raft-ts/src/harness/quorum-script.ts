// Transcripts of the quorum arithmetic: `committed` draws what each voter has acknowledged and says
// what is committed; `vote` says what a set of votes amounts to. Every answer is checked against
// another way of computing it; a difference shows up in the output.
import { NO_LIMIT } from "../limits.ts";
import { nodeId } from "../ids.ts";
import type { NodeId } from "../ids.ts";
import { majorityCommitted, majorityOf, majoritySize, majorityVote } from "../quorum/majority.ts";
import type { AckedIndex, MajorityConfig, VoteResult } from "../quorum/majority.ts";
import { jointCommitted, jointIds, jointVote } from "../quorum/joint.ts";
import { ScriptError, parseNumber, valuesOf } from "./script.ts";
import type { Directive } from "./script.ts";

const VOTE_NAMES: Readonly<Record<VoteResult, string>> = {
  pending: "VotePending",
  won: "VoteWon",
  lost: "VoteLost",
};

interface Voters {
  readonly incoming: readonly NodeId[];
  readonly outgoing: readonly NodeId[];
  readonly joint: boolean;
}

function parseVoters(d: Directive): Voters {
  const ids = (values: readonly string[]): NodeId[] => values.map((v) => nodeId(parseNumber(v)));
  const second = valuesOf(d, "cfgj");
  return {
    incoming: ids(valuesOf(d, "cfg") ?? []),
    outgoing: second === undefined || second[0] === "zero" ? [] : ids(second),
    joint: second !== undefined,
  };
}

/** Maps the values, given in order of first appearance of the ids; "_" leaves an id out. */
function assign(voters: Voters, values: readonly string[]): Map<NodeId, string> | string {
  const order = [...new Set([...voters.incoming, ...voters.outgoing])];
  if (order.length !== values.length) {
    const ids = majorityOf(order).join(" ");
    return `error: mismatched input (explicit or _) for voters [${ids}]: [${values.join(" ")}]\n`;
  }
  const assigned = new Map<NodeId, string>();
  order.forEach((id, i) => {
    const value = values[i] ?? "_";
    if (value !== "_") assigned.set(id, value);
  });
  return assigned;
}

function formatIndex(index: number): string {
  return index === NO_LIMIT ? "∞" : String(index);
}

/** Bar chart of the acknowledged indexes: the more voters are behind, the longer the bar. */
function chart(ids: MajorityConfig, acked: AckedIndex): string {
  if (ids.length === 0) return "<empty majority quorum>";
  const n = ids.length;
  let text = `${" ".repeat(n)}    idx\n`;
  for (const id of ids) {
    const index = acked(id);
    const behind = ids.filter((other) => (acked(other) ?? 0) < (index ?? 0)).length;
    const bar = index === undefined ? `?${" ".repeat(n)}` : `${"x".repeat(behind)}>`.padEnd(n + 1);
    text += `${bar} ${String(index ?? 0).padStart(5)}    (id=${id})\n`;
  }
  return text;
}

/** The largest index that enough voters have reached, found by trying every index. */
function slowCommitted(ids: MajorityConfig, acked: AckedIndex): number {
  if (ids.length === 0) return NO_LIMIT;
  let best = 0;
  for (const id of ids) {
    const candidate = acked(id) ?? 0;
    const reached = ids.filter((other) => (acked(other) ?? 0) >= candidate).length;
    if (reached >= majoritySize(ids.length) && candidate > best) best = candidate;
  }
  return best;
}

function committed(d: Directive): string {
  const voters = parseVoters(d);
  const assigned = assign(voters, valuesOf(d, "idx") ?? []);
  if (typeof assigned === "string") return assigned;
  const acked: AckedIndex = (id) => {
    const value = assigned.get(id);
    return value === undefined ? undefined : parseNumber(value);
  };
  const incoming = majorityOf(voters.incoming);
  const outgoing = majorityOf(voters.outgoing);
  const joint = { incoming, outgoing };
  let text = chart(jointIds(joint), acked);
  const check = (index: number, expected: number, how: string): void => {
    if (index !== expected) text += `${formatIndex(index)} <-- via ${how}\n`;
  };
  if (voters.joint) {
    const index = jointCommitted(joint, acked);
    check(jointCommitted({ incoming: outgoing, outgoing: incoming }, acked), index, "symmetry");
    check(
      Math.min(slowCommitted(incoming, acked), slowCommitted(outgoing, acked)),
      index,
      "alternative computation",
    );
    return `${text}${formatIndex(index)}\n`;
  }
  const index = majorityCommitted(incoming, acked);
  check(slowCommitted(incoming, acked), index, "alternative computation");
  check(jointCommitted({ incoming, outgoing: [] }, acked), index, "zero-joint quorum");
  check(jointCommitted({ incoming, outgoing: incoming }, acked), index, "self-joint quorum");
  for (const id of incoming) {
    const own = acked(id) ?? 0;
    if (index <= own || own === 0) continue;
    // A voter below the result can fall further behind without changing it.
    for (const lower of [own - 1, 0]) {
      const overlaid = majorityCommitted(incoming, (i) => (i === id ? lower : acked(i)));
      check(overlaid, index, `overlaying ${id}->${lower}`);
    }
  }
  return `${text}${formatIndex(index)}\n`;
}

function vote(d: Directive): string {
  const voters = parseVoters(d);
  const assigned = assign(voters, valuesOf(d, "votes") ?? []);
  if (typeof assigned === "string") return assigned;
  const votes = new Map<NodeId, boolean>();
  for (const [id, value] of assigned) {
    if (value !== "y" && value !== "n") throw new ScriptError(`unknown vote: ${value}`);
    votes.set(id, value === "y");
  }
  const incoming = majorityOf(voters.incoming);
  const outgoing = majorityOf(voters.outgoing);
  if (!voters.joint) return `${VOTE_NAMES[majorityVote(incoming, votes)]}\n`;
  const outcome = jointVote({ incoming, outgoing }, votes);
  const swapped = jointVote({ incoming: outgoing, outgoing: incoming }, votes);
  const note = swapped === outcome ? "" : `${VOTE_NAMES[swapped]} <-- via symmetry\n`;
  return `${note}${VOTE_NAMES[outcome]}\n`;
}

/** Runs one directive of a quorum transcript. */
export function runQuorumDirective(d: Directive): string {
  if (d.name === "committed") return committed(d);
  if (d.name === "vote") return vote(d);
  throw new ScriptError(`unknown command: ${d.name}`);
}
