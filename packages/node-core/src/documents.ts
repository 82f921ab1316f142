// The documents a node signs, built in one place: header, key, and the text whose bytes are signed.
// The text is made once and kept until it is delivered, so its bytes never change; the idempotency
// key makes a second delivery the same delivery.

import { canonicalJson } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { SignedHeader } from "@kingly/resources";
import type { Context } from "./context.ts";
import type { Outbox } from "./outbox.ts";
import type { DocumentKind } from "./types.ts";

/** Anything of plain data as JSON; our own documents only. */
export function asJson(value: object): JsonObject {
  return value as unknown as JsonObject;
}

/** Writes a document into the outbox; `name` makes its key unique on this node. */
export function queueDocument(
  context: Context,
  outbox: Outbox,
  name: { readonly kind: DocumentKind; readonly key: string },
  body: object,
): void {
  const { clusterId, node } = context.options;
  const header: SignedHeader = {
    clusterId,
    node,
    idempotencyKey: name.key,
    writtenAtMs: Math.floor(context.nowMs),
  };
  const document = canonicalJson({ kind: name.kind, ...header, ...body } as unknown as JsonValue);
  outbox.add({ kind: name.kind, idempotencyKey: name.key, document });
}

/** A key that no other document of this node has. */
export function nextKey(context: Context, kind: DocumentKind): string {
  context.state.documents += 1;
  context.touch();
  const { instance, documents } = context.state;
  return `${kind.toLowerCase()}-${context.options.node}-${instance}-${documents}`;
}
