// What a node effectively runs: the content of its assigned version with the keys of its standing
// vetoes pinned to their last known good values. A pin rides over later versions until the veto ends
// or a version on the way there changes the pinned key (which is then tried with the pin lifted).

import { mergePatch } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import type { Config, Veto } from "@kingly/resources";
import { LINEAGE_MAX, STANDING_VETOES_MAX } from "../limits.ts";
import { objectPrefix, readObject } from "../core/view.ts";
import type { StateView } from "../core/view.ts";
import { versionContent, versionOf } from "./content.ts";

/** Status of a stored Veto. */
export interface VetoStatus {
  /** False once it expired, or its version was rolled back. */
  readonly active: boolean;
  readonly reason: string;
  readonly message: string;
}

/** True while the veto pins its keys. */
export function isActive(veto: Veto): boolean {
  return veto.status?.["active"] === true;
}

/**
 * Name of a node's veto of a version: `<config>-v<version>-<node>`. Names may hold dashes, so two
 * vetoes can want the same name; the second then carries the beginning of its Config's uid.
 */
export function vetoName(view: StateView, config: Config, version: number, node: string): string {
  const { name, namespace = "", uid } = config.metadata;
  const wanted = `${name}-v${version}-${node}`;
  const stored = readObject(view, "Veto", namespace, wanted)?.spec;
  const own = stored?.configUid === uid && stored.version === version && stored.node === node;
  return stored === undefined || own ? wanted : `${wanted}-${uid.slice(0, 8)}`;
}

/** Vetoes of one Config, sorted by name. */
export function vetoesOf(view: StateView, config: Config): Veto[] {
  const prefix = `${objectPrefix("Veto", config.metadata.namespace ?? "")}${config.metadata.name}-v`;
  const found: Veto[] = [];
  for (const [, value] of view.list(prefix)) {
    const veto = value as unknown as Veto;
    if (veto.spec.configUid === config.metadata.uid) found.push(veto);
  }
  return found;
}

/** Active vetoes of one node, oldest version first. */
export function standingVetoes(view: StateView, config: Config, node: string): Veto[] {
  return vetoesOf(view, config)
    .filter((veto) => veto.spec.node === node && isActive(veto))
    .sort((a, b) => a.spec.version - b.spec.version)
    .slice(-STANDING_VETOES_MAX);
}

/**
 * The version a node can run where `version` is wanted: that one, or, as long as it vetoes it, the one
 * that it runs instead. `vetoes` are the node's standing ones; 0 = as-found, which nobody can veto.
 */
export function runnableVersion(version: number, vetoes: readonly Veto[]): number {
  const seen = new Set<number>();
  let runs = version;
  while (!seen.has(runs)) {
    const wanted = runs;
    const veto = vetoes.find((one) => one.spec.version === wanted);
    if (veto === undefined) return runs;
    seen.add(runs);
    runs = veto.spec.runsVersion;
  }
  return 0;
}

/** Keys that changed on the way from `after` (exclusive) to `upTo` along a version's parents. */
function keysChangedAfter(
  view: StateView,
  config: Config,
  range: { readonly after: number; readonly upTo: number },
): ReadonlySet<string> {
  const changed = new Set<string>();
  let version = range.upTo;
  for (let i = 0; i < LINEAGE_MAX && version > range.after; i += 1) {
    const found = versionOf(view, config.metadata.namespace ?? "", config.metadata.name, version);
    if (found === undefined) break;
    for (const key of found.spec.changedKeys) changed.add(key);
    version = found.spec.parent;
  }
  return changed;
}

/** The pins that apply when the node runs `version`, as a merge patch (null removes a key). */
export function pinsFor(
  view: StateView,
  config: Config,
  at: { readonly version: number; readonly vetoes: readonly Veto[] },
): JsonObject {
  const pins: Record<string, JsonValue> = {};
  const namespace = config.metadata.namespace ?? "";
  for (const [i, veto] of at.vetoes.entries()) {
    const { spec } = veto;
    // The servers do not know what a node ran as found; its agent keeps those pins itself.
    if (spec.version > at.version || spec.runsVersion === 0) continue;
    const range = { after: spec.version, upTo: at.version };
    const lifted = keysChangedAfter(view, config, range);
    // What it ran before may itself have been pinned, by vetoes of older versions.
    const older = { version: spec.runsVersion, vetoes: at.vetoes.slice(0, i) };
    const good = withPins(
      versionContent(view, namespace, config.metadata.name, spec.runsVersion),
      pinsFor(view, config, older),
    );
    for (const key of spec.pinnedKeys) {
      if (lifted.has(key)) continue;
      pins[key] = Object.hasOwn(good, key) ? (good[key] as JsonValue) : null;
    }
  }
  return pins;
}

/** Keys that standing vetoes hold on each node when the fleet is at `version`; nodes without are absent. */
export function pinnedNodes(
  view: StateView,
  config: Config,
  version: number,
): ReadonlyMap<string, ReadonlySet<string>> {
  const pinned = new Map<string, Set<string>>();
  for (const veto of vetoesOf(view, config)) {
    const { spec } = veto;
    if (!isActive(veto) || spec.version > version) continue;
    const lifted = keysChangedAfter(view, config, { after: spec.version, upTo: version });
    const keys = pinned.get(spec.node) ?? new Set();
    for (const key of spec.pinnedKeys) if (!lifted.has(key)) keys.add(key);
    if (keys.size > 0) pinned.set(spec.node, keys);
  }
  return pinned;
}

/** Content of a version with pins applied: pinned keys are replaced whole. */
export function withPins(content: JsonObject, pins: JsonObject): JsonObject {
  const cleared: Record<string, JsonValue> = {};
  for (const key of Object.keys(pins).sort()) cleared[key] = null;
  const without = mergePatch(content, cleared) as JsonObject;
  const merged: Record<string, JsonValue> = { ...without };
  for (const key of Object.keys(pins).sort()) {
    const value = pins[key] as JsonValue;
    if (value !== null) merged[key] = value;
  }
  return merged;
}
