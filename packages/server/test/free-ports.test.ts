// Ports chosen before a server listens: different, free, and out of the way of outgoing connections.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { freePorts, portWindow } from "../src/free-ports.ts";

describe("free ports", () => {
  it("are all different, over calls too", async () => {
    const ports = [...(await freePorts(20)), ...(await freePorts(20))];
    expect(new Set(ports).size).toBe(40);
  });

  it("lie below the range that outgoing connections use", () => {
    expect(portWindow([32_768, 60_999])).toEqual({ first: 10_000, count: 22_768, isApart: true });
    expect(portWindow([11_000, 65_535])).toEqual({ first: 10_000, count: 1_000, isApart: true });
  });

  it("lie above that range where it begins low", () => {
    expect(portWindow([1_024, 60_999])).toEqual({ first: 61_000, count: 4_536, isApart: true });
    expect(portWindow([10_999, 64_535])).toEqual({ first: 64_536, count: 1_000, isApart: true });
    expect(portWindow([1_024, 4_999])).toEqual({ first: 10_000, count: 55_536, isApart: true });
  });

  it("come out of that range, and it is known, where it leaves no room", () => {
    for (const range of [
      [1_024, 65_535],
      [10_999, 64_536],
    ] as const) {
      expect(portWindow(range)).toEqual({ first: 10_000, count: 55_536, isApart: false });
    }
  });

  it("lie in the window of this machine", async () => {
    const text = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8");
    const [first = 0, last = 0] = text.trim().split(/\s+/).map(Number);
    const window = portWindow([first, last]);
    for (const port of await freePorts(5)) {
      expect(port).toBeGreaterThanOrEqual(window.first);
      expect(port).toBeLessThan(window.first + window.count);
      if (window.isApart) expect(port < first || port > last).toBe(true);
    }
  });

  it("leave out a port that somebody listens on", async () => {
    const [next = 0] = await freePorts(1);
    const taken = next + 1;
    const server = createServer();
    const listening = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(taken, "127.0.0.1", () => resolve(true));
    });
    expect(await freePorts(3)).not.toContain(taken);
    if (listening) await new Promise((resolve) => server.close(resolve));
  });
});
