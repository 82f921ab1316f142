// The only door to time for the service logic, so that tests turn the hands themselves.

/** A monotonic clock with one-shot timers. */
export interface Clock {
  /** Milliseconds since an arbitrary start, with fractions. */
  now(): number;
  /** Calls `action` once, not before `delayMs` from now; returns a function that cancels it. */
  after(delayMs: number, action: () => void): () => void;
}

/** The process's own monotonic clock. Timers have 1 ms resolution. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
