// A command's body as fields, and a signed document whose signature has been verified.

import { fromBase64, parseStrictJson, utf8Decode } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import { parseDocument, signingBytes } from "@kingly/resources";
import type {
  CalibrationDocument,
  Node,
  ProposalDocument,
  VetoDocument,
  VoteDocument,
} from "@kingly/resources";
import { BODY_BYTES_MAX, BODY_DEPTH_MAX, MESSAGE_CHARS_MAX } from "../limits.ts";
import { Fields } from "./fields.ts";
import { refuse } from "./refuse.ts";
import type { Transaction } from "./transaction.ts";

const LIMITS = { bytesMax: BODY_BYTES_MAX, depthMax: BODY_DEPTH_MAX };

/** The fields of the command's body; garbage is refused as MalformedJson and the like. */
export function bodyOf(tx: Transaction): Fields {
  const { body, isAdmitted } = tx.command;
  return new Fields(isAdmitted === true ? parseAdmitted(body) : parseStrictJson(body, LIMITS));
}

/** The body that admission encoded: plain JSON without surprises. */
function parseAdmitted(body: Uint8Array): JsonValue {
  try {
    return JSON.parse(utf8Decode(body)) as JsonValue;
  } catch {
    return refuse("MalformedJson", "an admitted body is no JSON", { value: body.length });
  }
}

/** Documents that nodes sign. */
export interface DocumentKinds {
  readonly Vote: VoteDocument;
  readonly Veto: VetoDocument;
  readonly Proposal: ProposalDocument;
  readonly Calibration: CalibrationDocument;
}

/** A document that a known node signed for this cluster. */
export interface Signed<D> {
  readonly node: Node;
  readonly document: D;
}

/**
 * Reads the signed document in the command's body. Refuses MalformedJson, InvalidField, WrongCluster,
 * WrongNode (unknown) and BadSignature: only the node named in it can have written it.
 */
export function signedBody<K extends keyof DocumentKinds>(
  tx: Transaction,
  kind: K,
): Signed<DocumentKinds[K]> {
  const { body, signature } = tx.command;
  const document: DocumentKinds[K] = parseDocument(kind, body);
  const { clusterId } = tx.meta();
  if (document.clusterId !== clusterId) {
    refuse("WrongCluster", "the document is for another cluster", {
      field: "clusterId",
      limit: clusterId,
      value: document.clusterId.slice(0, MESSAGE_CHARS_MAX),
    });
  }
  const node = tx.object("Node", "", document.node);
  if (node === undefined) {
    return refuse("WrongNode", `node ${document.node} is not enrolled`, {
      field: "node",
      value: document.node,
    });
  }
  const uid = document.idempotencyKey;
  const signed = signingBytes({ clusterId, type: kind, uid, bytes: body });
  const key = fromBase64(node.spec.publicKey);
  if (signature === undefined || !tx.crypto.verify(key, signed, signature)) {
    refuse("BadSignature", `the signature is not that of node ${document.node}`, {
      field: "signature",
      value: signature === undefined ? "absent" : "present",
      help: "sign the exact bytes of the document with the node's enrolled key",
    });
  }
  return { node, document };
}
