// The load thread: real HTTP requests to the service, when the schedule says so. Before that it sends
// the warm-up's bursts, which compiles this side of the connection too.
import { parentPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { systemClock } from "../clock.ts";
import { LoadGenerator } from "./generator.ts";
import type { Send } from "./generator.ts";
import { createHttpSender, sendBursts } from "./http-sender.ts";
import type { LoadInput, LoadOrder, LoadReply } from "./messages.ts";
import { PROFILES } from "./profiles.ts";
import { Schedule } from "./schedule.ts";
import { LoadStats } from "./stats.ts";
import { threadCpuNanos } from "./thread-cpu.ts";

async function warm(order: LoadOrder & { kind: "warm" }, port: MessagePort): Promise<void> {
  const sender = createHttpSender(order.target, order.headers);
  const reply: LoadReply = { failures: await sendBursts(sender.send, order.sizes) };
  sender.close();
  port.postMessage(reply);
}

function start(input: LoadInput): void {
  const stats = new LoadStats(input.stats);
  const schedule = new Schedule(PROFILES[input.profile], input.seed);
  const http = createHttpSender(input.target);
  const reportCpu = (): void => {
    const nanos = threadCpuNanos();
    if (nanos !== undefined) stats.set("cpuNanos", nanos);
  };
  const send: Send = (text, done) => {
    http.send(text, (ok) => {
      done(ok);
      if (generator.outstanding === 0) reportCpu();
    });
  };
  const generator = new LoadGenerator(systemClock, schedule, send, stats);
  reportCpu();
  generator.start();
}

if (parentPort !== null) {
  const port = parentPort;
  port.on("message", (order: LoadOrder) => {
    if (order.kind === "warm") void warm(order, port);
    else start(workerData as LoadInput);
  });
}
