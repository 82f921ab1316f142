// The demonstration from start to end: servers up, objects applied, nodes up, the story told as it
// happens, the summary. It only starts processes and watches; whatever it shows was decided elsewhere.

import { loadContext, RestClient } from "@kingly/client";
import { KinglyError } from "@kingly/base";
import type { Proposal } from "@kingly/resources";
import { agentSentence } from "./agent-lines.ts";
import { FLEET } from "./fleet.ts";
import { follow, isFinal } from "./follow.ts";
import type { Layout } from "./layout.ts";
import { READY_TIMEOUT_MS, STORY_TIMEOUT_MS } from "./limits.ts";
import { createExample, describePolicy } from "./manifests.ts";
import { startNodes } from "./nodes.ts";
import type { Options } from "./options.ts";
import { proposalToReport, readOutcome, type Outcome } from "./outcome.ts";
import { followProgress } from "./progress.ts";
import { proposeWish, untilCalibrated, usesTuner } from "./scenario.ts";
import { prepareCluster, startServer, type ClusterFiles } from "./servers.ts";
import { Story } from "./story.ts";
import { printOutcome } from "./summary.ts";
import type { Supervisor } from "./supervisor.ts";
import type { Terminal } from "./terminal.ts";

const RETRY_MS = 250;

/** What a run works with. */
export interface RunContext {
  readonly options: Options;
  readonly layout: Layout;
  readonly supervisor: Supervisor;
  readonly terminal: Terminal;
  /** Aborted on Ctrl-C or when a process died. */
  readonly signal: AbortSignal;
  readonly startMs: number;
}

/** A fleet that is up. */
export interface RunningFleet {
  readonly files: ClusterFiles;
  readonly client: RestClient;
}

/** Waits until a server answers a list; rejects when none does in time. */
export async function untilServing(client: RestClient, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      await client.list({ kind: "Policy", namespace: "default" });
      return;
    } catch (error) {
      const passing = error instanceof KinglyError && Date.now() < deadline && !signal.aborted;
      if (!passing) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

async function bringUp(context: RunContext): Promise<RunningFleet> {
  const { layout, supervisor, terminal, signal, options } = context;
  const files = await prepareCluster({ dir: layout.dir, servers: 3 });
  await Promise.all(files.configs.map((_, member) => startServer(supervisor, files, member)));
  const client = new RestClient(loadContext(files.kubeconfig));
  await untilServing(client, signal);
  terminal.line(`three servers are up (cluster ${files.clusterId}, mutual TLS, own directories)`);
  await createExample(client);
  terminal.line(await describePolicy(client));
  await startNodes(FLEET, {
    dir: layout.dir,
    supervisor,
    client,
    servers: files.grpcAddresses,
    tuner: usesTuner(options.scenario),
    onAgentLine: (node, line) => {
      const sentence = agentSentence(line);
      if (sentence !== undefined) terminal.line(terminal.paint.dim(`${node}: ${sentence}`));
    },
  });
  for (const { name, traffic } of FLEET) terminal.line(`${name} is up: ${traffic}`);
  terminal.line("every node first measures its own noise (A/A blocks) ...");
  return { files, client };
}

/** Resolves with the proposal to report: the scenario's own, or one that an agent opens or opened. */
async function opened(
  context: RunContext,
  fleet: RunningFleet,
  seen: Map<string, Proposal>,
): Promise<string> {
  const { options, signal } = context;
  const { scenario } = options;
  if (scenario !== "default") {
    await untilCalibrated(fleet.client, signal);
    if (!signal.aborted) return proposeWish(fleet.client, scenario);
  }
  while (!signal.aborted) {
    const name = proposalToReport(seen.values());
    if (name !== undefined) return name;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  throw new Error("stopped before a change was proposed");
}

async function untilFinal(
  context: RunContext,
  seen: Map<string, Proposal>,
  name: string,
): Promise<void> {
  while (!context.signal.aborted) {
    if (isFinal(seen.get(name))) return;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Runs the story once; the fleet is up afterwards. */
export async function runStory(
  context: RunContext,
): Promise<{ readonly fleet: RunningFleet; readonly outcome: Outcome | undefined }> {
  const fleet = await bringUp(context);
  const { client } = fleet;
  const { terminal, startMs } = context;
  const limit = AbortSignal.timeout(Math.max(1, STORY_TIMEOUT_MS - (Date.now() - startMs)));
  const signal = context.options.once ? AbortSignal.any([context.signal, limit]) : context.signal;
  const seen = new Map<string, Proposal>();
  const following = new AbortController();
  const story = new Story(terminal.paint);
  const watching = follow({
    client,
    story,
    terminal,
    signal: AbortSignal.any([signal, following.signal]),
    onProposal: (proposal) => seen.set(proposal.metadata.name, proposal),
  });
  const bounded = { ...context, signal };
  try {
    const name = await opened(bounded, fleet, seen);
    const progress = followProgress({ fleet, name, terminal, signal: following.signal });
    await untilFinal(bounded, seen, name);
    terminal.status("");
    const timedOut = !isFinal(seen.get(name));
    const seconds = (Date.now() - startMs) / 1000;
    const outcome = await readOutcome(client, { proposal: name, timedOut, seconds });
    printOutcome(terminal, outcome);
    if (context.options.once) {
      following.abort();
      await Promise.all([watching, progress]);
    }
    return { fleet, outcome };
  } catch (error) {
    following.abort();
    await watching;
    if (context.signal.aborted || !signal.aborted) throw error;
    terminal.line(terminal.paint.red("nothing was proposed in time"));
    return { fleet, outcome: undefined };
  }
}
