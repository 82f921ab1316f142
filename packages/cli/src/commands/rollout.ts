// kinglyctl rollout status CONFIG: how far the newest version is, stage by stage.

import type { Config, Rollout } from "@kingly/resources";
import { EXIT } from "../exit-code.ts";
import { alignColumns } from "../printers/table.ts";
import { parseDuration, type Session } from "../session.ts";

function nodeState(rollout: Rollout, node: string): string {
  const status = rollout.status;
  if (status === undefined) return "pending";
  if (status.vetoed.includes(node)) return "vetoed";
  if (status.failed.includes(node)) return "failed";
  if (status.confirmed.includes(node)) return "confirmed";
  if (status.applied.includes(node)) return "applied";
  return status.received.includes(node) ? "received" : "pending";
}

function render(rollout: Rollout): string {
  const status = rollout.status;
  if (status === undefined) return `rollout/${rollout.metadata.name} pending\n`;
  const rows = status.stages.flatMap((stage, index) =>
    stage.nodes.map((node) => [`${index + 1}`, node, nodeState(rollout, node)]),
  );
  const excluded = status.excluded.map((node) => ["-", node, "excluded (its own vote or veto)"]);
  return [
    `rollout/${rollout.metadata.name} ${status.phase}: ${status.message}`,
    alignColumns([["STAGE", "NODE", "STATE"], ...rows, ...excluded]),
    "",
  ].join("\n");
}

function exitCode(rollout: Rollout): number | undefined {
  switch (rollout.status?.phase) {
    case "Completed":
      return rollout.status.vetoed.length >= Math.max(1, rollout.status.vetoBudget)
        ? EXIT.vetoed
        : EXIT.ok;
    case "RolledBack":
      return EXIT.rolledBack;
    case "Superseded":
      return EXIT.conflict;
    case "Progressing":
    case "Paused":
    case undefined:
      return undefined;
  }
}

/** Runs the command; returns the exit code. */
export async function runRolloutStatus(
  session: Session,
  configName: string,
  flags: { readonly watch: boolean; readonly timeout: string },
): Promise<number> {
  const namespace = session.namespace;
  const config = await session.client.get<Config>({ kind: "Config", namespace, name: configName });
  const name = config.status?.rollout;
  if (name === undefined || name === "") {
    session.io.stdout.write(`config/${configName} has no rollout\n`);
    return EXIT.ok;
  }
  const scope = { kind: "Rollout", namespace, name };
  let rollout = await session.client.get<Rollout>(scope);
  session.io.stdout.write(render(rollout));
  if (!flags.watch || exitCode(rollout) !== undefined) return exitCode(rollout) ?? EXIT.timeout;
  const limit = AbortSignal.timeout(parseDuration(flags.timeout, "--timeout"));
  const signal = AbortSignal.any([session.io.interrupted, limit]);
  const resourceVersion = rollout.metadata.resourceVersion;
  try {
    for await (const event of session.client.watch(scope, { resourceVersion, signal })) {
      rollout = event.object as unknown as Rollout;
      session.io.stdout.write(render(rollout));
      const code = exitCode(rollout);
      if (code !== undefined) return code;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return EXIT.timeout;
}
