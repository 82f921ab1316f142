// The nodes' part of a rollout, as tests play it: everybody confirms, stage by stage, to its end.
import type { TestApi } from "./support.ts";

/** Lets all nodes confirm whatever is being rolled out; `stageMs` passes per stage. */
export function confirmAll(
  api: TestApi,
  nodes: readonly { readonly name: string }[],
  stageMs: number = 5_000,
): void {
  const { replica, clock } = api;
  for (let i = 0; i < 20; i += 1) {
    const open = replica.state
      .objects("Rollout")
      .find((one) => one.status?.phase === "Progressing");
    if (open === undefined) return;
    const { configUid, version } = open.spec;
    const assigned = open.status?.stages.flatMap((stage) => stage.nodes) ?? [];
    replica.run("acks", { configUid, version, state: "confirmed", nodes: assigned });
    clock.offsetMs += stageMs;
    for (const { name } of nodes) {
      const lists = { targets: [], signals: [], active: [] };
      replica.soft.reportHeartbeat({ node: name, incarnation: 9, agentVersion: "0.1.0", ...lists });
    }
    replica.lead();
  }
}
