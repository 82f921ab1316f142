// What travels between simulated servers and clients. Contents are immutable and shared, never copied.

import type { SnapshotChunk } from "@kingly/storage";
import type { Message } from "raft-ts";
import type { Request } from "./machine.ts";

/** Introduces the sender's process, as the real transport does when a stream is opened. */
export interface Introduction {
  readonly from: number;
  /** Counts the sender's starts. */
  readonly life: number;
  /** Last index of its log when it started. */
  readonly startIndex: number;
}

/** Server to server. */
export type Parcel =
  | { readonly kind: "raft"; readonly by: Introduction; readonly message: Message }
  | {
      readonly kind: "snapshot";
      readonly by: Introduction;
      readonly message: Message;
      readonly chunks: readonly SnapshotChunk[];
    }
  | { readonly kind: "snapshot-taken"; readonly by: Introduction };

/** Client to server. `attempt` distinguishes repetitions of one operation. */
export type Call =
  | {
      readonly kind: "write";
      readonly client: number;
      readonly attempt: number;
      readonly request: Request;
    }
  | {
      readonly kind: "read";
      readonly client: number;
      readonly sequence: number;
      readonly attempt: number;
      readonly key: string;
    };

/** Server to client. */
export type Reply =
  | { readonly kind: "done"; readonly sequence: number; readonly seen: string }
  /** Not taken; `leader` 0: unknown. Certainly nothing was written by this attempt. */
  | {
      readonly kind: "refused";
      readonly sequence: number;
      readonly attempt: number;
      readonly leader: number;
    };
