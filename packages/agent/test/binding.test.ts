import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KinglyError } from "@kingly/base";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fields, loadAgentConfig, readBinding } from "../src/index.ts";

const PROBE = { prometheus: { url: "http://127.0.0.1:1/metrics", kind: "gauge", metric: "up" } };
const FILE = { file: { path: "/etc/app.json" } };
const ok = {
  targets: { "inference/main": { applier: FILE, limits: { window: { minimum: 0, maximum: 9 } } } },
  signals: { latency: { probe: PROBE, margin: 0.05 } },
  tripwires: { hot: { max: { signal: "latency", maximum: 2 } } },
  tuner: { enabled: true, minIntervalSeconds: 30 },
};

/** The refusal of a binding: code and field. */
function refusal(binding: unknown): string {
  try {
    readBinding(new Fields(binding, "binding"));
  } catch (error) {
    if (!(error instanceof KinglyError)) throw error;
    expect(error.details.limit).toBeDefined();
    return `${error.code} ${error.details.field ?? ""}`;
  }
  return "accepted";
}

describe("the binding", () => {
  it("reads targets, signals, tripwires and the tuner with their defaults", () => {
    const binding = readBinding(new Fields(ok, "binding"));
    expect(binding.targets["inference/main"]?.applier).toEqual({
      type: "file",
      path: "/etc/app.json",
      format: "json",
      mode: 0o640,
    });
    expect(binding.tripwires["hot"]).toMatchObject({ target: "", failures: 3, intervalMs: 1_000 });
    expect(binding.tuner).toMatchObject({ enabled: true, targets: ["inference/main"], keys: [] });
    const { tuner } = readBinding(new Fields({ targets: ok.targets }, "binding"));
    expect(tuner.enabled).toBe(false);
  });

  it.each([
    ["an unknown field", { ...ok, tripwire: {} }, "UnknownField binding.tripwire"],
    ["no targets", { signals: ok.signals }, "InvalidField binding.targets"],
    [
      "two appliers",
      { targets: { a: { applier: { ...FILE, http: {} } } } },
      "InvalidField binding.targets.a.applier",
    ],
    [
      "a relative path",
      { targets: { a: { applier: { file: { path: "x" } } } } },
      "InvalidField binding.targets.a.applier.file.path",
    ],
    [
      "a bad mode",
      { targets: { a: { applier: { file: { path: "/x", mode: "999" } } } } },
      "InvalidField binding.targets.a.applier.file.mode",
    ],
    [
      "a URL that is none",
      { targets: { a: { applier: { http: { url: "ftp://x" } } } } },
      "InvalidField binding.targets.a.applier.http.url",
    ],
    [
      "limits upside down",
      { targets: { a: { applier: FILE, limits: { k: { minimum: 2, maximum: 1 } } } } },
      "InvalidField binding.targets.a.limits.k.minimum",
    ],
    [
      "a typo in a limit",
      { targets: { a: { applier: FILE, limits: { k: { max: 1 } } } } },
      "UnknownField binding.targets.a.limits.k.max",
    ],
    [
      "an unknown kind",
      { ...ok, signals: { s: { probe: { prometheus: { ...PROBE.prometheus, kind: "p99" } } } } },
      "InvalidField binding.signals.s.probe.prometheus.kind",
    ],
    [
      "a ratio without per",
      {
        ...ok,
        signals: { s: { probe: { prometheus: { ...PROBE.prometheus, kind: "counter-ratio" } } } },
      },
      "InvalidField binding.signals.s.probe.prometheus.per",
    ],
    [
      "a margin above one",
      { ...ok, signals: { latency: { probe: PROBE, margin: 2 } } },
      "InvalidField binding.signals.latency.margin",
    ],
    [
      "a tripwire on an unknown signal",
      { ...ok, tripwires: { t: { max: { signal: "x", maximum: 1 } } } },
      "InvalidField binding.tripwires.t.max.signal",
    ],
    [
      "a tripwire on an unknown target",
      { ...ok, tripwires: { t: { target: "x", max: { signal: "latency", maximum: 1 } } } },
      "InvalidField binding.tripwires.t.target",
    ],
    [
      "a tuner of an unknown target",
      { ...ok, tuner: { enabled: true, targets: ["x"] } },
      "InvalidField binding.tuner.targets[0]",
    ],
    [
      "a name with a space",
      { targets: { "a b": { applier: FILE } } },
      "InvalidField binding.targets.a b",
    ],
  ])("refuses %s, naming the field", (_what, binding, expected) => {
    expect(refusal(binding)).toBe(expected);
  });
});

describe("the agent's file", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "kingly-config-"));
  });
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  async function load(text: string): Promise<unknown> {
    const path = join(folder, "agent.yaml");
    await writeFile(path, text);
    return loadAgentConfig(path);
  }

  it("may be YAML, may name its binding and its token by file, relative to itself", async () => {
    await writeFile(join(folder, "binding.json"), JSON.stringify(ok));
    await writeFile(join(folder, "token"), "kjt1.a.b.c\n");
    const text =
      "node: n1\nservers: [localhost:1, '[::1]:2']\nstateDir: state\njoinTokenFile: token\nbinding: binding.json\n";
    expect(await load(text)).toMatchObject({
      node: "n1",
      stateDir: join(folder, "state"),
      joinToken: "kjt1.a.b.c",
      binding: { tuner: { minIntervalMs: 30_000 } },
    });
  });

  it.each([
    [
      `node: ${"n".repeat(101)}\nservers: [a:1]\nstateDir: s\nbinding: {targets: {}}`,
      /node: must be an RFC 1123 subdomain of at most 100 characters, is "nnn/,
    ],
    [
      "node: a..b\nservers: [a:1]\nstateDir: s\nbinding: {targets: {}}",
      /node: must be an RFC 1123/,
    ],
    ["node: N_1\nservers: [a:1]\nstateDir: s\nbinding: {targets: {}}", /node: must be/],
    [
      "node: n1\nservers: []\nstateDir: s\nbinding: {targets: {}}",
      /servers: must be a list of 1 to/,
    ],
    [
      "node: n1\nservers: [a:99999]\nstateDir: s\nbinding: {targets: {}}",
      /servers\[0\]: must be host:port/,
    ],
    ["node: n1\nservers: [a:1]\nbinding: {targets: {}}", /stateDir: must be/],
    ["node: n1\nservers: [a:1]\nstateDir: s\nbinding: {targets: {}}\nport: 1", /port: unknown/],
    ["a: [", /not YAML/],
    ["{", /not JSON/],
  ])("refuses %j", async (text, message) => {
    await expect(load(text)).rejects.toThrow(message);
  });
});
