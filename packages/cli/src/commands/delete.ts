// kinglyctl delete KIND NAME...

import { KinglyError } from "@kingly/base";
import { splitTarget } from "../kinds.ts";
import type { Session } from "../session.ts";

/** Runs the command; returns the exit code. */
export async function runDelete(session: Session, words: readonly string[]): Promise<number> {
  const { info, names } = splitTarget(words);
  if (names.length === 0) {
    throw new KinglyError("Usage", "give the names of what to delete", { field: "names" });
  }
  const namespace = info.namespaced ? session.namespace : undefined;
  for (const name of names) {
    await session.client.delete({ kind: info.kind, namespace, name });
    session.io.stdout.write(`${info.singular}/${name} deleted\n`);
  }
  return 0;
}
