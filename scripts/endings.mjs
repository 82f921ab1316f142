// How often does the main job end right? Runs `npm start -- --once` again and again, one after the other,
// and compares each summary with what the scenario should come to.
// Usage: npm run endings -- [--runs 20] [--scenario default|harmful|harmless] [--at-least N]
// One line a run: right or WRONG (and why), the seconds it took by this clock, its JSON line; then
// `N of M right, max S s`. Exit codes: 0 at least N runs ended right (19 of 20 unless told), 1 fewer
// did, 2 wrong usage.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const USAGE =
  "usage: npm run endings -- [--runs N] [--scenario default|harmful|harmless] [--at-least N]";
const SECONDS_MAX = 180;
const RUN_TIMEOUT_MS = 240_000;

// What each scenario should come to: field by field, as JSON.
const RIGHT = {
  default: { verdict: "Accepted", confirmed: 4, vetoed: ["node-5"] },
  harmful: { verdict: "Rejected", committedVersion: 0 },
  harmless: { verdict: "Accepted", confirmed: 5, vetoed: [] },
};

function usage(problem) {
  console.error(`${problem}\n${USAGE}`);
  process.exit(2);
}

function whole(name, text, { min, max }) {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  return usage(`--${name}: "${text}" is no whole number from ${min} to ${max}`);
}

function readOptions() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        runs: { type: "string" },
        scenario: { type: "string" },
        "at-least": { type: "string" },
      },
    }));
  } catch (error) {
    return usage(error.message);
  }
  const { runs: runsText = "20", scenario = "default" } = values;
  if (!Object.hasOwn(RIGHT, scenario)) {
    return usage(`--scenario: "${scenario}" is not one of ${Object.keys(RIGHT).join(", ")}`);
  }
  const runs = whole("runs", runsText, { min: 1, max: 1000 });
  const share = String(Math.ceil((runs * 19) / 20));
  const atLeast = whole("at-least", values["at-least"] ?? share, { min: 0, max: runs });
  return { runs, scenario, atLeast };
}

function runOnce(scenario) {
  const script = join(root, "packages/demo/dist/main.js");
  const args = ["--enable-source-maps", script, "--once", "--scenario", scenario];
  const startMs = performance.now();
  const { status, signal, stdout } = spawnSync(process.execPath, args, {
    encoding: "utf8",
    timeout: RUN_TIMEOUT_MS,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const seconds = Math.round((performance.now() - startMs) / 100) / 10;
  return { ended: signal ?? status, seconds, line: stdout.trimEnd().split("\n").at(-1) ?? "" };
}

/** What is wrong with a run, in words; empty when it ended right. */
function faults(scenario, { ended, seconds, line }) {
  const found = [];
  if (ended !== 0)
    found.push(typeof ended === "number" ? `exit code ${ended}` : `ended by ${ended}`);
  if (seconds > SECONDS_MAX) found.push(`longer than ${SECONDS_MAX} s`);
  let summary;
  try {
    summary = JSON.parse(line);
  } catch {
    // Told below.
  }
  if (typeof summary !== "object" || summary === null) return [...found, "no JSON summary"];
  for (const [field, wanted] of Object.entries(RIGHT[scenario])) {
    const [is, should] = [summary[field], wanted].map((value) => JSON.stringify(value));
    if (is !== should) found.push(`${field} is ${is}, not ${should}`);
  }
  return found;
}

const { runs, scenario, atLeast } = readOptions();
let right = 0;
let longest = 0;
for (let run = 1; run <= runs; run += 1) {
  const result = runOnce(scenario);
  const wrong = faults(scenario, result);
  if (wrong.length === 0) right += 1;
  longest = Math.max(longest, result.seconds);
  const word = wrong.length === 0 ? "right" : `WRONG (${wrong.join("; ")})`;
  console.log(`${run}/${runs} ${word} ${result.seconds.toFixed(1)} s ${result.line}`);
}
console.log(`${right} of ${runs} right, max ${longest.toFixed(1)} s`);
if (right < atLeast) {
  console.error(`fewer than ${atLeast} runs of ${scenario} ended right`);
  process.exit(1);
}
