// Opens watches over HTTP and closes them at shutdown: hijacked responses are nobody else's.

import { KinglyError } from "@kingly/base";
import type { KindInfo } from "@kingly/resources";
import type { ApiContext } from "../core/context.ts";
import { parseFreshness, settle } from "../core/reader.ts";
import { parseSelection } from "../core/selectors.ts";
import { WATCH_MS_MAX, WATCH_MS_MIN } from "../limits.ts";
import { representationOf } from "./negotiate.ts";
import { flag, wholeNumber } from "./request.ts";
import type { RestRequest } from "./request.ts";
import { WatchStream } from "./watch-stream.ts";

/** The open watches of one server. */
export class WatchServer {
  readonly #context: ApiContext;
  readonly #open = new Set<WatchStream>();
  #closing = false;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** Answers a watch request by streaming; the response is hijacked. */
  async open(request: RestRequest, info: KindInfo, namespace: string): Promise<undefined> {
    const { query } = request;
    const as = representationOf(request.accept);
    const selection = parseSelection(
      info,
      query.get("labelSelector") ?? "",
      query.get("fieldSelector") ?? "",
    );
    const freshness = parseFreshness(query.get("resourceVersion") ?? undefined);
    const initial = flag(query, "sendInitialEvents");
    if (initial && query.get("resourceVersionMatch") !== "NotOlderThan") {
      throw new KinglyError(
        "InvalidField",
        "sendInitialEvents needs resourceVersionMatch=NotOlderThan",
        { field: "resourceVersionMatch", limit: "NotOlderThan" },
      );
    }
    const seconds = wholeNumber(query, "timeoutSeconds") ?? 0;
    const spread = WATCH_MS_MIN + Math.random() * (WATCH_MS_MAX - WATCH_MS_MIN);
    await settle(this.#context, freshness);
    if (this.#closing) throw new KinglyError("Unavailable", "the server is stopping");
    const stream = new WatchStream(
      this.#context,
      request.reply.raw,
      {
        query: {
          info,
          namespace,
          selection,
          fromRevision: freshness.kind === "atLeast" && !initial ? freshness.revision : undefined,
          bookmarks: flag(query, "allowWatchBookmarks") || initial,
          markInitialEnd: initial,
        },
        render: {
          info,
          as,
          includeObject: query.get("includeObject") === "Object" ? "Object" : "Metadata",
        },
        timeoutMs: seconds > 0 ? Math.min(seconds * 1000, WATCH_MS_MAX) : spread,
      },
      (ended) => this.#open.delete(ended),
    );
    request.reply.hijack();
    this.#open.add(stream);
    stream.start();
    return undefined;
  }

  /** Ends all watches; clients resume on another server. */
  close(): void {
    this.#closing = true;
    for (const stream of this.#open) stream.end();
  }
}
