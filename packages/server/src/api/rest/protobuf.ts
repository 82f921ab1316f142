// Protobuf bodies of built-in kinds. kubectl 1.32 and later sends them for Namespaces and the three
// self-review kinds, without falling back to JSON. The envelope is `k8s\0` + Unknown{TypeMeta, raw};
// what is inside is decoded by small field tables, everything else is skipped.

import { KinglyError, utf8Decode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";

const MAGIC = Buffer.from("6b387300", "hex");
const DEPTH_MAX = 8;

/** How one field is read. */
type FieldType =
  | { readonly name: string; readonly type: "text" }
  | { readonly name: string; readonly type: "map" }
  | { readonly name: string; readonly type: "message"; readonly fields: Fields };
type Fields = Readonly<Record<number, FieldType>>;

const text = (name: string): FieldType => ({ name, type: "text" });
const map = (name: string): FieldType => ({ name, type: "map" });
const message = (name: string, fields: Fields): FieldType => ({ name, type: "message", fields });

const TYPE_META: Fields = { 1: text("apiVersion"), 2: text("kind") };
const META: Fields = {
  1: text("name"),
  2: text("generateName"),
  3: text("namespace"),
  5: text("uid"),
  6: text("resourceVersion"),
  11: map("labels"),
  12: map("annotations"),
};
const ACCESS: Fields = {
  1: message("resourceAttributes", {
    1: text("namespace"),
    2: text("verb"),
    3: text("group"),
    4: text("version"),
    5: text("resource"),
    6: text("subresource"),
    7: text("name"),
  }),
  2: message("nonResourceAttributes", { 1: text("path"), 2: text("verb") }),
};

const KINDS: Readonly<Record<string, Fields>> = {
  Namespace: { 1: message("metadata", META) },
  SelfSubjectAccessReview: { 1: message("metadata", META), 2: message("spec", ACCESS) },
  SelfSubjectRulesReview: {
    1: message("metadata", META),
    2: message("spec", { 1: text("namespace") }),
  },
  SelfSubjectReview: { 1: message("metadata", META) },
};

function malformed(problem: string): KinglyError {
  return new KinglyError("MalformedFrame", `body: protobuf: ${problem}`, { field: "body" });
}

/** Walks the fields of one message. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 64; shift += 7) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw malformed("ends inside a number");
      this.#at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw malformed("a number has more than ten bytes");
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw malformed("ends inside a field");
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }

  /** The next field: its bytes when it is length-delimited; others are skipped. */
  field(): { readonly number: number; readonly bytes: Buffer | undefined } {
    const tag = this.varint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        this.varint();
        return { number, bytes: undefined };
      case 1:
        this.take(8);
        return { number, bytes: undefined };
      case 2:
        return { number, bytes: this.take(this.varint()) };
      case 5:
        this.take(4);
        return { number, bytes: undefined };
      default:
        throw malformed("has a field of unknown wire type");
    }
  }
}

function decodeText(bytes: Buffer): string {
  try {
    return utf8Decode(bytes);
  } catch {
    throw malformed("has text that is not UTF-8");
  }
}

function decodeFields(bytes: Buffer, fields: Fields, depth: number): JsonObject {
  if (depth > DEPTH_MAX) throw malformed("is nested too deep");
  const reader = new Reader(bytes);
  const out: Record<string, JsonValue> = {};
  while (!reader.done) {
    const { number, bytes: value } = reader.field();
    const field = fields[number];
    if (field === undefined || value === undefined) continue;
    if (field.type === "text") {
      // An absent text is an empty one in proto3.
      if (value.length > 0) out[field.name] = decodeText(value);
    } else if (field.type === "message") {
      out[field.name] = decodeFields(value, field.fields, depth + 1);
    } else {
      const entry = decodeFields(value, { 1: text("key"), 2: text("value") }, depth + 1);
      const key = typeof entry["key"] === "string" ? entry["key"] : "";
      if (key === "__proto__") throw malformed("has the reserved key __proto__");
      out[field.name] = {
        ...((out[field.name] ?? {}) as JsonObject),
        [key]: entry["value"] ?? "",
      };
    }
  }
  return out;
}

/** The document in a protobuf body. MalformedFrame, or UnsupportedMediaType for other kinds. */
export function decodeProtobuf(body: Buffer): JsonValue {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw malformed("does not begin with k8s");
  const reader = new Reader(body.subarray(MAGIC.length));
  let type: JsonObject = {};
  let raw: Buffer = Buffer.alloc(0);
  while (!reader.done) {
    const { number, bytes } = reader.field();
    if (number === 1 && bytes !== undefined) type = decodeFields(bytes, TYPE_META, 0);
    if (number === 2 && bytes !== undefined) raw = bytes;
  }
  const kind = typeof type["kind"] === "string" ? type["kind"] : "";
  const fields = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (fields === undefined) {
    throw new KinglyError("UnsupportedMediaType", `${kind || "this kind"} is read as JSON only`, {
      field: "content-type",
      limit: "application/json",
      value: kind,
      help: "send JSON",
    });
  }
  return { ...type, ...decodeFields(raw, fields, 0) };
}
