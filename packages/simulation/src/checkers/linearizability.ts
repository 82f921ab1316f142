// Linearizability of registers (Herlihy and Wing 1990), checked by the search of Wing and Gong with
// Lowe's memory of configurations already explored ("Testing for linearizability", 2017). Keys are
// independent, so each is checked alone. An operation whose outcome is unknown may take effect at any
// time after its call, or never; written values must be unique, so an unknown write whose value nobody
// saw can be left out, which keeps the search small.

import { LINEARIZABLE_STATES_MAX } from "../limits.ts";
import { Violation } from "../engine/violation.ts";

/** What an operation does to a register. Values written are unique; "" is the value before any. */
export type RegisterAction =
  | { readonly kind: "get" }
  | { readonly kind: "put"; readonly value: string }
  | { readonly kind: "cas"; readonly expected: string; readonly value: string };

/** One operation of one client. */
export interface Operation {
  readonly client: number;
  readonly key: string;
  readonly action: RegisterAction;
  /** Order of the call among all events. */
  readonly calledAt: number;
  /** Order of the answer; Infinity when the outcome is unknown. */
  readonly returnedAt: number;
  /** The value read, or found by a cas; undefined when unknown or for a put. */
  readonly seen: string | undefined;
}

/** Checks all keys of a history; throws a Violation naming the key. */
export function checkLinearizability(history: readonly Operation[]): void {
  const byKey = new Map<string, Operation[]>();
  for (const operation of history) {
    const list = byKey.get(operation.key);
    if (list === undefined) byKey.set(operation.key, [operation]);
    else list.push(operation);
  }
  for (const [key, operations] of byKey) {
    const found = isLinearizable(operations);
    if (found === true) continue;
    const what = found === false ? "has no linearization" : "is too large to be checked";
    const text = `the history of key ${key} (${operations.length} operations) ${what}`;
    throw new Violation("linearizable", `${text}${found === false ? explain(operations) : ""}`);
  }
}

/** Does an order exist? undefined: too many configurations to say. */
export function isLinearizable(operations: readonly Operation[]): boolean | undefined {
  return new Search(relevant(operations)).run();
}

/**
 * Leaves out what cannot matter: unknown reads, and unknown writes whose value nobody saw. An unknown
 * cas that stays could itself have seen the value it expects.
 */
function relevant(operations: readonly Operation[]): Operation[] {
  const seen = new Set<string>();
  for (const { seen: value } of operations) if (value !== undefined) seen.add(value);
  const kept = operations.filter(({ returnedAt }) => returnedAt !== Infinity);
  let unknown = operations.filter((one) => one.returnedAt === Infinity);
  for (;;) {
    const wanted = unknown.filter(({ action }) => action.kind !== "get" && seen.has(action.value));
    if (wanted.length === 0) return kept;
    kept.push(...wanted);
    unknown = unknown.filter((one) => !wanted.includes(one));
    for (const { action } of wanted) if (action.kind === "cas") seen.add(action.expected);
  }
}

interface Node {
  /** Undefined for an answer. */
  readonly operation: Operation | undefined;
  readonly id: number;
  /** Of a call: its answer. */
  answer: Node | undefined;
  before: Node | undefined;
  after: Node | undefined;
}

/** The value after an operation, or undefined when its answer contradicts the value before. */
function stepped(value: string, { action, seen, returnedAt }: Operation): string | undefined {
  if (action.kind === "put") return action.value;
  const isKnown = returnedAt !== Infinity;
  if (isKnown && seen !== value) return undefined;
  if (action.kind === "get") return value;
  return value === action.expected ? action.value : value;
}

