// One lane to one peer: a gRPC client stream that is opened again with back-off when it breaks, fed
// from a bounded queue. Raft repeats what matters, so a full queue drops its oldest messages and a
// broken stream drops everything; nothing is kept for a peer that may be away for hours.
import type { ClientWritableStream, ServiceError } from "@grpc/grpc-js";
import type { Message } from "raft-ts";
import type { FrameInput } from "./frames.ts";
import {
  FRAME_BYTES,
  PEER_QUEUE_BYTES_MAX,
  PEER_QUEUE_MESSAGES_MAX,
  RECONNECT_MS_MAX,
  RECONNECT_MS_MIN,
} from "../limits.ts";

/** Opens the stream; `done` is called exactly once, when it has ended. */
export type OpenStream = (
  done: (error: ServiceError | null) => void,
) => ClientWritableStream<FrameInput>;

/** What a lane needs. */
export interface LaneOptions {
  readonly open: OpenStream;
  /** Makes a frame of messages. */
  readonly frame: (messages: readonly Message[]) => FrameInput;
  /** Messages were dropped. */
  readonly onDropped: (count: number) => void;
  readonly onState: (connected: boolean, reason: string) => void;
}

function sizeOf(message: Message): number {
  let bytes = 64;
  for (const entry of message.entries) bytes += entry.data.length + 24;
  return bytes;
}

/** A bounded, self-healing stream of frames. */
export class Lane {
  readonly #options: LaneOptions;
  #stream: ClientWritableStream<FrameInput> | undefined;
  #writable = false;
  #queue: Message[] = [];
  #queueBytes = 0;
  #backoffMs = RECONNECT_MS_MIN;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #drained: (() => void)[] = [];

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Messages waiting. */
  get length(): number {
    return this.#queue.length;
  }

  /** True while a stream is open, as far as known. */
  get connected(): boolean {
    return this.#stream !== undefined;
  }

  start(): void {
    if (!this.#closed && this.#stream === undefined) this.#connect();
  }

  #connect(): void {
    this.#timer = undefined;
    const openedAt = performance.now();
    const stream = this.#options.open((error) => {
      this.#ended(stream, error?.details ?? "closed by peer", openedAt);
    });
    stream.on("error", () => {}); // told through `done`
    stream.on("drain", () => {
      if (this.#stream !== stream) return;
      this.#writable = true;
      this.#wake();
      this.#flush();
    });
    this.#stream = stream;
    this.#writable = true;
    this.#options.onState(true, "");
  }

  #ended(stream: ClientWritableStream<FrameInput>, reason: string, openedAt: number): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#writable = false;
    this.#wake();
    this.#drop(this.#queue.length);
    if (this.#closed) return;
    this.#options.onState(false, reason);
    if (performance.now() - openedAt > RECONNECT_MS_MAX) this.#backoffMs = RECONNECT_MS_MIN;
    const jitter = 0.5 + Math.random() / 2;
    this.#timer = setTimeout(() => this.#connect(), this.#backoffMs * jitter);
    this.#backoffMs = Math.min(this.#backoffMs * 2, RECONNECT_MS_MAX);
  }

  #drop(count: number): void {
    if (count === 0) return;
    for (const message of this.#queue.splice(0, count)) this.#queueBytes -= sizeOf(message);
    this.#options.onDropped(count);
  }

  /** Queues messages; drops them at once while there is no stream. */
  send(messages: readonly Message[]): void {
    if (this.#stream === undefined) {
      this.#options.onDropped(messages.length);
      return;
    }
    for (const message of messages) {
      this.#queue.push(message);
      this.#queueBytes += sizeOf(message);
    }
    this.#flush();
    while (
      this.#queue.length > 0 &&
      (this.#queue.length > PEER_QUEUE_MESSAGES_MAX || this.#queueBytes > PEER_QUEUE_BYTES_MAX)
    ) {
      this.#drop(1);
    }
  }

  #flush(): void {
    while (this.#writable && this.#stream !== undefined && this.#queue.length > 0) {
      let count = 0;
      let bytes = 0;
      while (count < this.#queue.length && bytes < FRAME_BYTES) {
        bytes += sizeOf(this.#queue[count] as Message);
        count += 1;
      }
      this.#queueBytes -= bytes;
      this.#writable = this.#stream.write(this.#options.frame(this.#queue.splice(0, count)));
    }
  }

  /** Writes one ready frame; false when there is no stream. Ignores the queue's bounds. */
  write(frame: FrameInput): boolean {
    if (this.#stream === undefined) return false;
    this.#writable = this.#stream.write(frame);
    return true;
  }

  /** Resolves when the stream takes more; false when it broke. For snapshot chunks. */
  async waitWritable(): Promise<boolean> {
    const stream = this.#stream;
    if (stream === undefined) return false;
    if (!this.#writable) await new Promise<void>((resolve) => this.#drained.push(resolve));
    return this.#stream === stream;
  }

  #wake(): void {
    const waiting = this.#drained;
    this.#drained = [];
    for (const resolve of waiting) resolve();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
    this.#wake();
  }
}
