// The REST admin API as a typed client: one method per verb, errors as KinglyError, watches as
// async iterators that resume by themselves. Used by kinglyctl and by anything that prefers HTTP.

import { KinglyError, type JsonObject, type JsonValue } from "@kingly/base";
import { kindInfo, type ApiObject } from "@kingly/resources";
import { Agent, request, type Dispatcher } from "undici";
import type { Context } from "./kubeconfig.ts";
import { ConnectionFailure, Servers, type OnServerChange } from "./failover.ts";
import {
  ATTEMPTS_MAX,
  CONNECT_TIMEOUT_MS,
  LIST_RESTARTS_MAX,
  REQUEST_TIMEOUT_MS,
  RESPONSE_BYTES_MAX,
  REST_ATTEMPTS_MAX,
} from "./limits.ts";
import { backoffMs } from "./retry.ts";
import { errorFromStatus } from "./status-error.ts";
import { linesOf } from "./lines.ts";

/** Accept header that asks for a server-rendered Table. */
export const TABLE_ACCEPT: string = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

/** Objects of one page of a list, as a query says it. */
const LIST_PAGE = "500";

/** Failures after which a watch is opened again. */
const WATCH_AGAIN: readonly string[] = [
  "Unavailable",
  "NoLeader",
  "Recovering",
  "Overloaded",
  "RevisionTooLarge",
  "DeadlineExceeded",
];

/** Waits; ends early when the signal says so. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener("abort", done);
  });
}

/** One event of a watch. */
export interface WatchEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: ApiObject;
}

/** Which objects a call is about. */
export interface Scope {
  readonly kind: string;
  /** Absent = all namespaces, or a cluster-scoped kind. */
  readonly namespace?: string | undefined;
  readonly name?: string | undefined;
}

/** One HTTP call below the typed methods. */
export interface RawCall {
  readonly method: Dispatcher.HttpMethod;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonValue;
  readonly accept?: string;
}

/** The answer of a raw call. */
export interface RawAnswer {
  readonly status: number;
  readonly text: string;
  readonly warnings: readonly string[];
}

/** Path of a collection or an item, Kubernetes style. */
export function resourcePath(scope: Scope): string {
  const info = kindInfo(scope.kind);
  const root = info.group === "" ? `/api/${info.version}` : `/apis/${info.group}/${info.version}`;
  const parts = [root];
  if (info.namespaced && scope.namespace !== undefined) {
    parts.push("namespaces", encodeURIComponent(scope.namespace));
  }
  parts.push(info.plural);
  if (scope.name !== undefined) parts.push(encodeURIComponent(scope.name));
  return parts.join("/");
}

function warningsOf(headers: Readonly<Record<string, string | string[] | undefined>>): string[] {
  const value = headers["warning"];
  const list = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return list.flatMap((line) =>
    [...line.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) =>
      (match[1] ?? "").replaceAll('\\"', '"'),
    ),
  );
}

/** The call took too long, or its caller gave up. A write may have been carried out. */
function aborted(call: RawCall, signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  const timedOut = reason instanceof Error && reason.name === "TimeoutError";
  if (!timedOut) return reason instanceof Error ? reason : new Error("aborted");
  const code = call.method === "GET" ? "DeadlineExceeded" : "Indeterminate";
  return new KinglyError(code, `no answer within ${REQUEST_TIMEOUT_MS} ms`, {
    limit: REQUEST_TIMEOUT_MS,
    help: "look whether it took effect before you repeat it",
  });
}

/** What a caller may want to know or change. */
export interface RestClientOptions {
  /** Called when the present server cannot be reached and another of the context is asked. */
  readonly onServerChange?: OnServerChange;
}

/**
 * A client of one cluster's REST API. Close it when done. It asks the context's server, and its
 * alternatives when that one cannot be reached; a write never twice.
 */
export class RestClient {
  readonly #context: Context;
  readonly #servers: Servers;
  readonly #agent: Agent;

