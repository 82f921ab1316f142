// Kills what a test run left behind. It is told every process that a test starts ("+PID") and every
// one that ended ("-PID") on standard input; when that closes, for whatever reason, including kill -9
// of the test runner, all processes that are still on the list are ended by their number.
import { createInterface } from "node:readline";

const running = new Set();
for await (const line of createInterface({ input: process.stdin })) {
  const pid = Number(line.slice(1));
  if (!Number.isSafeInteger(pid) || pid < 2) continue;
  if (line.startsWith("+")) running.add(pid);
  else running.delete(pid);
}
for (const pid of running) {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It is gone already.
  }
}
