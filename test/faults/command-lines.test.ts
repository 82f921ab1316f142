// The two command lines that people use, kinglyctl and the real kubectl, against a running cluster
// with a fleet that does real work.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "@kingly/base";
import type { Veto } from "@kingly/resources";
import { stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, mainOf } from "../harness/cluster.ts";
import { kubectlPath } from "../harness/kubectl.ts";
import { config, OBJECTIVE, policy, SCHEMA } from "../harness/manifests.ts";
import { startNodes, untilCalibrated, type TestNode } from "../harness/node.ts";
import { untilSettled } from "../harness/settled.ts";
import { until } from "../harness/until.ts";

let cluster: Cluster;
let manifests = "";
let nodes: readonly TestNode[] = [];
let calls = 0;

/** How a command ended and what it said. */
interface Said {
  readonly code: number | null;
  readonly text: string;
}

beforeAll(async () => {
  cluster = await Cluster.start();
  manifests = join(cluster.dir, "manifests");
  mkdirSync(manifests);
  const documents = [
    SCHEMA,
    OBJECTIVE,
    policy({ name: "quick" }),
    config({ name: "work", policy: "quick" }),
  ];
  for (const [at, document] of documents.entries()) {
    writeFileSync(join(manifests, `${at}-${document["kind"] as string}.yaml`), stringify(document));
  }
});

afterAll(async () => {
  await cluster?.dispose();
});

async function ended(name: string, command: string, args: readonly string[]): Promise<Said> {
  calls += 1;
  const running = cluster.processes.launchCommand(`${name}-${calls}`, command, args);
  const { code } = await running.exited;
  return { code, text: running.output.join("\n") };
}

function ctl(...args: string[]): Promise<Said> {
  const options = [mainOf("cli"), "--kubeconfig", cluster.files.kubeconfig, ...args];
  return ended("kinglyctl", process.execPath, options);
}

/** A command that must end well; what it said. */
async function ok(said: Promise<Said>): Promise<string> {
  const { code, text } = await said;
  expect(code, text).toBe(0);
  return text;
}

describe("kinglyctl", () => {
  it("shows the servers and brings objects in, once", async () => {
    const status = await ok(ctl("cluster", "status"));
    for (const id of cluster.files.memberIds) expect(status).toContain(id);
    expect(status).toMatch(/leader/);
    const applied = await ok(ctl("apply", "-f", manifests));
    expect(applied.match(/created/g)).toHaveLength(4);
    const again = await ok(ctl("apply", "-f", manifests));
    expect(again.match(/unchanged/g)).toHaveLength(4);
    nodes = await startNodes(cluster, [{ name: "n1" }, { name: "n2" }]);
    await untilCalibrated(cluster, nodes);
  });

  it("shows objects as tables, names, JSON and for people", async () => {
    expect(await ok(ctl("get", "nodes", "-o", "name"))).toMatch(/n1[^]*n2/);
    expect(await ok(ctl("get", "configs"))).toMatch(/NAME[^]*work/);
    const { spec } = JSON.parse(await ok(ctl("get", "config", "work", "-o", "json"))) as JsonObject;
    expect(spec).toMatchObject({ data: { rounds: 100, flavor: "a" } });
    expect(await ok(ctl("get", "nodeconfigs"))).toMatch(/n1[^]*confirmed/i);
    expect(await ok(ctl("describe", "config", "work"))).toMatch(/work/);
  });

  it("proposes a change, waits for it, explains it and shows its rollout", async () => {
    const change = ["--set", "rounds=40", "--set", 'flavor="cli"', "--reason", "less work"];
    const text = await ok(
      ctl("propose", "work", ...change, "--wait", "completed", "--timeout", "2m"),
    );
    expect(text).toMatch(/opened[^]*Completed/);
    const name = /proposal\/(\S+) opened/.exec(text)?.[1] ?? "";
    const why = await ok(ctl("why", "proposal", name));
    expect(why).toMatch(/accept/i);
    expect(why).toMatch(/n1/);
    expect(await ok(ctl("rollout", "status", "work"))).toMatch(/work-v2 Completed/);
    expect(await untilSettled(cluster, nodes, "work")).toEqual({ n1: 2, n2: 2 });
  });

  it("asks a node for a veto, and the node goes back", async () => {
    await ok(ctl("veto", "n2", "work", "--reason", "maintenance"));
    await until("the veto", async () => (await cluster.list<Veto>("Veto")).length > 0);
    expect(await ok(ctl("get", "vetoes"))).toMatch(/n2[^]*Manual/);
    await until("v1 again", async () => (await nodes[1]?.running())?.rounds === 100);
    expect((await nodes[0]?.running())?.rounds).toBe(40);
  });

  it("ends with the published exit codes and says what is wrong", async () => {
    const cases: readonly (readonly [number, RegExp, readonly string[]])[] = [
      [2, /unknown kind/, ["get", "pods"]],
      [1, /NotFound/, ["get", "config", "nothing"]],
      [2, /--set|Usage/, ["propose", "work"]],
    ];
    for (const [code, words, args] of cases) {
      const said = await ctl(...args);
      expect(said.text).toMatch(words);
      expect(said.code, said.text).toBe(code);
    }
    const refused = await ctl("propose", "work", "--set", "rounds=0", "--reason", "x");
    expect(refused.code, refused.text).not.toBe(0);
    expect(refused.text).toMatch(/rounds/);
  });
});

