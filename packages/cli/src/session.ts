// What every command starts from: the global flags, the context file, and a connected client.

import { join } from "node:path";
import { loadContext, RestClient } from "@kingly/client";
import { KinglyError } from "@kingly/base";
import type { Io } from "./io.ts";

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

/** A command's view of the cluster. */
export interface Session {
  readonly io: Io;
  readonly client: RestClient;
  readonly namespace: string;
}

/** File of the contexts: flag, KINGLYCONFIG, KUBECONFIG, then ~/.kingly/config. */
export function contextFile(flags: GlobalFlags, io: Io): string {
  return (
    flags.kubeconfig ??
    io.env["KINGLYCONFIG"] ??
    io.env["KUBECONFIG"]?.split(":")[0] ??
    join(io.homeFolder, ".kingly", "config")
  );
}

/**
 * Runs an action with a client and closes it afterwards. When the context's server cannot be reached,
 * the client asks the cluster's others, and a warning says so.
 */
export async function withSession(
  io: Io,
  flags: GlobalFlags,
  action: (session: Session) => Promise<number>,
): Promise<number> {
  const context = loadContext(contextFile(flags, io), flags.context);
  const client = new RestClient(context, {
    onServerChange: (from, to, reason) => {
      io.stderr.write(`Warning: cannot reach ${from} (${reason}); asking ${to}\n`);
    },
  });
  try {
    return await action({ io, client, namespace: flags.namespace ?? context.namespace });
  } finally {
    await client.close();
  }
}

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of `30s`, `15m`, `500ms`, `1h`. */
export function parseDuration(text: string, flag: string): number {
  const match = DURATION.exec(text);
  const unit = UNIT_MS[match?.[2] ?? ""];
  if (match === null || unit === undefined) {
    throw new KinglyError("Usage", `${flag}: "${text}" is not a duration such as 30s or 15m`, {
      field: flag,
      value: text,
    });
  }
  return Number(match[1]) * unit;
}

/** A version number of a flag: a whole number, 0 to 2^53 - 1; undefined when the flag is absent. */
export function parseVersion(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value)) return value;
  throw new KinglyError("Usage", `${flag}: "${text}" is not a whole number such as 3`, {
    field: flag,
    limit: `0 to ${Number.MAX_SAFE_INTEGER}`,
    value: text,
  });
}
