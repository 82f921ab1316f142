// Rewrites bits.txt from the current sources: node packages/evidence/test/pinned/regenerate.mjs
// A changed line means that replicas of two releases would disagree: that needs a new feature level,
// not just a new file.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const vitest = fileURLToPath(
  new URL("../../../../node_modules/vitest/vitest.mjs", import.meta.url),
);
const run = spawnSync(process.execPath, [vitest, "run", "test/bits.test.ts"], {
  cwd: root,
  env: { ...process.env, KINGLY_PIN_BITS: "write" },
  stdio: "inherit",
});
process.exitCode = run.status ?? 1;
