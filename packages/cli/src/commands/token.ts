// kinglyctl token create: a join token for one node. The token goes to stdout, everything else to
// stderr, so that a script can keep it; it is shown once and stored nowhere.

import { KinglyError } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import { parseDuration } from "../session.ts";
import type { Session } from "../session.ts";

/** Flags of token create. */
export interface TokenFlags {
  readonly class: string;
  readonly ownerGroup: string;
  readonly pool: string;
  readonly interferenceGroup: string;
  readonly label: readonly string[];
  readonly ttl: string;
  readonly node?: string;
}

function labelsOf(pairs: readonly string[]): JsonObject {
  return Object.fromEntries(
    pairs.map((pair): [string, string] => {
      const at = pair.indexOf("=");
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)];
      throw new KinglyError("Usage", `--label: "${pair}" is not KEY=VALUE`, {
        field: "--label",
        value: pair,
      });
    }),
  );
}

/** Runs the command; returns the exit code. */
export async function runTokenCreate(session: Session, flags: TokenFlags): Promise<number> {
  const ttlSeconds = Math.round(parseDuration(flags.ttl, "--ttl") / 1000);
  const answer = await session.client.raw({
    method: "POST",
    path: "/apis/kingly.dev/v1/jointokens",
    body: {
      class: flags.class,
      ownerGroup: flags.ownerGroup,
      pool: flags.pool,
      interferenceGroup: flags.interferenceGroup,
      labels: labelsOf(flags.label),
      ttlSeconds,
      ...(flags.node === undefined ? {} : { node: flags.node }),
    },
  });
  const { token, expiresAtMs } = JSON.parse(answer.text) as {
    readonly token: string;
    readonly expiresAtMs: number;
  };
  session.io.stdout.write(`${token}\n`);
  const minutes = Math.round((expiresAtMs - session.io.nowMs()) / 60_000);
  session.io.stderr.write(`enrols one node of class ${flags.class}; valid for ${minutes} min\n`);
  return 0;
}
