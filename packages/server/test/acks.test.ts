// The batcher of acknowledgements: few commands, and every node's reason kept while there are few.
import { describe, expect, it } from "vitest";
import { noLogger } from "@kingly/base";
import { AckBatcher } from "../src/replica/acks.ts";
import { ACK_BATCHES_MAX } from "../src/limits.ts";
import { eventually } from "./api/support.ts";

interface Body {
  readonly state: string;
  readonly nodes: readonly string[];
  readonly message?: string;
}

function batcher(): { readonly acks: AckBatcher; readonly sent: Body[] } {
  const sent: Body[] = [];
  const decoder = new TextDecoder();
  const acks = new AckBatcher(async (body) => {
    sent.push(JSON.parse(decoder.decode(body)) as Body);
  }, noLogger);
  return { acks, sent };
}

const about = { configUid: "c", version: 2 } as const;

describe("acknowledgements", () => {
  it("share a command when they say the same, and keep different reasons apart", async () => {
    const { acks, sent } = batcher();
    for (const node of ["b", "a"]) {
      acks.add({ ...about, state: "failed", node, message: "CheckFailed: no" });
    }
    acks.add({ ...about, state: "failed", node: "c", message: "Unbound: no such target" });
    acks.add({ ...about, state: "applied", node: "d" });
    await eventually("all are sent", () => sent.length === 3);
    acks.stop();
    expect(sent).toEqual([
      { ...about, state: "applied", nodes: ["d"] },
      { ...about, state: "failed", nodes: ["a", "b"], message: "CheckFailed: no" },
      { ...about, state: "failed", nodes: ["c"], message: "Unbound: no such target" },
    ]);
  });

  it("stay few when every node fails in its own way, and lose no node", async () => {
    const { acks, sent } = batcher();
    const count = ACK_BATCHES_MAX * 3;
    for (let i = 0; i < count; i += 1) {
      acks.add({ ...about, state: "failed", node: `n${i}`, message: `reason ${i}` });
    }
    const nodes = (): number => sent.reduce((sum, one) => sum + one.nodes.length, 0);
    await eventually("all are sent", () => nodes() === count);
    acks.stop();
    expect(sent.length).toBe(ACK_BATCHES_MAX + 1);
  });
});
