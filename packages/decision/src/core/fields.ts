// Reading a command's body: every field is asked for by name and type, what is left over is refused.
// Errors name the field, the limit and the value.

import { isJsonObject, shortValue } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { MESSAGE_CHARS_MAX, NAME_CHARS_MAX } from "../limits.ts";
import { refuse } from "./refuse.ts";

/** One JSON object that is being read. */
export class Fields {
  readonly #object: JsonObject;
  readonly #path: string;
  /** Asked for so far; an array, because bodies have few fields and most commands have two. */
  readonly #seen: string[] = [];

  constructor(value: JsonValue | undefined, path = "") {
    this.#object = isJsonObject(value)
      ? value
      : invalid(path === "" ? "body" : path, "an object", value);
    this.#path = path;
  }

  /** True when the field is present. */
  has(name: string): boolean {
    return Object.hasOwn(this.#object, name);
  }

  /** A value of any type, or undefined. */
  any(name: string): JsonValue | undefined {
    this.#seen.push(name);
    return this.has(name) ? this.#object[name] : undefined;
  }

  /** A string of at most `charsMax` characters; may be empty. */
  text(name: string, charsMax: number = MESSAGE_CHARS_MAX): string {
    const value = this.any(name);
    if (typeof value !== "string" || value.length > charsMax) {
      return invalid(this.#at(name), `a string of at most ${charsMax} characters`, value);
    }
    return value;
  }

  /** A string, or "" when absent. */
  optionalText(name: string, charsMax: number = MESSAGE_CHARS_MAX): string {
    return this.has(name) ? this.text(name, charsMax) : "";
  }

  /** A non-empty name: RFC 1123 subdomain characters, so that row keys stay unambiguous. */
  name(name: string): string {
    const value = this.any(name);
    return isObjectName(value) ? value : invalid(this.#at(name), NAME_RULE, value);
  }

  /** A name, or "" when absent or empty. */
  optionalName(name: string): string {
    const value = this.any(name);
    return value === undefined || value === "" ? "" : this.name(name);
  }

  /** One of a closed set of strings. */
  oneOf<T extends string>(name: string, allowed: readonly T[]): T {
    const value = this.any(name);
    const found = allowed.find((candidate) => candidate === value);
    return found ?? invalid(this.#at(name), allowed.join(", "), value);
  }

  /** A whole number within bounds. */
  integer(name: string, min: number, max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.any(name);
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max) {
      return invalid(this.#at(name), `a whole number, ${min} to ${max}`, value);
    }
    return value;
  }

  /** True or false. */
  flag(name: string): boolean {
    const value = this.any(name);
    return typeof value === "boolean" ? value : invalid(this.#at(name), "true or false", value);
  }

  /** An object. */
  object(name: string): JsonObject {
    const value = this.any(name);
    return isJsonObject(value) ? value : invalid(this.#at(name), "an object", value);
  }

  /** An object, or undefined when absent. */
  optionalObject(name: string): JsonObject | undefined {
    return this.has(name) ? this.object(name) : undefined;
  }

  /** A list of strings, each at most `charsMax` long. */
  texts(name: string, countMax: number, charsMax: number = NAME_CHARS_MAX): string[] {
    const value = this.any(name);
    const limit = `at most ${countMax} strings of at most ${charsMax} characters`;
    if (!Array.isArray(value) || value.length > countMax) {
      return invalid(this.#at(name), limit, value);
    }
    return value.map((item: JsonValue, i) =>
      typeof item === "string" && item.length <= charsMax
        ? item
        : invalid(`${this.#at(name)}[${i}]`, limit, item),
    );
  }

  /** A list of strings without repetitions, sorted. */
  sortedTexts(name: string, countMax: number, charsMax: number = NAME_CHARS_MAX): string[] {
    return [...new Set(this.texts(name, countMax, charsMax))].sort();
  }

  /** A map from strings to strings, for labels. */
  textMap(name: string, countMax: number): Record<string, string> {
    const map = this.object(name);
    const keys = Object.keys(map).sort();
    if (keys.length > countMax) invalid(this.#at(name), `at most ${countMax} entries`, keys.length);
    const found: Record<string, string> = {};
    for (const key of keys) {
      const value = map[key];
      if (typeof value !== "string" || value.length > NAME_CHARS_MAX) {
        return invalid(`${this.#at(name)}.${key}`, "a short string", value);
      }
      found[key] = value;
    }
    return found;
  }

  /** Refuses fields that nobody asked for. */
  end(): void {
    const unknown = Object.keys(this.#object).filter((name) => !this.#seen.includes(name));
    const [first] = unknown.sort();
    if (first === undefined) return;
    refuse("UnknownField", `unknown field ${this.#at(first)}`, { field: this.#at(first) });
  }

  #at(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}

const NAME_RULE = `1 to ${NAME_CHARS_MAX} characters a-z, 0-9, '-', '.'`;

/** True for a string that can be an object's name (RFC 1123 subdomain characters). */
export function isObjectName(value: JsonValue | undefined): value is string {
  if (typeof value !== "string" || value.length === 0 || value.length > NAME_CHARS_MAX) {
    return false;
  }
  for (let at = 0; at < value.length; at += 1) {
    const unit = value.charCodeAt(at);
    const letter = unit >= 0x61 && unit <= 0x7a;
    const digit = unit >= 0x30 && unit <= 0x39;
    const inner = (unit === 0x2d || unit === 0x2e) && at > 0 && at < value.length - 1;
    if (!letter && !digit && !inner) return false;
  }
  return true;
}

/** Refuses a field with its rule and its value. */
export function invalid(field: string, limit: string, value: unknown): never {
  const shown = shortValue(value);
  return refuse("InvalidField", `${field} must be ${limit}, is ${shown}`, {
    field,
    limit,
    value: shown,
  });
}
