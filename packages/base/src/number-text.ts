// Does a JSON number survive being stored as a double? Its text must name exactly the decimal
// value that the double prints as (ECMAScript Number::toString, shortest round trip); anything
// else would come back as another number than was written.

/** Any decimal of at most 15 significant digits survives a double (IEEE 754 binary64). */
const SAFE_DIGITS = 15;

/** Exponents this small cannot over- or underflow with 15 digits. */
const SAFE_EXPONENT = 250;

/** Why a number is refused; undefined when it is safe. */
export type NumberFault = "unsafe integer" | "negative zero" | "loses precision" | undefined;

/** Checks one number, given as text of valid JSON number grammar. */
export function numberFault(text: string): NumberFault {
  const value = Number(text);
  if (value === 0 && text.startsWith("-")) return "negative zero";
  if (value > Number.MAX_SAFE_INTEGER || value < -Number.MAX_SAFE_INTEGER) return "unsafe integer";
  if (text.length <= SAFE_DIGITS && !hasLargeExponent(text)) return undefined;
  return normalise(text) === normalise(String(value)) ? undefined : "loses precision";
}

function hasLargeExponent(text: string): boolean {
  const at = exponentAt(text);
  if (at < 0) return false;
  const exponent = Number(text.slice(at + 1));
  return exponent > SAFE_EXPONENT || exponent < -SAFE_EXPONENT;
}

function exponentAt(text: string): number {
  const lower = text.indexOf("e");
  return lower >= 0 ? lower : text.indexOf("E");
}

/** `<digits without outer zeros>e<exponent of the last digit>`: one text per decimal value. */
function normalise(text: string): string {
  const at = exponentAt(text);
  const mantissa = at < 0 ? text : text.slice(0, at);
  let exponent = at < 0 ? 0 : Number(text.slice(at + 1));
  const sign = mantissa.startsWith("-") ? "-" : "";
  const unsigned = mantissa.slice(sign.length);
  const point = unsigned.indexOf(".");
  let digits = unsigned;
  if (point >= 0) {
    digits = unsigned.slice(0, point) + unsigned.slice(point + 1);
    exponent -= unsigned.length - point - 1;
  }
  let first = 0;
  while (first < digits.length && digits.charCodeAt(first) === 0x30) first += 1;
  let end = digits.length;
  while (end > first && digits.charCodeAt(end - 1) === 0x30) end -= 1;
  if (first === end) return "0";
  return `${sign}${digits.slice(first, end)}e${exponent + digits.length - end}`;
}
