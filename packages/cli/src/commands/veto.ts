// kinglyctl veto NODE CONFIG --reason: asks the node to reject the version it runs. The node signs
// and executes the veto itself; nobody else can.

import { parseVersion, type Session } from "../session.ts";

/** Runs the command; returns the exit code. */
export async function runVeto(
  session: Session,
  target: { readonly node: string; readonly config: string },
  flags: { readonly reason: string; readonly version?: string },
): Promise<number> {
  const version = parseVersion(flags.version, "--version");
  const base = `/apis/kingly.dev/v1/namespaces/${encodeURIComponent(session.namespace)}`;
  const answer = await session.client.raw({
    method: "POST",
    path: `${base}/configs/${encodeURIComponent(target.config)}/veto`,
    body: {
      node: target.node,
      reason: flags.reason,
      ...(version === undefined ? {} : { version }),
    },
  });
  const { message } = JSON.parse(answer.text) as { readonly message?: string };
  session.io.stdout.write(`${message ?? `veto requested from ${target.node}`}\n`);
  return 0;
}
