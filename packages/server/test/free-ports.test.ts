// Ports chosen before a server listens: different, free, and out of the way of outgoing connections.
import { createServer } from "node:net";
import { describe, expect, it } from "vitest";
import { freePorts } from "../src/free-ports.ts";

describe("free ports", () => {
  it("are all different, over calls too", async () => {
    const ports = [...(await freePorts(20)), ...(await freePorts(20))];
    expect(new Set(ports).size).toBe(40);
  });

  it("lie below the range that outgoing connections use", async () => {
    const [port = 0] = await freePorts(1);
    expect(port).toBeGreaterThanOrEqual(10_000);
    expect(port).toBeLessThan(32_768);
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
