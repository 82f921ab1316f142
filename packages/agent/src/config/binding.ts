// Reads the binding. Wrong and unknown fields are refused with field, limit and value: a typo in a
// guard must not silently be no guard.

import type { OwnerKeyLimit, TunerLimits } from "@kingly/node-core";
import { Fields, refused } from "../fields.ts";
import { COMMAND_TIMEOUT_MS, HTTP_TIMEOUT_MS, SIGNALS_MAX, TARGETS_MAX } from "../limits.ts";
import { TRIPWIRES_MAX } from "../limits.ts";
import type {
  ApplierBinding,
  Binding,
  CommandBinding,
  ProbeBinding,
  PrometheusKind,
  ReloadBinding,
  SignalBinding,
  TargetBinding,
  TripwireBinding,
} from "./types.ts";

const NAME = { max: 253, pattern: /^[A-Za-z0-9][A-Za-z0-9._/-]*$/ };
const METRIC = { max: 200, pattern: /^[a-zA-Z_:][a-zA-Z0-9_:]*$/ };
const URL_LENGTH_MAX = 2_000;
const PATH_LENGTH_MAX = 4_000;
const KEYS_MAX = 256;
const KINDS: readonly PrometheusKind[] = [
  "histogram-mean",
  "histogram-quantile",
  "counter-ratio",
  "counter-rate",
  "gauge",
];

/** Reads and checks a binding; throws InvalidField or UnknownField. */
export function readBinding(fields: Fields): Binding {
  const targets = new Map<string, TargetBinding>();
  const signals = new Map<string, SignalBinding>();
  const tripwires = new Map<string, TripwireBinding>();
  const targetFields = fields.object("targets");
  for (const [name, value] of targetFields.entries(TARGETS_MAX)) {
    requireName(targetFields.at(name), name);
    targets.set(name, readTarget(new Fields(value, targetFields.at(name))));
  }
  const signalFields = fields.optional("signals");
  for (const [name, value] of signalFields?.entries(SIGNALS_MAX) ?? []) {
    const path = `${fields.at("signals")}.${name}`;
    requireName(path, name);
    signals.set(name, readSignal(new Fields(value, path)));
  }
  const tripwireFields = fields.optional("tripwires");
  for (const [name, value] of tripwireFields?.entries(TRIPWIRES_MAX) ?? []) {
    const path = `${fields.at("tripwires")}.${name}`;
    tripwires.set(name, readTripwire(new Fields(value, path), { targets, signals }));
  }
  const tuner = readTuner(fields.optional("tuner"), targets);
  fields.end();
  return {
    targets: Object.fromEntries(targets),
    signals: Object.fromEntries(signals),
    tripwires: Object.fromEntries(tripwires),
    tuner,
  };
}

function requireName(path: string, name: string): void {
  if (name.length > NAME.max || !NAME.pattern.test(name)) {
    throw refused(
      path,
      `a name of 1 to ${NAME.max} characters matching ${NAME.pattern.source}`,
      name,
    );
  }
}

function readTarget(fields: Fields): TargetBinding {
  const applier = fields.object("applier");
  const binding = readApplier(applier);
  const limits = readLimits(fields);
  fields.end();
  return { applier: binding, limits };
}

function readLimits(fields: Fields): Readonly<Record<string, OwnerKeyLimit>> {
  const limits = new Map<string, OwnerKeyLimit>();
  const limitFields = fields.optional("limits");
  for (const [key, value] of limitFields?.entries(KEYS_MAX) ?? []) {
    const limit = new Fields(value, `${fields.at("limits")}.${key}`);
    const minimum = readBound(limit, "minimum");
    const maximum = readBound(limit, "maximum");
    limit.end();
    if (minimum !== undefined && maximum !== undefined && minimum > maximum) {
      throw refused(limit.at("minimum"), `at most maximum (${maximum})`, minimum);
    }
    limits.set(key, {
      ...(minimum === undefined ? {} : { minimum }),
      ...(maximum === undefined ? {} : { maximum }),
    });
  }
  return Object.fromEntries(limits);
}

