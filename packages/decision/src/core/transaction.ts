// One entry's view of the state: reads fall through to the table, writes stay here until the whole
// command has succeeded. A refused command drops its transaction, so it changes nothing. Also the
// only source of identity and time inside apply.

import { assert, equalJson, toHex, utf8Encode } from "@kingly/base";
import type { Crypto, JsonObject, JsonValue } from "@kingly/base";
import { API_VERSION, toRfc3339 } from "@kingly/resources";
import type { ObjectMeta } from "@kingly/resources";
import type { Command } from "./command.ts";
import { isInternalKey, objectKey, uidKey } from "./keys.ts";
import type { AppliedEntry, Change } from "./result.ts";
import type { RowTable } from "./table.ts";
import { readObject, readObjects } from "./view.ts";
import type { StateMeta, StateView, StoredKind, StoredKinds, StoredObject } from "./view.ts";

/** Kinds that commands name by uid; their rows are found through `~uid/`. */
const INDEXED_KINDS: readonly StoredKind[] = ["Config", "Proposal", "Rollout", "Veto"];

/** What a new object is made of. */
export interface NewObject {
  readonly namespace: string;
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a transaction is about. */
export interface TransactionContext {
  readonly table: RowTable;
  readonly meta: StateMeta;
  readonly entry: AppliedEntry;
  readonly command: Command;
  readonly crypto: Crypto;
}

/** Reads and writes of one command. */
export class Transaction implements StateView {
  readonly command: Command;
  readonly entry: AppliedEntry;
  readonly crypto: Crypto;
  /** Replicated time, milliseconds since the Unix epoch. */
  readonly nowMs: number;
  /** Sentences for the submitter. */
  readonly warnings: string[] = [];
  readonly #table: RowTable;
  #meta: StateMeta;
  /** In the order first touched; undefined = deleted. */
  readonly #writes = new Map<string, JsonValue | undefined>();
  #counter = 0;

  constructor(context: TransactionContext) {
    this.#table = context.table;
    this.#meta = context.meta;
    this.entry = context.entry;
    this.command = context.command;
    this.crypto = context.crypto;
    this.nowMs = context.meta.timeMs;
  }

  get(key: string): JsonValue | undefined {
    return this.#writes.has(key) ? this.#writes.get(key) : this.#table.get(key);
  }

