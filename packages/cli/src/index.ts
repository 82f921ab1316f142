// kinglyctl as a library: the command line over an injected process.

export { runCli } from "./run.ts";
export { processIo } from "./io.ts";
export type { Io, Sink } from "./io.ts";
export { EXIT } from "./exit-code.ts";
