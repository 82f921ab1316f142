// Loaded into every child of the supervisor before its own program (node --import): ends the child when
// the supervisor is gone, however it went, kill -9 included. The child's standard input is a pipe that
// only the supervisor holds, so the system itself closes it, on every platform. Then the child is asked
// to stop the way an operator would ask it, and ends for certain after the grace. Each process ends only
// itself: no list of process numbers that could be stale, no further process that could die first, and
// programs started by hand or by systemd never see this file.

import { isMainThread } from "node:worker_threads";
import { STOP_GRACE_MS } from "./limits.ts";

function end(): void {
  // Nobody reads the pipes any more: a last log line must not cut the graceful stop short.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  setTimeout(() => process.kill(process.pid, "SIGKILL"), STOP_GRACE_MS).unref();
  // Emitted, not sent: Windows has no SIGTERM that a handler could see.
  if (process.listenerCount("SIGTERM") === 0) process.exit(1);
  process.emit("SIGTERM", "SIGTERM");
}

// Worker threads inherit the option; they end with their process.
if (isMainThread) {
  let ending = false;
  const once = (): void => {
    if (ending) return;
    ending = true;
    end();
  };
  process.stdin.on("end", once).on("error", once).resume();
  // Watching is no reason to stay: a program with nothing left to do ends by itself as before.
  process.stdin.unref();
}
