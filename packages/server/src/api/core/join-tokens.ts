// Join tokens: `kjt1.<id>.<secret>.<fingerprint of the CA>`. The secret is shown once, to whoever
// made the token; only the hash of the whole token is replicated. The fingerprint lets a new node
// recognise its cluster before it trusts anything.

import { randomBytes } from "node:crypto";
import { KinglyError, isJsonObject, shortValue, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { JoinTokenBody } from "@kingly/decision";
import { certificateFingerprint } from "@kingly/protocol";
import { JOIN_TOKEN_SECONDS_DEFAULT, JOIN_TOKEN_SECONDS_MAX, TOKEN_CHARS_MAX } from "../limits.ts";
import { hashToken } from "./auth.ts";
import type { Principal } from "./auth.ts";
import type { ApiContext } from "./context.ts";

const PATTERN = /^kjt1\.([a-z0-9]{8})\.([A-Za-z0-9_-]{32,})\.([0-9a-f]{64})$/;
const TEXTS = ["class", "ownerGroup", "pool", "interferenceGroup", "node"] as const;
const FALLBACK = { class: "default", ownerGroup: "default", pool: "default" } as const;

/** A token that was just made. */
export interface JoinToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

function invalid(field: string, limit: string, value: JsonValue | undefined): never {
  throw new KinglyError("InvalidField", `${field}: must be ${limit}; got ${shortValue(value)}`, {
    field,
    limit,
    value: shortValue(value),
  });
}

function labelsOf(value: JsonValue | undefined): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isJsonObject(value)) return invalid("labels", "an object of strings", value);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") invalid(`labels.${key}`, "a string", text);
  }
  return value as Readonly<Record<string, string>>;
}

function bodyOf(spec: JsonObject, tokenHash: string, nowMs: number): JoinTokenBody {
  const known = [...TEXTS, "labels", "ttlSeconds", "uses"];
  for (const field of Object.keys(spec)) {
    if (known.includes(field)) continue;
    throw new KinglyError("UnknownField", `unknown field "${field}"`, {
      field,
      limit: known.join(", "),
    });
  }
  const texts = Object.fromEntries(
    TEXTS.map((field) => {
      const value = spec[field] ?? (FALLBACK as Readonly<Record<string, string>>)[field] ?? "";
      return [field, typeof value === "string" ? value : invalid(field, "a string", value)];
    }),
  ) as Record<(typeof TEXTS)[number], string>;
  const seconds = spec["ttlSeconds"] ?? JOIN_TOKEN_SECONDS_DEFAULT;
  const inRange = Number.isSafeInteger(seconds) && Number(seconds) > 0;
  if (!inRange || Number(seconds) > JOIN_TOKEN_SECONDS_MAX) {
    invalid("ttlSeconds", `a whole number, 1 to ${JOIN_TOKEN_SECONDS_MAX}`, seconds);
  }
  const uses = spec["uses"] ?? 1;
  if (uses !== 1) invalid("uses", "1: a join token enrols one node", uses);
  const expiresAtMs = nowMs + Number(seconds) * 1000;
  return { tokenHash, expiresAtMs, ...texts, labels: labelsOf(spec["labels"]) };
}

/** Makes a token and stores its hash. The caller has checked that the principal may. */
export async function createJoinToken(
  context: ApiContext,
  principal: Principal,
  spec: JsonValue,
): Promise<JoinToken> {
  if (!isJsonObject(spec)) return invalid("body", "an object", spec);
  const id = randomBytes(8).toString("hex").slice(0, 8);
  const secret = randomBytes(32).toString("base64url");
  const token = `kjt1.${id}.${secret}.${certificateFingerprint(context.authorityPem)}`;
  const body = bodyOf(spec, hashToken(token), context.clock.nowMs());
  await context.replica.submit(
    { command: "join-token", body: utf8Encode(JSON.stringify(body)) },
    principal,
    { deadlineMs: 0 },
  );
  return { token, expiresAtMs: body.expiresAtMs };
}

/** Checks a token's form and that it names this cluster's CA; returns its hash. TokenInvalid. */
export function checkJoinToken(context: ApiContext, token: string): string {
  const match = token.length > TOKEN_CHARS_MAX ? null : PATTERN.exec(token);
  if (match === null) {
    throw new KinglyError("TokenInvalid", "the join token is damaged or of another kind", {
      field: "token",
      limit: "kjt1.<id>.<secret>.<fingerprint>",
    });
  }
  if (match[3] !== certificateFingerprint(context.authorityPem)) {
    throw new KinglyError("TokenInvalid", "the join token was made for another cluster", {
      field: "token",
      help: "ask this cluster for a token",
    });
  }
  return hashToken(token);
}
