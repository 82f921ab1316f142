// The context file of the demonstration, over a second start with the data of the first.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadContext } from "@kingly/client";
import { prepareCluster, type ClusterFiles } from "../src/servers.ts";

let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kingly-demo-"));
});

afterEach(() => rmSync(dir, { recursive: true, force: true }));

function prepare(): Promise<ClusterFiles> {
  return prepareCluster({ dir, servers: 3 });
}

/** Gives a server another REST port in its configuration file. */
function movePort(files: ClusterFiles, member: number, port: number): void {
  const path = files.configs[member] ?? "";
  const config = JSON.parse(readFileSync(path, "utf8")) as { listen: { rest: string } };
  config.listen.rest = `127.0.0.1:${port}`;
  writeFileSync(path, JSON.stringify(config));
}

it("knows all servers, and a second start leaves it as it is", async () => {
  const files = await prepare();
  const { server, alternatives } = loadContext(files.kubeconfig);
  expect([server, ...alternatives]).toEqual(files.restUrls);
  const before = readFileSync(files.kubeconfig, "utf8");
  expect(await prepare()).toEqual(files);
  expect(readFileSync(files.kubeconfig, "utf8")).toBe(before);
});

it("follows ports that changed in between and keeps its token and CA", async () => {
  const files = await prepare();
  const before = loadContext(files.kubeconfig);
  movePort(files, 0, 11_111);
  movePort(files, 2, 11_113);
  await prepare();
  expect(loadContext(files.kubeconfig)).toEqual({
    ...before,
    server: "https://127.0.0.1:11111",
    alternatives: [files.restUrls[1], "https://127.0.0.1:11113"],
  });
  expect(statSync(files.kubeconfig).mode & 0o777).toBe(0o600);
});

it("is completed when an earlier release wrote it for one server only", async () => {
  const files = await prepare();
  const { token, authority } = loadContext(files.kubeconfig);
  const old = {
    "current-context": "kingly",
    clusters: [
      {
        name: "kingly",
        cluster: {
          server: files.restUrls[0],
          "certificate-authority-data": Buffer.from(authority ?? "").toString("base64"),
        },
      },
    ],
    users: [{ name: "admin", user: { token } }],
    contexts: [{ name: "kingly", context: { cluster: "kingly", user: "admin" } }],
  };
  writeFileSync(files.kubeconfig, JSON.stringify(old));
  await prepare();
  const now = loadContext(files.kubeconfig);
  expect([now.server, ...now.alternatives]).toEqual(files.restUrls);
  expect([now.token, now.authority]).toEqual([token, authority]);
});
