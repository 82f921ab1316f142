// Commands as bytes: a compact, versioned, deterministic encoding with exactly one form per command.
// Layout: version, type, flags, time, then length-prefixed fields; lengths and numbers are unsigned
// LEB128 in their shortest form. Decoding refuses everything that encoding cannot produce, so equal
// commands have equal bytes and garbage is told apart from a newer version.

import { KinglyError, isWellFormed, utf8Decode, utf8Encode } from "@kingly/base";
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
const IS_ADMITTED = 8;
const FLAGS_ALL = 15;

/** A UTF-16 unit takes at most three bytes. */
const BYTES_PER_CHAR = 3;
/** Bytes of the buffer that commands are put together in; it grows for larger ones. */
const SCRATCH_BYTES = 16_384;

/**
 * Encodes a command. Throws KinglyError (MalformedFrame, DocumentTooLarge) when a field breaks its
 * limit, so that nothing is proposed that apply would refuse to read.
 */
export function encodeCommand(command: Command): Uint8Array {
  const { actor, idempotencyKey, readSet, entropy, signature, body } = command;
  writer.start();
  writer.byte(VERSION);
  writer.byte(COMMAND_TYPES.indexOf(command.type));
  writer.byte(flagsOf(command));
  requireAtMost("timeMs", command.timeMs, TIME_MS_MAX);
  writer.varint("timeMs", command.timeMs);
  writer.text("requestId", command.requestId, REQUEST_ID_CHARS_MAX);
  writer.text("actor.name", actor.name, ACTOR_CHARS_MAX);
  writer.text("actor.method", actor.method, ACTOR_CHARS_MAX);
  writer.text("actor.server", actor.server, ACTOR_CHARS_MAX);
  if (idempotencyKey !== undefined) {
    writer.text("idempotencyKey", idempotencyKey, IDEMPOTENCY_KEY_CHARS_MAX);
  }
  requireAtMost("readSet", readSet.length, READ_SET_MAX);
  writer.varint("readSet", readSet.length);
  for (const { key, revision } of readSet) {
    writer.text("readSet.key", key, ROW_KEY_CHARS_MAX);
    writer.varint("readSet.revision", revision);
  }
  if (entropy !== undefined) writer.bytes(exactly("entropy", entropy, ENTROPY_BYTES));
  if (signature !== undefined) writer.bytes(exactly("signature", signature, SIGNATURE_BYTES));
  requireAtMost("body", body.length, BODY_BYTES_MAX);
  writer.varint("body", body.length);
  writer.bytes(body);
  requireAtMost("command", writer.length, ENTRY_BYTES_MAX);
  return writer.finish();
}

function flagsOf(command: Command): number {
  return (
    (command.signature === undefined ? 0 : HAS_SIGNATURE) |
    (command.entropy === undefined ? 0 : HAS_ENTROPY) |
    (command.idempotencyKey === undefined ? 0 : HAS_IDEMPOTENCY_KEY) |
    (command.isAdmitted === true ? IS_ADMITTED : 0)
  );
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
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const idempotencyKey = has(HAS_IDEMPOTENCY_KEY)
    ? reader.text("idempotencyKey", IDEMPOTENCY_KEY_CHARS_MAX)
    : undefined;
  const readSet = reader.readSet();
  const entropy = has(HAS_ENTROPY) ? reader.bytes("entropy", ENTROPY_BYTES) : undefined;
  const signature = has(HAS_SIGNATURE) ? reader.bytes("signature", SIGNATURE_BYTES) : undefined;
  const length = reader.varint("body");
  requireAtMost("body", length, BODY_BYTES_MAX);
  const body = reader.bytes("body", length);
  reader.end();
  const isAdmitted = has(IS_ADMITTED) ? true : undefined;
  // One shape for all commands, absent members included: this runs for every entry on every replica.
  return {
    type,
    body,
    signature,
    actor,
    timeMs,
    entropy,
    readSet,
    requestId,
    idempotencyKey,
    isAdmitted,
  };
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

/** Collects a command in a buffer that is used again, since most commands are small. */
class Writer {
  #buffer = new Uint8Array(SCRATCH_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  start(): void {
    this.#length = 0;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#length] = value;
    this.#length += 1;
  }

  varint(field: string, value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      refuse(field, `0 to ${Number.MAX_SAFE_INTEGER}`, value);
    }
    let rest = value;
    while (rest >= 128) {
      this.byte((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    this.byte(rest);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  text(field: string, text: string, charsMax: number): void {
    requireAtMost(field, text.length, charsMax);
    if (!isWellFormed(text)) refuse(field, "well-formed UTF-16", text.length);
    if (this.#ascii(text)) return;
    const bytes = utf8Encode(text);
    this.varint(field, bytes.length);
    this.bytes(bytes);
  }

  /** Writes a text whose every character is one byte; false, and nothing, for any other. */
  #ascii(text: string): boolean {
    const before = this.#length;
    this.varint("text", text.length);
    this.#reserve(text.length);
    const buffer = this.#buffer;
    for (let at = 0; at < text.length; at += 1) {
      const unit = text.charCodeAt(at);
      if (unit >= 0x80) {
        this.#length = before;
        return false;
      }
      buffer[this.#length + at] = unit;
    }
    this.#length += text.length;
    return true;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const larger = new Uint8Array(2 * (this.#length + more));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    const bytes = this.#buffer.slice(0, this.#length);
    if (this.#buffer.length > SCRATCH_BYTES) this.#buffer = new Uint8Array(SCRATCH_BYTES);
    return bytes;
  }
}

const writer = new Writer();

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
