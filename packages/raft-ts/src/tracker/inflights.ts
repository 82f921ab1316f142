// The window of append messages sent to one follower and not yet acknowledged, limited in messages
// and in bytes, by the leader's configuration and by what the follower says it can take. A ring buffer of (last index, bytes) that grows on demand up to its limit, because
// most followers never fill it.
import { invariant } from "../errors.ts";
import { NO_LIMIT } from "../limits.ts";

const INITIAL_SLOTS = 8;

/** Sliding window of unacknowledged appends; indexes are added in ascending order. */
export class Inflights {
  readonly #maxMessages: number;
  readonly #maxBytes: number;
  #indexes: number[] = [];
  #sizes: number[] = [];
  #start = 0;
  #count = 0;
  #bytes = 0;
  #receiveWindow = NO_LIMIT;

  /**
   * @param maxMessages most messages in the window, at least 1
   * @param maxBytes the window is full once its bytes reach this; the last message may overshoot
   */
  constructor(maxMessages: number, maxBytes: number) {
    this.#maxMessages = maxMessages;
    this.#maxBytes = maxBytes;
  }

  /** Messages in the window. */
  get count(): number {
    return this.#count;
  }

  /** Payload bytes in the window. */
  get bytes(): number {
    return this.#bytes;
  }

  /** True if no further message may be added. */
  get full(): boolean {
    const bytes = this.#bytes;
    return (
      this.#count >= this.#maxMessages || bytes >= this.#maxBytes || bytes >= this.#receiveWindow
    );
  }

  /** Bytes the follower can take in flight; NO_LIMIT until it says. 0 = none for now. */
  get receiveWindow(): number {
    return this.#receiveWindow;
  }

  /** Takes what the follower says it can take; true if it is more than before. */
  setReceiveWindow(bytes: number): boolean {
    const grew = bytes > this.#receiveWindow;
    this.#receiveWindow = bytes;
    return grew;
  }

  /** Records a message whose last entry is `index`. The window must not be full. */
  add(index: number, bytes: number): void {
    invariant(!this.full, "cannot add into a full inflight window", { index, bytes });
    if (this.#count === this.#indexes.length) this.#grow();
    const slot = (this.#start + this.#count) % this.#indexes.length;
    this.#indexes[slot] = index;
    this.#sizes[slot] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Frees every message whose last entry is at or below `index`. */
  freeUpTo(index: number): void {
    while (this.#count > 0 && (this.#indexes[this.#start] as number) <= index) {
      this.#bytes -= this.#sizes[this.#start] as number;
      this.#start = (this.#start + 1) % this.#indexes.length;
      this.#count--;
    }
  }

  /** Empties the window. */
  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const slots = Math.min(Math.max(INITIAL_SLOTS, this.#count * 2), this.#maxMessages);
    const indexes = new Array<number>(slots).fill(0);
    const sizes = new Array<number>(slots).fill(0);
    for (let i = 0; i < this.#count; i++) {
      const slot = (this.#start + i) % this.#indexes.length;
      indexes[i] = this.#indexes[slot] as number;
      sizes[i] = this.#sizes[slot] as number;
    }
    this.#indexes = indexes;
    this.#sizes = sizes;
    this.#start = 0;
  }
}
