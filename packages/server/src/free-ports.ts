// Free loopback ports for servers whose addresses must be known before they start. The system's own
// choice (port 0) comes from the range that outgoing connections take theirs from, so such a port
// can be gone before its server listens, or while a killed server restarts. Ours lie below it.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** First port that may be chosen: above the well-known and most of the registered services. */
const LOWEST = 10_000;
/** First port of the range for outgoing connections where the system does not tell (Linux's). */
const USUAL_EPHEMERAL = 32_768;
/** Ports between the starting points of two processes with neighbouring process ids. */
const STRIDE = 61;

/** Where this process looks next, as an offset from LOWEST. */
let cursor = process.pid * STRIDE;

function firstEphemeral(): number {
  try {
    const range = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    return Number.parseInt(range, 10) || USUAL_EPHEMERAL;
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
 * the same port again soon. Throws when the machine has no such ports left.
 */
export async function freePorts(count: number, host = "127.0.0.1"): Promise<number[]> {
  const span = Math.max(firstEphemeral() - LOWEST, 1_000);
  const ports: number[] = [];
  for (let tried = 0; ports.length < count && tried < span; tried += 1) {
    const port = LOWEST + (cursor % span);
    cursor += 1;
    if (await isFree(port, host)) ports.push(port);
  }
  if (ports.length < count) {
    throw new Error(`only ${ports.length} of ${count} ports from ${LOWEST} on are free on ${host}`);
  }
  return ports;
}
