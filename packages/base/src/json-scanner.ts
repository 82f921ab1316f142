// The scanner behind parseStrictJson: a state machine over UTF-16 units with an explicit stack,
// so that hostile nesting costs one frame and not the call stack. It allocates only for object
// keys (to find duplicates) and for strings with escapes or surrogates.

import { appendIndex, appendKey } from "./field-path.ts";
import type { ErrorCode } from "./error-table.ts";
import { numberFault } from "./number-text.ts";
import { SMALL_OBJECT_KEYS } from "./limits.ts";
import { isWellFormed } from "./utf8.ts";

/** Throws the error for a fault at a field. */
export type FailAt = (
  code: ErrorCode,
  field: string,
  what: {
    readonly message: string;
    readonly limit: string | number;
    readonly value: string | number;
  },
) => never;

/** An open array (keys undefined) or object, with the member being scanned. */
interface Frame {
  readonly keys: string[] | undefined;
  /** All keys again, once they are more than a few. */
  seen: Set<string> | undefined;
  index: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** Scans one document; throws through `fail` at the first fault. */
export class JsonScanner {
  readonly #text: string;
  readonly #depthMax: number;
  readonly #fail: FailAt;
  readonly #stack: Frame[] = [];
  #at = 0;

  constructor(text: string, depthMax: number, fail: FailAt) {
    this.#text = text;
    this.#depthMax = depthMax;
    this.#fail = fail;
  }

  /** Accepts exactly one JSON value with optional white space around it. */
  scan(): void {
    this.#skipSpace();
    this.#value();
    while (this.#stack.length > 0) this.#member();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#malformed("end of document");
  }

  /** One step inside the innermost array or object: the next member, or its end. */
  #member(): void {
    const frame = this.#stack[this.#stack.length - 1] as Frame;
    const close = frame.keys === undefined ? CLOSE_BRACKET : CLOSE_BRACE;
    this.#skipSpace();
    const unit = this.#text.charCodeAt(this.#at);
    if (unit === close) {
      this.#at += 1;
      this.#stack.pop();
      return;
    }
    if (frame.index >= 0) {
      if (unit !== COMMA) this.#malformed(frame.keys ? `"," or "}"` : `"," or "]"`);
      this.#at += 1;
      this.#skipSpace();
    }
    frame.index += 1;
    if (frame.keys !== undefined) this.#key(frame, frame.keys);
    this.#value();
  }

