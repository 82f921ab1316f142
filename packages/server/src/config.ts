// The configuration of one server: a JSON file written by `kinglyd init`, read once at start. Every
// problem is named with its field; nothing is guessed.
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { KinglyError, isJsonObject, parseStrictJson } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { GenesisBody } from "@kingly/decision";
import {
  COMPACT_EVERY_ENTRIES,
  COMPACT_KEEP_ENTRIES,
  ELECTION_TICKS,
  NODE_LEASE_MS,
  TICK_MS,
} from "./limits.ts";
import type { Member } from "./transport/types.ts";

/** Addresses to listen on, host:port; port 0 = the system chooses. */
export interface ListenConfig {
  /** Public gRPC services. */
  readonly grpc: string;
  /** REST admin API. */
  readonly rest: string;
  /** Other servers. */
  readonly peer: string;
}

/** Times that tests and slow networks change. */
export interface TimingConfig {
  /** Milliseconds per raft tick = heartbeat interval. */
  readonly tickMs: number;
  /** Ticks without a leader before an election. */
  readonly electionTicks: number;
  /** Milliseconds without a heartbeat after which a node is unreachable. */
  readonly nodeLeaseMs: number;
}

/** When the log is compacted. */
export interface CompactionConfig {
  /** Entries beyond the last compaction that start the next one. */
  readonly everyEntries: number;
  /** Entries kept before the applied index. */
  readonly keepEntries: number;
}

/** Everything a server is started with. */
export interface ServerConfig {
  readonly clusterId: string;
  readonly memberId: string;
  /** Absolute path of the data directory. */
  readonly dataDir: string;
  /** Absolute path of the directory with keys and certificates, outside the data directory. */
  readonly secretsDir: string;
  readonly listen: ListenConfig;
  readonly members: readonly Member[];
  /** First command of the cluster; the same on all first members. */
  readonly genesis: GenesisBody;
  readonly timing: TimingConfig;
  readonly compaction: CompactionConfig;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
}

/** The defaults of what a configuration may leave out. */
export const DEFAULT_TIMING: TimingConfig = {
  tickMs: TICK_MS,
  electionTicks: ELECTION_TICKS,
  nodeLeaseMs: NODE_LEASE_MS,
};
/** See DEFAULT_TIMING. */
export const DEFAULT_COMPACTION: CompactionConfig = {
  everyEntries: COMPACT_EVERY_ENTRIES,
  keepEntries: COMPACT_KEEP_ENTRIES,
};

const FIELDS = [
  "clusterId",
  "memberId",
  "dataDir",
  "secretsDir",
  "listen",
  "members",
  "genesis",
  "timing",
  "compaction",
  "logLevel",
] as const;
const MEMBER_FIELDS = ["id", "raftId", "incarnation", "address", "peerAddress"] as const;
const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;

function invalid(field: string, limit: string, value: unknown): KinglyError {
  const shown = JSON.stringify(value) ?? "nothing";
  return new KinglyError("Usage", `server configuration: ${field} must be ${limit}, is ${shown}`, {
    field,
    limit,
    value: shown.slice(0, 80),
  });
}

function text(object: JsonObject, field: string, path = field): string {
  const value = object[field];
  if (typeof value !== "string" || value === "") throw invalid(path, "text", value);
  return value;
}

function whole(object: JsonObject, field: string, least: number, otherwise: number): number {
  const value = object[field] ?? otherwise;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least) {
    throw invalid(field, `a whole number of at least ${least}`, value);
  }
  return value;
}

function section(object: JsonObject, field: string): JsonObject {
  const value = object[field] ?? {};
  if (!isJsonObject(value)) throw invalid(field, "an object", value);
  return value;
}

/** Refuses fields that nobody reads: a misspelt one would silently mean its default. */
function onlyKnown(object: JsonObject, path: string, known: readonly string[]): void {
  for (const name of Object.keys(object).sort()) {
    if (known.includes(name)) continue;
    const field = path === "" ? name : `${path}.${name}`;
    const limit = known.join(", ");
    throw new KinglyError(
      "Usage",
      `server configuration: ${field.slice(0, 120)} is unknown; known here: ${limit}`,
      { field: field.slice(0, 120), limit, value: name.slice(0, 80) },
    );
  }
}

