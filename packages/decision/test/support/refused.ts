// A refusal changes nothing: the hash over all rows is the same before and after.

import { expect } from "vitest";
import type { ApplyResult } from "../../src/index.ts";
import type { Fleet } from "./fleet.ts";

/** Expects that the attempt is refused with this code and changes no row. */
export function refused(fleet: Fleet, code: string, attempt: () => ApplyResult): ApplyResult {
  const before = fleet.machine.stateHash();
  const revision = fleet.machine.meta().revision;
  const result = attempt();
  expect(result.outcome).toMatchObject({ ok: false, code });
  expect(fleet.machine.stateHash()).toBe(before);
  expect(fleet.machine.meta().revision).toBe(revision);
  expect(result.changes).toEqual([]);
  expect(result.firstRevision).toBe(0);
  return result;
}
