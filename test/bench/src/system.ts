// What the comparison needs of a system under test, and how its memory is read.

import { readFileSync } from "node:fs";
import type { Call } from "./load.ts";

/** A running three-member cluster. */
export interface System {
  readonly name: string;
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