describe.skipIf(kubectlPath === undefined)("the real kubectl", () => {
  function kubectl(...args: string[]): Promise<Said> {
    const cache = join(cluster.dir, "kubectl-cache");
    const options = ["--kubeconfig", cluster.files.kubeconfig, "--cache-dir", cache, ...args];
    return ended("kubectl", kubectlPath ?? "", options);
  }

  it("finds the kinds and shows objects", async () => {
    const kinds = await ok(kubectl("api-resources", "--api-group", "kingly.dev"));
    for (const kind of ["Config", "Proposal", "Vote", "Veto", "Rollout"]) {
      expect(kinds).toMatch(new RegExp(`\\b${kind}\\b`));
    }
    expect(await ok(kubectl("get", "configs"))).toMatch(/NAME[^]*work/);
    expect(await ok(kubectl("get", "configs,policies,objectives"))).toMatch(/quick[^]*cost/);
    expect(await ok(kubectl("get", "nodes.kingly.dev"))).toMatch(/n1[^]*n2/);
    const path = "jsonpath={.spec.data.rounds}";
    expect(await ok(kubectl("get", "config", "work", "-o", path))).toBe("40");
    expect(await ok(kubectl("explain", "config.spec.data"))).toMatch(/data/);
    expect(await ok(kubectl("describe", "config", "work"))).toMatch(/Spec:[^]*Rounds/);
    expect(await ok(kubectl("auth", "can-i", "create", "configs"))).toBe("yes");
  });

  it("applies, waits, labels and deletes", async () => {
    const file = join(cluster.dir, "extra.yaml");
    const extra = { ...OBJECTIVE, metadata: { name: "extra", namespace: "default" } };
    writeFileSync(file, stringify(extra));
    expect(await ok(kubectl("apply", "-f", file))).toMatch(/extra created/);
    expect(await ok(kubectl("apply", "-f", file))).toMatch(/extra unchanged/);
    expect(await ok(kubectl("label", "objective", "extra", "team=kings"))).toMatch(/labeled/);
    expect(await ok(kubectl("get", "objectives", "-l", "team=kings", "-o", "name"))).toMatch(
      /extra/,
    );
    const phase = "jsonpath={.status.phase}=Completed";
    expect(await ok(kubectl("wait", `--for=${phase}`, "proposals", "--all"))).toMatch(/met/);
    expect(await ok(kubectl("delete", "objective", "extra"))).toMatch(/deleted/);
    const gone = await kubectl("get", "objective", "extra");
    expect(gone.code).toBe(1);
    expect(gone.text).toMatch(/NotFound/);
  });

  it("is told by name what is wrong", async () => {
    const file = join(cluster.dir, "wrong.yaml");
    const wrong = config({ name: "wrong", policy: "quick", data: { rounds: 0, flavor: "x" } });
    writeFileSync(file, stringify(wrong));
    const refused = await kubectl("apply", "-f", file);
    expect(refused.code).toBe(1);
    expect(refused.text).toMatch(/rounds/);
    const forbidden = await kubectl("--token", "nobody", "get", "configs");
    expect(forbidden.code).toBe(1);
    expect(forbidden.text).toMatch(/token|Unauthorized/i);
  });
});
