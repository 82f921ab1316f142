// Makes node_modules match package-lock.json before a root script runs, and costs about 50 ms when
// it already does. A sha256 of the lock file is stamped into node_modules (file times mean nothing
// after a checkout). A lock folder outside node_modules lets two first runs start at once: the second
// waits for the first. It names its holder, so that nobody waits for one that was killed with -9.
import { createHash, randomUUID } from "node:crypto";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stampFile = join(root, "node_modules", ".kingly-lock-sha256");
const lockFolder = join(root, ".install-lock");
const holderFile = join(lockFolder, "holder.json");
const me = { id: randomUUID(), host: hostname(), pids: [process.pid] };
const LOCK_STALE_MS = 10 * 60 * 1000; // A first install takes seconds; ten minutes means it died.
const LOCK_POLL_MS = 200;
const MIN_NODE = [20, 19];
// Few retries: without a registry and with a cold cache, say so within seconds.
const NPM = ["npm", "ci", "--no-fund", "--no-audit", "--prefer-offline", "--fetch-retries=1"];

function fail(message) {
  console.error(message);
  process.exit(1);
}

function lockDigest() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

function upToDate() {
  return existsSync(stampFile) && readFileSync(stampFile, "utf8") === lockDigest();
}

function alive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH";
  }
}

/** Who holds the lock; undefined when nobody does or nobody has signed yet. */
function readHolder() {
  try {
    return JSON.parse(readFileSync(holderFile, "utf8"));
  } catch {
    return undefined;
  }
}

function sign(pids = []) {
  writeFileSync(holderFile, JSON.stringify({ ...me, pids: [...me.pids, ...pids] }));
}

/** True when this call made the folder; false when it exists or the one around it does not. */
function made(folder) {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (error.code === "EEXIST" || error.code === "ENOENT") return false;
    throw error;
  }
}

/**
 * Inherits the lock of a holder that died together with its npm. Of several heirs one wins: the one
 * that makes the folder named after the dead holder, while the lock is still signed by that holder.
 */
function inherited() {
  const holder = readHolder();
  if (holder === undefined || holder.host !== me.host || holder.pids.some(alive)) return false;
  return made(join(lockFolder, holder.id)) && readHolder()?.id === holder.id;
}

function dropAncientLock() {
  const { mtimeMs } = statSync(lockFolder, { throwIfNoEntry: false }) ?? {};
  if (mtimeMs !== undefined && Date.now() - mtimeMs > LOCK_STALE_MS) {
    rmSync(lockFolder, { recursive: true, force: true });
  }
}

async function acquireLock() {
  for (let told = false; !made(lockFolder) && !inherited(); told = true) {
    if (!told) console.error("Another run is installing dependencies; waiting for it ...");
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
    dropAncientLock();
  }
  sign();
  process.on("exit", () => {
    if (readHolder()?.id === me.id) rmSync(lockFolder, { recursive: true, force: true });
  });
}

function startNpm() {
  const options = { cwd: root, stdio: ["ignore", "inherit", "inherit"] };
  // On Windows npm is a script of the shell.
  if (process.platform === "win32") return spawn(NPM.join(" "), { ...options, shell: true });
  return spawn(NPM[0], NPM.slice(1), options);
}

/** Runs npm ci; resolves with an explanation when it fails. */
function install() {
  console.error("Installing dependencies (npm ci) ...");
  return new Promise((resolve) => {
    const npm = startNpm();
    if (npm.pid !== undefined) sign([npm.pid]);
    let stoppedBy;
    for (const signal of ["SIGINT", "SIGTERM"]) {
      process.on(signal, () => {
        stoppedBy = signal;
        npm.kill(signal);
      });
    }
    npm.once("error", (error) =>
      resolve(`npm could not be started (${error.message}). Is it on the PATH?`),
    );
    npm.once("close", (code, signal) => {
      if (code === 0 && stoppedBy === undefined) resolve(undefined);
      else if ((stoppedBy ?? signal) !== null) {
        resolve(`npm ci was stopped by ${stoppedBy ?? signal}; the next run starts again.`);
      } else {
        resolve(
          `npm ci failed with exit code ${code}. The first run needs the package registry or a ` +
            "warm npm cache; once installed, everything works offline.",
        );
      }
    });
  });
}

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < MIN_NODE[0] || (major === MIN_NODE[0] && minor < MIN_NODE[1])) {
  fail(`Node ${MIN_NODE.join(".")} or newer is needed; this is ${process.versions.node}.`);
}
if (!upToDate()) {
  await acquireLock();
  if (!upToDate()) {
    // What is installed from here on is neither the old state nor, until npm is done, the new one.
    rmSync(stampFile, { force: true });
    const digest = lockDigest();
    const failure = await install();
    if (failure !== undefined) fail(failure);
    mkdirSync(dirname(stampFile), { recursive: true });
    writeFileSync(stampFile, digest);
  }
}
