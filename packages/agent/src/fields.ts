// Reads a document that people write, field by field: every value is checked against its limit, every
// unknown field is refused, and an error names the field's path, the limit and the value.

import { KinglyError, shortValue } from "@kingly/base";

/** A refused field. */
export function refused(field: string, limit: string, value: unknown): KinglyError {
  const shown = shortValue(value);
  return new KinglyError("InvalidField", `${field}: must be ${limit}, is ${shown}`, {
    field,
    limit,
    value: shown,
  });
}

/** One object of the document. Call `end` after the last read to refuse what nobody asked for. */
export class Fields {
  readonly path: string;
  readonly #object: Readonly<Record<string, unknown>>;
  readonly #seen = new Set<string>();

  constructor(value: unknown, path: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw refused(path === "" ? "document" : path, "an object", value);
    }
    this.#object = value as Readonly<Record<string, unknown>>;
    this.path = path;
  }

  /** Path of a field in this object. */
  at(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name) && this.#object[name] !== null;
  }

  /** Names of all fields, sorted. */
  names(): string[] {
    return Object.keys(this.#object).sort();
  }

  raw(name: string): unknown {
    this.#seen.add(name);
    return Object.hasOwn(this.#object, name) ? this.#object[name] : undefined;
  }

  text(name: string, limit: { readonly max: number; readonly pattern?: RegExp }): string {
    const value = this.raw(name);
    const { max, pattern } = limit;
    const fits = typeof value === "string" && value.length > 0 && value.length <= max;
    if (!fits || (pattern !== undefined && !pattern.test(value))) {
      const shape = pattern === undefined ? "" : ` matching ${pattern.source}`;
      throw refused(this.at(name), `a string of 1 to ${max} characters${shape}`, value);
    }
    return value;
  }

  number(
    name: string,
    limit: { readonly min: number; readonly max: number; readonly fallback?: number },
  ): number {
    const value = this.raw(name) ?? limit.fallback;
    if (typeof value !== "number" || !(value >= limit.min && value <= limit.max)) {
      throw refused(this.at(name), `a number from ${limit.min} to ${limit.max}`, value);
    }
    return value;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.raw(name) ?? fallback;
    if (typeof value !== "boolean") throw refused(this.at(name), "true or false", value);
    return value;
  }

  choice<T extends string>(name: string, options: readonly T[], fallback?: T): T {
    const value = this.raw(name) ?? fallback;
    const found = options.find((option) => option === value);
    if (found === undefined) throw refused(this.at(name), `one of ${options.join(", ")}`, value);
    return found;
  }

  /** A list of non-empty strings. */
  texts(name: string, limit: { readonly min: number; readonly max: number }): string[] {
    const value = this.raw(name) ?? [];
    const fits =
      Array.isArray(value) &&
      value.length >= limit.min &&
      value.length <= limit.max &&
      value.every((item) => typeof item === "string" && item !== "");
    if (!fits) {
      throw refused(this.at(name), `a list of ${limit.min} to ${limit.max} strings`, value);
    }
    return value as string[];
  }

  object(name: string): Fields {
    return new Fields(this.raw(name), this.at(name));
  }

  /** The object, or undefined when the field is absent. */
  optional(name: string): Fields | undefined {
    const value = this.raw(name);
    return value === undefined || value === null ? undefined : new Fields(value, this.at(name));
  }

  /** All entries of an object whose field names are free. */
  entries(max: number): (readonly [string, unknown])[] {
    const names = this.names();
    if (names.length > max) throw refused(this.path, `at most ${max} entries`, names.length);
    return names.map((name) => [name, this.raw(name)] as const);
  }

  /** Refuses every field that was not read. */
  end(): void {
    for (const name of this.names()) {
      if (this.#seen.has(name)) continue;
      const known = [...this.#seen].sort().join(", ");
      throw new KinglyError("UnknownField", `${this.at(name)}: unknown; known here: ${known}`, {
        field: this.at(name),
        limit: known,
        value: name,
      });
    }
  }
}
