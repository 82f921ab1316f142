// Children are started, waited for, explained when they die, and never left behind.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseOptions } from "../src/options.ts";
import { Supervisor } from "../src/supervisor.ts";
import { alive, script } from "./support/processes.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kingly-demo-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the supervisor", () => {
  it("waits for the ready line and ends the child politely", async () => {
    const deaths: string[] = [];
    const supervisor = new Supervisor({
      logFolder: folder,
      onDeath: (name) => deaths.push(name),
    });
    const file = script(
      folder,
      "good",
      "setInterval(() => 0, 1000); console.log('{\"ready\": 7}');",
    );
    const child = await supervisor.start({ name: "good", args: [file], readyKey: "ready" });
    expect(child.ready["ready"]).toBe(7);
    expect(alive(child.pid)).toBe(true);
    await supervisor.stopAll();
    expect(alive(child.pid)).toBe(false);
    expect(deaths).toEqual([]);
  });

  it("explains a child that dies before it is ready", async () => {
    const supervisor = new Supervisor({ logFolder: folder, onDeath: () => undefined });
    const file = script(folder, "bad", 'console.error("no disk"); process.exit(3);');
    await expect(
      supervisor.start({ name: "bad", args: [file], readyKey: "ready" }),
    ).rejects.toThrow(/bad ended with code 3/);
    await supervisor.stopAll();
  });

  it("reports a child that dies later", async () => {
    const died = new Promise<string>((resolve) => {
      const supervisor = new Supervisor({
        logFolder: folder,
        onDeath: (name, why) => resolve(`${name} ${why}`),
      });
      const file = script(
        folder,
        "later",
        "console.log('{\"ready\": 1}'); setTimeout(() => process.exit(9), 10);",
      );
      void supervisor.start({ name: "later", args: [file], readyKey: "ready" });
    });
    expect(await died).toContain("later ended with code 9");
  });
});

describe("the command line", () => {
  it("refuses an unknown scenario by name", () => {
    expect(() => parseOptions(["--scenario", "lucky"])).toThrow(/"lucky" is not one of default/);
  });

  it("takes all of its options", () => {
    expect(parseOptions(["--once", "--scenario", "harmful", "--dir", "x"])).toMatchObject({
      once: true,
      scenario: "harmful",
      dir: "x",
    });
  });
});
