// kinglyctl quarantine release CONFIG --proposal NAME|--all --reason: a change that lost may be
// proposed again. It is still tried and voted on; what is lifted is only the refusal to try.

import { KinglyError } from "@kingly/base";
import { resourcePath } from "@kingly/client";
import { EXIT } from "../exit-code.ts";
import type { Session } from "../session.ts";

/** Flags of quarantine release. */
export interface ReleaseFlags {
  readonly proposal?: string;
  readonly all?: boolean;
  readonly reason: string;
}

/** Runs the command; returns the exit code. */
export async function runQuarantineRelease(
  session: Session,
  config: string,
  flags: ReleaseFlags,
): Promise<number> {
  const { proposal = "", reason } = flags;
  const all = flags.all === true;
  if (all === (proposal !== "")) {
    throw new KinglyError("Usage", "give either --proposal NAME or --all", {
      field: "--proposal",
      help: "the refusal of the change names the proposal that lost",
    });
  }
  const { namespace } = session;
  await session.client.raw({
    method: "POST",
    path: `${resourcePath({ kind: "Config", namespace, name: config })}/release-quarantine`,
    body: all ? { all, reason } : { proposal, reason },
  });
  const what = all ? "everything that lost" : `the change of proposal/${proposal}`;
  session.io.stdout.write(`config/${config}: ${what} may be proposed again\n`);
  return EXIT.ok;
}
