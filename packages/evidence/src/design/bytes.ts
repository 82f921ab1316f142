// Bytes for hash inputs. The core compiles without host types, so UTF-8 is encoded here (RFC 3629);
// a lone surrogate becomes U+FFFD, as in the WHATWG encoder.

/** The UTF-8 encoding of a string. */
export function bytesOfText(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const raw = character.codePointAt(0) ?? 0;
    const point = raw >= 0xd800 && raw <= 0xdfff ? 0xfffd : raw;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 + Math.trunc(point / 64), 0x80 + (point % 64));
    else if (point < 0x10000) {
      bytes.push(0xe0 + Math.trunc(point / 4_096));
      bytes.push(0x80 + (Math.trunc(point / 64) % 64), 0x80 + (point % 64));
    } else {
      bytes.push(0xf0 + Math.trunc(point / 262_144), 0x80 + (Math.trunc(point / 4_096) % 64));
      bytes.push(0x80 + (Math.trunc(point / 64) % 64), 0x80 + (point % 64));
    }
  }
  return Uint8Array.from(bytes);
}

/** A whole number below 2^32 as four bytes, most significant first. */
export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** All parts, one after the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
