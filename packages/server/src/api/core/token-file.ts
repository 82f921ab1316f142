// The bearer tokens of a server: a JSON list of {name, groups, sha256} in its secrets directory, by
// hash only. Looked at again when the file changed, so that tokens can be added and revoked while the
// server runs; a file that cannot be read keeps what was read before and says so in the log.

import { readFileSync, statSync } from "node:fs";
import { KinglyError, isJsonObject, parseStrictJson, toKinglyError } from "@kingly/base";
import type { Clock, JsonValue, Logger } from "@kingly/base";
import { TOKEN_FILE_LOOK_MS } from "../limits.ts";
import type { TokenRecord } from "./auth.ts";

function recordOf(value: JsonValue, at: number): TokenRecord {
  const fields = isJsonObject(value) ? value : {};
  const { name, groups, sha256, expiresAtMs } = fields;
  const list = Array.isArray(groups) && groups.every((group) => typeof group === "string");
  const hashed = typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256);
  const expires = expiresAtMs === undefined || typeof expiresAtMs === "number";
  if (typeof name !== "string" || name === "" || !list || !hashed || !expires) {
    throw new KinglyError("InvalidField", `tokens[${at}]: must be {name, groups, sha256}`, {
      field: `tokens[${at}]`,
    });
  }
  return fields as unknown as TokenRecord;
}

/** Parses the file's content. InvalidField, or the strict parser's errors. */
export function parseTokens(bytes: Uint8Array): readonly TokenRecord[] {
  const value = parseStrictJson(bytes);
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(recordOf);
  throw new KinglyError("InvalidField", "tokens: must be a list", { field: "tokens" });
}

/** Tokens of one server. */
export class TokenFile {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #records: readonly TokenRecord[];
  #mark: string;
  #lookedAtMs: number;

  /** Reads the file. Throws when it cannot be read or is wrong: nobody could log in. */
  constructor(path: string, ports: { readonly clock: Clock; readonly logger: Logger }) {
    this.#path = path;
    this.#clock = ports.clock;
    this.#logger = ports.logger;
    this.#mark = this.#stat();
    this.#records = parseTokens(readFileSync(path));
    this.#lookedAtMs = ports.clock.nowMs();
  }

  #stat(): string {
    const { mtimeMs, size, ino } = statSync(this.#path);
    return `${mtimeMs}/${size}/${ino}`;
  }

  /** The tokens now; the file is looked at when the last look is a moment old. */
  records(): readonly TokenRecord[] {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#lookedAtMs < TOKEN_FILE_LOOK_MS) return this.#records;
    this.#lookedAtMs = nowMs;
    try {
      const mark = this.#stat();
      if (mark !== this.#mark) {
        this.#records = parseTokens(readFileSync(this.#path));
        this.#mark = mark;
      }
    } catch (error) {
      const { code, message } = toKinglyError(error);
      this.#logger.error("cannot read the tokens; the known ones stay", { code, message });
    }
    return this.#records;
  }
}
