// How much each vote weighs. A class weighs what it stands for, its electors share that equally; no
// node and no owner group may weigh more than its cap. What a cap cuts off is spread over the others
// in proportion (water-filling): every share is min(cap, level x raw), with one level for all below
// their caps. So whoever stands for more never weighs less than another node of the same owner.
//
// Where both caps cannot hold, the owner's does: with owners of 4, 1 and 1 nodes, shares of 20 % for
// a node and 34 % for an owner add up to 74 % only. Raising the owner's cap instead would give the
// large owner 60 %, a whole quorum; raising the node's gives each owner a third, and a node is in one
// owner group anyway. The node's cap rises exactly as far as needed, like its 1/voters for fewer than
// five voters, so that with three or more owners nobody ever holds more than 34 %.

/** What the weight of a vote depends on. */
export interface WeighedNode {
  readonly class: string;
  readonly ownerGroup: string;
}

/** Whole weight of an electorate, up to rounding of half a part per node. */
export const WEIGHT_TOTAL = 1_000_000_000;

/** One node weighs at most this share, unless fewer than five voters or few owners force more. */
const NODE_SHARE_MAX = 0.2;

/** One owner group weighs at most this share, where at least three exist. */
const GROUP_SHARE_MAX = 0.34;
const GROUPS_MIN = 3;

/** Weight of every vote, in parts of WEIGHT_TOTAL, in the order of the votes; at least 1 part. */
export function weightsOf(
  votes: readonly WeighedNode[],
  classSizes: Readonly<Record<string, number>>,
): number[] {
  const electors = new Map<string, number>();
  for (const vote of votes) electors.set(vote.class, (electors.get(vote.class) ?? 0) + 1);
  const nodes = votes.map((vote, index) => ({
    index,
    group: vote.ownerGroup,
    raw: Math.max(1, classSizes[vote.class] ?? 1) / (electors.get(vote.class) ?? 1),
  }));
  const names = [...new Set(votes.map((vote) => vote.ownerGroup))].sort();
  // Sums run over sorted values: the order of the votes cannot change the last digit.
  const groups = names.map((name) =>
    nodes.filter(({ group }) => group === name).sort((a, b) => a.raw - b.raw),
  );
  const caps = capsOf(groups.map((members) => members.length));
  const shares = sharesOf(
    groups.map((members) => members.map(({ raw }) => raw)),
    caps,
  );
  const weights = votes.map(() => 1);
  for (const [g, members] of groups.entries()) {
    for (const [m, { index }] of members.entries()) {
      weights[index] = Math.max(1, Math.floor((shares[g]?.[m] ?? 0) * WEIGHT_TOTAL + 0.5));
    }
  }
  return weights;
}

/** Largest shares of the whole. */
export interface Caps {
  readonly node: number;
  readonly group: number;
}

/** The caps of an electorate, given the number of its nodes per owner group. They can always hold. */
export function capsOf(groupSizes: readonly number[]): Caps {
  if (groupSizes.length < GROUPS_MIN) {
    const voters = groupSizes.reduce((sum, size) => sum + size, 0);
    return { node: Math.max(NODE_SHARE_MAX, 1 / Math.max(1, voters)), group: 1 };
  }
  // Least node cap c for which the groups' room, min(group cap, c x size), adds up to 1. It is never
  // below 1/voters, and three groups have room for 102 %.
  const sorted = [...groupSizes].sort((a, b) => a - b);
  const least = levelOf(sorted, GROUP_SHARE_MAX, 1);
  return { node: Math.max(NODE_SHARE_MAX, least), group: GROUP_SHARE_MAX };
}

/**
 * The level at which min(cap, level x raw) adds up to `total`; Infinity when all are at the cap first.
 * Starts too low and only rises, so whatever reaches its cap on the way stays there.
 */
function levelOf(raw: readonly number[], cap: number, total: number): number {
  let level = 0;
  for (;;) {
    const free = raw.filter((value) => level * value <= cap);
    if (free.length === 0) return Number.POSITIVE_INFINITY;
    const rest = Math.max(0, total - (raw.length - free.length) * cap);
    const next = rest / sumOf(free);
    if (next <= level) return level;
    level = next;
  }
}

/** Shares per group and node, summing to 1, no node and no group above its cap. */
function sharesOf(groups: readonly (readonly number[])[], caps: Caps): readonly number[][] {
  let level = 0;
  for (;;) {
    let rest = 1;
    let open = 0;
    for (const members of groups) {
      if (roomAt(members, level, caps.node) > caps.group) {
        rest -= caps.group;
        continue;
      }
      const free = members.filter((value) => level * value <= caps.node);
      rest -= (members.length - free.length) * caps.node;
      open += sumOf(free);
    }
    const next = open === 0 ? level : Math.max(0, rest) / open;
    if (next <= level) break;
    level = next;
  }
  return groups.map((members) => {
    const full = roomAt(members, level, caps.node) > caps.group;
    const own = full ? levelOf(members, caps.node, caps.group) : level;
    return members.map((value) => Math.min(caps.node, own * value));
  });
}

/** What a group would weigh at a level, were there no cap on groups. */
function roomAt(members: readonly number[], level: number, nodeCap: number): number {
  let sum = 0;
  for (const value of members) sum += Math.min(nodeCap, level * value);
  return sum;
}

function sumOf(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
