import { describe, expect, it } from "vitest";
import { assignment, order, Plant, push } from "./support/plant.ts";

const V1 = { window: 0, size: 8 };

function sentKeys(plant: Plant): string[] {
  return plant.sent.filter((m) => m.type === "submission").map((m) => m.idempotencyKey);
}

/** Connected, v1 confirmed, nobody answers submissions. */
function mute(): Plant {
  const plant = new Plant().start().connect();
  plant.answers = false;
  plant.send(push(assignment(1, V1)));
  plant.until(() => plant.saw("Calibrated") > 0, 60_000, "calibration");
  const decline = order(plant, { window: 1 }, { version: 1, data: V1 }, { target: "nowhere" });
  plant.send({ type: "trialOrder", order: decline });
  plant.send({
    type: "vetoRequest",
    configUid: "cfg-1",
    version: 1,
    reason: "no",
    requestedBy: "ada",
  });
  return plant.run(500);
}

describe("documents on their way to the servers", () => {
  it("go one at a time, in the order written, through lost answers, reconnects and a restart", () => {
    const plant = mute();
    expect(new Set(sentKeys(plant)).size).toBe(1);
    plant.run(11_000);
    expect(sentKeys(plant).length).toBeGreaterThan(1);
    plant.send({ type: "disconnected" }).run(500).connect().run(200);
    plant.restart().connect().run(200);
    expect(new Set(sentKeys(plant)).size).toBe(1);
    plant.answers = true;
    plant.send({ type: "disconnected" }).connect();
    plant.until(() => plant.documents.length === 3, 20_000, "delivery");
    plant.run(1_000);
    expect(plant.documents.map((d) => d.kind)).toEqual(["Calibration", "Vote", "Veto"]);
    expect(new Set(plant.documents.map((d) => d.idempotencyKey)).size).toBe(3);
    expect(JSON.parse(plant.disk ?? "")).toMatchObject({ outbox: [] });
  });

  it("are repeated later when a server could not decide, and dropped on a final refusal", () => {
    const plant = mute();
    const key = sentKeys(plant)[0] ?? "";
    const answer = {
      type: "submissionResult",
      idempotencyKey: key,
      code: "NoLeader",
      message: "",
    } as const;
    plant.send({ ...answer, retry: true });
    const before = sentKeys(plant).length;
    plant.until(() => sentKeys(plant).length > before, 5_000, "a repetition");
    plant.send({ ...answer, code: "Forbidden", retry: false }).run(100);
    expect(plant.saw("DocumentRefused")).toBe(1);
    expect(sentKeys(plant).at(-1)).not.toBe(key);
  });

  it("leave only after they are on disk", () => {
    const plant = new Plant({ diskMs: 400 }).start().connect();
    let durable = "";
    plant.onEffect = (effect) => {
      if (effect.type === "send" && effect.message.type === "submission") {
        durable = plant.disk ?? "";
        expect(durable).toContain(effect.message.idempotencyKey);
      }
      return true;
    };
    plant.send(push(assignment(1, V1)));
    plant.until(() => plant.of("Calibration").length > 0, 60_000, "calibration");
    expect(durable).not.toBe("");
  });
});