  #key(frame: Frame, keys: string[]): void {
    if (this.#text.charCodeAt(this.#at) !== QUOTE) this.#malformed("a key in double quotes");
    const key = this.#string(true);
    const duplicate =
      frame.seen === undefined ? keys.length > 0 && keys.includes(key) : frame.seen.has(key);
    keys.push(key);
    if (duplicate) {
      this.#fail("DuplicateKey", this.#path(), {
        message: "the key appears twice in one object",
        limit: "each key once",
        value: key,
      });
    }
    if (key === "__proto__") {
      this.#fail("ForbiddenKey", this.#path(), {
        message: "the key __proto__ is reserved",
        limit: "any other key",
        value: key,
      });
    }
    if (frame.seen !== undefined) frame.seen.add(key);
    else if (keys.length > SMALL_OBJECT_KEYS) frame.seen = new Set(keys);
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== COLON) this.#malformed(`":"`);
    this.#at += 1;
    this.#skipSpace();
  }

  #value(): void {
    const unit = this.#text.charCodeAt(this.#at);
    if (unit === QUOTE) this.#string(false);
    else if (unit === OPEN_BRACE) this.#open([]);
    else if (unit === OPEN_BRACKET) this.#open(undefined);
    else if (unit === MINUS || isDigit(unit)) this.#number();
    else if (this.#text.startsWith("true", this.#at)) this.#at += 4;
    else if (this.#text.startsWith("false", this.#at)) this.#at += 5;
    else if (this.#text.startsWith("null", this.#at)) this.#at += 4;
    else this.#malformed("a value");
  }

  #open(keys: string[] | undefined): void {
    if (this.#stack.length >= this.#depthMax) {
      this.#fail("DocumentTooLarge", this.#path(), {
        message: `nested deeper than the limit of ${this.#depthMax}`,
        limit: this.#depthMax,
        value: this.#stack.length + 1,
      });
    }
    this.#stack.push({ keys, seen: undefined, index: -1 });
    this.#at += 1;
  }

  /** Scans a string at its opening quote; the decoded text only when it is wanted or needed. */
  #string(wanted: boolean): string {
    const text = this.#text;
    const start = this.#at;
    let at = start + 1;
    let escaped = false;
    let surrogate = false;
    for (;;) {
      const unit = text.charCodeAt(at);
      if (unit === QUOTE) break;
      if (unit === BACKSLASH) {
        escaped = true;
        at = this.#escape(at);
        continue;
      }
      // NaN, the end of the text, fails the comparison as control characters do.
      if (!(unit >= 0x20)) {
        this.#at = at;
        this.#malformed("a character of a string or its closing quote");
      }
      if (unit >= 0xd800 && unit <= 0xdfff) surrogate = true;
      at += 1;
    }
    this.#at = at + 1;
    if (!escaped && !surrogate) return wanted ? text.slice(start + 1, at) : "";
    const decoded = escaped
      ? (JSON.parse(text.slice(start, at + 1)) as string)
      : text.slice(start + 1, at);
    if (!isWellFormed(decoded)) {
      this.#fail("MalformedJson", this.#path(), {
        message: "a string holds a lone surrogate",
        limit: "surrogates in pairs",
        value: JSON.stringify(decoded),
      });
    }
    return decoded;
  }

  /** Checks the escape at the backslash; returns the position after it. */
  #escape(at: number): number {
    const letter = this.#text.charAt(at + 1);
    if (letter !== "" && `"\\/bfnrt`.includes(letter)) return at + 2;
    if (letter === "u") {
      let digits = 0;
      while (digits < 4 && isHexDigit(this.#text.charCodeAt(at + 2 + digits))) digits += 1;
      if (digits === 4) return at + 6;
    }
    this.#at = at;
    return this.#malformed("an escape of JSON");
  }

  #number(): void {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    if (text.charCodeAt(at) === MINUS) at += 1;
    if (text.charCodeAt(at) === ZERO) at += 1;
    else at = this.#digits(at);
    if (text.charCodeAt(at) === DOT) at = this.#digits(at + 1);
    const unit = text.charCodeAt(at) | 0x20;
    if (unit === 0x65) {
      const sign = text.charCodeAt(at + 1);
      at = this.#digits(sign === PLUS || sign === MINUS ? at + 2 : at + 1);
    }
    this.#at = at;
    // Short integers, nearly all numbers there are, need no closer look.
    const written = text.slice(start, at);
    const fault = numberFault(written);
    if (fault !== undefined) {
      this.#fail("UnsafeNumber", this.#path(), {
        message: `the number ${written.slice(0, 40)} cannot be stored exactly (${fault})`,
        limit: "numbers that a double holds, integers up to 2^53 - 1",
        value: written,
      });
    }
  }

  /** Skips one or more digits. */
  #digits(from: number): number {
    let at = from;
    while (isDigit(this.#text.charCodeAt(at))) at += 1;
    if (at === from) {
      this.#at = at;
      this.#malformed("a digit");
    }
    return at;
  }

  #skipSpace(): void {
    const text = this.#text;
    let unit = text.charCodeAt(this.#at);
    while (unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09) {
      this.#at += 1;
      unit = text.charCodeAt(this.#at);
    }
  }

  #malformed(expected: string): never {
    const found = this.#at < this.#text.length ? this.#text.charAt(this.#at) : "end of document";
    return this.#fail("MalformedJson", this.#path(), {
      message: `expected ${expected} at character ${this.#at}, found ${JSON.stringify(found)}`,
      limit: expected,
      value: found,
    });
  }

  /** Path of the member being scanned. */
  #path(): string {
    let path = "";
    for (const frame of this.#stack) {
      if (frame.index < 0) break;
      if (frame.keys === undefined) path = appendIndex(path, frame.index);
      else {
        const key = frame.keys[frame.index];
        // The key itself is what is being scanned.
        if (key === undefined) break;
        path = appendKey(path, key);
      }
    }
    return path;
  }
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE;
}

function isHexDigit(unit: number): boolean {
  const lower = unit | 0x20;
  return isDigit(unit) || (lower >= 0x61 && lower <= 0x66);
}
