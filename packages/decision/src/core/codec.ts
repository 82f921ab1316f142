// Commands as bytes: a compact, versioned, deterministic encoding with exactly one form per command.
// Layout: version, type, flags, time, then length-prefixed fields; lengths and numbers are unsigned
// LEB128 in their shortest form. Decoding refuses everything that encoding cannot produce, so equal
// commands have equal bytes and garbage is told apart from a newer version.

import { KinglyError, concatBytes, isWellFormed, utf8Decode, utf8Encode } from "@kingly/base";
import {
  ACTOR_CHARS_MAX,
  BODY_BYTES_MAX,
  ENTROPY_BYTES,
  ENTRY_BYTES_MAX,
  IDEMPOTENCY_KEY_CHARS_MAX,
  READ_SET_MAX,
  REQUEST_ID_CHARS_MAX,
  ROW_KEY_CHARS_MAX,
  SIGNATURE_BYTES,
  TIME_MS_MAX,
} from "../limits.ts";
import { COMMAND_TYPES } from "./command.ts";
import type { Command, ReadSetEntry } from "./command.ts";

/** First byte of every encoded command. */
const VERSION = 1;

const HAS_SIGNATURE = 1;
const HAS_ENTROPY = 2;
const HAS_IDEMPOTENCY_KEY = 4;
const FLAGS_ALL = 7;

/** A UTF-16 unit takes at most three bytes. */
const BYTES_PER_CHAR = 3;

/**
 * Encodes a command. Throws KinglyError (MalformedFrame, DocumentTooLarge) when a field breaks its
 * limit, so that nothing is proposed that apply would refuse to read.
 */
export function encodeCommand(command: Command): Uint8Array {
  const parts: Uint8Array[] = [];
  const flags =
    (command.signature === undefined ? 0 : HAS_SIGNATURE) |
    (command.entropy === undefined ? 0 : HAS_ENTROPY) |
    (command.idempotencyKey === undefined ? 0 : HAS_IDEMPOTENCY_KEY);
  parts.push(Uint8Array.of(VERSION, COMMAND_TYPES.indexOf(command.type), flags));
  requireAtMost("timeMs", command.timeMs, TIME_MS_MAX);
  parts.push(varint("timeMs", command.timeMs));
  pushText(parts, "requestId", command.requestId, REQUEST_ID_CHARS_MAX);
  pushText(parts, "actor.name", command.actor.name, ACTOR_CHARS_MAX);
  pushText(parts, "actor.method", command.actor.method, ACTOR_CHARS_MAX);
  pushText(parts, "actor.server", command.actor.server, ACTOR_CHARS_MAX);
  if (command.idempotencyKey !== undefined) {
    pushText(parts, "idempotencyKey", command.idempotencyKey, IDEMPOTENCY_KEY_CHARS_MAX);
  }
  requireAtMost("readSet", command.readSet.length, READ_SET_MAX);
  parts.push(varint("readSet", command.readSet.length));
  for (const entry of command.readSet) {
    pushText(parts, "readSet.key", entry.key, ROW_KEY_CHARS_MAX);
    parts.push(varint("readSet.revision", entry.revision));
  }
  if (command.entropy !== undefined) parts.push(exactly("entropy", command.entropy, ENTROPY_BYTES));
  if (command.signature !== undefined) {
    parts.push(exactly("signature", command.signature, SIGNATURE_BYTES));
  }
  requireAtMost("body", command.body.length, BODY_BYTES_MAX);
  parts.push(varint("body", command.body.length), command.body);
  const bytes = concatBytes(...parts);
  requireAtMost("command", bytes.length, ENTRY_BYTES_MAX);
  return bytes;
}

/**
 * Decodes a command. Throws KinglyError MalformedFrame naming the field, or DocumentTooLarge. The
 * body, signature and entropy are views into `bytes`.
 */
