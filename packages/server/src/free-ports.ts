// Free loopback ports for servers whose addresses must be known before they start. The system's own
// choice (port 0) comes from the range that outgoing connections take theirs from, so such a port
// can be gone before its server listens, or while a killed server restarts. Ours lie below that range,
// else above it. Where it leaves room on neither side they come out of it, with that risk.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** First port that may be chosen: above the well-known and most of the registered services. */
const LOWEST = 10_000;
const HIGHEST = 65_535;
/** The range for outgoing connections where the system does not tell (Linux's). */
const USUAL_EPHEMERAL: readonly [first: number, last: number] = [32_768, 60_999];
/** Ports beside that range that are worth while: clusters of several tests need hundreds. */
const ROOM = 1_000;
/** Ports between the starting points of two processes with neighbouring process ids. */
const STRIDE = 61;

/** Where this process looks next, as an offset from the first port of the window. */
let cursor = process.pid * STRIDE;

/** The ports that are chosen from. */
export interface PortWindow {
  readonly first: number;
  readonly count: number;
  /** False when outgoing connections may take these ports too. */
  readonly isApart: boolean;
}

/** The window beside the range `[first, last]` for outgoing connections: below it, else above it. */
export function portWindow([first, last]: readonly [first: number, last: number]): PortWindow {
  if (first - LOWEST >= ROOM) return { first: LOWEST, count: first - LOWEST, isApart: true };
  const above = Math.max(last + 1, LOWEST);
  const count = HIGHEST + 1 - above;
  if (count >= ROOM) return { first: above, count, isApart: true };
  return { first: LOWEST, count: HIGHEST + 1 - LOWEST, isApart: false };
}

function ephemeralRange(): readonly [first: number, last: number] {
  try {
    const text = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
    return first > 0 && last >= first ? [first, last] : USUAL_EPHEMERAL;
  } catch {
    return USUAL_EPHEMERAL;
  }
}

/** Whether `port` could be listened on just now. */
function isFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/**
 * `count` different ports that were free on `host` a moment ago; no call in this process returns
 * the same port again soon. Throws when the window has no such ports left.
 */
export async function freePorts(count: number, host = "127.0.0.1"): Promise<number[]> {
  const window = portWindow(ephemeralRange());
  const ports: number[] = [];
  for (let tried = 0; ports.length < count && tried < window.count; tried += 1) {
    const port = window.first + (cursor % window.count);
    cursor += 1;
    if (await isFree(port, host)) ports.push(port);
  }
  if (ports.length < count) {
    const range = `${window.first} to ${window.first + window.count - 1}`;
    throw new Error(`only ${ports.length} of ${count} ports from ${range} are free on ${host}`);
  }
  return ports;
}
