// Module hooks that change the text of built modules while they are loaded, so that the code under
// test needs no switches for its own mistakes. Registered by the worker process before it loads
// anything else; runs in Node's thread for hooks.

import type { InitializeHook, LoadHook } from "node:module";

/** A change of text: `find` stands exactly once in the module, `put` takes its place. */
export interface TextPatch {
  readonly find: string;
  readonly put: string;
}

/** Changes of one module. */
export interface ModulePatches {
  /** Address of the built module. */
  readonly url: string;
  readonly patches: readonly TextPatch[];
}

/** Where the addresses of changed modules are noted when they run. */
export const MUTATED: symbol = Symbol.for("kingly.mutated-modules");

/** Changes a module's text. Throws when a patch does not fit exactly once. */
export function patched(source: string, { url, patches }: ModulePatches): string {
  let text = source;
  for (const { find, put } of patches) {
    const count = text.split(find).length - 1;
    if (count !== 1) throw new Error(`${url} has ${count} times, not once: ${find}`);
    text = text.replace(find, () => put);
  }
  const name = JSON.stringify(url);
  return `${text}\n(globalThis[Symbol.for("kingly.mutated-modules")] ??= []).push(${name});\n`;
}

const wanted = new Map<string, ModulePatches>();

/** Node calls it with what was given to `register`. */
export const initialize: InitializeHook<readonly ModulePatches[]> = (modules) => {
  for (const one of modules) wanted.set(one.url, one);
};

/** Node calls it for every module. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  const change = wanted.get(url);
  if (change === undefined) return loaded;
  const { source } = loaded;
  const text = typeof source === "string" ? source : new TextDecoder().decode(source ?? undefined);
  return { ...loaded, source: patched(text, change) };
};
