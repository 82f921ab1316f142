// Nodes: join tokens (only their hash is replicated), enrolment, what a node reports about itself, and
// its signed calibration. Class, owner group and pool come from the token, never from the node.

import { fromBase64 } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { invalidObject, validateObject } from "@kingly/resources";
import type { Calibration, Condition, Node } from "@kingly/resources";
import { BINDINGS_MAX, JOIN_TOKENS_MAX, JOIN_TOKEN_TTL_MAX_MS, NAME_CHARS_MAX } from "../limits.ts";
import { bodyOf, signedBody } from "../core/body.ts";
import { invalid } from "../core/fields.ts";
import type { Fields } from "../core/fields.ts";
import { TOKEN_PREFIX, tokenKey } from "../core/keys.ts";
import { refuse } from "../core/refuse.ts";
import { objectReply, replyOf } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import type { Transaction } from "../core/transaction.ts";
import { followNode } from "../model/assignments.ts";
import { emit } from "../model/events.ts";
import { requireOneConfigPerTarget } from "../model/selection.ts";

/** A one-time join token, by the hash of its secret. */
interface TokenRow {
  readonly expiresAtMs: number;
  readonly class: string;
  readonly ownerGroup: string;
  readonly pool: string;
  readonly interferenceGroup: string;
  readonly labels: Readonly<Record<string, string>>;
  /** "" = any name. */
  readonly node: string;
  /** Key that has enrolled with it; "" = unused. A repetition by the same key is the same enrolment. */
  readonly usedBy: string;
}

const LABELS_MAX = 64;
const KEY_BYTES = 32;
const CONDITIONS_MAX = 32;

/** Runs a `join-token`. */
export function joinToken(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const hash = tokenHash(body);
  const expiresAtMs = body.integer("expiresAtMs", 0);
  const row: TokenRow = {
    expiresAtMs,
    class: body.text("class", NAME_CHARS_MAX),
    ownerGroup: body.text("ownerGroup", NAME_CHARS_MAX),
    pool: body.text("pool", NAME_CHARS_MAX),
    interferenceGroup: body.optionalText("interferenceGroup", NAME_CHARS_MAX),
    labels: body.has("labels") ? body.textMap("labels", LABELS_MAX) : {},
    node: body.optionalName("node"),
    usedBy: "",
  };
  body.end();
  if (row.class === "" || row.ownerGroup === "" || row.pool === "") {
    invalid("class, ownerGroup, pool", "non-empty", "");
  }
  if (expiresAtMs <= tx.nowMs || expiresAtMs > tx.nowMs + JOIN_TOKEN_TTL_MAX_MS) {
    invalid("expiresAtMs", `within ${JOIN_TOKEN_TTL_MAX_MS} ms from now`, expiresAtMs);
  }
  if (tx.get(tokenKey(hash)) !== undefined) {
    refuse("AlreadyExists", "this token exists already", { field: "tokenHash" });
  }
  dropExpired(tx);
  const open = [...tx.list(TOKEN_PREFIX)].length;
  if (open >= JOIN_TOKENS_MAX) {
    refuse("Overloaded", `${open} join tokens are open`, { limit: JOIN_TOKENS_MAX, value: open });
  }
  tx.putRow(tokenKey(hash), row);
  return replyOf({ tokenHash: hash, expiresAtMs });
}

function dropExpired(tx: Transaction): void {
  for (const [key, value] of tx.list(TOKEN_PREFIX)) {
    if ((value as unknown as TokenRow).expiresAtMs <= tx.nowMs) tx.deleteRow(key);
  }
}

function tokenHash(body: Fields): string {
  const hash = body.text("tokenHash", 64);
  return /^[0-9a-f]{64}$/u.test(hash) ? hash : invalid("tokenHash", "64 hex digits", "hidden");
}

/** Runs an `enroll-node`. */
export function enrollNode(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const name = body.name("node");
  const publicKey = requireKey(body.text("publicKey", 64));
  const hash = tokenHash(body);
  const targets = body.sortedTexts("targets", BINDINGS_MAX);
  const signals = body.sortedTexts("signals", BINDINGS_MAX);
  const agentVersion = body.optionalText("agentVersion", NAME_CHARS_MAX);
  body.end();
  const token = requireToken(tx, { hash, name, publicKey });
  const existing = tx.object("Node", "", name);
  if (existing !== undefined) return reenrolled(tx, existing, publicKey, token);
  const node = tx.create(
    "Node",
    { namespace: "", name, labels: token.labels },
    {
      spec: {
        publicKey,
        class: token.class,
        ownerGroup: token.ownerGroup,
        pool: token.pool,
        interferenceGroup: token.interferenceGroup,
      },
      status: { targets, signals, agentVersion, calibration: {}, conditions: [] },
    },
  );
  const shape = validateObject("Node", node as unknown as JsonObject);
  if (!shape.ok) throw invalidObject(`Node "${name}"`, shape.errors);
  tx.putRow(tokenKey(hash), { ...token, usedBy: publicKey });
  requireOneConfigPerTarget(tx, node);
  followNode(tx, node);
  const message = `node ${name} of class ${token.class} joined pool ${token.pool}`;
  emit(tx, node, { type: "Normal", reason: "Enrolled", message });
  return objectReply(tx.keyOf(node), tx.warnings);
}

