// The context file that `init` writes: kubeconfig-compatible, one context per server, with the cluster's
// CA and a token inside, so that kubectl and kinglyctl work with the same file. An extension of each
// cluster entry (fields that kubectl keeps and ignores) says which entries are servers of one cluster:
// kinglyctl may ask another of them when one cannot be reached.

import { renameSync, rmSync, writeFileSync } from "node:fs";
import { KinglyError } from "@kingly/base";
import { stringify } from "yaml";

/** One server as clients reach it. */
export interface KubeconfigServer {
  /** Id of the member; part of the context's name. */
  readonly memberId: string;
  /** REST address, `host:port`. */
  readonly address: string;
}

/** What the file says. */
export interface KubeconfigOptions {
  /** Front part of all names in the file, and what makes its servers one cluster. */
  readonly clusterId: string;
  /** At least one; the first is the current context. */
  readonly servers: readonly KubeconfigServer[];
  /** PEM of the cluster's CA. */
  readonly authorityPem: string;
  /** Name of the user entry is `<clusterId>-<user>`. */
  readonly user: string;
  readonly token: string;
  /** Default namespace. */
  readonly namespace: string;
}

/** Name of the extension that carries the cluster's id, as in `extension: {clusterId}`. */
const CLUSTER_EXTENSION = "kingly.dev/cluster";

/** Text of the context file (YAML). Usage when no server is given. */
export function renderKubeconfig(options: KubeconfigOptions): string {
  const { clusterId, servers, authorityPem, token, namespace } = options;
  const [first] = servers;
  if (first === undefined) {
    throw new KinglyError("Usage", "servers: at least one REST address is needed", {
      field: "servers",
      limit: 1,
      value: 0,
    });
  }
  const authority = Buffer.from(authorityPem).toString("base64");
  const name = (server: KubeconfigServer): string => `${clusterId}-${server.memberId}`;
  const user = `${clusterId}-${options.user}`;
  const extensions = [{ name: CLUSTER_EXTENSION, extension: { clusterId } }];
  const document = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name(first),
    clusters: servers.map((server) => ({
      name: name(server),
      cluster: {
        server: `https://${server.address}`,
        "certificate-authority-data": authority,
        extensions,
      },
    })),
    contexts: servers.map((server) => ({
      name: name(server),
      context: { cluster: name(server), user, namespace },
    })),
    users: [{ name: user, user: { token } }],
  };
  // Without anchors for what repeats: kubectl reads them, not everything else does.
  return stringify(document, { aliasDuplicateObjects: false });
}

/**
 * Writes the context file, readable by its owner only: it holds a token. One that is there is replaced
 * as a whole, since its token may be stored nowhere else.
 */
export function writeKubeconfig(file: string, options: KubeconfigOptions): void {
  const whole = `${file}.${process.pid}`;
  try {
    writeFileSync(whole, renderKubeconfig(options), { mode: 0o600, flush: true });
    renameSync(whole, file);
  } catch (error) {
    rmSync(whole, { force: true });
    throw error;
  }
}
