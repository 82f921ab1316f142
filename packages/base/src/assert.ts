// Assertions: the product's own bugs stop here, also in production. Bad input from the world is
// never an assertion; that is a KinglyError.

/** A broken invariant of this product. Nothing should catch it but the outermost layer. */
export class AssertionFailed extends Error {
  override readonly name: string = "AssertionFailed";
}

/**
 * Throws AssertionFailed unless the condition holds.
 * A message that costs something to build is passed as a function.
 */
export function assert(condition: boolean, message: string | (() => string)): asserts condition {
  if (condition) return;
  throw new AssertionFailed(typeof message === "string" ? message : message());
}

/** Marks the branch of a switch that the types exclude; reaching it is a bug. */
export function unreachable(value: never, context: string): never {
  throw new AssertionFailed(`${context}: unexpected ${JSON.stringify(value) ?? "undefined"}`);
}
