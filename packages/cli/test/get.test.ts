// kinglyctl get, describe, cluster status: exact output, streams and exit codes, against a real API.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExample, objective } from "../../server/test/api/example.ts";
import { eventually } from "../../server/test/api/support.ts";
import { Terminal } from "./support.ts";

let terminal: Terminal;

beforeAll(async () => {
  terminal = await Terminal.start();
  await createExample(terminal.api);
  await terminal.api.enroll("node-1");
});

afterAll(async () => {
  await terminal.close();
});

describe("get", () => {
  it("prints tables, names, JSON and YAML", async () => {
    const table = await terminal.run(["get", "objectives"]);
    expect(table).toEqual({
      code: 0,
      err: "",
      out: expect.stringMatching(
        /^NAME {6}SIGNAL {9}BETTER {3}ROLE {8}MARGIN {3}AGE\ngoodput {3}successRatio {3}higher {3}guardrail {3}20% {6}\d+s\nlatency {3}latencyMean {4}lower {4}primary {5}20% {6}\d+s\n$/,
      ) as string,
    });
    expect(await terminal.run(["get", "obj", "-o", "name"])).toEqual({
      code: 0,
      err: "",
      out: "objective/goodput\nobjective/latency\n",
    });
    const json = await terminal.run(["get", "objective/latency", "-o", "json"]);
    expect(JSON.parse(json.out)).toMatchObject({
      kind: "Objective",
      metadata: { name: "latency" },
    });
    const yaml = await terminal.run(["get", "configs", "web", "-o", "yaml"]);
    expect(yaml.out).toContain("kind: Config\n");
    const wide = await terminal.run(["get", "obj", "-o", "wide", "--no-headers"]);
    expect(wide.out.split("\n")[0]).toMatch(/^goodput .* s {3}\d+s$/);
  });

  it("says so when there is nothing, and lists all namespaces when asked", async () => {
    expect(await terminal.run(["get", "vetoes"])).toEqual({
      code: 0,
      out: "",
      err: "No resources found in namespace default.\n",
    });
    const all = await terminal.run(["get", "configs", "-A"]);
    expect(all.out).toMatch(/^NAMESPACE +NAME +.*\ndefault +web /);
    const cluster = await terminal.run(["get", "nodes", "-A"]);
    expect(cluster.out).toMatch(/^NAME +READY /);
  });

  it("names what is wrong on the command line: exit code 2", async () => {
    const unknown = await terminal.run(["get", "nonsense"]);
    expect(unknown.code).toBe(2);
    expect(unknown.err).toMatch(
      /^error: unknown kind "nonsense" \(UnknownKind\)\n {2}known kinds: /,
    );
    expect((await terminal.run(["get", "configs", "-o", "xml"])).code).toBe(2);
    expect((await terminal.run(["fly"])).code).toBe(2);
    expect((await terminal.run(["get", "configs", "--frobnicate"])).code).toBe(2);
    const missing = await terminal.run(["get", "config", "nope"]);
    expect(missing).toEqual({
      code: 1,
      out: "",
      err: 'error: configs.kingly.dev "nope" not found (NotFound)\n',
    });
  });

  it("prints several kinds as kubectl does: a table each, names with their kind", async () => {
    const { code, out, err } = await terminal.run(["get", "policies,vetoes,obj"]);
    expect([code, err]).toEqual([0, ""]);
    const [policies = "", objectives = "", ...more] = out.split("\n\n");
    expect(more).toEqual([]);
    expect(policies).toMatch(/^NAME +.*\npolicy\/demo +/);
    expect(objectives).toMatch(
      /^NAME +SIGNAL .*\nobjective\/goodput +.*\nobjective\/latency +.*\n$/,
    );
    const everywhere = await terminal.run(["get", "configs,nodes", "-A", "--no-headers"]);
    expect(everywhere.out).toMatch(/^default +config\/web +/);
    const names = await terminal.run(["get", "configs,policies,cfg", "-o", "name"]);
    expect(names.out).toBe("config/web\npolicy/demo\n");
    expect(await terminal.run(["get", "vetoes,votes"])).toEqual({
      code: 0,
      out: "",
      err: "No resources found in namespace default.\n",
    });
  });

  it("prints several kinds as one List", async () => {
    const { out } = await terminal.run(["get", "policies,objectives", "-o", "json"]);
    const list = JSON.parse(out) as {
      readonly kind: string;
      readonly items: readonly { readonly kind: string; readonly metadata: { name: string } }[];
    };
    expect(list.kind).toBe("List");
    expect(list.items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
      "Policy demo",
      "Objective goodput",
      "Objective latency",
    ]);
    const yaml = await terminal.run(["get", "config/web", "policy/demo", "-o", "yaml"]);
    expect(yaml.out).toMatch(/^apiVersion: v1\nkind: List\n/);
    expect(yaml.out).toMatch(/kind: Config\n[^]*kind: Policy\n/);
  });

  it("gets objects by KIND/NAME, also of several kinds", async () => {
    const { out } = await terminal.run(["get", "obj/latency", "policy/demo", "objective/goodput"]);
    expect(out).toMatch(
      /^NAME .*\nobjective\/latency .*\nobjective\/goodput .*\n\nNAME .*\npolicy\/demo .*\n$/,
    );
    const one = await terminal.run(["get", "obj/latency", "objective/goodput"]);
    expect(one.out).toMatch(/^NAME .*\nlatency .*\ngoodput .*\n$/);
  });

  it("refuses names next to several kinds, mixtures, and a watch of several", async () => {
    for (const [problem, ...argv] of [
      ['names need one kind, not "configs,policies"', "configs,policies", "web"],
      ['"web" is not KIND/NAME', "config/web", "web"],
      ['"config/" is not KIND/NAME', "config/"],
      ['unknown kind ""', "configs,"],
      ['unknown kind "pods"', "configs,pods"],
      ["-w: 2 kinds; one kind can be watched", "configs,policies", "-w"],
    ] as const) {
      const { code, out, err } = await terminal.run(["get", ...argv]);
      expect([code, out, err]).toEqual([2, "", expect.stringContaining(`error: ${problem}`)]);
    }
  });

  it("follows changes until it is interrupted", async () => {
    const controller = new AbortController();
    let out = "";
    const running = terminal.run(["get", "objectives", "latency", "-w", "-o", "name"], {
      signal: controller.signal,
      onOut: (text) => (out = text),
    });
    await eventually("the first line", () => out === "objective/latency\n");
    const changed = { ...objective("latency"), metadata: { name: "latency", labels: { a: "b" } } };
    await eventually("a change arrives", async () => {
      const labels = { a: String(Math.random()).slice(2, 8) };
      const body = { ...changed, metadata: { ...changed.metadata, namespace: "default", labels } };
      await terminal.run(["apply", "-f", "-"], { stdin: JSON.stringify(body) });
      return out.split("\n").length > 2;
    });
    controller.abort();
    expect((await running).code).toBe(0);
  });
});

describe("describe", () => {
  it("shows an object with conditions and events", async () => {
    const { code, out } = await terminal.run(["describe", "rollout", "web-v1"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Name: {8}web-v1\nNamespace: {3}default\n/);
    expect(out).toContain("Spec:\n  config: web\n");
    expect(out).toContain("RolloutCompleted");
    const none = await terminal.run(["describe", "policy", "demo"]);
    expect(none.out).toContain("Events:\n  <none in the last hour>\n");
  });
});

describe("cluster status", () => {
  it("says who leads and how far each member is", async () => {
    const { code, out } = await terminal.run(["cluster", "status"]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^cluster test-cluster, term 1, revision \d+, committed \d+, applied \d+ \(answered by m1, leader, 0\.1\.0\)\nMEMBER {3}ROLE {5}REACHABLE {3}MATCH {3}ADDRESS\nm1 {7}leader {3}yes {9}\d+ +localhost:\d+\n$/,
    );
    const json = await terminal.run(["cluster", "status", "-o", "json"]);
    expect(JSON.parse(json.out)).toMatchObject({ leaderId: "m1" });
  });
});
