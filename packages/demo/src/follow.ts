// Follows the cluster through its public API, the way any dashboard would: a watch per kind for the
// story, and one proposal until its phase is final.

import type { RestClient } from "@kingly/client";
import type { Proposal } from "@kingly/resources";
import { NAMESPACE } from "./manifests.ts";
import type { Story, StoryEvent } from "./story.ts";
import type { Terminal } from "./terminal.ts";

const KINDS: readonly StoryEvent["kind"][] = ["Proposal", "Vote", "Rollout", "Veto"];

// Phases that no proposal leaves.
const FINAL_PHASES: readonly string[] = [
  "Completed",
  "Rejected",
  "Inconclusive",
  "Expired",
  "Withdrawn",
  "Superseded",
  "Denied",
  "RolledBack",
];

/** True when nothing more will come of the proposal; false for one that was not seen yet. */
export function isFinal(proposal: Proposal | undefined): boolean {
  return FINAL_PHASES.includes(proposal?.status?.phase ?? "");
}

/** What following needs. */
export interface FollowOptions {
  readonly client: Pick<RestClient, "list" | "watch">;
  readonly story: Story;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** Called with every state of every proposal. */
  readonly onProposal: (proposal: Proposal) => void;
}

async function followKind(kind: StoryEvent["kind"], options: FollowOptions): Promise<void> {
  const { client, story, terminal, signal } = options;
  const scope = { kind, namespace: NAMESPACE };
  const take = (object: unknown): void => {
    const event = { kind, object } as StoryEvent;
    for (const line of story.tell(event)) terminal.line(line);
    if (event.kind === "Proposal") options.onProposal(event.object);
  };
  while (!signal.aborted) {
    try {
      const { items, resourceVersion } = await client.list(scope);
      for (const item of items) take(item);
      for await (const event of client.watch(scope, { resourceVersion, signal })) {
        if (event.type !== "DELETED") take(event.object);
      }
    } catch (error) {
      if (signal.aborted) return;
      // A server that goes away or compacts is everyday life: list again, after a breath.
      await new Promise((resolve) => setTimeout(resolve, 500));
      if (process.env["KINGLY_DEBUG"] !== undefined) terminal.line(String(error));
    }
  }
}

/** Follows every kind of the story until the signal. */
export async function follow(options: FollowOptions): Promise<void> {
  await Promise.all(KINDS.map((kind) => followKind(kind, options)));
}
