// The command lines of an operator while a server is away: kinglyctl asks the others that the context
// file of `init` names, a write is made once, and kubectl works with the same file.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterStatus } from "@kingly/server";
import { stringify } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Cluster, mainOf } from "../harness/cluster.ts";
import { kubectlPath } from "../harness/kubectl.ts";
import { OBJECTIVE } from "../harness/manifests.ts";
import { until } from "../harness/until.ts";

let cluster: Cluster;
let calls = 0;

interface Said {
  readonly code: number | null;
  readonly text: string;
}

beforeAll(async () => {
  cluster = await Cluster.start();
});

afterAll(async () => {
  await cluster?.dispose();
});

async function ended(command: string, args: readonly string[]): Promise<Said> {
  calls += 1;
  const options = ["--kubeconfig", cluster.files.kubeconfig];
  const running = cluster.processes.launchCommand(`command-${calls}`, command, [
    ...args.slice(0, 1),
    ...options,
    ...args.slice(1),
  ]);
  const { code } = await running.exited;
  return { code, text: running.output.join("\n") };
}

function ctl(...args: string[]): Promise<Said> {
  return ended(process.execPath, [mainOf("cli"), ...args]);
}

/** Waits until some server that is up answers as a follower of a leader, or as the leader. */
async function untilLed(): Promise<void> {
  await until("a leader that all know", async () => {
    const { code } = await ctl("cluster", "status");
    return code === 0;
  });
}

function objectiveFile(name: string): string {
  const file = join(cluster.dir, `${name}.yaml`);
  writeFileSync(file, stringify({ ...OBJECTIVE, metadata: { name, namespace: "default" } }));
  return file;
}

describe("kinglyctl while server-1 is down", () => {
  beforeAll(async () => {
    await cluster.endServer(0, "SIGKILL");
    await untilLed();
  });

  it("reads through another server and says so", async () => {
    const [first = "", second = ""] = cluster.files.restUrls;
    const { code, text } = await ctl("get", "policies");
    expect(code, text).toBe(0);
    expect(text).toMatch(/^default +/m);
    expect(text).toContain(`Warning: cannot reach ${first} (connect ECONNREFUSED`);
    expect(text).toContain(`asking ${second}`);
  });

  it("writes once", async () => {
    const created = await ctl("apply", "-f", objectiveFile("once"));
    expect(created.code, created.text).toBe(0);
    expect(created.text).toContain("objective/once created");
    const again = await ctl("apply", "-f", objectiveFile("once"));
    expect(again.text).toContain("objective/once unchanged");
    const { items } = JSON.parse(
      (await ctl("get", "objectives", "-o", "json")).text.replace(/^Warning: .*$/m, ""),
    ) as { readonly items: readonly { readonly metadata: { readonly generation: number } }[] };
    expect(items.map((one) => one.metadata.generation)).toEqual([1]);
  });

  it("needs no other server when another context is named", async () => {
    const context = `${cluster.files.clusterId}-server-2`;
    const { code, text } = await ctl("--context", context, "cluster", "status", "-o", "json");
    expect(code, text).toBe(0);
    const status = JSON.parse(text) as ClusterStatus;
    expect(status.memberId).toBe("server-2");
  });

  it.skipIf(kubectlPath === undefined)("kubectl works with a context of another", async () => {
    const cache = ["--cache-dir", join(cluster.dir, "kubectl-cache")];
    const context = ["--context", `${cluster.files.clusterId}-server-3`];
    const there = await ended(kubectlPath ?? "", ["get", ...cache, ...context, "policies"]);
    expect(there.code, there.text).toBe(0);
    expect(there.text).toMatch(/^default +/m);
    // kubectl knows one server per context: the first one is down.
    const here = await ended(kubectlPath ?? "", ["get", ...cache, "policies"]);
    expect(here.code).toBe(1);
  });
});

describe("kinglyctl while all servers are down", () => {
  it("names every server that it tried: exit code 1", async () => {
    await Promise.all([1, 2].map((member) => cluster.endServer(member, "SIGKILL")));
    const { code, text } = await ctl("get", "policies");
    expect(code).toBe(1);
    expect(text).toContain("error: cannot reach any of 3 servers: ");
    for (const url of cluster.files.restUrls) expect(text).toContain(`${url}: connect`);
  });
});
