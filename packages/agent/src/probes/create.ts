// Builds probes from the binding.

import type { ProbeBinding } from "../config/types.ts";
import { HttpProbe } from "./http.ts";
import type { Probe } from "./probe.ts";
import { PrometheusProbe, type ScrapeCache } from "./prometheus.ts";

/** The probe of a binding. */
export function createProbe(binding: ProbeBinding, cache: ScrapeCache): Probe {
  return binding.type === "prometheus"
    ? new PrometheusProbe(binding, cache)
    : new HttpProbe(binding);
}
