// UTF-8 without the platform's encoder, which pure packages do not have.

/** UTF-8 bytes of a text. */
export function encodeText(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const char of text) {
    const point = char.codePointAt(0) ?? 0;
    if (point < 0x80) {
      bytes.push(point);
      continue;
    }
    const extra = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    const lead = [0, 0xc0, 0xe0, 0xf0][extra] ?? 0;
    bytes.push(lead | (point >> (6 * extra)));
    for (let i = extra - 1; i >= 0; i--) bytes.push(0x80 | ((point >> (6 * i)) & 0x3f));
  }
  return Uint8Array.from(bytes);
}
