// kinglyctl propose and why: verdicts, exit codes, repetition, and command lines that are refused.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fleet } from "./fleet.ts";
import type { Terminal } from "./support.ts";

let fleet: Fleet;
let terminal: Terminal;

beforeAll(async () => {
  fleet = await Fleet.start();
  terminal = fleet.terminal;
});

afterAll(async () => {
  await fleet.close();
});

describe("propose and why", () => {
  it("waits for the verdict, explains it, and says 3 when the fleet rejects", async () => {
    const { name, ended: running } = await fleet.propose(40, "--reason", "why", "--wait");
    const open = await terminal.run(["why", "proposal", name]);
    expect(open.out).toContain(`proposal/${name} in default is Trialing`);
    expect(open.out).toContain("KEY             FROM   TO\n  batchWindowMs   0      40");
    expect(open.out).toContain("No answer yet from: ");
    await fleet.voteAll(name, () => 1.5);
    const ended = await running;
    expect(ended.code).toBe(3);
    expect(ended.out).toMatch(new RegExp(`^proposal/${name} Rejected: .+\n$`));
    expect(ended.err).toMatch(/^proposal\/\S+ opened\n(?: {2}Validated: .+\n)? {2}Trialing: .+\n/);
    const why = await terminal.run(["why", `proposal/${name}`]);
    expect(why.code).toBe(0);
    expect(why.out).toMatch(/ {2}node-1 {3}gpu {5}Reject {3}\d+ +latency .*% worse/);
    expect(why.out).toContain("it rejects when HARM E reaches 100.");
    expect(why.out).toContain("0 accept, 3 reject, 0 abstain; 100% of the weight decided");
    expect(why.out).toContain(
      "Next: nothing was changed; where it lost, the same change is refused",
    );
    const json = await terminal.run(["why", "proposal", name, "-o", "json"]);
    expect(JSON.parse(json.out)).toMatchObject({ phase: "Rejected" });
    const again = ["propose", "web", "--set", "batchWindowMs=40", "--reason", "again"];
    const quarantined = await terminal.run(again);
    expect([quarantined.code, quarantined.out]).toEqual([4, ""]);
    expect(quarantined.err).toMatch(/^error: .+ \(Quarantined\)\n/);
  });

  it("says 6 when the time is over while the proposal still runs, and does not cancel it", async () => {
    const change = ["propose", "web", "--set", "batchWindowMs=10", "--reason", "slow"];
    const argv = [...change, "--wait", "--timeout", "200ms"];
    const { code, out, err } = await terminal.run(argv);
    expect(code).toBe(6);
    expect(err).toMatch(/still \w+; it goes on by itself\n$/);
    const name = /^proposal\/(\S+) /.exec(out)?.[1] ?? "";
    const { replica } = terminal.api;
    expect(replica.state.object("Proposal", "default", name)?.status?.phase).not.toBe("Withdrawn");
    await terminal.run(["delete", "proposal", name]);
  });

  it("finds its first proposal when a pipeline repeats a commit", async () => {
    const change = ["propose", "web", "--set", "batchWindowMs=12"];
    const argv = [...change, "--reason", "ci", "--source", "ci"];
    const first = await terminal.run([...argv, "--commit", "abc123", "-o", "name"]);
    const again = await terminal.run([...argv, "--commit", "abc123", "-o", "name"]);
    expect([first.code, again.code, again.out]).toEqual([0, 0, first.out]);
    expect(first.err).toMatch(/^proposal\/\S+ opened\n$/);
    expect(again.err).toMatch(/^proposal\/\S+ was opened before by the same request\n$/);
    await terminal.run(["delete", first.out.trim()]);
  });

  it("refuses command lines that do not say what to change", async () => {
    const two = ["propose", "web", "--set", "workers=2", "--reason", "x"];
    const notWhole = ["abc", "1.5", "", "9007199254740993"];
    for (const argv of [
      ["propose", "web", "--reason", "x"],
      ["propose", "web", "--set", "novalue", "--reason", "x"],
      ["propose", "web", "--set", "a=1", "--reason", "x", "--timeout", "soon"],
      ["why", "config", "web"],
      ["why", "proposal"],
      ["veto", "node-1", "web"],
      ["veto", "node-1", "web", "--reason", "x", "--version", "two"],
      ["veto", "node-1", "web", "--reason", "x", "--version", "-1"],
      ...notWhole.map((version) => [...two, "--base-version", version]),
    ]) {
      expect([argv.join(" "), (await terminal.run(argv)).code]).toEqual([argv.join(" "), 2]);
    }
    expect((await terminal.run(["why", "proposal", "nope"])).code).toBe(1);
    const schema = ["propose", "web", "--set", "batchWindowMs=400", "--reason", "x"];
    const refused = await terminal.run(schema);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("(SchemaViolation)");
  });

  it("says without the word error that there is nothing to change: exit code 0", async () => {
    const argv = ["propose", "web", "--set", "workers=1", "--reason", "as it is"];
    expect(await terminal.run(argv)).toEqual({
      code: 0,
      out: "",
      err: "version 1 already says this (Unchanged)\n",
    });
  });
});

