// Measures how late the event loop runs timers: what every heartbeat and deadline feels.
import type { Histogram } from "prom-client";

const INTERVAL_MS = 50;

/** Starts measuring; the returned function ends it. */
export function watchLoopLag(histogram: Histogram): () => void {
  let expected = performance.now() + INTERVAL_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    histogram.observe(Math.max(0, now - expected) / 1000);
    expected = now + INTERVAL_MS;
  }, INTERVAL_MS);
  timer.unref();
  return () => clearInterval(timer);
}
