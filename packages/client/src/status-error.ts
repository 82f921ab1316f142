// A Kubernetes `Status` answer becomes a KinglyError again, so that callers match on one set of
// codes whichever interface they use.

import { ERROR_TABLE, KinglyError, isErrorCode } from "@kingly/base";
import type { ErrorCode, ErrorDetails } from "@kingly/base";

interface StatusBody {
  readonly message?: unknown;
  readonly reason?: unknown;
  readonly code?: unknown;
  readonly details?: {
    readonly kingly?: Readonly<Record<string, unknown>>;
    readonly retryAfterSeconds?: unknown;
    readonly causes?: readonly { reason?: string; field?: string; message?: string }[];
  };
}

function byStatus(http: number, reason: string): ErrorCode {
  const codes = Object.keys(ERROR_TABLE) as ErrorCode[];
  const exact = codes.find(
    (code) => ERROR_TABLE[code].http === http && ERROR_TABLE[code].reason === reason,
  );
  return exact ?? codes.find((code) => ERROR_TABLE[code].http === http) ?? "Internal";
}

/** Reads an error body; anything that is not a Status keeps its text. */
export function errorFromStatus(http: number, body: string): KinglyError {
  let status: StatusBody = {};
  try {
    status = JSON.parse(body) as StatusBody;
  } catch {
    // Not JSON: a proxy's page or an empty body; the text itself is the message.
  }
  const reason = typeof status.reason === "string" ? status.reason : "";
  const own = status.details?.kingly ?? {};
  const named = own["code"];
  const code = typeof named === "string" && isErrorCode(named) ? named : byStatus(http, reason);
  const seconds = status.details?.retryAfterSeconds;
  const causes = status.details?.causes?.map((cause) => ({
    reason: cause.reason ?? "",
    field: cause.field ?? "",
    message: cause.message ?? "",
  }));
  const help = typeof own["help"] === "string" ? own["help"] : undefined;
  return new KinglyError(code, messageOf(status, help) ?? `HTTP ${http}: ${body.slice(0, 200)}`, {
    ...(reason === "" ? {} : { reason }),
    ...scalarDetails(own),
    ...(typeof seconds === "number" ? { retryAfterMs: seconds * 1000 } : {}),
    ...(causes === undefined ? {} : { causes }),
  });
}

/** The sentence of a Status without the advice that servers append for clients that print only it. */
function messageOf(status: StatusBody, help: string | undefined): string | undefined {
  const { message } = status;
  if (typeof message !== "string" || message === "") return undefined;
  const suffix = `; ${help ?? ""}`;
  return help !== undefined && message.endsWith(suffix)
    ? message.slice(0, -suffix.length)
    : message;
}

const SCALARS = ["field", "limit", "value", "step", "rule", "help", "idempotencyKey"];

function scalarDetails(own: Readonly<Record<string, unknown>>): Partial<ErrorDetails> {
  const found = SCALARS.filter((name) =>
    ["string", "number", "boolean"].includes(typeof own[name]),
  );
  return Object.fromEntries(found.map((name) => [name, own[name]]));
}
