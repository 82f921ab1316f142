// Compiled JSON Schemas (2020-12) of ConfigSchemas. Patterns run on RE2, whose time is linear in the
// input, so no schema can stall the server; remote references do not exist. Compiling costs far more
// than validating, so compiled schemas are kept by content, bounded, oldest out first.
import { KinglyError } from "@kingly/base";
import type { ErrorCause, JsonObject, JsonValue } from "@kingly/base";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { ErrorObject, ValidateFunction } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";
import { PATTERN_CHARS_MAX, SCHEMA_CACHE_MAX, SCHEMA_COMPILER_USES_MAX } from "../limits.ts";

const CAUSES_MAX = 20;

/** Characters that patterns may still look at in the validation under way. */
const budget = { characters: 0 };

function compilePattern(pattern: string): { test(text: string): boolean; toString(): string } {
  const compiled = RE2JS.compile(pattern);
  return {
    test: (text) => {
      budget.characters -= text.length;
      if (budget.characters < 0) {
        throw new KinglyError(
          "DocumentTooLarge",
          `patterns would have to look at more than ${PATTERN_CHARS_MAX} characters`,
          { field: "pattern", limit: PATTERN_CHARS_MAX, step: "validate" },
        );
      }
      return compiled.matcher(text).find();
    },
    // ajv shares compiled patterns by this text: it must tell them apart.
    toString: () => `/${pattern}/`,
  };
}

/** Regular expressions for ajv, without backtracking. */
const linearRegExp = Object.assign(compilePattern, { code: "linearRegExp" });

/** A compiler whose meta-schema is compiled already: that alone takes a tenth of a second. */
function createAjv(): Ajv2020 {
  budget.characters = Infinity;
  const ajv = new Ajv2020({
    code: { regExp: linearRegExp },
    strict: false,
    allErrors: false,
    validateFormats: false,
    addUsedSchema: false,
    logger: false,
  });
  ajv.compile({ type: "object" });
  return ajv;
}

function schemaError(error: unknown): KinglyError {
  const text = error instanceof Error ? error.message : String(error);
  return new KinglyError("InvalidField", `spec.schema is no usable JSON Schema: ${text}`, {
    field: "spec.schema",
    limit: "JSON Schema 2020-12, RE2 patterns, no remote references",
    step: "validate",
  });
}

/** Field path of an ajv error: `/a/0/b` under `prefix` becomes `prefix.a[0].b`. */
function fieldOf(error: ErrorObject, prefix: string): string {
  let path = prefix;
  for (const raw of error.instancePath.split("/").slice(1)) {
    const part = raw.replaceAll("~1", "/").replaceAll("~0", "~");
    path += /^\d+$/.test(part) ? `[${part}]` : `.${part}`;
  }
  return path;
}

function causeOf(error: ErrorObject, prefix: string): ErrorCause {
  const field = fieldOf(error, prefix);
  const extra =
    error.keyword === "additionalProperties"
      ? `: ${String(error.params["additionalProperty"])}`
      : error.keyword === "enum"
        ? `: ${JSON.stringify(error.params["allowedValues"])}`
        : "";
  const message = `${field} ${error.message ?? "is invalid"}${extra}`;
  return { reason: "FieldValueInvalid", field, message };
}

/** Validators by the identity of their ConfigSchema. */
export class SchemaCache {
  readonly #compiled = new Map<string, ValidateFunction>();
  #ajv: Ajv2020 = createAjv();
  #compilations = 0;

  /** Compiles without keeping it, to find out whether a schema is usable. Throws InvalidField. */
  check(schema: JsonObject): void {
    this.#compile(schema);
  }

  #compile(schema: JsonObject): ValidateFunction {
    // A compiler remembers patterns and formats of everything it has compiled: renew it at times.
    this.#compilations += 1;
    budget.characters = Infinity; // the meta-schema has patterns too, and sizes are checked before
    if (this.#compilations % SCHEMA_COMPILER_USES_MAX === 0) this.#ajv = createAjv();
    try {
      return this.#ajv.compile(schema);
    } catch (error) {
      throw schemaError(error);
    } finally {
      this.#ajv.removeSchema(schema);
    }
  }

  /**
   * Validates `data` by a schema. `id` identifies the schema's content (uid and generation). Throws
   * SchemaViolation with a cause per error, fields under `prefix`.
   */
  validate(id: string, schema: JsonObject, data: JsonValue, prefix: string): void {
    const validate = this.#get(id, schema);
    budget.characters = PATTERN_CHARS_MAX;
    if (validate(data)) return;
    const causes = (validate.errors ?? []).slice(0, CAUSES_MAX).map((e) => causeOf(e, prefix));
    const first = causes[0];
    throw new KinglyError("SchemaViolation", first?.message ?? "the content breaks its schema", {
      field: first?.field ?? prefix,
      step: "validate",
      rule: "ConfigSchema.spec.schema",
      causes,
    });
  }

  #get(id: string, schema: JsonObject): ValidateFunction {
    const known = this.#compiled.get(id);
    if (known !== undefined) {
      this.#compiled.delete(id);
      this.#compiled.set(id, known);
      return known;
    }
    const compiled = this.#compile(schema);
    this.#compiled.set(id, compiled);
    if (this.#compiled.size > SCHEMA_CACHE_MAX) {
      for (const oldest of this.#compiled.keys()) {
        this.#compiled.delete(oldest);
        break;
      }
    }
    return compiled;
  }
}
