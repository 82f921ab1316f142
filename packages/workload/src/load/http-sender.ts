// Real HTTP requests over keep-alive loopback connections, at most OUTSTANDING_MAX at once. Used by
// the load thread, and by the warm-up of a process without load.
import { Agent, request } from "node:http";
import { LOAD_TIMEOUT_MS, OUTSTANDING_MAX } from "../limits.ts";
import type { Send } from "./generator.ts";

/** Sends to one service until closed. */
export interface HttpSender {
  readonly send: Send;
  close(): void;
}

/** Sends texts to `target`/infer; `headers` go with every request. */
export function createHttpSender(
  target: string,
  headers: Readonly<Record<string, string>> = {},
): HttpSender {
  const agent = new Agent({ keepAlive: true, maxSockets: OUTSTANDING_MAX, noDelay: true });
  const { hostname, port } = new URL(target);
  const fixed = { ...headers, "content-type": "application/json" };
  const send: Send = (text, done) => {
    let settled = false;
    const settle = (ok: boolean): void => {
      if (settled) return;
      settled = true;
      done(ok);
    };
    const body = Buffer.from(JSON.stringify({ text }));
    const outgoing = request({
      method: "POST",
      hostname,
      port,
      path: "/infer",
      agent,
      headers: { ...fixed, "content-length": body.length },
      timeout: LOAD_TIMEOUT_MS,
    });
    outgoing.on("response", (response) => {
      response.resume();
      response.on("end", () => settle(response.statusCode === 200));
      response.on("close", () => settle(false));
    });
    outgoing.on("error", () => settle(false));
    outgoing.on("timeout", () => outgoing.destroy());
    outgoing.end(body);
  };
  return { send, close: () => agent.destroy() };
}

/** Sends one burst after the other, each of the given size, and returns how many requests failed. */
export async function sendBursts(send: Send, sizes: readonly number[]): Promise<number> {
  let failures = 0;
  let texts = 0;
  for (const size of sizes) {
    const answers = Array.from({ length: size }, async () => {
      const text = `burst text ${texts++ % 400} on its way through every part of the path`;
      return new Promise<boolean>((resolve) => send(text, resolve));
    });
    for (const ok of await Promise.all(answers)) if (!ok) failures++;
  }
  return failures;
}