function readBound(fields: Fields, name: string): number | undefined {
  if (!fields.has(name)) return undefined;
  return fields.number(name, { min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
}

function readApplier(fields: Fields): ApplierBinding {
  const file = fields.optional("file");
  const http = fields.optional("http");
  fields.end();
  if ((file === undefined) === (http === undefined)) {
    throw refused(fields.path, "exactly one of file, http", fields.names().join(", ") || "neither");
  }
  if (http !== undefined) {
    const binding = {
      type: "http",
      url: readUrl(http, "url"),
      method: http.choice("method", ["PUT", "POST", "PATCH"], "PUT"),
    } as const;
    http.end();
    return binding;
  }
  return readFileApplier(file as Fields);
}

function readFileApplier(fields: Fields): ApplierBinding {
  const path = readPath(fields, "path");
  const template = fields.has("template") ? readPath(fields, "template") : undefined;
  const check = fields.has("check") ? readCommand(fields, "check") : undefined;
  const reload = readReload(fields.optional("reload"));
  const modeText = fields.has("mode")
    ? fields.text("mode", { max: 4, pattern: /^0?[0-7]{3}$/ })
    : "0640";
  const format = fields.choice("format", ["json", "yaml"], "json");
  fields.end();
  return {
    type: "file",
    path,
    format,
    mode: Number.parseInt(modeText, 8),
    ...(template === undefined ? {} : { template }),
    ...(check === undefined ? {} : { check }),
    ...(reload === undefined ? {} : { reload }),
  };
}

function readReload(fields: Fields | undefined): ReloadBinding | undefined {
  if (fields === undefined) return undefined;
  const http = fields.optional("http");
  if (http === undefined) {
    const command = readCommand(fields, "command");
    fields.end();
    return { type: "command", command };
  }
  const url = readUrl(http, "url");
  const method = http.choice("method", ["POST", "PUT", "GET"], "POST");
  http.end();
  fields.end();
  return { type: "http", url, method };
}

/** A command is a list of arguments, or an object with argv and timeoutMs. */
function readCommand(fields: Fields, name: string): CommandBinding {
  if (Array.isArray(fields.raw(name))) {
    return { argv: fields.texts(name, { min: 1, max: 64 }), timeoutMs: COMMAND_TIMEOUT_MS };
  }
  const command = fields.object(name);
  const argv = command.texts("argv", { min: 1, max: 64 });
  const fallback = COMMAND_TIMEOUT_MS;
  const timeoutMs = command.number("timeoutMs", { min: 10, max: 600_000, fallback });
  command.end();
  return { argv, timeoutMs };
}

function readSignal(fields: Fields): SignalBinding {
  const probe = readProbe(fields.object("probe"));
  const margin = fields.has("margin") ? fields.number("margin", { min: 0.001, max: 1 }) : undefined;
  fields.end();
  return { probe, ...(margin === undefined ? {} : { margin }) };
}

function readProbe(fields: Fields): ProbeBinding {
  const prometheus = fields.optional("prometheus");
  const http = fields.optional("http");
  fields.end();
  if ((prometheus === undefined) === (http === undefined)) {
    const found = fields.names().join(", ") || "neither";
    throw refused(fields.path, "exactly one of prometheus, http", found);
  }
  if (prometheus !== undefined) return readPrometheus(prometheus);
  const probe = http as Fields;
  const binding = {
    type: "http",
    url: readUrl(probe, "url"),
    intervalMs: probe.number("intervalMs", { min: 10, max: 60_000, fallback: 200 }),
    timeoutMs: probe.number("timeoutMs", { min: 10, max: 60_000, fallback: HTTP_TIMEOUT_MS }),
  } as const;
  probe.end();
  return binding;
}

function readPrometheus(fields: Fields): ProbeBinding {
  const kind = fields.choice("kind", KINDS);
  const labels = new Map<string, string>();
  const labelFields = fields.optional("labels");
  for (const [name] of labelFields?.entries(16) ?? []) {
    labels.set(name, labelFields?.text(name, { max: 200 }) ?? "");
  }
  const per = kind === "counter-ratio" ? fields.text("per", METRIC) : undefined;
  const quantile =
    kind === "histogram-quantile" ? fields.number("quantile", { min: 0.01, max: 0.999 }) : 0;
  const binding: ProbeBinding = {
    type: "prometheus",
    url: readUrl(fields, "url"),
    kind,
    metric: fields.text("metric", METRIC),
    quantile,
    labels: Object.fromEntries(labels),
    scale: fields.number("scale", { min: 1e-12, max: 1e12, fallback: 1 }),
    minimumEvents: fields.number("minimumEvents", { min: 1, max: 1e9, fallback: 1 }),
    ...(per === undefined ? {} : { per }),
  };
  fields.end();
  return binding;
}

function readTripwire(
  fields: Fields,
  known: {
    readonly targets: ReadonlyMap<string, TargetBinding>;
    readonly signals: ReadonlyMap<string, SignalBinding>;
  },
): TripwireBinding {
  const target = fields.has("target") ? fields.text("target", NAME) : "";
  if (target !== "" && !known.targets.has(target)) {
    throw refused(fields.at("target"), `one of ${[...known.targets.keys()].join(", ")}`, target);
  }
  const common = {
    target,
    intervalMs: fields.number("intervalMs", { min: 20, max: 600_000, fallback: 1_000 }),
    failures: fields.number("failures", { min: 1, max: 1_000, fallback: 3 }),
  };
  const http = fields.optional("http");
  if (http !== undefined) {
    const url = readUrl(http, "url");
    const timeoutMs = http.number("timeoutMs", { min: 10, max: 60_000, fallback: 1_000 });
    http.end();
    fields.end();
    return { ...common, watch: { type: "http", url, timeoutMs } };
  }
  const max = fields.object("max");
  const name = max.text("signal", NAME);
  const signal = known.signals.get(name);
  if (signal === undefined) {
    throw refused(max.at("signal"), `one of ${[...known.signals.keys()].join(", ")}`, name);
  }
  const maximum = max.number("maximum", { min: -Number.MAX_VALUE, max: Number.MAX_VALUE });
  max.end();
  fields.end();
  return { ...common, watch: { type: "max", probe: signal.probe, maximum } };
}

function readTuner(
  fields: Fields | undefined,
  targets: ReadonlyMap<string, TargetBinding>,
): TunerLimits {
  if (fields === undefined)
    return { enabled: false, targets: [], keys: [], minIntervalMs: 600_000 };
  const enabled = fields.flag("enabled", false);
  const allowed = fields.has("targets")
    ? fields.texts("targets", { min: 0, max: TARGETS_MAX })
    : [...targets.keys()];
  for (const [i, target] of allowed.entries()) {
    if (!targets.has(target)) {
      throw refused(
        `${fields.at("targets")}[${i}]`,
        `one of ${[...targets.keys()].join(", ")}`,
        target,
      );
    }
  }
  const keys = fields.texts("keys", { min: 0, max: KEYS_MAX });
  const seconds = fields.number("minIntervalSeconds", { min: 1, max: 31_536_000, fallback: 600 });
  const limits = readLimits(fields);
  fields.end();
  return { enabled, targets: allowed, keys, minIntervalMs: seconds * 1000, limits };
}

function readUrl(fields: Fields, name: string): string {
  const text = fields.text(name, { max: URL_LENGTH_MAX });
  let protocol = "";
  try {
    ({ protocol } = new URL(text));
  } catch {
    // Not a URL at all: refused below.
  }
  if (protocol !== "http:" && protocol !== "https:") {
    throw refused(fields.at(name), "an http or https URL", text);
  }
  return text;
}

function readPath(fields: Fields, name: string): string {
  const text = fields.text(name, { max: PATH_LENGTH_MAX });
  if (!text.startsWith("/")) throw refused(fields.at(name), "an absolute path", text);
  return text;
}