  *list(prefix: string): IterableIterator<readonly [string, JsonValue]> {
    const keys = this.#table.keys(prefix);
    const added: string[] = [];
    for (const key of this.#writes.keys()) {
      if (key.startsWith(prefix) && this.#table.get(key) === undefined) added.push(key);
    }
    if (added.length > 0) {
      keys.push(...added);
      keys.sort();
    }
    for (const key of keys) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
  }

  meta(): StateMeta {
    return this.#meta;
  }

  /** Sets what only the first command may set. */
  setClusterId(clusterId: string): void {
    assert(this.#meta.clusterId === "", "the cluster id is set once");
    this.#meta = { ...this.#meta, clusterId };
  }

  /** One object by kind and name; `namespace` "" for cluster-scoped kinds. */
  object<K extends StoredKind>(
    kind: K,
    namespace: string,
    name: string,
  ): StoredKinds[K] | undefined {
    return readObject(this, kind, namespace, name);
  }

  /** All objects of a kind, or of a kind in a namespace. */
  objects<K extends StoredKind>(kind: K, namespace?: string): StoredKinds[K][] {
    return readObjects(this, kind, namespace);
  }

  /** The object of this kind with this uid. */
  byUid<K extends StoredKind>(kind: K, uid: string): StoredKinds[K] | undefined {
    const key = this.get(uidKey(uid));
    if (typeof key !== "string") return undefined;
    const object = this.get(key) as unknown as StoredObject | undefined;
    return object?.kind === kind ? (object as StoredKinds[K]) : undefined;
  }

  /** An internal row as the type that its writer stored; undefined when absent. */
  row<T>(key: string): T | undefined {
    return this.get(key) as unknown as T | undefined;
  }

  /** Writes an internal row. */
  putRow(key: string, value: object | string | number): void {
    assert(isInternalKey(key), () => `${key} is not an internal row`);
    this.#writes.set(key, value as unknown as JsonValue);
  }

  /** Removes an internal row. */
  deleteRow(key: string): void {
    assert(isInternalKey(key), () => `${key} is not an internal row`);
    this.#writes.set(key, undefined);
  }

  /** Metadata of an object that begins to exist now; its resourceVersion is set at commit. */
  newMeta(object: NewObject): ObjectMeta {
    return {
      name: object.name,
      ...(object.namespace === "" ? {} : { namespace: object.namespace }),
      uid: this.#newUid(),
      resourceVersion: "",
      generation: 1,
      creationTimestamp: toRfc3339(this.nowMs),
      ...(object.labels === undefined ? {} : { labels: object.labels }),
      ...(object.annotations === undefined ? {} : { annotations: object.annotations }),
    };
  }

  /** Creates an object and returns it. */
  create<K extends StoredKind>(
    kind: K,
    object: NewObject,
    content: Omit<StoredKinds[K], "apiVersion" | "kind" | "metadata">,
  ): StoredKinds[K] {
    const apiVersion = kind === "Event" || kind === "Namespace" ? "v1" : API_VERSION;
    const metadata = this.newMeta(object);
    const created = { apiVersion, kind, metadata, ...content } as unknown as StoredKinds[K];
    const key = this.keyOf(created);
    assert(this.get(key) === undefined, () => `${key} exists already`);
    this.#writes.set(key, created as unknown as JsonValue);
    if (INDEXED_KINDS.includes(kind)) this.putRow(uidKey(metadata.uid), key);
    return created;
  }

  /** Stores a changed object and returns it. */
  put<T extends StoredObject>(object: T): T {
    this.putAt(this.keyOf(object), object);
    return object;
  }

  /** Stores a changed object under its row key, where that is known already. */
  putAt(key: string, object: StoredObject): void {
    this.#writes.set(key, object as unknown as JsonValue);
  }

  /** Deletes an object. */
  remove(object: StoredObject): void {
    this.#writes.set(this.keyOf(object), undefined);
    if (INDEXED_KINDS.includes(object.kind as StoredKind)) {
      this.deleteRow(uidKey(object.metadata.uid));
    }
  }

  /** Row key of an object. */
  keyOf(object: StoredObject): string {
    return objectKey(object.kind as StoredKind, object.metadata.namespace, object.metadata.name);
  }

  /** A number that no other call within this entry gets. */
  nextCounter(): number {
    this.#counter += 1;
    return this.#counter;
  }

  /** Writes everything to the table; objects get one revision each, in the order first touched. */
  commit(): { readonly changes: readonly Change[]; readonly meta: StateMeta } {
    const objects: Change[] = [];
    const internal: Change[] = [];
    let revision = this.#meta.revision;
    for (const [key, written] of this.#writes) {
      const before = this.#table.get(key);
      if (before === undefined && written === undefined) continue;
      if (before !== undefined && written !== undefined && equalJson(before, written)) continue;
      const type = before === undefined ? "ADDED" : written === undefined ? "DELETED" : "MODIFIED";
      if (isInternalKey(key)) {
        const value = written ?? (before as JsonValue);
        internal.push({ revision: 0, type, key, value, internal: true });
      } else {
        revision += 1;
        const value = written === undefined ? (before as JsonValue) : stamped(written, revision);
        objects.push({ revision, type, key, value, internal: false });
      }
    }
    const changes = [...objects, ...internal];
    for (const { type, key, value } of changes) {
      if (type === "DELETED") this.#table.delete(key);
      else this.#table.set(key, value);
    }
    const { appliedIndex, appliedTerm, timeMs, clusterId, featureLevel } = this.#meta;
    const meta = { appliedIndex, appliedTerm, timeMs, revision, clusterId, featureLevel };
    return { changes, meta };
  }

  /** A UUID (RFC 9562, version 8) from cluster, index and counter: the same on every replica. */
  #newUid(): string {
    const text = `kingly/uid/v1|${this.#meta.clusterId}|${this.entry.index}|${this.nextCounter()}`;
    const bytes = this.crypto.sha256(utf8Encode(text)).slice(0, 16);
    bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
    bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
    const hex = toHex(bytes);
    const parts = [0, 8, 12, 16, 20].map((from, i, all) => hex.slice(from, all[i + 1]));
    return parts.join("-");
  }
}

function stamped(value: JsonValue, revision: number): JsonValue {
  // Copied first and then changed: defining a member that a spread brought is slow.
  const object: Record<string, unknown> = { ...(value as JsonObject) };
  const metadata: Record<string, unknown> = { ...(value as unknown as StoredObject).metadata };
  metadata["resourceVersion"] = String(revision);
  object["metadata"] = metadata;
  return object as JsonObject;
}
