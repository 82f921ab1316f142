// Which servers a context file offers: those that say that they are of one cluster, and no others.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { renderKubeconfig } from "../../server/src/kubeconfig.ts";
import { loadContext } from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "kingly-context-"));
const file = join(folder, "config");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Document {
  readonly clusters: { name: string; cluster: Record<string, unknown> }[];
}

const TEXT = renderKubeconfig({
  clusterId: "prod",
  servers: ["s1", "s2", "s3"].map((memberId) => ({ memberId, address: `${memberId}.test:7402` })),
  authorityPem: "the CA",
  user: "admin",
  token: "kingly-token",
  namespace: "web",
});

/** Writes the file with one cluster entry changed. */
function change(at: number, fields: Record<string, unknown>): void {
  const document = parse(TEXT) as Document;
  Object.assign(document.clusters[at]?.cluster ?? {}, fields);
  writeFileSync(file, stringify(document));
}

describe("a context file that init wrote", () => {
  it("has a context per server, each with the others as alternatives", () => {
    writeFileSync(file, TEXT);
    const first = loadContext(file);
    expect(first).toEqual({
      name: "prod-s1",
      server: "https://s1.test:7402",
      alternatives: ["https://s2.test:7402", "https://s3.test:7402"],
      authority: "the CA",
      token: "kingly-token",
      namespace: "web",
    });
    expect(loadContext(file, "prod-s2")).toEqual({
      ...first,
      name: "prod-s2",
      server: "https://s2.test:7402",
      alternatives: ["https://s1.test:7402", "https://s3.test:7402"],
    });
    expect(() => loadContext(file, "prod-s4")).toThrow("contexts has no entry prod-s4");
  });
});

describe("alternatives", () => {
  it("are no entries of another CA, even with the same id", () => {
    change(1, { "certificate-authority-data": Buffer.from("another CA").toString("base64") });
    expect(loadContext(file).alternatives).toEqual(["https://s3.test:7402"]);
    expect(loadContext(file, "prod-s2").alternatives).toEqual([]);
  });

  it("are no entries of another id or of none, even with the same CA", () => {
    for (const extensions of [
      [{ name: "kingly.dev/cluster", extension: { clusterId: "staging" } }],
      [{ name: "kingly.dev/cluster", extension: null }],
      [{ name: "something.else", extension: { clusterId: "prod" } }],
      [],
      undefined,
      "odd",
    ]) {
      change(2, { extensions });
      expect(loadContext(file).alternatives).toEqual(["https://s2.test:7402"]);
    }
  });

  it("are none for a file by hand that says nothing about them", () => {
    change(0, { extensions: undefined });
    expect(loadContext(file).alternatives).toEqual([]);
  });

  it("are none without a CA: the system's roots vouch for everybody", () => {
    change(0, { "certificate-authority-data": undefined });
    expect(loadContext(file).alternatives).toEqual([]);
  });
});
