// What the comparison needs of a system under test, and how its memory is read.

import { readFileSync } from "node:fs";
import type { Call } from "./load.ts";

/** One member of a cluster, for the runs that take it away. */
export interface Member {
  /** Ends the process with SIGKILL and resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** Starts it again on its data. */
  readonly restart: () => Promise<void>;
  /** A durable write through this member; rejects at the latest after `deadlineMs`. */
  readonly write: (value: string, deadlineMs: number) => Promise<void>;
}

/** A running three-member cluster. */
export interface System {
  readonly name: string;
  readonly members: readonly Member[];
  /** Index of the member that leads, as a member says it now. */
  readonly leader: () => Promise<number>;
  /** Processes of its members. */
  readonly pids: readonly number[];
  /** A durable, linearizable write of `value` to one of 1,000 keys. */
  readonly write: (value: string) => Call;
  /** A linearizable read of one of these keys. */
  readonly read: Call;
  readonly stop: () => Promise<void>;
}

/** Resident memory of a process in MiB, or NaN where /proc does not exist. */
export function residentMib(pid: number): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const kib = /VmRSS:\s+(\d+) kB/.exec(status)?.[1];
    return kib === undefined ? Number.NaN : Number(kib) / 1024;
  } catch {
    return Number.NaN;
  }
}
