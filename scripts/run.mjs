// Runs a turbo task over the workspaces, with turbo's telemetry off.
// Usage: node scripts/run.mjs TASK [turbo arguments...]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [task, ...rest] = process.argv.slice(2);
if (task === undefined) {
  console.error("usage: node scripts/run.mjs TASK [turbo arguments]");
  process.exit(2);
}
const result = spawnSync(
  process.execPath,
  [join(root, "node_modules/turbo/bin/turbo"), "run", task, "--concurrency=2", ...rest],
  {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" },
  },
);
process.exit(result.status ?? 1);
