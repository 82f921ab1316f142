// Where a thread's compiled entry file is. Node 20 cannot run TypeScript, so when this package is
// loaded from its sources (tests do that) threads still start from dist; build first.

/** The URL of the compiled module `relative` (no extension) next to the module `from`. */
export function entryUrl(from: string, relative: string): URL {
  const base = from.endsWith(".ts") ? from.replace(/\/src\/(?!.*\/src\/)/, "/dist/") : from;
  return new URL(`${relative}.js`, base);
}