  constructor(context: Context, options: RestClientOptions = {}) {
    const { authority, server, alternatives } = context;
    this.#context = context;
    this.#servers = new Servers([server, ...alternatives], options.onServerChange);
    this.#agent = new Agent({
      connect: {
        timeout: CONNECT_TIMEOUT_MS,
        ...(authority === undefined ? {} : { ca: authority }),
      },
      headersTimeout: REQUEST_TIMEOUT_MS,
      bodyTimeout: 0, // Watches are silent for as long as nothing happens.
    });
  }

  get namespace(): string {
    return this.#context.namespace;
  }

  /** Sends a call to one server. ConnectionFailure when no answer began. */
  async #send(
    server: string,
    call: RawCall,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const url = new URL(call.path, server);
    for (const [key, value] of Object.entries(call.query ?? {})) url.searchParams.set(key, value);
    const headers: Record<string, string> = { accept: call.accept ?? "application/json" };
    if (this.#context.token !== undefined) {
      headers["authorization"] = `Bearer ${this.#context.token}`;
    }
    if (call.body !== undefined) headers["content-type"] = "application/json";
    try {
      return await request(url, {
        method: call.method,
        headers,
        dispatcher: this.#agent,
        signal,
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
    } catch (error) {
      if (signal.aborted) throw aborted(call, signal);
      throw new ConnectionFailure(error);
    }
  }

  /**
   * Any call; throws KinglyError for a status of 400 and above. Repeated after a pause when the
   * server says that nothing happened (429, 503 with Retry-After), at once at another server when
   * this one cannot be reached.
   */
  async raw(call: RawCall): Promise<RawAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#servers.ask(call.method === "GET", (server) => this.#once(server, call));
      } catch (error) {
        const known = error instanceof KinglyError ? error : undefined;
        const after = known?.details.retryAfterMs;
        if (known === undefined || after === undefined || attempt >= REST_ATTEMPTS_MAX) throw error;
        this.#servers.noteAnswer(known);
        await new Promise((resolve) => {
          setTimeout(resolve, Math.max(after, backoffMs(attempt, Math.random())));
        });
      }
    }
  }

  async #once(server: string, call: RawCall): Promise<RawAnswer> {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const response = await this.#send(server, call, signal);
    const length = Number(response.headers["content-length"] ?? 0);
    if (length > RESPONSE_BYTES_MAX) {
      response.body.destroy();
      throw new KinglyError("DocumentTooLarge", `response of ${length} bytes`, {
        limit: RESPONSE_BYTES_MAX,
        value: length,
      });
    }
    const text = await response.body.text().catch((error: unknown) => {
      if (signal.aborted) throw aborted(call, signal);
      throw new ConnectionFailure(error);
    });
    if (response.statusCode >= 400) throw errorFromStatus(response.statusCode, text);
    return { status: response.statusCode, text, warnings: warningsOf(response.headers) };
  }

  async #json<T>(call: RawCall): Promise<T> {
    return JSON.parse((await this.raw(call)).text) as T;
  }

  /** Reads one object. */
  get<T = ApiObject>(scope: Scope & { readonly name: string }): Promise<T> {
    return this.#json<T>({ method: "GET", path: resourcePath(scope) });
  }

  /** Reads a whole collection, page by page, at one revision. */
  async list<T = ApiObject>(
    scope: Scope,
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }> {
    for (let restarts = 0; ; restarts += 1) {
      const server = this.#servers.current;
      try {
        return await this.#pages<T>(scope);
      } catch (error) {
        // Only the server that began a list can go on with it.
        const moved = this.#servers.current !== server;
        const forgotten = error instanceof KinglyError && error.code === "Expired";
        if (!moved || !forgotten || restarts >= LIST_RESTARTS_MAX) throw error;
      }
    }
  }

  async #pages<T>(
    scope: Scope,
  ): Promise<{ readonly items: readonly T[]; readonly resourceVersion: string }> {
    const items: T[] = [];
    let token = "";
    for (;;) {
      const page = await this.#json<{
        items: T[];
        metadata: { resourceVersion: string; continue?: string };
      }>({
        method: "GET",
        path: resourcePath(scope),
        query: { limit: LIST_PAGE, ...(token === "" ? {} : { continue: token }) },
      });
      items.push(...page.items);
      token = page.metadata.continue ?? "";
      if (token === "") return { items, resourceVersion: page.metadata.resourceVersion };
    }
  }

  /** Creates an object; the answer carries what the server filled in, and its warnings. */
  async create(
    scope: Scope,
    object: JsonObject,
    query: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly object: ApiObject; readonly warnings: readonly string[] }> {
    const path = resourcePath(scope);
    const answer = await this.raw({ method: "POST", path, body: object, query });
    return { object: JSON.parse(answer.text) as ApiObject, warnings: answer.warnings };
  }

  /** Replaces an object; `metadata.resourceVersion` in it is a precondition. */
  async replace(
    scope: Scope & { readonly name: string },
    object: JsonObject,
    query: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly object: ApiObject; readonly warnings: readonly string[] }> {
    const path = resourcePath(scope);
    const answer = await this.raw({ method: "PUT", path, body: object, query });
    return { object: JSON.parse(answer.text) as ApiObject, warnings: answer.warnings };
  }

  /** Deletes an object. */
  async delete(scope: Scope & { readonly name: string }): Promise<void> {
    await this.raw({ method: "DELETE", path: resourcePath(scope) });
  }

  /**
   * Events after a revision, in order; ends only by `signal`. A broken stream is resumed from the
   * last revision seen; a compacted one throws `Expired`, and the caller lists again.
   */
  async *watch(
    scope: Scope,
    options: { readonly resourceVersion: string; readonly signal: AbortSignal },
  ): AsyncGenerator<WatchEvent> {
    let revision = options.resourceVersion;
    for (let failures = 0; !options.signal.aborted;) {
      try {
        for await (const event of this.#watchOnce(scope, revision, options.signal)) {
          failures = 0;
          revision = event.object.metadata.resourceVersion;
          if (event.type !== "BOOKMARK") yield event;
        }
      } catch (error) {
        if (options.signal.aborted) return;
        const passing = error instanceof KinglyError && WATCH_AGAIN.includes(error.code);
        failures += 1;
        if (!passing || failures >= ATTEMPTS_MAX) throw error;
      }
      await pause(backoffMs(Math.max(1, failures), Math.random()), options.signal);
    }
  }

  async *#watchOnce(
    scope: Scope,
    resourceVersion: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const { name, ...collection } = scope;
    const call: RawCall = {
      method: "GET",
      path: resourcePath(collection),
      query: {
        watch: "true",
        allowWatchBookmarks: "true",
        resourceVersion,
        ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
      },
    };
    const response = await this.#servers.ask(true, (server) => this.#send(server, call, signal));
    if (response.statusCode >= 400) {
      const refusal = errorFromStatus(response.statusCode, await response.body.text());
      this.#servers.noteAnswer(refusal);
      throw refusal;
    }
    for await (const line of linesOf(response.body, signal)) {
      const event = JSON.parse(line) as WatchEvent;
      if (event.type === "ERROR") throw errorFromStatus(410, JSON.stringify(event.object));
      yield event;
    }
  }

  /** Releases the connections. */
  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}