describe("propose --set", () => {
  const set = (...assignments: string[]) =>
    terminal.run([
      "propose",
      "web",
      ...assignments.flatMap((one) => ["--set", one]),
      "--reason",
      "x",
    ]);

  it.each([
    [
      "batchWindowMs=1e400",
      "--set batchWindowMs: the number 1e400 cannot be stored exactly (unsafe integer) (UnsafeNumber)",
      "allowed: numbers that a double holds, integers up to 2^53 - 1",
    ],
    [
      "batchWindowMs=9007199254740993",
      "--set batchWindowMs: the number 9007199254740993 cannot be stored exactly (unsafe integer) (UnsafeNumber)",
      "allowed: numbers that a double holds, integers up to 2^53 - 1",
    ],
    [
      'limits={"a":{"b":-1e999}}',
      "--set limits: a.b: the number -1e999 cannot be stored exactly (unsafe integer) (UnsafeNumber)",
      "allowed: numbers that a double holds, integers up to 2^53 - 1",
    ],
    [
      'limits={"a":1,"a":2}',
      "--set limits: a: the key appears twice in one object (DuplicateKey)",
      "allowed: each key once",
    ],
  ])("refuses %s instead of sending something else", async (assignment, message, allowed) => {
    const before = terminal.api.replica.state.objects("Proposal", "default").length;
    expect(await set(assignment)).toEqual({
      code: 2,
      out: "",
      err: `error: ${message}\n  ${allowed}\n`,
    });
    expect(terminal.api.replica.state.objects("Proposal", "default")).toHaveLength(before);
  });

  it("refuses a key that is set twice", async () => {
    const { code, err } = await set("workers=2", "workers=3");
    expect([code, err]).toEqual([2, "error: --set workers: the key is set twice (DuplicateKey)\n"]);
  });

  it("takes what is not JSON as text, however it begins", async () => {
    for (const text of ["1e400x", "12345678901234567890abc", "{a", "NaN"]) {
      const { code, err } = await set(`workers=${text}`);
      // It reaches the schema of the example, which wants an integer.
      expect([text, code, err]).toEqual([text, 2, expect.stringContaining("SchemaViolation")]);
    }
  });
});

describe("propose -f", () => {
  it("takes one document: a second one is not dropped silently", async () => {
    const file = terminal.file("two.yaml", "batchWindowMs: 2\n---\nbatchWindowMs: 4\n");
    const { code, err } = await terminal.run(["propose", "web", "-f", file, "--reason", "x"]);
    expect([code, err]).toEqual([2, "error: -f: 2 documents; the new data is one (Usage)\n"]);
  });

  it("refuses a number that would become null on its way", async () => {
    for (const [name, text] of [
      ["data.yaml", "batchWindowMs: 1e400\n"],
      ["data.json", '{"batchWindowMs": 1e400}'],
    ] as const) {
      const file = terminal.file(name, text);
      const { code, err } = await terminal.run(["propose", "web", "-f", file, "--reason", "x"]);
      expect(code).toBe(2);
      expect(err).toContain(`error: ${file}: batchWindowMs: the number 1e400 cannot be stored`);
    }
  });
});
