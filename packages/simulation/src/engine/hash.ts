// Fast fingerprints for comparing simulated things with each other. Not for security: 48 bits, two
// interleaved FNV-style passes with a finaliser, equal on every machine.

const LOW_START = 0x811c9dc5;
const HIGH_START = 0x9e3779b9;
const PRIME = 0x01000193;
const TWO_16 = 65_536;

/** Fingerprints lie below this number, so sums of two stay exact. */
export const PRINT_RANGE = 281_474_976_710_656;

/** 48-bit fingerprint of bytes. */
export function printOfBytes(bytes: Uint8Array): number {
  let low = LOW_START;
  let high = HIGH_START;
  for (let at = 0; at < bytes.length; at += 1) {
    low = Math.imul(low ^ (bytes[at] as number), PRIME);
    high = Math.imul(high ^ low, 0x85ebca6b);
    high ^= high >>> 13;
  }
  return finish(low, high);
}

/** 48-bit fingerprint of a text, by its UTF-16 code units. */
export function printOfText(text: string): number {
  let low = LOW_START;
  let high = HIGH_START;
  for (let at = 0; at < text.length; at += 1) {
    low = Math.imul(low ^ text.charCodeAt(at), PRIME);
    high = Math.imul(high ^ low, 0x85ebca6b);
    high ^= high >>> 13;
  }
  return finish(low, high);
}

function finish(low: number, high: number): number {
  const a = Math.imul(low ^ (low >>> 16), 0x85ebca6b);
  const b = Math.imul(high ^ (high >>> 15), 0xc2b2ae35);
  return ((a ^ (a >>> 13)) >>> 0) * TWO_16 + ((b ^ (b >>> 16)) & 0xffff);
}
