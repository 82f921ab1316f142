// PATCH: merge patch (RFC 7386) or JSON patch (RFC 6902) of the object as it is now, written back
// under the revision that was read. When somebody else was faster it is read and patched again,
// unless the patch itself names a revision.

import { KinglyError, isJsonObject, mergePatch } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { PATCH_ATTEMPTS_MAX } from "../limits.ts";
import type { ApiContext } from "./context.ts";
import { applyJsonPatch } from "./json-patch.ts";
import { readObject, settle } from "./reader.ts";
import { replaceObject } from "./writer.ts";
import type { WriteCall, Written } from "./writer.ts";

/** How the patch is to be read. */
export type PatchType = "merge" | "json";

function revisionIn(object: JsonValue): string | undefined {
  const metadata = isJsonObject(object) ? object["metadata"] : undefined;
  const revision = isJsonObject(metadata) ? metadata["resourceVersion"] : undefined;
  return typeof revision === "string" && revision !== "" ? revision : undefined;
}

function patched(before: JsonObject, patch: JsonValue, type: PatchType): JsonValue {
  return type === "merge" ? mergePatch(before, patch) : applyJsonPatch(before, patch);
}

/** Patches one object. NotFound, Conflict, and whatever a replacement may be refused for. */
export async function patchObject(
  context: ApiContext,
  call: WriteCall,
  name: string,
  change: { readonly type: PatchType; readonly patch: JsonValue },
): Promise<Written> {
  const { type, patch } = change;
  if (type === "merge" && !isJsonObject(patch)) {
    throw new KinglyError("Usage", "body: a merge patch must be an object", { field: "body" });
  }
  const pinned = type === "merge" && revisionIn(patch) !== undefined;
  for (let attempt = 1; ; attempt += 1) {
    await settle(context, { kind: "linearizable" });
    const before = readObject(context, call.info, { namespace: call.namespace, name });
    const wanted = patched(before, patch, type);
    try {
      return await replaceObject(context, call, name, wanted);
    } catch (error) {
      const racing = error instanceof KinglyError && error.code === "Conflict";
      const moved = racing && error.details.field === "metadata.resourceVersion";
      if (!moved || pinned || attempt >= PATCH_ATTEMPTS_MAX) throw error;
    }
  }
}
