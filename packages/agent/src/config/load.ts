// Loads the agent's file, YAML or JSON, and checks all of it before anything starts.

import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { KinglyError } from "@kingly/base";
import { NODE_NAME_CHARS_MAX, formatFault } from "@kingly/resources";
import { Fields, refused } from "../fields.ts";
import { CONFIG_BYTES_MAX } from "../limits.ts";
import { readBinding } from "./binding.ts";
import type { AgentConfig } from "./types.ts";

const SERVER = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/;
const SERVERS_MAX = 32;
const TOKEN_LENGTH_MAX = 512;

/** Reads the file at `path`; throws KinglyError with the field that is wrong. */
export async function loadAgentConfig(path: string): Promise<AgentConfig> {
  const document = new Fields(await readDocument(path), "");
  const base = dirname(resolve(path));
  const node = requireName(document.raw("node"));
  const servers = document.texts("servers", { min: 1, max: SERVERS_MAX });
  for (const [i, server] of servers.entries()) {
    const port = Number(SERVER.exec(server)?.[2] ?? 0);
    if (port < 1 || port > 65_535) throw refused(`servers[${i}]`, "host:port", server);
  }
  const stateDir = resolve(base, document.text("stateDir", { max: 4_000 }));
  const joinToken = await readToken(document, base);
  const statusPort = document.has("statusPort")
    ? document.number("statusPort", { min: 0, max: 65_535 })
    : undefined;
  const bound = document.raw("binding");
  const binding =
    typeof bound === "string"
      ? readBinding(new Fields(await readDocument(resolve(base, bound)), ""))
      : readBinding(document.object("binding"));
  document.end();
  return {
    node,
    servers,
    stateDir,
    binding,
    ...(joinToken === undefined ? {} : { joinToken }),
    ...(statusPort === undefined ? {} : { statusPort }),
  };
}

/** The node's name, by the rule of enrolment: it would be refused there only after the start. */
function requireName(value: unknown): string {
  const text = typeof value === "string" ? value : "";
  const fault = formatFault("dns1123-subdomain", text);
  if (text !== "" && fault === undefined && text.length <= NODE_NAME_CHARS_MAX) return text;
  const limit = `RFC 1123 subdomain of at most ${NODE_NAME_CHARS_MAX} characters`;
  throw refused("node", `an ${limit}`, value);
}

/** The token itself, or `joinTokenFile`: secrets are better off in a file of their own. */
async function readToken(document: Fields, base: string): Promise<string | undefined> {
  if (document.has("joinToken")) return document.text("joinToken", { max: TOKEN_LENGTH_MAX });
  document.raw("joinToken");
  if (!document.has("joinTokenFile")) return undefined;
  const path = resolve(base, document.text("joinTokenFile", { max: 4_000 }));
  try {
    return (await readFile(path, "utf8")).trim();
  } catch (error) {
    // A used token is often deleted; whether one is needed is decided later.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function readDocument(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const help = "give the agent's file with --config";
    throw new KinglyError("Usage", `cannot read ${path}`, { field: path, help }, { cause: error });
  }
  if (text.length > CONFIG_BYTES_MAX) {
    throw refused(path, `at most ${CONFIG_BYTES_MAX} characters`, text.length);
  }
  if (text.trimStart().startsWith("{")) {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw new KinglyError("Usage", `${path}: not JSON: ${String(error)}`, { field: path });
    }
  }
  // The YAML library is large and needed once: loaded only for YAML.
  const { parse } = await import("yaml");
  try {
    return parse(text);
  } catch (error) {
    throw new KinglyError("Usage", `${path}: not YAML: ${String(error)}`, { field: path });
  }
}
