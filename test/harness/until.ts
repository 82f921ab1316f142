// Waiting for conditions of the world, never for time: a generous bound that only a failure reaches.

import { KinglyError } from "@kingly/base";

/** Longest wait for anything on a machine that is busy with other work. */
export const PATIENCE_MS = 60_000;

const POLL_MS = 25;

/** What a condition answers while it does not hold. */
type NotYet = false | undefined | null;

/**
 * Resolves with the first answer that holds. Errors of servers that are away count as "not yet";
 * everything else is a failure at once. After `limitMs` it fails with `what` and the last problem.
 */
export async function until<T>(
  what: string,
  condition: () => T | NotYet | Promise<T | NotYet>,
  limitMs: number = PATIENCE_MS,
): Promise<T> {
  const endMs = performance.now() + limitMs;
  let last = "";
  for (;;) {
    try {
      const answer = await condition();
      if (answer !== false && answer !== undefined && answer !== null) return answer;
      last = "";
    } catch (error) {
      if (!(error instanceof KinglyError)) throw error;
      last = `; last: ${error.code}: ${error.message}`;
    }
    if (performance.now() > endMs) throw new Error(`${what}: not within ${limitMs} ms${last}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
