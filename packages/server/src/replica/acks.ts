// Gathers acknowledgements of nodes into few commands: one per Config, version, state and reason and
// 200 ms, with the set of nodes. Agents repeat their state in heartbeats, so what is lost here comes again.
import { compareStrings, utf8Encode } from "@kingly/base";
import type { Logger } from "@kingly/base";
import { ACKS_PER_COMMAND_MAX, ACKS_QUEUED_MAX, ACK_BATCHES_MAX, ACK_BATCH_MS } from "../limits.ts";
import type { NodeAck } from "./replica.ts";

interface Batch {
  readonly configUid: string;
  readonly version: number;
  readonly state: NodeAck["state"];
  readonly nodes: Set<string>;
  /** Why they failed; nodes that fail for other reasons are in batches of their own. */
  readonly message: string | undefined;
}

/** Collects and submits acknowledgements. */
export class AckBatcher {
  readonly #submit: (body: Uint8Array) => Promise<unknown>;
  readonly #logger: Logger;
  readonly #batches = new Map<string, Batch>();
  #queued = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `submit` sends one `acks` command. */
  constructor(submit: (body: Uint8Array) => Promise<unknown>, logger: Logger) {
    this.#submit = submit;
    this.#logger = logger;
  }

  add(ack: NodeAck): void {
    if (this.#stopped || this.#queued >= ACKS_QUEUED_MAX) return;
    const { configUid, version, state, node, message = "" } = ack;
    const plain = `${configUid}/${version}/${state}`;
    const reason = `${plain}/${message}`;
    // A fleet that fails in very many ways shares batches: the reasons of some are not kept.
    const full = this.#batches.size >= ACK_BATCHES_MAX && !this.#batches.has(reason);
    const key = full ? plain : reason;
    const why = full || message === "" ? undefined : message;
    const empty: Batch = { configUid, version, state, message: why, nodes: new Set() };
    const batch = this.#batches.get(key) ?? empty;
    this.#batches.set(key, batch);
    if (batch.nodes.has(node)) return;
    batch.nodes.add(node);
    this.#queued += 1;
    this.#timer ??= setTimeout(() => void this.#flush(), ACK_BATCH_MS);
  }

  async #flush(): Promise<void> {
    const batches = [...this.#batches.values()];
    this.#batches.clear();
    this.#queued = 0;
    try {
      // In order of progress, so that nobody is confirmed before it is applied.
      for (const state of ["received", "applied", "confirmed", "failed"] as const) {
        for (const batch of batches) if (batch.state === state) await this.#send(batch);
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#logger.debug("acknowledgements were not written; agents repeat them", { reason });
    }
    this.#timer = undefined;
    if (this.#batches.size > 0 && !this.#stopped) {
      this.#timer = setTimeout(() => void this.#flush(), ACK_BATCH_MS);
    }
  }

  async #send(batch: Batch): Promise<void> {
    const { configUid, version, state, message } = batch;
    const why = message === undefined ? {} : { message };
    const all = [...batch.nodes].sort(compareStrings);
    for (let at = 0; at < all.length; at += ACKS_PER_COMMAND_MAX) {
      const nodes = all.slice(at, at + ACKS_PER_COMMAND_MAX);
      await this.#submit(utf8Encode(JSON.stringify({ configUid, version, state, nodes, ...why })));
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
