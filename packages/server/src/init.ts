// Creating a cluster: for every first member a data directory with its identity, a secrets directory
// (CA, certificates, hashed tokens; readable by the owner only, outside the data directory) and a
// configuration file; for people one context file with all servers and the first token. Run once,
// before any server starts; nothing here contacts anybody.
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { KinglyError, toHex, utf8Encode } from "@kingly/base";
import type { GenesisBody } from "@kingly/decision";
import { nodeCrypto } from "@kingly/protocol";
import { createAuthority, issueCertificate } from "@kingly/protocol/pki";
import type { Authority } from "@kingly/protocol/pki";
import { defaultPolicySpec } from "@kingly/resources";
import { initDirectory } from "@kingly/storage";
import type { NodeId } from "raft-ts";
import type { CompactionConfig, TimingConfig } from "./config.ts";
import { freePorts } from "./free-ports.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import type { Member } from "./transport/types.ts";

/** Files in a secrets directory. */
export const SECRET_FILES = {
  authorityCertificate: "ca.pem",
  authorityKey: "ca-key.pem",
  certificate: "server.pem",
  key: "server-key.pem",
  /** Bearer tokens by their SHA-256: JSON list of {name, groups, sha256}. */
  tokens: "tokens.json",
} as const;

/** Group whose members may do everything. */
export const ADMIN_GROUP = "kingly:admins";

/** Who the first token names, in the tokens of the servers and in the context file. */
const FIRST_USER = "admin";

const PRIVATE = 0o600;
const PRIVATE_FOLDER = 0o700;

/** A member to create. Ports of 0 are chosen now and written into all configurations. */
export interface InitMember {
  readonly id: string;
  /** Host that clients and servers reach it at; default 127.0.0.1. */
  readonly host?: string;
  readonly grpcPort?: number;
  readonly restPort?: number;
  readonly peerPort?: number;
}

/** What to create. */
export interface InitOptions {
  /** Folder that gets one folder per member. */
  readonly dir: string;
  readonly clusterId: string;
  readonly members: readonly InitMember[];
  readonly namespaces?: readonly string[];
  readonly nowMs: number;
  readonly timing?: Partial<TimingConfig>;
  readonly compaction?: Partial<CompactionConfig>;
  readonly logLevel?: string;
  /** Path of the context file; default `<dir>/kubeconfig`. */
  readonly kubeconfig?: string;
}

/** What was created. */
export interface InitResult {
  readonly clusterId: string;
  /** Paths of the configuration files, in the order of the members. */
  readonly configs: readonly string[];
  readonly members: readonly Member[];
  /** Path of the context file: a context per server, the current one is the first member's. */
  readonly kubeconfig: string;
  /** The first administrator's bearer token; it is stored nowhere but here and in that file. */
  readonly adminToken: string;
  readonly authorityPem: string;
}

interface Planned {
  readonly member: Member;
  readonly host: string;
  readonly ports: { readonly grpc: number; readonly rest: number; readonly peer: number };
}

async function plan(options: InitOptions): Promise<readonly Planned[]> {
  const planned: Planned[] = [];
  for (const [at, { id, host = "127.0.0.1", ...wanted }] of options.members.entries()) {
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(id)) {
      throw new KinglyError("Usage", `member id "${id}" must be an RFC 1123 label`, {
        field: "member",
        value: id,
      });
    }
    const free = await freePorts(3);
    const ports = {
      grpc: wanted.grpcPort || (free[0] ?? 0),
      rest: wanted.restPort || (free[1] ?? 0),
      peer: wanted.peerPort || (free[2] ?? 0),
    };
    const member: Member = {
      id,
      raftId: at + 1,
      incarnation: randomUUID(),
      address: `${host}:${ports.grpc}`,
      peerAddress: `${host}:${ports.peer}`,
    };
    planned.push({ member, host, ports });
  }
  if (planned.length === 0 || new Set(planned.map((one) => one.member.id)).size < planned.length) {
    throw new KinglyError("Usage", "members must be at least one, with different ids", {
      field: "members",
      value: planned.length,
    });
  }
  return planned;
}

function genesisOf(options: InitOptions): GenesisBody {
  const namespaces = options.namespaces ?? ["default"];
  return {
    clusterId: options.clusterId,
    namespaces,
    objects: namespaces.map((namespace) => ({
      kind: "Policy",
      namespace,
      name: "default",
      spec: defaultPolicySpec as unknown as NonNullable<GenesisBody["objects"]>[number]["spec"],
    })),
  };
}

async function writePrivate(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: PRIVATE, flag: "wx" });
  await chmod(path, PRIVATE);
}

