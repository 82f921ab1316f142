// The example in README.md is the file examples/three-nodes.mjs, and it does what it says.
import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { MESSAGE_TYPES } from "../src/index.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

describe("README", () => {
  it("shows the example as it is", () => {
    const block = /```js\n([\s\S]*?)```/.exec(read("README.md"))?.[1];
    expect(block).toBe(read("examples/three-nodes.mjs"));
  });

  it("shows what the example prints", async () => {
    let output = "";
    const write = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
      output += String(chunk);
      return true;
    });
    await import(new URL("../examples/three-nodes.mjs", import.meta.url).href);
    write.mockRestore();
    expect(output.split("\n")).toHaveLength(3);
    expect(read("README.md")).toContain(`It prints\n\n\`\`\`\n${output}\`\`\``);
  });

  it("has every message type in its table", () => {
    for (const type of MESSAGE_TYPES) expect(read("README.md")).toContain(`\`${type}\``);
  });
});