class Search {
  readonly #head: Node = {
    operation: undefined,
    id: -1,
    answer: undefined,
    before: undefined,
    after: undefined,
  };
  readonly #count: number;
  readonly #known: number;
  /** Bit set of operations already placed, 30 per element. */
  readonly #placed: number[];

  constructor(operations: readonly Operation[]) {
    this.#count = operations.length;
    this.#known = operations.filter((one) => one.returnedAt !== Infinity).length;
    this.#placed = Array.from({ length: Math.ceil(operations.length / 30) }, () => 0);
    const events: { readonly at: number; readonly node: Node }[] = [];
    for (const [id, operation] of operations.entries()) {
      const answer: Node = {
        operation: undefined,
        id,
        answer: undefined,
        before: undefined,
        after: undefined,
      };
      const call: Node = { operation, id, answer, before: undefined, after: undefined };
      events.push({ at: operation.calledAt, node: call });
      events.push({ at: operation.returnedAt, node: answer });
    }
    // At equal positions an answer comes after calls, so that the two count as concurrent.
    events.sort((a, b) => (a.at === b.at ? rank(a.node) - rank(b.node) : a.at < b.at ? -1 : 1));
    let last = this.#head;
    for (const { node } of events) {
      last.after = node;
      node.before = last;
      last = node;
    }
  }

  run(): boolean | undefined {
    const explored = new Set<string>();
    const stack: { readonly call: Node; readonly value: string }[] = [];
    let value = "";
    let known = 0;
    let at = this.#head.after;
    while (known < this.#known) {
      const operation = at?.operation;
      if (at !== undefined && operation !== undefined) {
        const next = stepped(value, operation);
        if (next !== undefined && this.#isNew(explored, at.id, next)) {
          if (explored.size > LINEARIZABLE_STATES_MAX) return undefined;
          stack.push({ call: at, value });
          value = next;
          if (operation.returnedAt !== Infinity) known += 1;
          this.#lift(at);
          at = this.#head.after;
        } else {
          at = at.after;
        }
        continue;
      }
      // An answer whose call could not be placed before it: take the last placement back.
      const top = stack.pop();
      if (top === undefined) return false;
      value = top.value;
      if (top.call.operation?.returnedAt !== Infinity) known -= 1;
      this.#unlift(top.call);
      at = top.call.after;
    }
    return true;
  }

  #isNew(explored: Set<string>, id: number, value: string): boolean {
    const word = Math.floor(id / 30);
    const before = this.#placed[word] as number;
    this.#placed[word] = before | (1 << (id % 30));
    const key = `${this.#placed.join(",")}|${value}`;
    if (explored.has(key)) {
      this.#placed[word] = before;
      return false;
    }
    explored.add(key);
    return true;
  }

  #lift(call: Node): void {
    unlink(call);
    if (call.answer !== undefined) unlink(call.answer);
  }

  #unlift(call: Node): void {
    if (call.answer !== undefined) relink(call.answer);
    relink(call);
    const word = Math.floor(call.id / 30);
    this.#placed[word] = (this.#placed[word] as number) & ~(1 << (call.id % 30));
  }

  /** Operations in the search, for reports. */
  get count(): number {
    return this.#count;
  }
}

function rank(node: Node): number {
  return node.operation === undefined ? 1 : 0;
}

function unlink(node: Node): void {
  if (node.before !== undefined) node.before.after = node.after;
  if (node.after !== undefined) node.after.before = node.before;
}

function relink(node: Node): void {
  if (node.before !== undefined) node.before.after = node;
  if (node.after !== undefined) node.after.before = node;
}

/** The shortest beginning of the history that cannot be explained, as far as a person can use it. */
function explain(operations: readonly Operation[]): string {
  const byAnswer = operations
    .filter((one) => one.returnedAt !== Infinity)
    .sort((a, b) => a.returnedAt - b.returnedAt);
  for (const last of byAnswer) {
    const limit = last.returnedAt;
    const prefix = operations
      .filter((one) => one.calledAt <= limit)
      .map((one) =>
        one.returnedAt <= limit ? one : { ...one, returnedAt: Infinity, seen: undefined },
      );
    if (isLinearizable(prefix) === true) continue;
    const { client, action, seen } = last;
    const what =
      action.kind === "put" ? `put ${action.value}` : `${action.kind} saw "${seen ?? ""}"`;
    return `; it breaks with client ${client}'s ${what}, answered at ${limit}`;
  }
  return "";
}
