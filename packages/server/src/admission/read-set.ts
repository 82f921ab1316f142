// What an admission read, with revisions. Apply compares them and answers Retry when one moved, so
// a decision made here can never rest on something that changed before the entry was applied.
import type { ReadSetEntry, StateMachine, StoredKind, StoredKinds } from "@kingly/decision";
import { objectKey } from "@kingly/resources";

/** Reads state and remembers what was read. */
export class ReadSet {
  readonly #state: StateMachine;
  readonly #read = new Map<string, number>();

  constructor(state: StateMachine) {
    this.#state = state;
  }

  /** One object, recorded with its revision (0 when it does not exist). */
  object<K extends StoredKind>(
    kind: K,
    namespace: string,
    name: string,
  ): StoredKinds[K] | undefined {
    const found = this.#state.object(kind, namespace, name);
    const key = objectKey(kind, namespace === "" ? undefined : namespace, name);
    const meta = found?.metadata as { readonly resourceVersion: string } | undefined;
    this.#read.set(key, meta === undefined ? 0 : Number(meta.resourceVersion));
    return found;
  }

  /** Everything that was read. */
  entries(): readonly ReadSetEntry[] {
    return [...this.#read].map(([key, revision]) => ({ key, revision }));
  }
}
