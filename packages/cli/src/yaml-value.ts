// The JSON value of a YAML document. YAML knows more than JSON does (infinities, dates, binary, keys of
// any type), and a conversion that guesses changes what somebody wrote; here such a value is refused
// with its path. The walk is over the parsed nodes, which still have the text of every number.

import {
  JSON_DEPTH_MAX,
  KinglyError,
  appendIndex,
  appendKey,
  isWellFormed,
  shortValue,
  type ErrorCode,
  type JsonObject,
  type JsonValue,
} from "@kingly/base";
import { isAlias, isMap, isScalar, isSeq, type Document, type Pair, type Scalar } from "yaml";
import { MANIFEST_VALUES_MAX } from "./limits.ts";
import { isJsonText, strictJson } from "./strict-input.ts";

/** Tags of the values that JSON has, too. */
const JSON_TAGS: readonly string[] = ["str", "int", "float", "bool", "null", "map", "seq"].map(
  (name) => `tag:yaml.org,2002:${name}`,
);

/** A value that is refused. */
interface Fault {
  readonly code: ErrorCode;
  readonly problem: string;
  readonly limit: string | number;
  readonly value: string | number;
}

/** The text of a YAML number as JSON writes it: `+.5` is 0.5, `007` is 7. */
function asJsonNumber(source: string): string {
  return source
    .replace(/^\+/, "")
    .replace(/^(-?)0+(?=\d)/, "$1")
    .replace(/^(-?)\./, "$10.")
    .replace(/\.(?=[eE]|$)/, "");
}

/** What kind of value it is that JSON does not have. */
function nameOf(value: unknown): string {
  if (value instanceof Date) return "a date";
  if (value instanceof Uint8Array) return "binary data";
  return `a ${typeof value}`;
}

/** One walk over one document. */
class Walk {
  readonly #document: Document.Parsed;
  readonly #source: string;
  #values = 0;

  constructor(document: Document.Parsed, source: string) {
    this.#document = document;
    this.#source = source;
  }

  #fail(path: string, { code, problem, limit, value }: Fault): never {
    const where = path === "" ? this.#source : `${this.#source}: ${path}`;
    throw new KinglyError(code, `${where}: ${problem}`, {
      field: path === "" ? this.#source : path,
      limit,
      value,
      help: `allowed: ${limit}`,
    });
  }

  value(node: unknown, path: string, depth: number): JsonValue {
    this.#count(path, depth);
    if (node === null || node === undefined) return null;
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target !== undefined) return this.value(target, path, depth + 1);
      return this.#fail(path, {
        code: "MalformedJson",
        problem: `the alias *${node.source} stands before its anchor`,
        limit: "aliases of what stands above",
        value: node.source,
      });
    }
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) throw new TypeError("a node of no kind");
    if (node.tag !== undefined && !JSON_TAGS.includes(node.tag)) this.#refuseTag(path, node.tag);
    if (isScalar(node)) return this.#scalar(node, path);
    if (isMap(node)) return this.#map(node.items, path, depth);
    return node.items.map((item, at) => this.value(item, appendIndex(path, at), depth + 1));
  }

  #count(path: string, depth: number): void {
    this.#values += 1;
    const [problem, limit, value] =
      depth > JSON_DEPTH_MAX
        ? [`nested deeper than the limit of ${JSON_DEPTH_MAX}`, JSON_DEPTH_MAX, depth]
        : ["more values than the limit, aliases followed", MANIFEST_VALUES_MAX, this.#values];
    if (value <= limit) return;
    this.#fail(path, { code: "DocumentTooLarge", problem, limit, value });
  }

  #refuseTag(path: string, tag: string): never {
    return this.#fail(path, {
      code: "InvalidField",
      problem: `the tag ${tag.replace("tag:yaml.org,2002:", "!!")} is no value of JSON`,
      limit: "text, numbers, true, false, null, lists and mappings",
      value: tag,
    });
  }

  #scalar(node: Scalar, path: string): JsonValue {
    const { value } = node;
    if (typeof value === "number") return this.#number(node, value, path);
    if (typeof value === "string" && !isWellFormed(value)) {
      this.#fail(path, {
        code: "MalformedJson",
        problem: "a string holds a lone surrogate",
        limit: "surrogates in pairs",
        value: JSON.stringify(value).slice(0, 80),
      });
    }
    if (value === null || typeof value === "string" || typeof value === "boolean") return value;
    return this.#fail(path, {
      code: "InvalidField",
      problem: `${nameOf(value)} (${shortValue(node.source)}) is no value of JSON; write it in quotes`,
      limit: "text, numbers, true, false, null, lists and mappings",
      value: shortValue(node.source),
    });
  }

  #number(node: Scalar, value: number, path: string): JsonValue {
    const written = node.source ?? String(value);
    const text = asJsonNumber(written);
    // Decimal numbers by their text, as the server does; others (0x1f) by their value.
    if (isJsonText(text)) return strictJson(text, path === "" ? this.#source : this.#at(path));
    const whole = Number.isInteger(value);
    const safe = Number.isFinite(value) && (!whole || Number.isSafeInteger(value));
    if (safe && !Object.is(value, -0)) return value;
    return this.#fail(path, {
      code: "UnsafeNumber",
      problem: `the number ${written.slice(0, 40)} cannot be stored exactly`,
      limit: "numbers that a double holds, integers up to 2^53 - 1",
      value: written.slice(0, 80),
    });
  }

  #at(path: string): string {
    return `${this.#source}: ${path}`;
  }

  #map(items: readonly Pair[], path: string, depth: number): JsonObject {
    const seen = new Set<string>();
    const entries = items.map((pair): [string, JsonValue] => {
      const key = this.#key(pair.key, path);
      const at = appendKey(path, key);
      if (seen.has(key)) {
        const problem = "the key appears twice in one mapping";
        this.#fail(at, { code: "DuplicateKey", problem, limit: "each key once", value: key });
      }
      if (key === "__proto__") {
        const problem = "the key __proto__ is reserved";
        this.#fail(at, { code: "ForbiddenKey", problem, limit: "any other key", value: key });
      }
      seen.add(key);
      return [key, this.value(pair.value, at, depth + 1)];
    });
    return Object.fromEntries(entries);
  }

  /** Keys are text; a number or a boolean stands for the text it was written as. */
  #key(node: unknown, path: string): string {
    const target = isAlias(node) ? node.resolve(this.#document) : node;
    if (isScalar(target) && target.value !== null) {
      const merge = target.value === "<<" && target.type === "PLAIN";
      const isText = typeof target.value === "string" || typeof target.source === "string";
      if (isText && !merge) {
        return typeof target.value === "string" ? target.value : (target.source ?? "");
      }
    }
    return this.#fail(path, {
      code: "InvalidField",
      problem: "a key is no text (merge keys << are not followed)",
      limit: "keys that are text",
      value: isScalar(target) ? (target.source ?? "null") : "a collection",
    });
  }
}

/**
 * The value of a parsed document; `source` is its name in errors. Throws KinglyError with the path:
 * UnsafeNumber, DuplicateKey, ForbiddenKey, InvalidField for what JSON does not have, MalformedJson,
 * DocumentTooLarge for nesting beyond JSON_DEPTH_MAX and for aliases that multiply.
 */
export function jsonOfYaml(document: Document.Parsed, source: string): JsonValue {
  return new Walk(document, source).value(document.contents, "", 0);
}
