// A process that runs seeds for another one, with a mutant in the code when it is told to. The mutant
// must be in place before the first module of the code under test is loaded, hence the late imports.

import { register } from "node:module";
import type { RunOptions, RunResult } from "../cluster/run.ts";
import type { FleetResult, FleetRunOptions } from "../fleet/run.ts";
import { MUTATED } from "../mutants/hooks.ts";
import type { ModulePatches } from "../mutants/hooks.ts";

/** What the parent asks. */
export type Task =
  | { readonly world: "cluster"; readonly options: RunOptions }
  | { readonly world: "fleet"; readonly options: FleetRunOptions };

/** What it gets. */
export type Answer =
  | { readonly ok: true; readonly result: RunResult | FleetResult }
  | { readonly ok: false; readonly error: string };

/** Runs one task. */
type Runner = (task: Task) => Promise<RunResult | FleetResult>;

async function prepare(patches: readonly ModulePatches[]): Promise<Runner> {
  if (patches.length > 0) {
    register(new URL("../mutants/hooks.js", import.meta.url), { data: patches });
  }
  const { runCluster } = await import("../cluster/run.ts");
  const { runFleet } = await import("../fleet/run.ts");
  const loaded = (globalThis as Record<symbol, readonly string[] | undefined>)[MUTATED] ?? [];
  for (const { url } of patches) {
    if (!loaded.includes(url)) throw new Error(`${url} is never loaded, the mutant does nothing`);
  }
  return (task) => (task.world === "cluster" ? runCluster(task.options) : runFleet(task.options));
}

const ready = prepare(JSON.parse(process.argv[2] ?? "[]") as readonly ModulePatches[]);
// Reported with the first task.
ready.catch(() => {});

process.on("message", (task: Task) => {
  const answer = (what: Answer): void => void process.send?.(what);
  ready
    .then((run) => run(task))
    .then(
      (result) => answer({ ok: true, result }),
      (error: unknown) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
        answer({ ok: false, error: text });
      },
    );
});