async function writeSecrets(
  folder: string,
  options: InitOptions,
  planned: Planned,
  shared: { readonly authority: Authority; readonly tokenHash: string },
): Promise<void> {
  const { member, host } = planned;
  const issued = await issueCertificate(shared.authority, {
    identity: { kind: "server", clusterId: options.clusterId, name: member.id },
    hosts: [host],
    nowMs: options.nowMs,
  });
  await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
  const tokens = [{ name: FIRST_USER, groups: [ADMIN_GROUP], sha256: shared.tokenHash }];
  await writePrivate(
    join(folder, SECRET_FILES.authorityCertificate),
    shared.authority.certificatePem,
  );
  await writePrivate(join(folder, SECRET_FILES.authorityKey), shared.authority.privateKeyPem);
  await writePrivate(join(folder, SECRET_FILES.certificate), issued.certificatePem);
  await writePrivate(join(folder, SECRET_FILES.key), issued.privateKeyPem);
  await writePrivate(join(folder, SECRET_FILES.tokens), `${JSON.stringify(tokens, null, 2)}\n`);
}

function writeContext(
  path: string,
  options: InitOptions,
  planned: readonly Planned[],
  shared: { readonly authorityPem: string; readonly token: string },
): void {
  writeKubeconfig(path, {
    clusterId: options.clusterId,
    servers: planned.map(({ member, host, ports }) => ({
      memberId: member.id,
      address: `${host}:${ports.rest}`,
    })),
    ...shared,
    user: FIRST_USER,
    namespace: options.namespaces?.[0] ?? "default",
  });
}

/** Path of the context file; AlreadyExists when it is there: it may hold another cluster's token. */
function freeContextPath(options: InitOptions): string {
  const path = resolve(options.kubeconfig ?? join(options.dir, "kubeconfig"));
  if (!existsSync(path)) return path;
  throw new KinglyError("AlreadyExists", `the context file ${path} exists already`, {
    field: "kubeconfig",
    value: path,
    help: "move it away; the token inside may be the only one of another cluster",
  });
}

/**
 * Creates everything a new cluster needs under `dir`: `<member>/data`, `<member>/secrets` and
 * `<member>/server.json`, and the context file, written last. Throws Usage, or AlreadyExists when
 * a member's directory or the context file is there.
 */
export async function initCluster(options: InitOptions): Promise<InitResult> {
  const kubeconfig = freeContextPath(options);
  const planned = await plan(options);
  const members = planned.map((one) => one.member);
  const authority = await createAuthority({ clusterId: options.clusterId, nowMs: options.nowMs });
  const adminToken = `kingly-${randomBytes(32).toString("base64url")}`;
  const tokenHash = toHex(nodeCrypto.sha256(utf8Encode(adminToken)));
  const confState = {
    voters: members.map((member) => member.raftId as NodeId),
    learners: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
  const configs: string[] = [];
  for (const one of planned) {
    const { member, ports } = one;
    const folder = resolve(options.dir, member.id);
    await mkdir(folder, { recursive: true, mode: PRIVATE_FOLDER });
    await initDirectory({
      dir: join(folder, "data"),
      clusterId: options.clusterId,
      memberId: member.id,
      raftId: member.raftId,
      incarnation: member.incarnation,
      bootstrap: { confState },
    });
    await writeSecrets(join(folder, "secrets"), options, one, { authority, tokenHash });
    const listenHost = one.host === "127.0.0.1" || one.host === "localhost" ? one.host : "0.0.0.0";
    const config = {
      clusterId: options.clusterId,
      memberId: member.id,
      dataDir: "data",
      secretsDir: "secrets",
      listen: {
        grpc: `${listenHost}:${ports.grpc}`,
        rest: `${listenHost}:${ports.rest}`,
        peer: `${listenHost}:${ports.peer}`,
      },
      members,
      genesis: genesisOf(options),
      ...(options.timing === undefined ? {} : { timing: options.timing }),
      ...(options.compaction === undefined ? {} : { compaction: options.compaction }),
      ...(options.logLevel === undefined ? {} : { logLevel: options.logLevel }),
    };
    const path = join(folder, "server.json");
    await writePrivate(path, `${JSON.stringify(config, null, 2)}\n`);
    configs.push(path);
  }
  const { certificatePem } = authority;
  const shared = { authorityPem: certificatePem, token: adminToken };
  writeContext(kubeconfig, options, planned, shared);
  return {
    clusterId: options.clusterId,
    configs,
    members,
    kubeconfig,
    adminToken,
    authorityPem: certificatePem,
  };
}
