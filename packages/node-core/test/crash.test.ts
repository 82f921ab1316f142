// A stop at any instruction: the agent is killed at every effect of a long scenario, in turn, and the
// next start must begin on a last known good or confirmed content, before anything else.
import { describe, expect, it } from "vitest";
import { assignment, hashOf, order, Plant, push } from "./support/plant.ts";

const V1 = { window: 0, size: 8 };
const V2 = { window: 2, size: 8 };
const V3 = { window: 3, size: 8 };

/** Confirm v1, calibrate, trial of V2, rollout of V2, then a v3 that the guard vetoes. */
function scenario(plant: Plant): void {
  const alive = (): boolean => plant.alive;
  const wait = (condition: () => boolean, limitMs: number, what: string): void => {
    plant.until(() => !alive() || condition(), limitMs, what);
  };
  plant.start().connect();
  plant.send(push(assignment(1, V1, { agentsMayPropose: true })));
  wait(() => plant.of("Calibration").length > 0, 60_000, "calibration");
  if (alive())
    plant.send({ type: "trialOrder", order: order(plant, V2, { version: 1, data: V1 }) });
  wait(() => plant.of("Vote").length > 0, 120_000, "vote");
  plant.send(push(assignment(2, V2)));
  wait(() => plant.saw("Confirmed") > 1, 120_000, "v2");
  if (alive()) plant.run(8_000);
  plant.send(push(assignment(3, V3)));
  wait(() => plant.of("Veto").length > 0, 200_000, "veto");
  if (alive()) plant.run(3_000);
}

interface Slots {
  readonly slots: Record<
    string,
    {
      readonly asFound: { readonly hash: string };
      readonly confirmed: readonly { readonly content: { readonly hash: string } }[];
    }
  >;
}

function make(): Plant {
  const behaviour = (data: Record<string, unknown>): number =>
    data["window"] === 2 ? 0.6 : data["window"] === 3 ? 1.6 : 1;
  const tuner = { enabled: true, targets: ["inference/main"], keys: [], minIntervalMs: 600_000 };
  return new Plant({ behaviour, noise: 0.1, asFound: { window: 9 }, node: { tuner } });
}

describe("a stop at any instruction", () => {
  const whole = make();
  let effects = 0;
  whole.onEffect = (effect) => {
    if (effect.type !== "log") effects += 1;
    return true;
  };
  scenario(whole);

  it("is tried at every effect of a scenario with trial, tuner, rollout and veto", () => {
    expect(whole.of("Vote")[0]?.decision).toBe("Accept");
    expect(whole.of("Veto")[0]?.cause).toBe("Regression");
    expect(whole.saw("TunerTries")).toBeGreaterThan(0);
    expect(effects).toBeGreaterThan(300);
    const trials = new Set<string>();
    for (let kill = 2; kill <= 2 * effects + 1; kill += 1) {
      // Every effect twice: the write under way is lost, or it was kept.
      const at = kill >> 1;
      const write = kill % 2 === 0 ? "lost" : "kept";
      const plant = make();
      let count = 0;
      plant.onEffect = (effect) => {
        if (effect.type !== "log") count += 1;
        return count < at || effect.type === "log";
      };
      scenario(plant);
      expect(plant.alive).toBe(false);
      plant.onEffect = () => true;
      const from = plant.applied.length;
      plant.restart(write).connect();
      // Nothing was written since: this is the record that the start read.
      const disk = plant.disk;
      plant.run(2_000);
      const first = plant.applied[from];
      const slot = disk === null ? undefined : (JSON.parse(disk) as Slots).slots["cfg-1"];
      if (first !== undefined && slot !== undefined) {
        const good = [slot.asFound.hash, ...slot.confirmed.map((c) => c.content.hash)];
        expect(good, `killed at effect ${at}`).toContain(first.content.hash);
        expect(first.why).toBe("restore");
      }
      // Whatever was on trial, probed or vetoed is not what runs unless it is applied anew.
      if (first === undefined) expect(hashOf(plant.running.data)).toBe(hashOf({ window: 9 }));
      const votes = plant.of("Vote");
      for (const vote of votes) trials.add(`${vote.decision}`);
      expect(votes.length).toBeLessThanOrEqual(1);
      expect(plant.of("Veto").length).toBeLessThanOrEqual(1);
    }
    expect([...trials].sort()).toEqual(["Abstain", "Accept"]);
  });
});
