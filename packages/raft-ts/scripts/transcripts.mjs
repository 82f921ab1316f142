// Replays transcripts: node scripts/transcripts.mjs [--strip-logs] [--rewrite] DIR...
// Prints PASS or FAIL per file and a last line "N passed, M failed"; exit code 1 on failure.
// Works on dist/, so build first (the npm script does).
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { formatDifference, replay, rewrite } from "../dist/harness/run.js";

// npm runs scripts in the package folder; paths are meant from where the user stands.
const base = process.env.INIT_CWD ?? process.cwd();
const options = { stripLogs: false, rewrite: false };
const roots = [];
for (const arg of process.argv.slice(2)) {
  if (arg === "--strip-logs") options.stripLogs = true;
  else if (arg === "--rewrite") options.rewrite = true;
  else if (arg.startsWith("-")) fail(`unknown option ${arg}`);
  else roots.push(arg);
}
if (roots.length === 0) fail("usage: transcripts [--strip-logs] [--rewrite] DIR...");

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

/** Files at or below a path, in order of their names; documents and hidden files are no scripts. */
function filesOf(path) {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !/^\.|^(LICENSE|README|NOTICE)|\.md$/.test(name))
    .sort()
    .flatMap((name) => filesOf(join(path, name)));
}

function verdict(text) {
  try {
    const difference = replay(text, options);
    return difference === undefined ? undefined : formatDifference(difference);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

let passed = 0;
let failed = 0;
for (const root of roots) {
  const path = resolve(base, root);
  let files;
  try {
    files = filesOf(path);
  } catch (error) {
    fail(`cannot read ${root}: ${error.message}`);
  }
  for (const file of files) {
    const text = readFileSync(file, "utf8");
    if (options.rewrite) writeFileSync(file, rewrite(text));
    const fault = options.rewrite ? undefined : verdict(text);
    const name = file.startsWith(path) ? join(root, file.slice(path.length)) : file;
    if (fault === undefined) passed++;
    else failed++;
    process.stdout.write(fault === undefined ? `PASS ${name}\n` : `FAIL ${name}: ${fault}\n`);
  }
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