function address(object: JsonObject, field: string, path: string): string {
  const value = text(object, field, path);
  if (!/^(\[[0-9a-fA-F:]+\]|[^:\s]+):\d{1,5}$/.test(value)) throw invalid(path, "host:port", value);
  return value;
}

function member(value: JsonValue, at: number): Member {
  const path = `members[${at}]`;
  if (!isJsonObject(value)) throw invalid(path, "an object", value);
  onlyKnown(value, path, MEMBER_FIELDS);
  return {
    id: text(value, "id", `${path}.id`),
    raftId: whole(value, "raftId", 1, 0),
    incarnation: text(value, "incarnation", `${path}.incarnation`),
    address: address(value, "address", `${path}.address`),
    peerAddress: address(value, "peerAddress", `${path}.peerAddress`),
  };
}

function members(value: JsonValue | undefined): readonly Member[] {
  if (!Array.isArray(value) || value.length === 0) throw invalid("members", "a list", value);
  const list = value.map(member);
  for (const field of ["id", "raftId", "peerAddress"] as const) {
    const seen = new Set(list.map((one) => one[field]));
    if (seen.size !== list.length) throw invalid(`members.${field}`, "unique", "a repeated value");
  }
  return list;
}

function genesis(object: JsonObject, clusterId: string): GenesisBody {
  const body = section(object, "genesis");
  onlyKnown(body, "genesis", ["clusterId", "namespaces", "objects"]);
  const namespaces = body["namespaces"] ?? ["default"];
  if (!Array.isArray(namespaces) || !namespaces.every((one) => typeof one === "string")) {
    throw invalid("genesis.namespaces", "a list of names", namespaces);
  }
  const objects = body["objects"];
  const base = { clusterId, namespaces: namespaces as string[] };
  return objects === undefined
    ? base
    : { ...base, objects: objects as unknown as NonNullable<GenesisBody["objects"]> };
}

/** Checks a parsed configuration; relative paths are seen from `folder`. Throws Usage. */
export function parseConfig(value: JsonValue, folder: string): ServerConfig {
  if (!isJsonObject(value)) throw invalid("configuration", "an object", value);
  const clusterId = text(value, "clusterId");
  const memberId = text(value, "memberId");
  const listen = section(value, "listen");
  const timing = section(value, "timing");
  const compaction = section(value, "compaction");
  onlyKnown(value, "", FIELDS);
  onlyKnown(listen, "listen", ["grpc", "rest", "peer"]);
  onlyKnown(timing, "timing", ["tickMs", "electionTicks", "nodeLeaseMs"]);
  onlyKnown(compaction, "compaction", ["everyEntries", "keepEntries"]);
  const list = members(value["members"]);
  if (!list.some((one) => one.id === memberId)) {
    throw invalid("memberId", "one of members", memberId);
  }
  const level = value["logLevel"] ?? "info";
  const logLevel = LOG_LEVELS.find((one) => one === level);
  if (logLevel === undefined) throw invalid("logLevel", LOG_LEVELS.join(", "), level);
  return {
    clusterId,
    memberId,
    dataDir: resolve(folder, text(value, "dataDir")),
    secretsDir: resolve(folder, text(value, "secretsDir")),
    listen: {
      grpc: address(listen, "grpc", "listen.grpc"),
      rest: address(listen, "rest", "listen.rest"),
      peer: address(listen, "peer", "listen.peer"),
    },
    members: list,
    genesis: genesis(value, clusterId),
    timing: {
      tickMs: whole(timing, "tickMs", 1, TICK_MS),
      electionTicks: whole(timing, "electionTicks", 2, ELECTION_TICKS),
      nodeLeaseMs: whole(timing, "nodeLeaseMs", 1, NODE_LEASE_MS),
    },
    compaction: {
      everyEntries: whole(compaction, "everyEntries", 1, COMPACT_EVERY_ENTRIES),
      keepEntries: whole(compaction, "keepEntries", 0, COMPACT_KEEP_ENTRIES),
    },
    logLevel,
  };
}

/** Reads and checks a configuration file. Throws Usage or the strict parser's codes. */
export function loadConfig(path: string): ServerConfig {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KinglyError("Usage", `cannot read the configuration ${path}: ${reason}`, {
      field: "config",
      value: path,
    });
  }
  return parseConfig(parseStrictJson(bytes), dirname(resolve(path)));
}
