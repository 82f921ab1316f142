// Deterministic bytes for membership changes in log entries.
//
//   empty                          = leave the joint configuration (free of any size quota)
//   1, type, id(8), n(4), context  = version 1
//   2, transition, count(2), count x (type, id(8)), n(4), context = version 2
//   3, expected config id(8), transition, ... as above            = version 2, conditional
//
// Numbers are little endian; ids are 53-bit integers in 8 bytes. Decoding refuses anything that
// encoding would not produce, so that equal changes have equal bytes.
import { ConfChangeDecodeError, InvalidConfChangeError } from "../errors.ts";
import { logIndex, nodeId } from "../ids.ts";
import type { NodeId } from "../ids.ts";
import { MAX_CONF_CHANGES, MAX_CONF_CHANGE_CONTEXT_BYTES } from "../limits.ts";
import { EMPTY_BYTES } from "../types.ts";
import type { Entry } from "../types.ts";
import { LEAVE_JOINT, leavesJoint } from "./types.ts";
import type {
  ConfChange,
  ConfChangeSingle,
  ConfChangeTransition,
  ConfChangeType,
} from "./types.ts";

const TYPES: readonly ConfChangeType[] = [
  "add-node",
  "remove-node",
  "update-node",
  "add-learner-node",
];
const TRANSITIONS: readonly ConfChangeTransition[] = ["auto", "joint-implicit", "joint-explicit"];
const TWO_32 = 4_294_967_296;
const ID_BYTES = 8;

/**
 * Bytes of a change for an entry of type "conf-change" (version 1) or "conf-change-v2" (version 2).
 * Throws InvalidConfChangeError if the change exceeds MAX_CONF_CHANGES or
 * MAX_CONF_CHANGE_CONTEXT_BYTES.
 */
export function encodeConfChange(cc: ConfChange): Uint8Array {
  const contextBytes = cc.context.length;
  if (contextBytes > MAX_CONF_CHANGE_CONTEXT_BYTES) {
    throw new InvalidConfChangeError(
      "too-large",
      `context must be at most ${MAX_CONF_CHANGE_CONTEXT_BYTES} bytes, got ${contextBytes}`,
    );
  }
  if (cc.version === 1) {
    const bytes = new Uint8Array(2 + ID_BYTES + 4 + contextBytes);
    const view = new DataView(bytes.buffer);
    bytes[0] = 1;
    writeSingle(view, 1, cc);
    writeContext(bytes, view, 2 + ID_BYTES, cc.context);
    return bytes;
  }
  const expected = cc.expectedConfigId;
  if (leavesJoint(cc) && contextBytes === 0 && expected === undefined) return EMPTY_BYTES;
  const count = cc.changes.length;
  if (count > MAX_CONF_CHANGES) {
    throw new InvalidConfChangeError(
      "too-large",
      `changes must be at most ${MAX_CONF_CHANGES}, got ${count}`,
    );
  }
  const head = expected === undefined ? 1 : 1 + ID_BYTES;
  const bytes = new Uint8Array(head + 3 + count * (1 + ID_BYTES) + 4 + contextBytes);
  const view = new DataView(bytes.buffer);
  bytes[0] = expected === undefined ? 2 : 3;
  if (expected !== undefined) writeNumber(view, 1, expected);
  bytes[head] = TRANSITIONS.indexOf(cc.transition);
  view.setUint16(head + 1, count, true);
  let at = head + 3;
  for (const change of cc.changes) at = writeSingle(view, at, change);
  writeContext(bytes, view, at, cc.context);
  return bytes;
}

function writeSingle(view: DataView, at: number, change: ConfChangeSingle): number {
  view.setUint8(at, TYPES.indexOf(change.type));
  writeNumber(view, at + 1, change.nodeId);
  return at + 1 + ID_BYTES;
}

function writeNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_32), true);
}

function writeContext(bytes: Uint8Array, view: DataView, at: number, context: Uint8Array): void {
  view.setUint32(at, context.length, true);
  bytes.set(context, at + 4);
}

/** Reads what encodeConfChange wrote. Throws ConfChangeDecodeError on anything else. */
export function decodeConfChange(data: Uint8Array): ConfChange {
  if (data.length === 0) return LEAVE_JOINT;
  const reader = new Reader(data);
  const version = reader.u8();
  if (version === 1) {
    const { type, nodeId: id } = reader.single();
    const cc: ConfChange = { version: 1, type, nodeId: id, context: reader.context() };
    reader.end();
    return cc;
  }
  if (version !== 2 && version !== 3) {
    throw new ConfChangeDecodeError(`unknown version ${version}`);
  }
  const condition = version === 3 ? { expectedConfigId: logIndex(reader.number("config id")) } : {};
  const transition = TRANSITIONS[reader.u8()];
  if (transition === undefined) throw new ConfChangeDecodeError("unknown transition");
  const count = reader.u16();
  if (count > MAX_CONF_CHANGES) {
    throw new ConfChangeDecodeError(`changes must be at most ${MAX_CONF_CHANGES}, got ${count}`);
  }
  const changes: ConfChangeSingle[] = [];
  for (let i = 0; i < count; i++) changes.push(reader.single());
  const context = reader.context();
  const cc: ConfChange = { version: 2, transition, changes, context, ...condition };
  reader.end();
  if (leavesJoint(cc) && context.length === 0 && version === 2) {
    throw new ConfChangeDecodeError("an empty change is encoded as no bytes");
  }
  return cc;
}

/** The change in an entry, undefined for a normal entry. Throws ConfChangeDecodeError. */
export function confChangeOfEntry(entry: Entry): ConfChange | undefined {
  if (entry.type === "normal") return undefined;
  const cc = decodeConfChange(entry.data);
  const expected = entry.type === "conf-change" ? 1 : 2;
  if (cc.version !== expected) {
    throw new ConfChangeDecodeError(`entry type ${entry.type} holds version ${cc.version}`);
  }
  return cc;
}

class Reader {
  readonly #data: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(data: Uint8Array) {
    this.#data = data;
    this.#view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  #take(n: number): number {
    const at = this.#at;
    if (at + n > this.#data.length) {
      throw new ConfChangeDecodeError(`truncated at byte ${at} of ${this.#data.length}`);
    }
    this.#at += n;
    return at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  number(what: string): number {
    const low = this.u32();
    const value = this.u32() * TWO_32 + low;
    if (!Number.isSafeInteger(value)) throw new ConfChangeDecodeError(`${what} above 2^53-1`);
    return value;
  }

  id(): NodeId {
    return nodeId(this.number("node id"));
  }

  single(): ConfChangeSingle {
    const type = TYPES[this.u8()];
    if (type === undefined) throw new ConfChangeDecodeError("unknown change type");
    return { type, nodeId: this.id() };
  }

  context(): Uint8Array {
    const length = this.u32();
    if (length > MAX_CONF_CHANGE_CONTEXT_BYTES) {
      throw new ConfChangeDecodeError(
        `context must be at most ${MAX_CONF_CHANGE_CONTEXT_BYTES} bytes, got ${length}`,
      );
    }
    const at = this.#take(length);
    return this.#data.slice(at, at + length);
  }

  end(): void {
    if (this.#at !== this.#data.length) {
      throw new ConfChangeDecodeError(`${this.#data.length - this.#at} bytes too many`);
    }
  }
}
