// What main thread and compute threads say to each other. A batch is the plain number of its requests
// in both directions; everything else is in shared memory.
import type { BatchBuffers } from "../model/network.ts";
import type { Network } from "../model/weights.ts";

/** What the pool hands to a new thread. All arrays are shared memory. */
export interface WorkerInput {
  readonly network: Network;
  readonly buffers: BatchBuffers;
}

/** The message that says: compiled and ready. No batch has this size. */
export const WORKER_READY = 0;
