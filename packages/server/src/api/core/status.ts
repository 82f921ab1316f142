// KinglyError -> Kubernetes `Status`: what kubectl prints, with our own code and details inside for
// clients that act on them.

import type { ErrorDetails, JsonObject, JsonValue, KinglyError } from "@kingly/base";
import type { KindInfo } from "@kingly/resources";

/** What the request was about, as far as it is known when it fails. */
export interface StatusSubject {
  readonly info?: KindInfo | undefined;
  readonly name?: string | undefined;
}

/** Codes whose retry is safe although their entry has no pause of its own. */
const RETRY_SECONDS: Readonly<Record<string, number>> = {
  NoLeader: 1,
  NotLeader: 1,
  Unavailable: 1,
  Recovering: 1,
  Retry: 1,
  Overloaded: 1,
};

/** Whole seconds for Retry-After; undefined when a repetition is not known to be safe. */
export function retryAfterSeconds(error: KinglyError): number | undefined {
  if (!Object.hasOwn(RETRY_SECONDS, error.code)) return undefined;
  const ms = error.details.retryAfterMs;
  return ms === undefined ? RETRY_SECONDS[error.code] : Math.max(1, Math.ceil(ms / 1000));
}

function kinglyDetails(error: KinglyError): JsonObject {
  const { causes: _causes, ...rest } = error.details;
  const out: Record<string, JsonValue> = { code: error.code };
  for (const [key, value] of Object.entries(rest as ErrorDetails)) {
    if (value !== undefined) out[key] = value as JsonValue;
  }
  return out;
}

/** kubectl prints the field itself: `spec.a: must be ...`. */
function withoutField(message: string, field: string): string {
  for (const prefix of [`${field}: `, `${field} `]) {
    if (field !== "" && message.startsWith(prefix)) return message.slice(prefix.length);
  }
  return message;
}

function causesOf(error: KinglyError): JsonValue[] {
  if (error.code === "RevisionTooLarge") {
    return [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }];
  }
  const given = error.details.causes?.map(({ reason, field, message }) => ({
    reason,
    field,
    message: withoutField(message, field),
  }));
  if (given !== undefined && given.length > 0) return given;
  const { field, reason } = error.details;
  if (field === undefined || error.info.http !== 422) return [];
  const message = withoutField(error.message, field);
  return [{ reason: reason ?? "FieldValueInvalid", field, message }];
}

function messageOf(error: KinglyError): string {
  const { help } = error.details;
  return help === undefined ? error.message : `${error.message}; ${help}`;
}

/** The Status object of an error. */
export function statusOf(error: KinglyError, subject: StatusSubject = {}): JsonObject {
  const { info, name } = subject;
  const invalid = error.info.reason === "Invalid";
  const retry = retryAfterSeconds(error);
  const causes = causesOf(error);
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Failure",
    message: messageOf(error),
    reason: error.info.reason,
    details: {
      ...(name === undefined || name === "" ? {} : { name }),
      ...(info === undefined ? {} : { group: info.group, kind: invalid ? info.kind : info.plural }),
      ...(causes.length === 0 ? {} : { causes }),
      ...(retry === undefined ? {} : { retryAfterSeconds: retry }),
      kingly: kinglyDetails(error),
    },
    code: error.info.http,
  };
}

/** The Status of a deletion. */
export function deletedStatus(info: KindInfo, name: string, uid: string): JsonObject {
  return {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: { name, group: info.group, kind: info.plural, uid },
  };
}
