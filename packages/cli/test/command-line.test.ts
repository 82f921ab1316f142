// Contexts, help, version and join tokens: what does not depend on the state of a fleet.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExample } from "../../server/test/api/example.ts";
import { TOKENS } from "../../server/test/api/support.ts";
import { Terminal } from "./support.ts";

let terminal: Terminal;

beforeAll(async () => {
  terminal = await Terminal.start();
  await createExample(terminal.api);
});

afterAll(async () => {
  await terminal.close();
});

describe("contexts", () => {
  it("explains a context file that cannot be used", async () => {
    const absent = await terminal.run(["--kubeconfig", "/nonexistent", "get", "configs"]);
    expect(absent.code).toBe(2);
    expect(absent.err).toContain("cannot read the context file /nonexistent");
    const empty = terminal.file("empty", "contexts: []\n");
    const odd = await terminal.run(["--kubeconfig", empty, "get", "configs"]);
    expect([odd.code, odd.err]).toEqual([
      2,
      `error: ${empty}: current-context is missing (Usage)\n`,
    ]);
  });

  it("tells refusals by their exit codes: 4 for who you are, 1 for an unreachable server", async () => {
    const wrong = terminal.context("wrong", "not-a-token");
    const refused = await terminal.run(["--kubeconfig", wrong, "get", "configs"]);
    expect([refused.code, refused.err]).toEqual([
      4,
      "error: the token is not known to this cluster (TokenInvalid)\n",
    ]);
    const viewer = terminal.context("viewer", TOKENS.viewer);
    const denied = await terminal.run(["--kubeconfig", viewer, "delete", "objective", "latency"]);
    expect(denied.code).toBe(4);
    expect(denied.err).toContain("vera may not delete objectives");
    const dead = terminal.context("dead", TOKENS.admin, "127.0.0.1:1");
    const unreachable = await terminal.run(["--kubeconfig", dead, "get", "configs"]);
    expect(unreachable.code).toBe(1);
    expect(unreachable.err).toContain("cannot reach https://127.0.0.1:1");
  });
});

describe("contexts of one cluster", () => {
  it("are asked in turn when a server cannot be reached, and a warning says so", async () => {
    const file = terminal.context("two", TOKENS.admin, "127.0.0.1:1", terminal.address);
    const { code, out, err } = await terminal.run(["--kubeconfig", file, "get", "configs"]);
    expect([code, out]).toEqual([0, expect.stringContaining("web")]);
    expect(err).toBe(
      "Warning: cannot reach https://127.0.0.1:1 (connect ECONNREFUSED 127.0.0.1:1); " +
        `asking https://${terminal.address}\n`,
    );
  });

  it("are all named when none can be reached: exit code 1", async () => {
    const file = terminal.context("none", TOKENS.admin, "127.0.0.1:1", "127.0.0.1:2");
    const { code, err } = await terminal.run(["--kubeconfig", file, "delete", "config", "web"]);
    expect(code).toBe(1);
    expect(err).toContain("error: cannot reach any of 2 servers: https://127.0.0.1:1: ");
    expect(err).toContain("; https://127.0.0.1:2: ");
  });
});

describe("token create", () => {
  it("prints a token that enrols one node, once", async () => {
    const argv = ["token", "create", "--class", "cpu", "--label", "role=edge", "--ttl", "10m"];
    const { code, out, err } = await terminal.run(argv);
    expect([code, err]).toEqual([0, "enrols one node of class cpu; valid for 10 min\n"]);
    expect(out).toMatch(/^kjt1\.\w{8}\.[\w-]{43}\.[0-9a-f]{64}\n$/);
    await terminal.api.enroll("edge-7", out.trim());
    const node = terminal.api.replica.state.object("Node", "", "edge-7");
    expect([node?.spec.class, node?.metadata.labels]).toEqual(["cpu", { role: "edge" }]);
    expect((await terminal.run([...argv, "--label", "novalue"])).code).toBe(2);
    expect((await terminal.run(["token", "create", "--ttl", "90d"])).code).toBe(2);
    expect((await terminal.run(["token", "create", "--ttl", "1000h"])).code).toBe(2);
  });
});

describe("help and version", () => {
  it("goes to standard output with exit code 0", async () => {
    const help = await terminal.run(["--help"]);
    expect([help.code, help.err]).toEqual([0, ""]);
    expect(help.out).toContain("Usage: kinglyctl");
    expect(await terminal.run(["--version"])).toEqual({ code: 0, out: "0.1.0\n", err: "" });
  });
});
