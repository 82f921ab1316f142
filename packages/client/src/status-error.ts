// A Kubernetes `Status` answer becomes a KinglyError again, so that callers match on one set of
// codes whichever interface they use.

import { ERROR_TABLE, KinglyError, type ErrorCode } from "@kingly/base";

interface StatusBody {
  readonly message?: unknown;
  readonly reason?: unknown;
  readonly code?: unknown;
  readonly details?: {
    readonly kingly?: { readonly code?: unknown; readonly [key: string]: unknown };
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
  const named = status.details?.kingly?.code;
  const code =
    typeof named === "string" && named in ERROR_TABLE
      ? (named as ErrorCode)
      : byStatus(http, reason);
  const message =
    typeof status.message === "string" && status.message !== ""
      ? status.message
      : `HTTP ${http}: ${body.slice(0, 200)}`;
  const seconds = status.details?.retryAfterSeconds;
  const causes = status.details?.causes?.map((cause) => ({
    reason: cause.reason ?? "",
    field: cause.field ?? "",
    message: cause.message ?? "",
  }));
  return new KinglyError(code, message, {
    ...(reason === "" ? {} : { reason }),
    ...(typeof seconds === "number" ? { retryAfterMs: seconds * 1000 } : {}),
    ...(causes === undefined ? {} : { causes }),
  });
}
