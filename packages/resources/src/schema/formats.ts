// Named string formats instead of patterns: each is a small linear scan, so no input can make
// validation slow, and each error says in words what is expected.

import { fromBase64 } from "@kingly/base";
import { fromRfc3339 } from "../time.ts";

/** Names of the formats a schema may use. */
export type FormatName =
  | "dns1123-label"
  | "dns1123-subdomain"
  | "qualified-name"
  | "label-value"
  | "logical-name"
  | "hex"
  | "sha256"
  | "sha256-or-empty"
  | "base64"
  | "rfc3339"
  | "printable-ascii";

interface Format {
  /** Completes "must be ...". */
  readonly expected: string;
  readonly matches: (text: string) => boolean;
}

const FORMATS: Readonly<Record<FormatName, Format>> = {
  "dns1123-label": {
    expected:
      "a DNS label: at most 63 of a-z 0-9 and -, beginning and ending with a letter or digit",
    matches: isDnsLabel,
  },
  "dns1123-subdomain": {
    expected: "a DNS subdomain: labels of a-z 0-9 and -, separated by dots, at most 253 characters",
    matches: (text) => text.length <= 253 && text.split(".").every(isDnsLabel),
  },
  "qualified-name": {
    expected: "a label key: an optional DNS subdomain and /, then at most 63 of A-Z a-z 0-9 - _ .",
    matches: isQualifiedName,
  },
  "label-value": {
    expected: "a label value: empty, or at most 63 of A-Z a-z 0-9 - _ . between letters or digits",
    matches: (text) => text === "" || isLabelName(text),
  },
  "logical-name": {
    expected: "a logical name: parts of A-Z a-z 0-9 - _ . separated by single slashes",
    matches: (text) => text.split("/").every(isLabelName),
  },
  hex: { expected: "lower-case hex of whole bytes", matches: isHex },
  sha256: {
    expected: "64 characters of lower-case hex",
    matches: (text) => text.length === 64 && isHex(text),
  },
  "sha256-or-empty": {
    expected: "empty or 64 characters of lower-case hex",
    matches: (text) => text === "" || (text.length === 64 && isHex(text)),
  },
  base64: { expected: "padded base64 (RFC 4648)", matches: isBase64 },
  rfc3339: {
    expected: "an RFC 3339 time such as 2026-01-31T12:00:00Z",
    matches: (text) => fromRfc3339(text) !== undefined,
  },
  "printable-ascii": {
    expected: "printable ASCII without spaces",
    matches: (text) => everyUnit(text, (unit) => unit > 0x20 && unit < 0x7f),
  },
};

/** What a format asks for, completing "must be ..."; undefined when the text has it. */
export function formatFault(format: FormatName, text: string): string | undefined {
  const rule = FORMATS[format];
  return rule.matches(text) ? undefined : rule.expected;
}

function everyUnit(text: string, allowed: (unit: number) => boolean): boolean {
  for (let at = 0; at < text.length; at += 1) {
    if (!allowed(text.charCodeAt(at))) return false;
  }
  return true;
}

function isLower(unit: number): boolean {
  return unit >= 0x61 && unit <= 0x7a;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

function isAlphanumeric(unit: number): boolean {
  return isLower(unit) || isDigit(unit) || (unit >= 0x41 && unit <= 0x5a);
}

function isDnsLabel(text: string): boolean {
  if (text.length === 0 || text.length > 63) return false;
  if (text.startsWith("-") || text.endsWith("-")) return false;
  return everyUnit(text, (unit) => isLower(unit) || isDigit(unit) || unit === 0x2d);
}

/** Letters, digits, `-`, `_`, `.`; letters or digits at both ends; 1 to 63 characters. */
function isLabelName(text: string): boolean {
  if (text.length === 0 || text.length > 63) return false;
  if (!isAlphanumeric(text.charCodeAt(0))) return false;
  if (!isAlphanumeric(text.charCodeAt(text.length - 1))) return false;
  return everyUnit(
    text,
    (unit) => isAlphanumeric(unit) || unit === 0x2d || unit === 0x5f || unit === 0x2e,
  );
}

function isQualifiedName(text: string): boolean {
  const slash = text.indexOf("/");
  if (slash < 0) return isLabelName(text);
  const prefix = text.slice(0, slash);
  return (
    prefix.length <= 253 &&
    prefix.split(".").every(isDnsLabel) &&
    isLabelName(text.slice(slash + 1))
  );
}

function isHex(text: string): boolean {
  if (text.length % 2 !== 0) return false;
  return everyUnit(text, (unit) => isDigit(unit) || (unit >= 0x61 && unit <= 0x66));
}

function isBase64(text: string): boolean {
  try {
    fromBase64(text);
    return true;
  } catch {
    return false;
  }
}
