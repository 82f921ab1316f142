// The log as this cluster's raft core reads it: storage's log with the membership of the server's
// configuration. Membership is static in this release; it stands in the configuration of every
// member, so a store that has not applied anything yet starts with it too.
import type { ConfState, Entry, InitialState, LogIndex, LogStorage, Snapshot, Term } from "raft-ts";

/** LogStorage with a fixed membership. */
export class StaticMembershipLog implements LogStorage {
  readonly #log: LogStorage;
  readonly #confState: ConfState;

  constructor(log: LogStorage, confState: ConfState) {
    this.#log = log;
    this.#confState = confState;
  }

  initialState(): InitialState {
    return { hardState: this.#log.initialState().hardState, confState: this.#confState };
  }

  entries(lo: LogIndex, hi: LogIndex, maxBytes: number): readonly Entry[] {
    return this.#log.entries(lo, hi, maxBytes);
  }

  term(index: LogIndex): Term {
    return this.#log.term(index);
  }

  firstIndex(): LogIndex {
    return this.#log.firstIndex();
  }

  lastIndex(): LogIndex {
    return this.#log.lastIndex();
  }

  snapshot(): Snapshot {
    const snapshot = this.#log.snapshot();
    if (snapshot.metadata.index === 0) return snapshot;
    return { ...snapshot, metadata: { ...snapshot.metadata, confState: this.#confState } };
  }
}
