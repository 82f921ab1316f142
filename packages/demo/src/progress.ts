// The changing last line: how far every trial node is, from the same stream that any client can follow.

import { credentials, Metadata } from "@grpc/grpc-js";
import { loadContext } from "@kingly/client";
import { loadService } from "@kingly/protocol";
import type { TrialProgress } from "@kingly/resources";
import { NAMESPACE } from "./manifests.ts";
import type { RunningFleet } from "./run.ts";
import { progressLine } from "./story.ts";
import type { Terminal } from "./terminal.ts";

/** What to follow. */
export interface ProgressOptions {
  readonly fleet: RunningFleet;
  readonly name: string;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Follows one proposal until the signal or the end of its stream. Never rejects. */
export async function followProgress(options: ProgressOptions): Promise<void> {
  const { fleet, name, terminal, signal } = options;
  const context = loadContext(fleet.files.kubeconfig);
  const { ConfigService } = loadService("config");
  const client = new ConfigService(
    fleet.files.grpcAddresses[0] ?? "",
    credentials.createSsl(Buffer.from(context.authority ?? "")),
    // An address is no server name (RFC 6066); the servers' certificates also say localhost.
    { "grpc.ssl_target_name_override": "localhost" },
  );
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${context.token ?? ""}`);
  const stream = client.watchProposal({ namespace: NAMESPACE, name }, metadata);
  const stop = (): void => stream.cancel();
  signal.addEventListener("abort", stop, { once: true });
  try {
    for await (const state of stream) {
      const { progress } = state as { readonly progress: readonly Buffer[] };
      const parsed = progress.map((text) => JSON.parse(text.toString()) as TrialProgress);
      terminal.status(progressLine(parsed));
    }
  } catch {
    // The stream ends with its server; the story itself goes on through the watches.
  } finally {
    signal.removeEventListener("abort", stop);
    terminal.status("");
    client.close();
  }
}