export function decodeCommand(bytes: Uint8Array): Command {
  requireAtMost("command", bytes.length, ENTRY_BYTES_MAX);
  const reader = new Reader(bytes);
  const version = reader.byte("version");
  if (version !== VERSION) refuse("version", VERSION, version);
  const number = reader.byte("type");
  const type = COMMAND_TYPES[number];
  if (type === undefined) return refuse("type", COMMAND_TYPES.length - 1, number);
  const flags = reader.byte("flags");
  if ((flags & ~FLAGS_ALL) !== 0) refuse("flags", FLAGS_ALL, flags);
  const timeMs = reader.varint("timeMs");
  requireAtMost("timeMs", timeMs, TIME_MS_MAX);
  const requestId = reader.text("requestId", REQUEST_ID_CHARS_MAX);
  const actor = {
    name: reader.text("actor.name", ACTOR_CHARS_MAX),
    method: reader.text("actor.method", ACTOR_CHARS_MAX),
    server: reader.text("actor.server", ACTOR_CHARS_MAX),
  };
  const key =
    (flags & HAS_IDEMPOTENCY_KEY) === 0
      ? {}
      : { idempotencyKey: reader.text("idempotencyKey", IDEMPOTENCY_KEY_CHARS_MAX) };
  const readSet = reader.readSet();
  const entropy =
    (flags & HAS_ENTROPY) === 0 ? {} : { entropy: reader.bytes("entropy", ENTROPY_BYTES) };
  const signature =
    (flags & HAS_SIGNATURE) === 0 ? {} : { signature: reader.bytes("signature", SIGNATURE_BYTES) };
  const length = reader.varint("body");
  requireAtMost("body", length, BODY_BYTES_MAX);
  const body = reader.bytes("body", length);
  reader.end();
  return { type, body, ...signature, actor, timeMs, ...entropy, readSet, requestId, ...key };
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(field: string): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) return refuse(field, "more bytes", this.#bytes.length);
    this.#at += 1;
    return byte;
  }

  varint(field: string): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i += 1) {
      const byte = this.byte(field);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0 && i > 0) refuse(field, "shortest form", byte);
        if (!Number.isSafeInteger(value)) refuse(field, Number.MAX_SAFE_INTEGER, value);
        return value;
      }
      scale *= 128;
    }
    return refuse(field, Number.MAX_SAFE_INTEGER, value);
  }

  bytes(field: string, length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) refuse(field, this.#bytes.length - this.#at, length);
    const found = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return found;
  }

  text(field: string, charsMax: number): string {
    const length = this.varint(field);
    requireAtMost(field, length, charsMax * BYTES_PER_CHAR);
    const bytes = this.bytes(field, length);
    let text: string;
    try {
      text = utf8Decode(bytes);
    } catch {
      return refuse(field, "UTF-8", length);
    }
    requireAtMost(field, text.length, charsMax);
    return text;
  }

  readSet(): ReadSetEntry[] {
    const count = this.varint("readSet");
    requireAtMost("readSet", count, READ_SET_MAX);
    const entries: ReadSetEntry[] = [];
    for (let i = 0; i < count; i += 1) {
      const key = this.text("readSet.key", ROW_KEY_CHARS_MAX);
      entries.push({ key, revision: this.varint("readSet.revision") });
    }
    return entries;
  }

  end(): void {
    const left = this.#bytes.length - this.#at;
    if (left !== 0) refuse("command", "no trailing bytes", left);
  }
}

function varint(field: string, value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) {
    refuse(field, `0 to ${Number.MAX_SAFE_INTEGER}`, value);
  }
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function pushText(parts: Uint8Array[], field: string, text: string, charsMax: number): void {
  requireAtMost(field, text.length, charsMax);
  if (!isWellFormed(text)) refuse(field, "well-formed UTF-16", text.length);
  const bytes = utf8Encode(text);
  parts.push(varint(field, bytes.length), bytes);
}

function exactly(field: string, bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) refuse(field, length, bytes.length);
  return bytes;
}

function requireAtMost(field: string, value: number, limit: number): void {
  if (value <= limit) return;
  throw new KinglyError("DocumentTooLarge", `${field}: ${value} exceeds the limit of ${limit}`, {
    field,
    limit,
    value,
  });
}

function refuse(field: string, limit: number | string, value: number): never {
  throw new KinglyError("MalformedFrame", `command: ${field} is ${value}, allowed: ${limit}`, {
    field,
    limit,
    value,
  });
}
