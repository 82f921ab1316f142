// Makes node_modules match package-lock.json before a root script runs, and costs about 50 ms when
// it already does. A sha256 of the lock file is stamped into node_modules (file times mean nothing
// after a checkout); a lock folder outside node_modules lets two first runs start at once.
import { createHash } from "node:crypto";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "node_modules", ".kingly-lock-sha256");
const lockFolder = join(root, ".install-lock");
const LOCK_STALE_MS = 10 * 60 * 1000; // A first install takes seconds; ten minutes means it died.
const LOCK_POLL_MS = 200;
const MIN_NODE = [20, 19];

function fail(message) {
  console.error(message);
  process.exit(1);
}

function lockDigest() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

function upToDate(digest) {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === digest;
}

function acquireLock() {
  for (;;) {
    try {
      mkdirSync(lockFolder);
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    try {
      if (Date.now() - statSync(lockFolder).mtimeMs > LOCK_STALE_MS) {
        rmSync(lockFolder, { recursive: true, force: true });
        continue;
      }
    } catch {
      continue; // Released between the two calls.
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_POLL_MS);
  }
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
  fail(`Node ${MIN_NODE.join(".")} or newer is needed; this is ${process.versions.node}.`);
}
const digest = lockDigest();

/** Runs npm ci; returns an explanation when it fails. */
function install() {
  console.error("Installing dependencies (npm ci) ...");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  // Few retries: without a registry and with a cold cache, say so within seconds.
  const flags = ["--no-fund", "--no-audit", "--prefer-offline", "--fetch-retries=1"];
  const result = spawnSync(npm, ["ci", ...flags], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (result.status === 0) return undefined;
  return (
    "npm ci failed. The first run needs the package registry or a warm npm cache; " +
    "once installed, everything works offline."
  );
}

if (!upToDate(digest)) {
  let failure;
  acquireLock();
  // Also on Ctrl-C: the next run must not wait for a lock that nobody holds.
  process.on("exit", () => rmSync(lockFolder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1));
  if (!upToDate(digest)) {
    failure = install();
    if (failure === undefined) writeFileSync(stampFile, digest);
  }
  if (failure !== undefined) fail(failure);
}
