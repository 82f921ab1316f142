// The replicated state machine: entries in, changes out, the same on every replica. `apply` decodes a
// command, checks what every command must satisfy (genesis, idempotency, read set), runs its handler
// in a transaction and commits it whole or not at all. Bad input becomes an outcome, never a throw;
// only a broken invariant of ours stops the process.

import { KinglyError, assert, canonicalJson, concatBytes, toHex, utf8Encode } from "@kingly/base";
import type { Crypto, JsonValue } from "@kingly/base";
import { EvidenceInputError } from "@kingly/evidence";
import { HANDLERS } from "../commands/handlers.ts";
import { keepHouse } from "../model/housekeeping.ts";
import { decodeCommand } from "./codec.ts";
import type { Command } from "./command.ts";
import { ResultQueue, recall, remember, resultRow } from "./idempotency.ts";
import { refuse } from "./refuse.ts";
import type { AppliedEntry, ApplyResult, Outcome } from "./result.ts";
import { RowTable } from "./table.ts";
import { Transaction } from "./transaction.ts";
import { readObject, readObjects } from "./view.ts";
import { uidKey } from "./keys.ts";
import type { StateMeta, StateView, StoredKind, StoredKinds } from "./view.ts";

/** What the machine needs from outside. */
export interface MachineOptions {
  readonly crypto: Crypto;
}

/** Everything that `restore` starts from: rows as stored or sent in a snapshot, in any order. */
export interface StoredState {
  readonly rows: Iterable<readonly [string, JsonValue]>;
  readonly meta: StateMeta;
}

const META_BEFORE_GENESIS: StateMeta = {
  appliedIndex: 0,
  appliedTerm: 0,
  timeMs: 0,
  revision: 0,
  clusterId: "",
  featureLevel: 1,
};

/** Replicated state and the only way to change it. */
export class StateMachine implements StateView {
  /** Hashing and signatures, as given; rendering needs the hash. */
  readonly crypto: Crypto;
  readonly #table = new RowTable();
  #results = new ResultQueue();
  #meta: StateMeta = META_BEFORE_GENESIS;

  constructor(options: MachineOptions) {
    this.crypto = options.crypto;
  }

  /** A machine that continues from stored rows and their bookkeeping. */
  static restore(state: StoredState, options: MachineOptions): StateMachine {
    const machine = new StateMachine(options);
    for (const [key, value] of state.rows) machine.#table.set(key, value);
    machine.#results = ResultQueue.of(machine.#table);
    machine.#meta = state.meta;
    return machine;
  }

  get(key: string): JsonValue | undefined {
    return this.#table.get(key);
  }

  list(prefix: string): Iterable<readonly [string, JsonValue]> {
    return this.#table.list(prefix);
  }

  meta(): StateMeta {
    return this.#meta;
  }

  /** One object by kind and name; `namespace` "" for cluster-scoped kinds. */
  object<K extends StoredKind>(
    kind: K,
    namespace: string,
    name: string,
  ): StoredKinds[K] | undefined {
    return readObject(this, kind, namespace, name);
  }

  /** All objects of a kind, sorted by namespace and name; of one namespace when it is given. */
  objects<K extends StoredKind>(kind: K, namespace?: string): StoredKinds[K][] {
    return readObjects(this, kind, namespace);
  }

  /** One object by kind and uid; undefined when there is none, or it is of another kind. */
  byUid<K extends StoredKind>(kind: K, uid: string): StoredKinds[K] | undefined {
    const key = this.get(uidKey(uid));
    const value = typeof key === "string" ? this.get(key) : undefined;
    const object = value as unknown as StoredKinds[K] | undefined;
    return object?.kind === kind ? object : undefined;
  }

  /** Every row in ascending order of key, for snapshots. */
  rows(): Iterable<readonly [string, JsonValue]> {
    return this.#table.list("");
  }

  /** Number of rows. */
  get size(): number {
    return this.#table.size;
  }

  /** Lower-case hex sha256 over all rows in order: equal exactly when the rows are equal. */
  stateHash(): string {
    let digest: Uint8Array = new Uint8Array(32);
    for (const row of this.rows()) {
      const own = this.crypto.sha256(utf8Encode(canonicalJson(row)));
      digest = this.crypto.sha256(concatBytes(digest, own));
    }
    return toHex(digest);
  }

