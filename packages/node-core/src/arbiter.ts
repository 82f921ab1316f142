// At most one switchback runs on a node: two at once would measure each other. A guard goes before a
// trial, a trial before calibration, calibration before the tuner; who loses its turn is told.

/** What may run a switchback, weakest first. */
export type ActivityKind = "tuner" | "calibration" | "trial" | "guard";

const RANK: Readonly<Record<ActivityKind, number>> = {
  tuner: 0,
  calibration: 1,
  trial: 2,
  guard: 3,
};

interface Holder {
  readonly kind: ActivityKind;
  readonly configUid: string;
  readonly onPreempt: () => void;
}

/** Hands the node to one activity at a time. */
export class Arbiter {
  #holder: Holder | null = null;

  /** The turn for a Config; true when the node is now the caller's. */
  claim(kind: ActivityKind, configUid: string, onPreempt: () => void): boolean {
    const holder = this.#holder;
    if (holder !== null) {
      if (holder.kind === kind && holder.configUid === configUid) return true;
      if (RANK[holder.kind] >= RANK[kind]) return false;
      this.#holder = null;
      holder.onPreempt();
    }
    this.#holder = { kind, configUid, onPreempt };
    return true;
  }

  /** Gives the turn back; nothing happens when it is somebody else's. */
  release(kind: ActivityKind): void {
    if (this.#holder?.kind === kind) this.#holder = null;
  }

  /** Who runs, or null. */
  get kind(): ActivityKind | null {
    return this.#holder?.kind ?? null;
  }

  /** Whether this Config's target is in an activity's hands. */
  holds(configUid: string): boolean {
    return this.#holder?.configUid === configUid;
  }
}
