#!/usr/bin/env node
// kinglyctl: see run.ts for the commands.

import { processIo } from "./io.ts";
import { runCli } from "./run.ts";

process.exitCode = await runCli(process.argv.slice(2), processIo());
