// A mutant is a known mistake of consensus systems, made in a built module by changing a few words of
// its text. The simulator is worth what it finds: each mutant must be killed within a stated number of
// seeds, by a checker if that is possible at all, else by an assertion of the product itself.

import type { ModulePatches, TextPatch } from "./hooks.ts";

/** One known mistake. */
export interface Mutant {
  readonly name: string;
  /** What it breaks, for people. */
  readonly breaks: string;
  /** Seeds within which it is killed. */
  readonly seedsMax: number;
  /** Default: a cluster of servers. */
  readonly world?: "cluster" | "fleet";
  /** Fixes the machine where the mistake is in one. */
  readonly machine?: "register" | "decision";
  /**
   * Changes by module: package and path of the built file. Where the product has a second line of
   * defence that would stop the mistake (an assertion, say), a mutant may take it away as well, so
   * that a checker has to see it.
   */
  readonly modules: Readonly<Record<string, readonly TextPatch[]>>;
}

/** A change of one module. */
export function change(module: string, find: string, put: string): Mutant["modules"] {
  return { [module]: [{ find, put }] };
}

/** Changes of several modules, or several of one. */
export function changes(...parts: readonly Mutant["modules"][]): Mutant["modules"] {
  const all: Record<string, TextPatch[]> = {};
  for (const part of parts) {
    for (const [module, patches] of Object.entries(part)) (all[module] ??= []).push(...patches);
  }
  return all;
}

/** Addresses of the built modules, also for a caller that runs the sources, with their changes. */
export function patchesOf(mutant: Mutant): readonly ModulePatches[] {
  return Object.entries(mutant.modules).map(([module, patches]) => {
    const depth = module.startsWith("@") ? 2 : 1;
    const parts = module.split("/");
    const entry = import.meta.resolve(parts.slice(0, depth).join("/"));
    return { url: new URL(`../dist/${parts.slice(depth).join("/")}`, entry).href, patches };
  });
}
