// What `kinglyd init` leaves on disk for people: one context file that knows every server.
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import type { KinglyError } from "@kingly/base";
import { parse } from "yaml";
import { loadConfig } from "../src/config.ts";
import { initCluster } from "../src/init.ts";
import type { InitOptions, InitResult } from "../src/init.ts";

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "kingly-init-"));
  folders.push(made);
  return made;
}

function init(dir: string, options: Partial<InitOptions> = {}): Promise<InitResult> {
  const members = ["s1", "s2", "s3"].map((id) => ({ id, restPort: 7_402, host: `${id}.test` }));
  return initCluster({ dir, clusterId: "prod", members, nowMs: Date.now(), ...options });
}

it("writes a context per server, with the CA and the only token, readable by its owner", async () => {
  const dir = folder();
  const created = await init(dir, { namespaces: ["web", "batch"] });
  expect(created.kubeconfig).toBe(join(dir, "kubeconfig"));
  expect(statSync(created.kubeconfig).mode & 0o777).toBe(0o600);
  const cluster = (id: string): object => ({
    name: `prod-${id}`,
    cluster: {
      server: `https://${id}.test:7402`,
      "certificate-authority-data": Buffer.from(created.authorityPem).toString("base64"),
      extensions: [{ name: "kingly.dev/cluster", extension: { clusterId: "prod" } }],
    },
  });
  const context = (id: string): object => ({
    name: `prod-${id}`,
    context: { cluster: `prod-${id}`, user: "prod-admin", namespace: "web" },
  });
  expect(parse(readFileSync(created.kubeconfig, "utf8"))).toEqual({
    apiVersion: "v1",
    kind: "Config",
    "current-context": "prod-s1",
    clusters: ["s1", "s2", "s3"].map(cluster),
    contexts: ["s1", "s2", "s3"].map(context),
    users: [{ name: "prod-admin", user: { token: created.adminToken } }],
  });
});

it("names the ports that it chose", async () => {
  const created = await init(folder(), { members: [{ id: "one" }] });
  const { listen } = loadConfig(created.configs[0] ?? "");
  expect(readFileSync(created.kubeconfig, "utf8")).toContain(`server: https://${listen.rest}\n`);
});

it("creates nothing over a context file that is there: its token may be the only one", async () => {
  const dir = folder();
  const { kubeconfig } = await init(dir);
  const before = readFileSync(kubeconfig, "utf8");
  const other = join(dir, "other");
  const refused: unknown = await init(other, { kubeconfig }).catch((error: unknown) => error);
  const { code, details } = refused as KinglyError;
  expect([code, details.field, details.value]).toEqual(["AlreadyExists", "kubeconfig", kubeconfig]);
  expect(readFileSync(kubeconfig, "utf8")).toBe(before);
  expect(() => statSync(other)).toThrow("ENOENT");
});
