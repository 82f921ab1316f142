// Contents of Configs: stored once by hash, compared by top-level key, rebased as merge patches.

import {
  assert,
  changedTopLevelKeys,
  contentHash,
  equalJson,
  isJsonObject,
  mergePatch,
  sortedKeys,
} from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { Config, ConfigVersion, KeyDelta, ProposalSpec } from "@kingly/resources";
import { contentKey } from "../core/keys.ts";
import { invalid } from "../core/fields.ts";
import type { Transaction } from "../core/transaction.ts";
import { readObject } from "../core/view.ts";
import type { StateView } from "../core/view.ts";

/** Content by hash; "" is the empty content before the first version. */
export function contentOf(view: StateView, hash: string): JsonObject {
  if (hash === "") return {};
  const content = view.get(contentKey(hash));
  assert(isJsonObject(content), () => `content ${hash} is stored`);
  return content;
}

/** Stores a content and returns its hash. */
export function putContent(tx: Transaction, data: JsonObject): string {
  const hash = contentHash(data, tx.crypto);
  if (tx.get(contentKey(hash)) === undefined) tx.putRow(contentKey(hash), data);
  return hash;
}

/** Name of a version's objects (ConfigVersion and Rollout). */
export function versionName(config: string, version: number): string {
  return `${config}-v${version}`;
}

/** A committed version; undefined for 0 and for versions that are gone. */
export function versionOf(
  view: StateView,
  namespace: string,
  config: string,
  version: number,
): ConfigVersion | undefined {
  return readObject(view, "ConfigVersion", namespace, versionName(config, version));
}

/** Content of a version; {} for version 0. */
export function versionContent(
  view: StateView,
  namespace: string,
  config: string,
  version: number,
): JsonObject {
  return contentOf(view, versionOf(view, namespace, config, version)?.spec.contentHash ?? "");
}

/** The content a Config's fleet decided. */
export function committedContent(view: StateView, config: Config): JsonObject {
  return contentOf(view, config.status?.contentHash ?? "");
}

/**
 * The whole content that a proposal wants on top of `base`. A proposal that gave whole data is taken
 * as the difference to the content it was made against, so that it can move to a newer base.
 */
export function candidateOn(
  base: JsonObject,
  spec: Pick<ProposalSpec, "patch" | "data">,
  madeAgainst: JsonObject,
): JsonObject {
  const patch = spec.patch ?? diffPatch(madeAgainst, spec.data ?? {});
  const candidate = mergePatch(base, patch);
  return isJsonObject(candidate) ? candidate : invalid("patch", "an object", candidate);
}

/** The RFC 7386 merge patch that turns `from` into `to`; arrays are replaced whole. */
export function diffPatch(from: JsonObject, to: JsonObject): JsonObject {
  const patch: Record<string, JsonValue> = {};
  for (const key of changedTopLevelKeys(from, to)) {
    const before = Object.hasOwn(from, key) ? from[key] : undefined;
    const after = Object.hasOwn(to, key) ? (to[key] as JsonValue) : null;
    patch[key] = isJsonObject(before) && isJsonObject(after) ? diffPatch(before, after) : after;
  }
  return patch;
}

/** The change from `base` to `candidate` at top-level keys, sorted by key. */
export function deltasBetween(base: JsonObject, candidate: JsonObject): KeyDelta[] {
  return changedTopLevelKeys(base, candidate).map((key) => ({
    key,
    value: Object.hasOwn(candidate, key) ? (candidate[key] as JsonValue) : null,
  }));
}

/** Refuses contents in which null stands for a value at the top: a merge patch cannot say it. */
export function requireNoNulls(data: JsonObject): void {
  for (const key of sortedKeys(data)) {
    if (equalJson(data[key] as JsonValue, null)) invalid(`data.${key}`, "a value, not null", null);
  }
}
