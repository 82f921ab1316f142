// UTF-8 both ways. Pure packages compile without any platform library, so the two classes that
// every JavaScript runtime has (WHATWG Encoding) are declared here, and only here.

import { KinglyError } from "./errors.ts";

declare const TextEncoder: new () => { encode(text: string): Uint8Array<ArrayBuffer> };
declare const TextDecoder: new (
  label: "utf-8",
  options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of the text. A lone surrogate becomes U+FFFD, as everywhere on the web. */
export function utf8Encode(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Text of UTF-8 bytes; a byte order mark is kept. Throws MalformedFrame for invalid UTF-8. */
export function utf8Decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new KinglyError(
      "MalformedFrame",
      `${bytes.length} bytes are not valid UTF-8`,
      { limit: "UTF-8" },
      { cause },
    );
  }
}

/** Number of bytes the text takes in UTF-8, without encoding it. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    bytes += 1;
    if (unit < 0x800) continue;
    // A surrogate pair is two units and four bytes; a lone one is encoded as U+FFFD, three.
    if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(at + 1))) at += 1;
    bytes += 1;
  }
  return bytes;
}

/** True when every surrogate of the text stands in a pair. */
export function isWellFormed(text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (!isHighSurrogate(unit) || !isLowSurrogate(text.charCodeAt(at + 1))) return false;
    at += 1;
  }
  return true;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
