// kinglyctl propose: opens a proposal for a Config and, with --wait, stays until the fleet has
// answered. Progress goes to stderr, the final object to stdout.

import { createHash } from "node:crypto";
import { canonicalJson, KinglyError, shortValue } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { resourcePath } from "@kingly/client";
import type { Proposal } from "@kingly/resources";
import { EXIT } from "../exit-code.ts";
import { readManifests } from "../manifests.ts";
import { formatObjects } from "../printers/document.ts";
import { parseDuration, parseVersion, type Session } from "../session.ts";
import { isJsonText, strictJson } from "../strict-input.ts";
import { waitForProposal } from "../wait.ts";

/** Flags of propose. */
export interface ProposeFlags {
  readonly set: readonly string[];
  readonly filename: readonly string[];
  readonly reason: string;
  readonly baseVersion?: string;
  readonly idempotencyKey?: string;
  readonly commit?: string;
  readonly url?: string;
  readonly source: string;
  readonly wait?: boolean | string;
  readonly timeout: string;
  readonly output: string;
}

function parseAssignment(text: string): readonly [string, JsonValue] {
  const at = text.indexOf("=");
  if (at <= 0) {
    throw new KinglyError("Usage", `--set: "${text}" is not KEY=VALUE`, { field: "--set" });
  }
  const key = text.slice(0, at);
  const value = text.slice(at + 1);
  // What is not JSON is a plain string; what is must survive the way to the fleet unchanged.
  return [key, isJsonText(value) ? strictJson(value, `--set ${key}`) : value];
}

function patchOf(assignments: readonly string[]): JsonObject {
  const patch = new Map<string, JsonValue>();
  for (const [key, value] of assignments.map(parseAssignment)) {
    if (patch.has(key)) {
      throw new KinglyError("DuplicateKey", `--set ${key}: the key is set twice`, {
        field: `--set ${key}`,
        limit: "each key once",
        value: shortValue(value),
      });
    }
    patch.set(key, value);
  }
  return Object.fromEntries(patch);
}

/** The one document of -f; undefined without -f. */
async function dataOf(session: Session, paths: readonly string[]): Promise<JsonObject | undefined> {
  if (paths.length === 0) return undefined;
  const [first, ...more] = await readManifests(paths, session.io);
  if (more.length === 0) return first?.object;
  throw new KinglyError("Usage", `-f: ${more.length + 1} documents; the new data is one`, {
    field: "-f",
    limit: 1,
    value: more.length + 1,
  });
}

function changeOf(flags: ProposeFlags, file: JsonObject | undefined): JsonObject {
  if (flags.set.length > 0 === (file !== undefined)) {
    throw new KinglyError("Usage", "give either --set KEY=VALUE or -f FILE with the new data", {
      field: "--set",
    });
  }
  return file === undefined ? { patch: patchOf(flags.set) } : { data: file };
}

function defaultKey(config: string, change: JsonObject, flags: ProposeFlags): string {
  // Content and commit: a retried job finds its first proposal instead of opening another.
  const text = canonicalJson([config, change, flags.commit ?? "", flags.baseVersion ?? ""]);
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function proposalObject(
  session: Session,
  config: string,
  options: { readonly change: JsonObject; readonly flags: ProposeFlags },
): JsonObject {
  const { change, flags } = options;
  const baseVersion = parseVersion(flags.baseVersion, "--base-version");
  const key = flags.idempotencyKey ?? (flags.commit && defaultKey(config, change, flags));
  return {
    apiVersion: "kingly.dev/v1",
    kind: "Proposal",
    metadata: { generateName: `${config}-`, namespace: session.namespace },
    spec: {
      config,
      ...change,
      reason: flags.reason,
      source: {
        type: flags.source,
        name: session.io.env["USER"] ?? "operator",
        ...(flags.commit === undefined ? {} : { commit: flags.commit }),
        ...(flags.url === undefined ? {} : { url: flags.url }),
      },
      ...(baseVersion === undefined ? {} : { baseVersion }),
      ...(key === undefined || key === "" ? {} : { idempotencyKey: key }),
    },
  };
}

/** Runs the command; returns the exit code. */
export async function runPropose(
  session: Session,
  config: string,
  flags: ProposeFlags,
): Promise<number> {
  const timeoutMs = parseDuration(flags.timeout, "--timeout");
  const change = changeOf(flags, await dataOf(session, flags.filename));
  const answer = await session.client.raw({
    method: "POST",
    path: resourcePath({ kind: "Proposal", namespace: session.namespace }),
    body: proposalObject(session, config, { change, flags }),
  });
  const proposal = JSON.parse(answer.text) as Proposal;
  for (const warning of answer.warnings) session.io.stderr.write(`Warning: ${warning}\n`);
  // 200 instead of 201: the same request opened it earlier; it may have ended long ago.
  const how = answer.status === 201 ? "opened" : "was opened before by the same request";
  session.io.stderr.write(`proposal/${proposal.metadata.name} ${how}\n`);
  if (flags.wait === undefined || flags.wait === false) {
    print(session, proposal, flags.output);
    return EXIT.ok;
  }
  const until = flags.wait === true ? "completed" : flags.wait;
  const end = await waitForProposal(session, proposal.metadata.name, { until, timeoutMs });
  print(session, end.proposal, flags.output);
  return end.exitCode;
}

function print(session: Session, proposal: Proposal, output: string): void {
  if (output === "table") {
    const phase = proposal.status?.phase ?? "Pending";
    const message = proposal.status?.message ?? "";
    session.io.stdout.write(`proposal/${proposal.metadata.name} ${phase}: ${message}\n`);
    return;
  }
  session.io.stdout.write(formatObjects([proposal as never], { format: output, single: true }));
}
