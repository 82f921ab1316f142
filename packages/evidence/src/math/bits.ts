// Access to the bits of a float64, the only way to scale by powers of two that is the same on every
// engine. Big-endian throughout, so the host's byte order never shows. IEEE 754-2019 section 3.4.

const view = new DataView(new ArrayBuffer(8));

/** The biased exponent of a finite positive number: 0 for subnormals, 1..2046 otherwise. */
export function biasedExponent(x: number): number {
  view.setFloat64(0, x);
  return Math.trunc(view.getUint32(0) / 1_048_576) % 2_048;
}

/** `x` (positive, normal) with its exponent replaced so that the result lies in [1, 2). */
export function significand(x: number): number {
  view.setFloat64(0, x);
  view.setUint32(0, (view.getUint32(0) % 1_048_576) + 1_023 * 1_048_576);
  return view.getFloat64(0);
}

/** 2^k for k in -1022..1023, exactly. */
export function powerOfTwo(k: number): number {
  view.setUint32(0, (k + 1_023) * 1_048_576);
  view.setUint32(4, 0);
  return view.getFloat64(0);
}

/** The 16 hex digits of a float64; how pinned test data and digests write numbers. */
export function toHex(x: number): string {
  view.setFloat64(0, x);
  const high = view.getUint32(0).toString(16).padStart(8, "0");
  return high + view.getUint32(4).toString(16).padStart(8, "0");
}

/** The float64 of 16 hex digits; the inverse of `toHex`. */
export function fromHex(hex: string): number {
  view.setUint32(0, Number.parseInt(hex.slice(0, 8), 16));
  view.setUint32(4, Number.parseInt(hex.slice(8), 16));
  return view.getFloat64(0);
}
