// The proto files as gRPC service definitions. They are read from the repository's proto/ folder at
// first use; 64-bit integers become numbers (checked to be safe integers where they matter), enums
// their names, and absent fields their defaults.
import { fileURLToPath } from "node:url";
import { loadPackageDefinition } from "@grpc/grpc-js";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Options, PackageDefinition } from "@grpc/proto-loader";
import { KinglyError, assert } from "@kingly/base";
import type { ProtoGrpcType as AdminTypes } from "./gen/cluster.ts";
import type { ProtoGrpcType as AgentTypes } from "./gen/agent.ts";
import type { ProtoGrpcType as ConfigTypes } from "./gen/config.ts";
import type { ProtoGrpcType as RaftTypes } from "./gen/raft.ts";

/** Folder that holds the proto files of the repository. */
export const PROTO_ROOT: string = fileURLToPath(new URL("../../../proto/", import.meta.url));

/** Options that the generated types assume; any other loader of these files must use the same. */
export const PROTO_OPTIONS: Options = {
  keepCase: false,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [PROTO_ROOT],
};

const FILES = {
  config: "kingly/config/v1/config.proto",
  agent: "kingly/agent/v1/agent.proto",
  admin: "kingly/admin/v1/cluster.proto",
  raft: "kingly/raft/v1/raft.proto",
} as const;

interface ServiceTypes {
  readonly config: ConfigTypes["kingly"]["config"]["v1"];
  readonly agent: AgentTypes["kingly"]["agent"]["v1"];
  readonly admin: AdminTypes["kingly"]["admin"]["v1"];
  readonly raft: RaftTypes["kingly"]["raft"]["v1"];
}

/** The four proto packages. */
export type ServiceName = keyof ServiceTypes;

const definitions = new Map<ServiceName, PackageDefinition>();
const loaded = new Map<ServiceName, unknown>();

/** Raw definition of one proto package, as reflection servers want it. Cached. */
export function loadDefinition(name: ServiceName): PackageDefinition {
  const cached = definitions.get(name);
  if (cached !== undefined) return cached;
  const definition = loadSync(FILES[name], PROTO_OPTIONS);
  definitions.set(name, definition);
  return definition;
}

/**
 * Client constructors and service definitions of one proto package, typed:
 * `loadService("config").ConfigService.service` for servers, `new ...ConfigService(address, creds)`
 * for clients. Cached.
 */
export function loadService<Name extends ServiceName>(name: Name): ServiceTypes[Name] {
  const cached = loaded.get(name);
  if (cached !== undefined) return cached as ServiceTypes[Name];
  const root = loadPackageDefinition(loadDefinition(name)) as unknown as {
    readonly kingly: Readonly<Record<string, { readonly v1: unknown }>>;
  };
  const found = root.kingly[name]?.v1;
  assert(found !== undefined, `proto package kingly.${name}.v1 is in ${FILES[name]}`);
  loaded.set(name, found);
  return found as ServiceTypes[Name];
}

/** Service definition with handlers of unknown type removed; for `Server.addService`. */
export type AnyServiceDefinition = ServiceDefinition;

/**
 * Checks a 64-bit field after decoding: a number above 2^53 - 1 has lost precision on the way.
 * Throws MalformedFrame with the field's name.
 */
export function safeUint(value: number, field: string): number {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new KinglyError("MalformedFrame", `${field} must be an integer from 0 to 2^53-1`, {
      field,
      limit: Number.MAX_SAFE_INTEGER,
      value,
    });
  }
  return value;
}
