// How often does the main job end right? Runs `npm start -- --once` again and again, one after the other,
// and compares each summary with what the scenario should come to.
// Usage: npm run endings -- [--runs 20] [--scenario default|harmful|harmless]; exit code 1 when fewer
// than nineteen of twenty (95 %) end right.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const SHARE_MIN = 0.95;
const SECONDS_MAX = 180;
const RUN_TIMEOUT_MS = 240_000;

const RIGHT = {
  default: ({ verdict, confirmed, vetoed }) =>
    verdict === "Accepted" && confirmed === 4 && vetoed.join() === "node-5",
  harmful: ({ verdict, committedVersion }) => verdict === "Rejected" && committedVersion === 0,
  harmless: ({ verdict, confirmed, vetoed }) =>
    verdict === "Accepted" && confirmed === 5 && vetoed.length === 0,
};

function runOnce(scenario) {
  const script = join(root, "packages/demo/dist/main.js");
  const args = ["--enable-source-maps", script, "--once", "--scenario", scenario];
  const result = spawnSync(process.execPath, args, { encoding: "utf8", timeout: RUN_TIMEOUT_MS });
  const line = result.stdout.trimEnd().split("\n").at(-1) ?? "";
  try {
    return { exitCode: result.status, summary: JSON.parse(line) };
  } catch {
    return { exitCode: result.status, summary: undefined, line };
  }
}

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "20" },
    scenario: { type: "string", default: "default" },
  },
});
const isRight = RIGHT[values.scenario];
const runs = Number(values.runs);
if (isRight === undefined || !Number.isSafeInteger(runs) || runs < 1) {
  console.error("usage: npm run endings -- [--runs N] [--scenario default|harmful|harmless]");
  process.exit(2);
}
let right = 0;
for (let run = 1; run <= runs; run += 1) {
  const { exitCode, summary, line } = runOnce(values.scenario);
  const good =
    exitCode === 0 && summary !== undefined && summary.seconds <= SECONDS_MAX && isRight(summary);
  if (good) right += 1;
  console.log(`${run}/${runs} ${good ? "right" : "WRONG"} ${JSON.stringify(summary ?? line)}`);
}
console.log(`${right} of ${runs} runs of ${values.scenario} ended right`);
process.exit(right >= runs * SHARE_MIN ? 0 : 1);
