// kinglyctl rollout status|resume|undo CONFIG: how far the newest version is, stage by stage, and what
// a person decides about it.

import { KinglyError } from "@kingly/base";
import type { Config, Rollout } from "@kingly/resources";
import { EXIT, exitCodeOfRollout } from "../exit-code.ts";
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
  const excluded = status.excluded.map((node) => [
    "-",
    node,
    "voted no in the trial, never gets it",
  ]);
  return [
    `rollout/${rollout.metadata.name} ${status.phase}: ${status.message}`,
    alignColumns([["STAGE", "NODE", "STATE"], ...rows, ...excluded]),
    ...advice(rollout),
    "",
  ].join("\n");
}

/** What a person can do about a paused rollout; nothing moves it by itself. What a rollback means. */
function advice(rollout: Rollout): readonly string[] {
  const { config, fromVersion, version } = rollout.spec;
  const before = fromVersion === 0 ? "what each was found with" : `version ${fromVersion}`;
  if (rollout.status?.phase === "RolledBack") {
    return [
      `These states are from before the rollback: nodes leave version ${version} for ${before}.`,
    ];
  }
  if (rollout.status?.phase !== "Paused") return [];
  return [
    "Paused until somebody decides:",
    `  kinglyctl rollout resume ${config} --reason TEXT   goes on with the next nodes`,
    `  kinglyctl rollout undo ${config} --reason TEXT     back to ${before}, the change into quarantine`,
  ];
}

async function newestRollout(session: Session, configName: string): Promise<string> {
  const scope = { kind: "Config", namespace: session.namespace, name: configName } as const;
  const config = await session.client.get<Config>(scope);
  return config.status?.rollout ?? "";
}

/** A person's word about the newest rollout of a Config. */
export interface RolloutWord {
  readonly subresource: "resume" | "rollback";
  readonly reason: string;
}

/** Runs `rollout resume` and `rollout undo`; returns the exit code. */
export async function runRolloutWord(
  session: Session,
  configName: string,
  word: RolloutWord,
): Promise<number> {
  const name = await newestRollout(session, configName);
  if (name === "") {
    throw new KinglyError("NotFound", `config/${configName} has no rollout`, { field: "config" });
  }
  const namespace = encodeURIComponent(session.namespace);
  const base = `/apis/kingly.dev/v1/namespaces/${namespace}/rollouts`;
  const answer = await session.client.raw({
    method: "POST",
    path: `${base}/${encodeURIComponent(name)}/${word.subresource}`,
    body: { reason: word.reason },
  });
  session.io.stdout.write(render(JSON.parse(answer.text) as Rollout));
  return EXIT.ok;
}

/** Runs the command; returns the exit code. */
export async function runRolloutStatus(
  session: Session,
  configName: string,
  flags: { readonly watch: boolean; readonly timeout: string },
): Promise<number> {
  const { namespace } = session;
  const name = await newestRollout(session, configName);
  if (name === "") {
    session.io.stdout.write(`config/${configName} has no rollout\n`);
    return EXIT.ok;
  }
  const scope = { kind: "Rollout", namespace, name };
  let rollout = await session.client.get<Rollout>(scope);
  session.io.stdout.write(render(rollout));
  if (!flags.watch || exitCodeOfRollout(rollout) !== undefined)
    return exitCodeOfRollout(rollout) ?? EXIT.timeout;
  const limit = AbortSignal.timeout(parseDuration(flags.timeout, "--timeout"));
  const signal = AbortSignal.any([session.io.interrupted, limit]);
  const resourceVersion = rollout.metadata.resourceVersion;
  try {
    for await (const event of session.client.watch(scope, { resourceVersion, signal })) {
      rollout = event.object as unknown as Rollout;
      session.io.stdout.write(render(rollout));
      const code = exitCodeOfRollout(rollout);
      if (code !== undefined) return code;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return EXIT.timeout;
}
