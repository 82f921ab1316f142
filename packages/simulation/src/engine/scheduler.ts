// Virtual time. Everything in a simulated world happens in events of one queue, ordered by time and,
// at equal times, by the order in which they were made. Code under test may use promises: after an
// event that could have settled one, all microtasks run to the end before the next event, so their
// order is part of the same single sequence. No timers, no input or output, no wall clock.

import { assert } from "@kingly/base";
import { EVENTS_PENDING_MAX } from "../limits.ts";

/** Microseconds of virtual time in one second. */
export const SECOND_US = 1_000_000;
/** Microseconds of virtual time in one millisecond. */
export const MILLISECOND_US = 1_000;

interface Event {
  readonly timeUs: number;
  readonly order: number;
  readonly action: () => void;
}

/** Resolves when every microtask that exists, and every one that those cause, has run. */
function microtasksDone(): Promise<void> {
  // The tick queue is looked at only when the microtask queue is empty.
  return new Promise((resolve) => process.nextTick(resolve));
}

/** One virtual clock with its events. */
export class Scheduler {
  /** Receives what happens as lines of text, for people; undefined: nobody wants to know. */
  readonly #trace: ((line: string) => void) | undefined;
  readonly #heap: Event[] = [];
  #nowUs = 0;
  #order = 0;
  #touched = false;
  #failure: unknown;
  #failed = false;

  constructor(trace?: (line: string) => void) {
    this.#trace = trace;
  }

  /** Tells what happens; `text` is only made when somebody listens. */
  note(text: () => string): void {
    if (this.#trace === undefined) return;
    const seconds = (this.#nowUs / SECOND_US).toFixed(6);
    this.#trace(`${seconds.padStart(12)} ${text()}`);
  }

  /** True when `note` has a listener. */
  get isTraced(): boolean {
    return this.#trace !== undefined;
  }

  /** Virtual microseconds since the beginning. */
  get nowUs(): number {
    return this.#nowUs;
  }

  /** Events run or waiting so far; also an order in which things happened. */
  get order(): number {
    return this.#order;
  }

  /** Runs `action` after `delayUs` microseconds (0: after what is already due now). */
  after(delayUs: number, action: () => void): void {
    assert(Number.isInteger(delayUs) && delayUs >= 0, () => `delay ${delayUs} is no whole number`);
    assert(this.#heap.length < EVENTS_PENDING_MAX, () => `${EVENTS_PENDING_MAX} events wait`);
    this.#order += 1;
    this.#push({ timeUs: this.#nowUs + delayUs, order: this.#order, action });
  }

  /** Says that the current event has set promises in motion. */
  touch(): void {
    this.#touched = true;
  }

  /** Ends the run with this error; for code that runs inside promises. */
  fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#failure = error;
  }

  /**
   * Runs events until `untilUs` has been reached or `done` says so (asked after each event). Throws
   * what an event throws or `fail` was given.
   */
  async run(untilUs: number, done: () => boolean = never): Promise<void> {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.timeUs > untilUs) break;
      this.#pop();
      this.#nowUs = next.timeUs;
      next.action();
      if (this.#touched) {
        this.#touched = false;
        await microtasksDone();
      }
      if (this.#failed) throw this.#failure;
      if (done()) return;
    }
    this.#nowUs = Math.max(this.#nowUs, untilUs);
  }

  /** Runs until a promise settles; its virtual work must end by itself. */
  async settle<T>(promise: Promise<T>, untilUs: number): Promise<T> {
    let ended = false;
    promise.then(
      () => (ended = true),
      () => (ended = true),
    );
    await microtasksDone();
    if (!ended) await this.run(untilUs, () => ended);
    assert(ended, () => `still waiting at ${untilUs} microseconds`);
    return promise;
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Event;
      if (!isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Event;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && isBefore(heap[right] as Event, heap[child] as Event))
        child = right;
      if (!isBefore(heap[child] as Event, last)) break;
      heap[at] = heap[child] as Event;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.timeUs === b.timeUs ? a.order < b.order : a.timeUs < b.timeUs;
}

function never(): boolean {
  return false;
}