  /**
   * Applies one committed entry. Entries come in order, each index once: anything else is our bug.
   * Bad input, also garbage, gives an outcome with an error code and changes no row.
   */
  apply(entry: AppliedEntry): ApplyResult {
    assert(entry.index > this.#meta.appliedIndex, "entries are applied once, in order");
    assert(entry.term >= this.#meta.appliedTerm, "terms never fall");
    this.#meta = movedTo(this.#meta, entry, this.#meta.timeMs);
    if (entry.data.length === 0) return this.#unchanged("", { ok: true, value: null });
    let command: Command;
    try {
      command = decodeCommand(entry.data);
    } catch (error) {
      return this.#unchanged("", outcomeOf(error));
    }
    // Time goes on even when the command is refused: the stamp was committed.
    const timeMs = Math.max(this.#meta.timeMs, command.timeMs);
    this.#meta = movedTo(this.#meta, entry, timeMs);
    try {
      return this.#run(entry, command);
    } catch (error) {
      return this.#unchanged(command.requestId, outcomeOf(error));
    }
  }

  #run(entry: AppliedEntry, command: Command): ApplyResult {
    const { requestId } = command;
    const crypto = this.crypto;
    const tx = new Transaction({ table: this.#table, meta: this.#meta, entry, command, crypto });
    requireGenesis(tx, command);
    const row = resultRow(command);
    const known = row === undefined ? undefined : recall(tx, row);
    if (known !== undefined) return this.#unchanged(requestId, { ok: true, value: known });
    requireReadSet(tx, command);
    const handler = HANDLERS[command.type];
    const result = handler(tx);
    const remembered = result.refusal === undefined ? row : undefined;
    if (remembered !== undefined) remember(tx, remembered, result);
    keepHouse(tx, { table: this.#table, queue: this.#results });
    const { changes, meta } = tx.commit();
    this.#meta = meta;
    if (remembered !== undefined) this.#results.push(remembered, entry.index);
    const first = changes.find((change) => !change.internal);
    return {
      requestId,
      outcome:
        result.refusal === undefined
          ? { ok: true, value: result.render(this) }
          : { ok: false, ...result.refusal, details: {} },
      changes,
      firstRevision: first?.revision ?? 0,
      lastRevision: meta.revision,
    };
  }

  #unchanged(requestId: string, outcome: Outcome): ApplyResult {
    const lastRevision = this.#meta.revision;
    return { requestId, outcome, changes: [], firstRevision: 0, lastRevision };
  }
}

/** The bookkeeping at an entry; everything that only commands change stays. */
function movedTo(meta: StateMeta, entry: AppliedEntry, timeMs: number): StateMeta {
  const { revision, clusterId, featureLevel } = meta;
  const { index: appliedIndex, term: appliedTerm } = entry;
  return { appliedIndex, appliedTerm, timeMs, revision, clusterId, featureLevel };
}

function outcomeOf(error: unknown): Outcome {
  // Statistics outside their range, for example by an extreme policy, are input too.
  if (error instanceof EvidenceInputError) {
    const { field, limit, message } = error;
    return { ok: false, code: "InvalidField", message, details: { field, limit } };
  }
  if (!(error instanceof KinglyError)) throw error;
  return { ok: false, code: error.code, message: error.message, details: error.details };
}

function requireGenesis(tx: Transaction, command: Command): void {
  const initialised = tx.meta().clusterId !== "";
  if (initialised === (command.type !== "genesis")) return;
  if (initialised) refuse("AlreadyExists", "this cluster has been initialised before");
  refuse("Unavailable", "this cluster is not initialised yet", {
    help: "wait until the first leader has written the genesis entry",
  });
}

function requireReadSet(tx: Transaction, command: Command): void {
  for (const { key, revision } of command.readSet) {
    const value = tx.get(key) as { metadata?: { resourceVersion?: string } } | undefined;
    const now = value === undefined ? 0 : Number(value.metadata?.resourceVersion ?? 0);
    if (now === revision) continue;
    refuse("Retry", `${key} changed between admission and apply`, {
      field: key,
      limit: revision,
      value: now,
      help: "admit the command again",
    });
  }
}
