// A signal from asking a URL again and again during a block: the mean time of answers below 400, in
// seconds. Requests are started at fixed times, whether or not the last one was answered (open loop),
// so that a stall is seen in full.

import type { HttpProbeBinding } from "../config/types.ts";
import { httpCall } from "../http-client.ts";
import { HTTP_PROBE_REQUESTS_MAX } from "../limits.ts";
import type { Probe, ProbeBlock } from "./probe.ts";

/** Measures by asking. */
export class HttpProbe implements Probe {
  readonly #binding: HttpProbeBinding;

  constructor(binding: HttpProbeBinding) {
    this.#binding = binding;
  }

  begin(): ProbeBlock {
    const { url, intervalMs, timeoutMs } = this.#binding;
    const asked: Promise<number | null>[] = [];
    const ask = (): void => {
      if (asked.length < HTTP_PROBE_REQUESTS_MAX) asked.push(askOnce(url, timeoutMs));
    };
    ask();
    const timer = setInterval(ask, intervalMs);
    return {
      end: async () => {
        clearInterval(timer);
        const times = (await Promise.all(asked)).filter((time) => time !== null);
        if (times.length === 0) return null;
        return times.reduce((total, time) => total + time, 0) / times.length / 1000;
      },
      cancel: () => clearInterval(timer),
    };
  }
}

async function askOnce(url: string, timeoutMs: number): Promise<number | null> {
  const answer = await httpCall({ url, timeoutMs });
  return answer.status > 0 && answer.status < 400 ? answer.elapsedMs : null;
}
