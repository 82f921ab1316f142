// A small HTTP client on node:http with a size and a time limit, for targets on the same machine. A
// failure is a value: probing and applying must not throw because a target is away.

import { request as httpRequest } from "node:http";
import type { IncomingMessage, RequestOptions } from "node:http";
import { HTTP_BODY_BYTES_MAX, HTTP_TIMEOUT_MS } from "./limits.ts";

/** One exchange. */
export interface HttpCall {
  readonly url: string;
  readonly method?: string;
  readonly body?: string;
  readonly timeoutMs?: number;
  readonly accept?: string;
}

/** Status 0 means that there was no complete answer; `error` says why. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly error: string;
  readonly elapsedMs: number;
}

/** Sends a request and reads the whole answer. Never rejects. */
export async function httpCall(call: HttpCall): Promise<HttpAnswer> {
  const startedMs = performance.now();
  const url = new URL(call.url);
  const timeoutMs = call.timeoutMs ?? HTTP_TIMEOUT_MS;
  const send = url.protocol === "https:" ? (await import("node:https")).request : httpRequest;
  return new Promise<HttpAnswer>((resolve) => {
    let done = false;
    const finish = (status: number, body: string, error: string): void => {
      if (done) return;
      done = true;
      clearTimeout(timer);
      resolve({ status, body, error, elapsedMs: performance.now() - startedMs });
    };
    const headers: Record<string, string> = { accept: call.accept ?? "*/*" };
    if (call.body !== undefined) {
      headers["content-type"] = "application/json";
      headers["content-length"] = String(Buffer.byteLength(call.body));
    }
    const options: RequestOptions = { method: call.method ?? "GET", headers };
    const request = send(url, options, (response) => {
      collect(response, finish, () => request.destroy());
    });
    const timer = setTimeout(() => {
      finish(0, "", `no answer within ${timeoutMs} ms`);
      request.destroy();
    }, timeoutMs);
    request.on("error", (error) => finish(0, "", error.message));
    request.end(call.body);
  });
}

function collect(
  response: IncomingMessage,
  finish: (status: number, body: string, error: string) => void,
  abort: () => void,
): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > HTTP_BODY_BYTES_MAX) {
      finish(0, "", `answer is larger than ${HTTP_BODY_BYTES_MAX} bytes`);
      abort();
    } else chunks.push(chunk);
  });
  response.on("end", () => {
    finish(response.statusCode ?? 0, Buffer.concat(chunks).toString("utf8"), "");
  });
  response.on("error", (error) => finish(0, "", error.message));
  response.on("close", () => finish(0, "", "the connection closed early"));
}
