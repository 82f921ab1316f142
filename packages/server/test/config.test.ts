// Configuration files: what is wrong is named; what is left out has its default. And the metric that
// says how late the event loop is.
import type { JsonObject } from "@kingly/base";
import { Histogram, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { DEFAULT_TIMING, parseConfig } from "../src/config.ts";
import { watchLoopLag } from "../src/observe/loop-lag.ts";
import { eventually } from "./cluster.ts";

const MEMBER = {
  id: "m1",
  raftId: 1,
  incarnation: "i",
  address: "127.0.0.1:1",
  peerAddress: "127.0.0.1:2",
};
const GOOD: JsonObject = {
  clusterId: "c",
  memberId: "m1",
  dataDir: "data",
  secretsDir: "/secrets",
  listen: { grpc: "127.0.0.1:0", rest: "[::1]:0", peer: "localhost:0" },
  members: [MEMBER],
};

describe("the configuration of a server", () => {
  it("fills in defaults and resolves paths from the file's folder", () => {
    const config = parseConfig(GOOD, "/etc/kingly");
    expect(config.dataDir).toBe("/etc/kingly/data");
    expect(config.secretsDir).toBe("/secrets");
    expect(config.timing).toEqual(DEFAULT_TIMING);
    expect(config.genesis).toEqual({ clusterId: "c", namespaces: ["default"] });
  });

  it("names the field, what it must be and what it is", () => {
    const cases: readonly [string, JsonObject][] = [
      ["clusterId", { clusterId: "" }],
      ["memberId", { memberId: "m9" }],
      ["listen.grpc", { listen: { grpc: "nowhere" } }],
      ["members", { members: [] }],
      ["members[0].incarnation", { members: [{ ...MEMBER, incarnation: 5 }] }],
      ["raftId", { members: [{ ...MEMBER, raftId: 0 }] }],
      ["members.id", { members: [MEMBER, { ...MEMBER, raftId: 2, peerAddress: "h:3" }] }],
      ["tickMs", { timing: { tickMs: 0 } }],
      ["logLevel", { logLevel: "loud" }],
      ["genesis.namespaces", { genesis: { namespaces: [1] } }],
      ["datadir", { datadir: "/x" }],
      ["listen.http", { listen: { grpc: "h:1", rest: "h:2", peer: "h:3", http: "h:4" } }],
      ["timing.tickms", { timing: { tickms: 5 } }],
      ["compaction.every", { compaction: { every: 5 } }],
      ["members[0].zone", { members: [{ ...MEMBER, zone: "a" }] }],
      ["genesis.objekts", { genesis: { objekts: [] } }],
    ];
    for (const [field, change] of cases) {
      expect(() => parseConfig({ ...GOOD, ...change }, "/")).toThrow(
        expect.objectContaining({ code: "Usage", details: expect.objectContaining({ field }) }),
      );
    }
  });
});

describe("the loop-lag histogram", () => {
  it("sees a loop that was held up", async () => {
    const histogram = new Histogram({
      name: "lag",
      help: "lag",
      buckets: [0.05, 0.1],
      registers: [new Registry()],
    });
    const stop = watchLoopLag(histogram);
    const until = performance.now() + 200;
    while (performance.now() < until); // the loop is held up on purpose
    const held = await eventually("a measurement", async () => {
      const { values } = await histogram.get();
      const sum = values.find((value) => value.metricName === "lag_sum")?.value ?? 0;
      return sum > 0.1 && sum;
    });
    stop();
    expect(held).toBeGreaterThan(0.1);
  });
});
