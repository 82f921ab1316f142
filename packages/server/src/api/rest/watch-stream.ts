// A watch as newline-delimited JSON on a raw HTTP response. The response's own buffer is the only
// buffer: when it is full the watch stops taking events until it drains; a client that takes nothing
// for a minute is cut off and resumes from the last revision it saw.

import type { ServerResponse } from "node:http";
import { utf8Encode } from "@kingly/base";
import type { JsonObject, KinglyError, Timer } from "@kingly/base";
import type { KindInfo } from "@kingly/resources";
import type { ApiContext } from "../core/context.ts";
import { ObjectWatch } from "../core/object-watch.ts";
import type { ServedEvent, WatchConsumer, WatchQuery } from "../core/object-watch.ts";
import { statusOf } from "../core/status.ts";
import { liveCells } from "../core/views.ts";
import { renderOne } from "./represent.ts";
import type { RenderOptions } from "./represent.ts";

/** What a stream is made of. */
export interface WatchStreamOptions {
  readonly query: WatchQuery;
  readonly render: Omit<RenderOptions, "nowMs" | "liveCells">;
  readonly timeoutMs: number;
}

const NEWLINE = Buffer.from("\n");

/** One open watch over HTTP. */
export class WatchStream implements WatchConsumer {
  readonly #context: ApiContext;
  readonly #response: ServerResponse;
  readonly #options: WatchStreamOptions;
  readonly #watch: ObjectWatch;
  readonly #onEnd: (stream: WatchStream) => void;
  #timer: Timer | undefined;
  #withColumns = true;
  #ended = false;

  constructor(
    context: ApiContext,
    response: ServerResponse,
    options: WatchStreamOptions,
    onEnd: (stream: WatchStream) => void,
  ) {
    this.#context = context;
    this.#response = response;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#watch = new ObjectWatch(context, options.query, this);
  }

  /** Sends the headers at once (kubectl waits for them) and begins. */
  start(): void {
    const response = this.#response;
    response.writeHead(200, {
      "content-type": "application/json",
      "cache-control": "no-cache, private",
    });
    response.flushHeaders();
    response.on("close", () => this.#finish());
    response.on("error", () => this.#finish());
    response.on("drain", () => this.#watch.resume());
    this.#context.metrics.watches.inc({ interface: "rest" });
    this.#timer = this.#context.clock.setTimer(this.#options.timeoutMs, () => {
      if (this.#options.query.bookmarks) this.#watch.bookmark();
      this.end();
    });
    this.#watch.start();
  }

  event(event: ServedEvent): boolean {
    this.#context.metrics.watchEvents.inc({ interface: "rest" });
    const { as } = this.#options.render;
    if (as === "object" && event.json !== undefined) {
      const head = utf8Encode(`{"type":"${event.type}","object":`);
      return this.#write(Buffer.concat([head, event.json, Buffer.from("}\n")]));
    }
    return this.#line({ type: event.type, object: this.#rendered(event) });
  }

  #rendered(event: ServedEvent): JsonObject {
    const { render } = this.#options;
    const { clock, replica } = this.#context;
    const options: RenderOptions = {
      ...render,
      nowMs: clock.nowMs(),
      liveCells: (of) => liveCells(replica.state, render.info.kind, of),
    };
    const stored = event.stored;
    const object = renderOne({ stored, served: event.object }, options, this.#withColumns);
    this.#withColumns = false;
    return object;
  }

  bookmark(revision: number, initial: boolean): boolean {
    const { info } = this.#options.query;
    const annotations = initial ? { annotations: { "k8s.io/initial-events-end": "true" } } : {};
    const metadata = { resourceVersion: String(revision), ...annotations };
    return this.#line({ type: "BOOKMARK", object: this.#bookmarkObject(info, metadata) });
  }

  #bookmarkObject(info: KindInfo, metadata: JsonObject): JsonObject {
    switch (this.#options.render.as) {
      case "object":
        return { kind: info.kind, apiVersion: info.apiVersion, metadata };
      case "metadata":
        return { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
      case "table":
        return {
          kind: "Table",
          apiVersion: "meta.k8s.io/v1",
          metadata,
          columnDefinitions: [],
          rows: [],
        };
    }
  }

  failed(error: KinglyError): void {
    this.#line({ type: "ERROR", object: statusOf(error, { info: this.#options.query.info }) });
    this.end();
  }

  #line(value: JsonObject): boolean {
    return this.#write(Buffer.concat([utf8Encode(JSON.stringify(value)), NEWLINE]));
  }

  #write(bytes: Uint8Array): boolean {
    return this.#ended || this.#response.write(bytes);
  }

  /** Ends the stream in an orderly way; the client resumes. */
  end(): void {
    if (this.#ended) return;
    this.#response.end();
    this.#finish();
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timer?.cancel();
    this.#watch.close();
    this.#context.metrics.watches.dec({ interface: "rest" });
    this.#onEnd(this);
  }
}
