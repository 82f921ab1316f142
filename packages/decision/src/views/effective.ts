// What a node effectively runs at a version, with where each key comes from. Reading only.

import type { Crypto, JsonObject } from "@kingly/base";
import { contentHash } from "@kingly/base";
import type { Config } from "@kingly/resources";
import type { StateView } from "../core/view.ts";
import { versionContent, versionOf } from "../model/content.ts";
import { pinsFor, standingVetoes, withPins } from "../model/pins.ts";

/** Replicated state with the hash that rendering needs; a StateMachine is one. */
export interface HashingView extends StateView {
  readonly crypto: Crypto;
}

/** An effective content. */
export interface Effective {
  readonly data: JsonObject;
  /** Lower-case hex sha256 of the canonical data. */
  readonly contentHash: string;
  /** Keys that a standing veto holds at an older value, sorted. */
  readonly pinnedKeys: readonly string[];
}

/** The content that a node shall run at a version: the version's, with this node's pins. */
export function effectiveContent(
  view: HashingView,
  config: Config,
  node: string,
  version: number,
): Effective {
  const { name, namespace = "" } = config.metadata;
  const content = versionContent(view, namespace, name, version);
  const vetoes = standingVetoes(view, config, node);
  const pins = pinsFor(view, config, { version, vetoes });
  const pinnedKeys = Object.keys(pins).sort();
  if (pinnedKeys.length === 0) {
    const known = versionOf(view, namespace, name, version)?.spec.contentHash;
    return { data: content, contentHash: known ?? "", pinnedKeys };
  }
  const data = withPins(content, pins);
  return { data, contentHash: contentHash(data, view.crypto), pinnedKeys };
}