/** The same node with the same key and token: a repetition. Another key: not with a used name. */
function reenrolled(tx: Transaction, existing: Node, publicKey: string, token: TokenRow): Reply {
  const { name } = existing.metadata;
  if (existing.spec.publicKey === publicKey && token.usedBy === publicKey) {
    return objectReply(tx.keyOf(existing), tx.warnings, false);
  }
  return refuse("AlreadyExists", `node ${name} is enrolled already`, {
    field: "node",
    value: name,
    help: "choose another name, or have an operator delete the node first",
  });
}

function requireKey(text: string): string {
  let length = -1;
  try {
    length = fromBase64(text).length;
  } catch {
    invalid("publicKey", "base64", "something else");
  }
  return length === KEY_BYTES ? text : invalid("publicKey", `${KEY_BYTES} bytes`, length);
}

function requireToken(
  tx: Transaction,
  asked: { readonly hash: string; readonly name: string; readonly publicKey: string },
): TokenRow {
  const token = tx.row<TokenRow>(tokenKey(asked.hash));
  if (token === undefined) return refuse("TokenInvalid", "the join token is not known");
  if (token.expiresAtMs <= tx.nowMs) {
    refuse("TokenExpired", "the join token has expired", {
      limit: token.expiresAtMs,
      value: tx.nowMs,
      help: "ask for a new one",
    });
  }
  if (token.usedBy !== "" && token.usedBy !== asked.publicKey) {
    refuse("TokenInvalid", "the join token has been used", { help: "a token enrols one node" });
  }
  if (token.node !== "" && token.node !== asked.name) {
    refuse("TokenInvalid", `the join token is for node ${token.node}`, {
      field: "node",
      limit: token.node,
      value: asked.name,
    });
  }
  return token;
}

/** Runs a `node-status`: bindings and version as the node reported them in its session. */
export function nodeStatus(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const name = body.name("node");
  const targets = body.sortedTexts("targets", BINDINGS_MAX);
  const signals = body.sortedTexts("signals", BINDINGS_MAX);
  const agentVersion = body.optionalText("agentVersion", NAME_CHARS_MAX);
  const conditions = body.any("conditions");
  body.end();
  const node = requireNode(tx, name);
  const before = statusOf(node);
  const status = {
    ...before,
    targets,
    signals,
    agentVersion,
    ...(conditions === undefined ? {} : { conditions: readConditions(conditions) }),
  };
  tx.put({ ...node, status });
  return objectReply(tx.keyOf(node), tx.warnings);
}

function readConditions(value: JsonValue): readonly Condition[] {
  const fits = (item: JsonValue): boolean => {
    const one = item as Partial<Record<keyof Condition, JsonValue>> | null;
    return (
      typeof one === "object" &&
      one !== null &&
      typeof one.type === "string" &&
      (one.status === "True" || one.status === "False" || one.status === "Unknown") &&
      [one.reason, one.message, one.lastTransitionTime].every((text) => typeof text === "string")
    );
  };
  if (!Array.isArray(value) || value.length > CONDITIONS_MAX || !value.every(fits)) {
    return invalid("conditions", `at most ${CONDITIONS_MAX} conditions`, value);
  }
  return value as unknown as readonly Condition[];
}

/** Runs a `calibration`: the node's signed A/A noise per signal. */
export function calibration(tx: Transaction): Reply {
  const { node, document } = signedBody(tx, "Calibration");
  const before = statusOf(node);
  const merged: Record<string, Calibration> = { ...before.calibration };
  for (const signal of Object.keys(document.signals).sort()) {
    const given = document.signals[signal];
    if (given === undefined) continue;
    merged[signal] = { standardDeviation: given.standardDeviation, pairs: given.pairs };
  }
  if (Object.keys(merged).length > BINDINGS_MAX) {
    invalid("signals", `at most ${BINDINGS_MAX} in all`, Object.keys(merged).length);
  }
  tx.put({ ...node, status: { ...before, calibration: merged } });
  return objectReply(tx.keyOf(node), tx.warnings);
}

function requireNode(tx: Transaction, name: string): Node {
  const node = tx.object("Node", "", name);
  if (node !== undefined) return node;
  return refuse("NotFound", `node ${name} is not enrolled`, { field: "node", value: name });
}

function statusOf(node: Node): NonNullable<Node["status"]> {
  const empty = { targets: [], signals: [], agentVersion: "", calibration: {}, conditions: [] };
  return node.status ?? empty;
}
