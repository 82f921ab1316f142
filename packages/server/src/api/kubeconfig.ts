// The context file that `init` writes: kubeconfig-compatible, with the cluster's CA and a token inside,
// so that kubectl and kinglyctl work with the same file.

import { writeFileSync } from "node:fs";
import { KinglyError } from "@kingly/base";
import { stringify } from "yaml";

/** What the file says. */
export interface KubeconfigOptions {
  /** Name of the cluster, context and user entries. */
  readonly clusterId: string;
  /** REST addresses, `host:port`; the first is used, the others become contexts of their own. */
  readonly servers: readonly string[];
  /** PEM of the cluster's CA. */
  readonly authorityPem: string;
  readonly user: string;
  readonly token: string;
  /** Default namespace. */
  readonly namespace: string;
}

/** Text of the context file (YAML). Usage when no server is given. */
export function renderKubeconfig(options: KubeconfigOptions): string {
  const { clusterId, servers, authorityPem, user, token, namespace } = options;
  if (servers.length === 0) {
    throw new KinglyError("Usage", "servers: at least one REST address is needed", {
      field: "servers",
    });
  }
  const authority = Buffer.from(authorityPem).toString("base64");
  const name = (at: number): string => (at === 0 ? clusterId : `${clusterId}-${at + 1}`);
  return stringify({
    apiVersion: "v1",
    kind: "Config",
    "current-context": clusterId,
    clusters: servers.map((server, at) => ({
      name: name(at),
      cluster: { server: `https://${server}`, "certificate-authority-data": authority },
    })),
    contexts: servers.map((_server, at) => ({
      name: name(at),
      context: { cluster: name(at), user, namespace },
    })),
    users: [{ name: user, user: { token } }],
  });
}

/** Writes the context file, readable by its owner only: it holds a token. */
export function writeKubeconfig(file: string, options: KubeconfigOptions): void {
  writeFileSync(file, renderKubeconfig(options), { mode: 0o600 });
}
