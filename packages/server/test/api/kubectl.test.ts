// The real kubectl against the REST API, with the context file that `init` writes. Skipped, visibly,
// where kubectl is not installed.
import { execFile, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { JsonObject } from "@kingly/base";
import { renderKubeconfig } from "../../src/kubeconfig.ts";
import { CONFIG, createExample, objective } from "./example.ts";
import { TOKENS, TestApi, eventually } from "./support.ts";

const probe = spawnSync("kubectl", ["version", "--client", "-o", "json"], { encoding: "utf8" });
const installed = probe.status === 0;
const minor = installed
  ? Number(/"minor": "(\d+)/.exec(probe.stdout)?.[1] ?? /v1\.(\d+)/.exec(probe.stdout)?.[1] ?? 0)
  : 0;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe.skipIf(!installed)(`kubectl 1.${minor}`, () => {
  let api: TestApi;
  let folder: string;

  const arguments_ = (args: readonly string[]): string[] => [
    `--kubeconfig=${join(folder, "config")}`,
    `--cache-dir=${join(folder, "cache")}`,
    ...args,
  ];

  function kubectl(args: readonly string[], stdin?: JsonObject): Promise<Ran> {
    return new Promise((resolve) => {
      const child = execFile("kubectl", arguments_(args), (error, out, err) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1;
        resolve({ code, out, err });
      });
      child.stdin?.end(stdin === undefined ? "" : JSON.stringify(stdin));
    });
  }

  /** Runs kubectl and expects it to succeed; returns its output. */
  async function ok(args: readonly string[], stdin?: JsonObject): Promise<string> {
    const { code, out, err } = await kubectl(args, stdin);
    expect(`${args.join(" ")}: ${code} ${code === 0 ? "" : err}`).toBe(`${args.join(" ")}: 0 `);
    return out;
  }

  beforeAll(async () => {
    api = await TestApi.start();
    folder = mkdtempSync(join(tmpdir(), "kingly-kubectl-"));
    const address = `127.0.0.1:${api.api.restPort}`;
    writeFileSync(
      join(folder, "config"),
      renderKubeconfig({
        clusterId: "test",
        servers: ["m1", "m2"].map((memberId) => ({ memberId, address })),
        authorityPem: api.authorityPem,
        user: "alice",
        token: TOKENS.admin,
        namespace: "default",
      }),
    );
    await createExample(api);
  });

  afterAll(async () => {
    await api.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("lists kinds, versions and itself", async () => {
    expect(await ok(["api-resources"])).toMatch(/configs +cfg +kingly\.dev\/v1 +true +Config\n/);
    expect(await ok(["api-versions"])).toContain("kingly.dev/v1\n");
    expect(await ok(["version"])).toContain("Server Version: v1.");
    expect(await ok(["get", "--raw", "/healthz"])).toBe("ok");
  });

  it("knows every server by a context, and keeps what it does not know of the file", async () => {
    expect(await ok(["config", "get-contexts", "-o", "name"])).toBe("test-m1\ntest-m2\n");
    expect(await ok(["config", "current-context"])).toBe("test-m1\n");
    expect(await ok(["--context", "test-m2", "get", "configs", "-o", "name"])).toContain("web");
    await ok(["config", "use-context", "test-m2"]);
    expect(await ok(["config", "view"])).toMatch(/clusterId: test\n/);
    await ok(["config", "use-context", "test-m1"]);
  });

  it("gets tables, wide, names, YAML, JSON paths, selections and all kinds of a category", async () => {
    expect(await ok(["get", "configs"])).toMatch(
      /^NAME +TARGET +VERSION .*\nweb +inference\/main +v1 /,
    );
    expect(await ok(["get", "cfg", "-o", "wide"])).toContain("SCHEMA");
    expect(await ok(["get", "configs", "-o", "name"])).toBe("config.kingly.dev/web\n");
    expect(await ok(["get", "config", "web", "-o", "jsonpath={.status.version}"])).toBe("1");
    expect(await ok(["get", "config", "web", "-o", "yaml"])).toContain("kind: Config\n");
    expect(await ok(["get", "configs", "-l", "tier=front", "-o", "name"])).toContain("web");
    expect(await ok(["get", "configs", "-l", "tier=back", "-o", "name"])).toBe("");
    expect(await ok(["get", "objectives", "--chunk-size=1", "-o", "name"])).toBe(
      "objective.kingly.dev/goodput\nobjective.kingly.dev/latency\n",
    );
    expect(await ok(["get", "objectives", "--sort-by=.metadata.name", "--no-headers"])).toMatch(
      /^goodput.*\nlatency/,
    );
    expect(await ok(["get", "all", "-A"])).toContain("rollout.kingly.dev/web-v1");
    expect(await ok(["get", "configs", "-A", "-o", "custom-columns=N:.metadata.name"])).toBe(
      "N\nweb\n",
    );
    const missing = await kubectl(["get", "config", "nope"]);
    expect(missing).toMatchObject({
      code: 1,
      err: 'Error from server (NotFound): configs.kingly.dev "nope" not found\n',
    });
  });

  it("describes objects with their events, and lists events", async () => {
    const out = await ok(["describe", "rollout", "web-v1"]);
    expect(out).toMatch(/Events:\n {2}Type +Reason/);
    expect(out).toContain("RolloutCompleted");
    expect(await ok(["get", "events"])).toContain("FirstVersion");
    expect(await ok(["events"])).toContain("RolloutCompleted");
  });

  it("applies: created, unchanged, configured, dry run, diff; and deletes", async () => {
    const wanted = objective("applied", "guardrail");
    const file = ["apply", "-f", "-"];
    expect(await ok([...file, "--dry-run=server"], wanted)).toContain("created (server dry run)");
    expect(await ok(file, wanted)).toBe("objective.kingly.dev/applied created\n");
    expect(await ok(file, wanted)).toBe("objective.kingly.dev/applied unchanged\n");
    const changed = { ...wanted, spec: { ...(wanted["spec"] as JsonObject), weight: 3 } };
    const diff = await kubectl(["diff", "-f", "-"], changed);
    expect([diff.code, diff.out.includes("+  weight: 3")]).toEqual([1, true]);
    expect(await ok(file, changed)).toBe("objective.kingly.dev/applied configured\n");
    expect(await ok(["delete", "objective", "applied", "--dry-run=server"])).toContain("dry run");
    expect(await ok(["get", "objective", "applied", "-o", "name"])).toContain("applied");
    expect(await ok(["delete", "objective", "applied"])).toContain("deleted");
    expect((await kubectl(["get", "objective", "applied"])).code).toBe(1);
  });

  it("shows the warning that names the proposal which a change of data opened", async () => {
    const spec = { ...(CONFIG["spec"] as JsonObject), data: { batchWindowMs: 6, workers: 1 } };
    const { code, err } = await kubectl(["apply", "-f", "-"], { ...CONFIG, spec });
    expect(code).toBe(0);
    const name = /Warning: spec\.data is an intent: proposal (\S+) was opened/.exec(err)?.[1] ?? "";
    expect(await ok(["get", "proposal", name, "-o", "jsonpath={.spec.config}"])).toBe("web");
    expect(await ok(["delete", "proposal", name])).toContain("deleted");
  });

  it("creates, replaces, labels, annotates and patches", async () => {
    expect(await ok(["create", "-f", "-"], objective("made", "guardrail"))).toContain("created");
    expect(await ok(["label", "objective", "made", "a=b"])).toContain("labeled");
    expect(await ok(["annotate", "objective", "made", "note=x"])).toContain("annotated");
    const merge = ["patch", "objective", "made", "--type=merge", "-p", '{"spec":{"weight":4}}'];
    expect(await ok(merge)).toContain("patched");
    const json = '[{"op":"replace","path":"/spec/weight","value":5}]';
    expect(await ok(["patch", "objective", "made", "--type=json", "-p", json])).toContain(
      "patched",
    );
    expect(await ok(["get", "objective", "made", "-o", "jsonpath={.spec.weight}"])).toBe("5");
    expect(await ok(["replace", "-f", "-"], objective("made", "guardrail"))).toContain("replaced");
    const strategic = await kubectl(["patch", "objective", "made", "-p", "{}"]);
    expect([strategic.code, strategic.err]).toEqual([1, expect.stringContaining("not supported")]);
    const serverSide = await kubectl(["apply", "--server-side", "-f", "-"], objective("made"));
    expect([serverSide.code, serverSide.err]).toEqual([
      1,
      expect.stringContaining("Server-side apply not available"),
    ]);
    await ok(["delete", "objective", "made"]);
  });

  it("prints refusals the way people know them", async () => {
    const quorum = { apiVersion: "kingly.dev/v1", kind: "Policy", metadata: { name: "bad" } };
    const invalid = await kubectl(["create", "-f", "-"], { ...quorum, spec: { quorum: 3 } });
    expect(invalid.err).toBe(
      'The Policy "bad" is invalid: spec.quorum: must be at most 1; got 3\n',
    );
    const typo = await kubectl(["create", "-f", "-"], { ...quorum, spec: { qourum: 1 } });
    expect(typo.err).toContain('strict decoding error: unknown field "spec.qourum"');
    const votes = await kubectl(["delete", "vote", "x"]);
    expect(votes.code).toBe(1);
  });

  it("explains fields from the schema", async () => {
    expect(await ok(["explain", "policy.spec.quorum"])).toMatch(/FIELD: quorum <number>/);
    expect(await ok(["explain", "configs"])).toContain("spec\t<Object>");
  });

  it("works with namespaces, which it sends as protobuf", async () => {
    expect(await ok(["create", "namespace", "team-a"])).toBe("namespace/team-a created\n");
    expect(await ok(["get", "ns"])).toMatch(/team-a +Active/);
    expect(await ok(["label", "ns", "team-a", "x=y"])).toContain("labeled");
    expect(await ok(["get", "configs", "-n", "team-a"])).toBe("");
    expect(await ok(["delete", "ns", "team-a"])).toContain("deleted");
  });

  it.skipIf(minor < 28)("answers who may do what", async () => {
    expect(await ok(["auth", "whoami"])).toContain("alice");
    expect(await ok(["auth", "can-i", "create", "configs.kingly.dev"])).toBe("yes\n");
    const no = await kubectl(["auth", "can-i", "create", "votes.kingly.dev"]);
    expect([no.code, no.out.split("\n")[0]?.startsWith("no")]).toEqual([1, true]);
    expect(await ok(["auth", "can-i", "--list"])).toContain("configs.kingly.dev");
  });

  it("waits for conditions and values, also with a watch that lists", async () => {
    const wait = ["wait", "config/web", "--timeout=10s"];
    expect(await ok([...wait, "--for=jsonpath={.status.version}=1"])).toContain("condition met");
    const later = kubectl([
      "wait",
      "config/web",
      "--timeout=20s",
      "--for=jsonpath={.metadata.labels.z}=1",
    ]);
    await ok(["label", "config", "web", "z=1"]);
    expect((await later).out).toContain("condition met");
  });

  it("follows changes with -w", async () => {
    const child = spawn("kubectl", arguments_(["get", "objectives", "-w", "--no-headers"]));
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString("utf8")));
    await eventually("the list", () => out.split("\n").length === 3);
    await ok(["label", "objective", "latency", "seen=1"]);
    await eventually("the change", () => /latency[^]*latency/.test(out));
    child.kill();
    await new Promise((resolve) => child.on("close", resolve));
  });
});
