// Values that people type or keep in JSON files, read by the same strict rules as the server's: a
// number that would change, or a key given twice, is refused here by the name of where it stands.
// JSON.parse alone makes 1e400 an Infinity, which leaves as null, and null in a patch deletes a key.

import { KinglyError, parseStrictJson, type JsonValue } from "@kingly/base";
import { MANIFEST_BYTES_MAX } from "./limits.ts";

/** True when the text follows the grammar of JSON, whatever its numbers and keys. */
export function isJsonText(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** The same error, saying which input it is about and what would be allowed. */
function placed(error: KinglyError, name: string): KinglyError {
  const { field = "", limit } = error.details;
  const message = field === "" ? error.message.replace(/^document: /, "") : error.message;
  const details = {
    ...error.details,
    field: field === "" ? name : `${name} ${field}`,
    ...(limit === undefined ? {} : { help: `allowed: ${limit}` }),
  };
  return new KinglyError(error.code, `${name}: ${message}`, details, { cause: error });
}

/**
 * Strict JSON (RFC 8259, I-JSON) of one input; `name` is where it stands, for example a flag or a file.
 * Throws what parseStrictJson throws, with that name.
 */
export function strictJson(text: string, name: string): JsonValue {
  try {
    return parseStrictJson(text, { bytesMax: MANIFEST_BYTES_MAX });
  } catch (error) {
    throw error instanceof KinglyError ? placed(error, name) : error;
  }
}
