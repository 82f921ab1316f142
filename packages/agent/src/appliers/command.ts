// Runs a command of the binding, without a shell, with limits on time and output.

import { spawn } from "node:child_process";
import type { CommandBinding } from "../config/types.ts";
import { COMMAND_OUTPUT_BYTES_MAX, COMMAND_OUTPUT_CHARS_MAX } from "../limits.ts";

/** Runs the command; "" when it exits with 0, else a sentence with the end of its output. */
export async function runCommand(command: CommandBinding, file: string): Promise<string> {
  const [program = "", ...rest] = command.argv;
  const argv = rest.map((argument) => argument.replaceAll("{file}", file));
  return new Promise<string>((resolve) => {
    const child = spawn(program, argv, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const take = (chunk: Buffer): void => {
      if (output.length < COMMAND_OUTPUT_BYTES_MAX) output += chunk.toString("utf8");
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    const timer = setTimeout(() => child.kill("SIGKILL"), command.timeoutMs);
    child.on("error", (error) => {
      clearTimeout(timer);
      resolve(`${program}: ${error.message}`);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      if (code === 0) {
        resolve("");
        return;
      }
      const how = signal === null ? `exit code ${code}` : `ended by ${signal}`;
      const late = signal === "SIGKILL" ? ` (limit ${command.timeoutMs} ms)` : "";
      const tail = output.trim().slice(-COMMAND_OUTPUT_CHARS_MAX);
      resolve(`${program}: ${how}${late}${tail === "" ? "" : `: ${tail}`}`);
    });
  });
}
