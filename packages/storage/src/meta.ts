// Metadata of the stored state: how far the log is applied, plus the checks that let an opening
// store prove that its rows and history are whole. Written in the same atomic batch as the rows.

import { fromHex, isJsonObject, parseStrictJson, toHex } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { BatchOperation } from "./disk.ts";
import { CHAIN_ROOT, sealText, unseal } from "./codec.ts";
import { corrupted } from "./errors.ts";
import { metaKey } from "./keys.ts";
import { EMPTY_CONF_STATE } from "./raft.ts";
import type { ConfState, LogIndex, NodeId } from "./raft.ts";

/** What the state machine and the server store beside the rows. */
export interface ObjectMeta {
  /** Log position up to which the rows reflect the log; 0 = nothing applied. */
  readonly appliedIndex: number;
  readonly appliedTerm: number;
  /** Newest revision; 0 = none yet. */
  readonly revision: number;
  /** Replicated time, milliseconds since the Unix epoch; ages the history. */
  readonly timeMs: number;
  /** Raft membership at `appliedIndex`. */
  readonly confState: ConfState;
  /** Anything else the state machine needs to restart; kept as it is. */
  readonly state: JsonObject;
}

/** ObjectMeta plus what the store needs to check itself. */
export interface StoredMeta {
  readonly meta: ObjectMeta;
  /** Chain hash of the log at `appliedIndex`. */
  readonly chain: Uint8Array;
  /** Number of rows. */
  readonly rowCount: number;
  /** Sum of the rows' fingerprints modulo 2^48. */
  readonly rowSum: number;
  /** History up to and including this revision is gone. */
  readonly compactedRevision: number;
  /** Fingerprint of the last history entry removed, and of the newest one. */
  readonly historyBase: number;
  readonly historyTip: number;
}

/** Metadata of a store that never applied anything. */
export const EMPTY_META: ObjectMeta = {
  appliedIndex: 0,
  appliedTerm: 0,
  revision: 0,
  timeMs: 0,
  confState: EMPTY_CONF_STATE,
  state: {},
};

/** Stored metadata of a store without rows and history. */
export const EMPTY_STORED: StoredMeta = {
  meta: EMPTY_META,
  chain: CHAIN_ROOT,
  rowCount: 0,
  rowSum: 0,
  compactedRevision: 0,
  historyBase: 0,
  historyTip: 0,
};

/** The metadata as JSON, as it also travels in snapshots. */
export function metaToJson(meta: ObjectMeta): JsonObject {
  return {
    appliedIndex: meta.appliedIndex,
    appliedTerm: meta.appliedTerm,
    revision: meta.revision,
    timeMs: meta.timeMs,
    confState: {
      voters: meta.confState.voters,
      learners: meta.confState.learners,
      votersOutgoing: meta.confState.votersOutgoing,
      learnersNext: meta.confState.learnersNext,
      autoLeave: meta.confState.autoLeave,
      ...(meta.confState.configId === undefined ? {} : { configId: meta.confState.configId }),
    },
    state: meta.state,
  };
}

/** Reads what `metaToJson` made; undefined when a field is missing or has another type. */
export function metaFromJson(value: JsonValue | undefined): ObjectMeta | undefined {
  if (!isJsonObject(value)) return undefined;
  const { appliedIndex, appliedTerm, revision, timeMs, state } = value;
  const confState = confStateFromJson(value["confState"]);
  if (!isCount(appliedIndex) || !isCount(appliedTerm) || !isCount(revision)) return undefined;
  if (typeof timeMs !== "number" || !isJsonObject(state) || confState === undefined) {
    return undefined;
  }
  return { appliedIndex, appliedTerm, revision, timeMs, confState, state };
}

function confStateFromJson(value: JsonValue | undefined): ConfState | undefined {
  if (!isJsonObject(value)) return undefined;
  const { voters, learners, votersOutgoing, learnersNext, autoLeave } = value;
  const { configId = 0 } = value;
  if (!isIds(voters) || !isIds(learners) || !isIds(votersOutgoing) || !isIds(learnersNext)) {
    return undefined;
  }
  if (typeof autoLeave !== "boolean" || !isCount(configId)) return undefined;
  const state: ConfState = { voters, learners, votersOutgoing, learnersNext, autoLeave };
  return configId === 0 ? state : { ...state, configId: configId as LogIndex };
}

function isIds(value: JsonValue | undefined): value is readonly NodeId[] {
  return Array.isArray(value) && value.every(isCount);
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** The batch operation that stores the metadata of a generation. */
export function metaOperation(generation: number, stored: StoredMeta): BatchOperation {
  const key = metaKey(generation);
  const body: JsonObject = {
    meta: metaToJson(stored.meta),
    chain: toHex(stored.chain),
    rowCount: stored.rowCount,
    rowSum: stored.rowSum,
    compactedRevision: stored.compactedRevision,
    historyBase: stored.historyBase,
    historyTip: stored.historyTip,
  };
  return { key, value: sealText(key, JSON.stringify(body)).value };
}

/** Decodes the metadata row. Throws Corrupted when it is missing or damaged. */
export function decodeMeta(
  path: string,
  generation: number,
  value: Uint8Array | undefined,
): StoredMeta {
  const where = `metadata of generation ${generation}`;
  if (value === undefined) throw corrupted(path, where, "is missing");
  const payload = unseal(metaKey(generation), value)?.payload;
  if (payload === undefined) throw corrupted(path, where, "fails its checksum");
  const body = parseStrictJson(payload);
  const meta = isJsonObject(body) ? metaFromJson(body["meta"]) : undefined;
  if (!isJsonObject(body) || meta === undefined) {
    throw corrupted(path, where, "is not the metadata of a store");
  }
  const { chain, rowCount, rowSum, compactedRevision, historyBase, historyTip } = body;
  if (typeof chain !== "string" || !isCount(rowCount) || !isCount(rowSum)) {
    throw corrupted(path, where, "lacks its checks");
  }
  if (!isCount(compactedRevision) || !isCount(historyBase) || !isCount(historyTip)) {
    throw corrupted(path, where, "lacks its history");
  }
  const checks = { rowCount, rowSum, compactedRevision, historyBase, historyTip };
  return { meta, chain: fromHex(chain), ...checks };
}
