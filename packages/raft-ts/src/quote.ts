// Quotes bytes as a double-quoted string with escapes, the way the published scripts print payloads:
// valid UTF-8 stays readable, control characters and stray bytes become escapes.

const SIMPLE: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

function hex(n: number, width: number): string {
  return n.toString(16).padStart(width, "0");
}

interface Decoded {
  readonly point: number;
  readonly length: number;
}

/** Decodes the UTF-8 sequence at `at`; undefined if it is not valid. */
function decodeAt(bytes: Uint8Array, at: number): Decoded | undefined {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return { point: first, length: 1 };
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + length > bytes.length) return undefined;
  let point = first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const next = bytes[at + i] ?? 0;
    if ((next & 0xc0) !== 0x80) return undefined;
    point = (point << 6) | (next & 0x3f);
  }
  const smallest = length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000;
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < smallest || point > 0x10ffff || surrogate ? undefined : { point, length };
}

function isPrintable(point: number): boolean {
  if (point < 0x20 || (point >= 0x7f && point <= 0xa0)) return false;
  return point !== 0xad && /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(String.fromCodePoint(point));
}

function quotePoint(point: number): string {
  const simple = SIMPLE[point];
  if (simple !== undefined) return simple;
  if (isPrintable(point)) return String.fromCodePoint(point);
  if (point < 0x80) return `\\x${hex(point, 2)}`;
  return point < 0x10000 ? `\\u${hex(point, 4)}` : `\\U${hex(point, 8)}`;
}

/** Quotes bytes: `"foo\n"`. */
export function quoteBytes(bytes: Uint8Array): string {
  let text = '"';
  for (let at = 0; at < bytes.length;) {
    const decoded = decodeAt(bytes, at);
    if (decoded === undefined) {
      text += `\\x${hex(bytes[at] ?? 0, 2)}`;
      at += 1;
    } else {
      text += quotePoint(decoded.point);
      at += decoded.length;
    }
  }
  return `${text}"`;
}
