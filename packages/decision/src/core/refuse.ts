// Refusals: how a command handler says no. They are KinglyErrors thrown inside a transaction, which
// is then dropped whole, so a refused command changes nothing.

import { KinglyError } from "@kingly/base";
import type { ErrorCode, ErrorDetails } from "@kingly/base";
import { EvidenceInputError } from "@kingly/evidence";

/** Refuses the command; nothing of it is applied. */
export function refuse(code: ErrorCode, message: string, details: ErrorDetails = {}): never {
  throw new KinglyError(code, message, details);
}

/** Runs statistics on input from outside: their complaint becomes a refusal with this code. */
export function withEvidence<T>(code: ErrorCode, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof EvidenceInputError)) throw error;
    const value = error.value === null ? "null" : error.value;
    return refuse(code, error.message, { field: error.field, limit: error.limit, value });
  }
}
