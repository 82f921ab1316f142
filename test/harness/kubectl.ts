// Where the real kubectl is, for the tests that use it where it is installed.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Path of kubectl; undefined when this machine has none. */
export const kubectlPath: string | undefined = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "kubectl"))
  .find((path) => existsSync(path));

if (kubectlPath === undefined) console.info("skipped: there is no kubectl on this machine");
