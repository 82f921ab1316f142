// kinglyctl apply and delete: what files say is what arrives, or a refusal that names the place.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { createExample, objective } from "../../server/test/api/example.ts";
import { Terminal } from "./support.ts";

let terminal: Terminal;

beforeAll(async () => {
  terminal = await Terminal.start();
  await createExample(terminal.api);
});

afterAll(async () => {
  await terminal.close();
});

describe("apply and delete", () => {
  it("creates, leaves alone, configures and deletes", async () => {
    const file = terminal.file("objective.yaml", stringify(objective("from-file", "guardrail")));
    const apply = (...rest: string[]) => terminal.run(["apply", "-f", file, ...rest]);
    expect(await apply("--dry-run", "server")).toMatchObject({
      code: 0,
      out: "objective/from-file created (server dry run)\n",
    });
    expect(await apply()).toMatchObject({ code: 0, out: "objective/from-file created\n" });
    expect(await apply()).toMatchObject({ code: 0, out: "objective/from-file unchanged\n" });
    const changed = { ...objective("from-file", "guardrail") };
    changed["spec"] = { ...(changed["spec"] as object), weight: 3 };
    terminal.file("objective.yaml", stringify(changed));
    expect(await apply()).toMatchObject({ code: 0, out: "objective/from-file configured\n" });
    expect(await terminal.run(["delete", "objective", "from-file"])).toEqual({
      code: 0,
      err: "",
      out: "objective/from-file deleted\n",
    });
    expect((await terminal.run(["delete", "objective", "from-file"])).code).toBe(1);
    expect((await terminal.run(["delete", "objective"])).code).toBe(2);
  });

  it("names field, limit and value of a document that is refused", async () => {
    const bad = stringify({
      apiVersion: "kingly.dev/v1",
      kind: "Policy",
      metadata: { name: "bad" },
      spec: { quorum: 3 },
    });
    const refused = await terminal.run(["apply", "-f", "-"], { stdin: bad });
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("  spec.quorum: must be at most 1; got 3\n");
    const twice = await terminal.run(["apply", "-f", "-"], { stdin: "a: 1\na: 2\n" });
    expect([twice.code, twice.out]).toEqual([2, ""]);
    const nothing = await terminal.run(["apply", "-f", "-"], { stdin: "# nothing\n" });
    expect(nothing.code).toBe(2);
    const absent = await terminal.run(["apply", "-f", "/nonexistent"]);
    expect([absent.code, absent.err]).toEqual([2, "error: -f: cannot read /nonexistent (Usage)\n"]);
  });
});

describe("values that JSON does not have", () => {
  const NUMBERS = "allowed: numbers that a double holds, integers up to 2^53 - 1";
  const VALUES = "allowed: text, numbers, true, false, null, lists and mappings";

  it.each([
    ["spec: {a: 1e400}", "spec.a: the number 1e400 cannot be stored exactly", NUMBERS],
    ["spec: {a: .inf}", "spec.a: the number .inf cannot be stored exactly", NUMBERS],
    ["spec: [1, -.inf]", "spec[1]: the number -.inf cannot be stored exactly", NUMBERS],
    ["spec: {a: .nan}", "spec.a: the number .nan cannot be stored exactly", NUMBERS],
    ["a: 9007199254740993", "a: the number 9007199254740993 cannot be", NUMBERS],
    ["a: 0x20000000000001", "a: the number 0x20000000000001 cannot be", NUMBERS],
    ["a: 0.12345678901234567891", "a: the number 0.12345678901234567891 cannot be", NUMBERS],
    ["a: -0", "a: the number -0 cannot be stored exactly", NUMBERS],
    ["a: {b: 1, b: 2}", "a.b: the key appears twice", "allowed: each key once"],
    ['1: x\n"1": y', "1: the key appears twice", "allowed: each key once"],
    ["__proto__: {a: 1}", "__proto__: the key __proto__ is reserved", "allowed: any other key"],
    ["a: !!binary aGVsbG8=", "a: the tag !!binary is no value of JSON", VALUES],
    ["a: !!timestamp 2024-01-01", "a: the tag !!timestamp is no value of JSON", VALUES],
    ["a: !!set {x, y}", "a: the tag !!set is no value of JSON", VALUES],
    ["a: !Ref x", "Unresolved tag: !Ref", VALUES],
    ["%YAML 1.1\n---\na: 2024-01-01", 'a: a date ("2024-01-01") is no value of JSON', VALUES],
    ["? {a: 1}\n: b", "a key is no text", "allowed: keys that are text"],
    ["~: b", "a key is no text", "allowed: keys that are text"],
    ["a: &x {b: 1}\nc: {<<: *x}", "c: a key is no text", "allowed: keys that are text"],
    ["a: *x", "a: the alias *x stands before its anchor", "allowed: aliases of"],
    ["a: &x [*x]", "nested deeper than the limit of 64", "allowed: 64"],
    ['a: "\\ud800"', "a: a string holds a lone surrogate", "allowed: surrogates in pairs"],
    ["- a", "a manifest must be a mapping", ""],
  ])("are refused with their place: %s", async (stdin, problem, allowed) => {
    const { code, out, err } = await terminal.run(["apply", "-f", "-"], { stdin });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(/^error: stdin: /);
    expect(err).toContain(problem);
    expect(err).toContain(allowed);
  });

  it("are refused in JSON, too, by name of the file", async () => {
    for (const [text, problem] of [
      ['{"spec": {"a": 1e400}}', "spec.a: the number 1e400 cannot be stored exactly"],
      ['{"spec": {"a": 1, "a": 2}}', "spec.a: the key appears twice"],
      ['{"a": Infinity}', 'expected a value at character 6, found "I"'],
      ["a: 1", "expected a value at character 0"],
    ] as const) {
      const file = terminal.file("strict.json", text);
      const { code, err } = await terminal.run(["apply", "-f", file]);
      expect([code, err]).toEqual([2, expect.stringContaining(`error: ${file}: `)]);
      expect(err).toContain(problem);
    }
  });

  it("stop aliases that multiply at the limit of values", async () => {
    const levels = Array.from({ length: 8 }, (_, at) => {
      const items = Array.from({ length: 10 }, () => (at === 0 ? "x" : `*l${at - 1}`));
      return `l${at}: &l${at} [${items.join(", ")}]`;
    });
    const { code, err } = await terminal.run(["apply", "-f", "-"], { stdin: levels.join("\n") });
    expect(code).toBe(2);
    expect(err).toContain("more values than the limit, aliases followed");
    expect(err).toContain("allowed: 1000000");
  });
});

describe("values that are only written differently", () => {
  it("arrive as they were meant", async () => {
    const yaml = [
      "apiVersion: kingly.dev/v1",
      "kind: Objective",
      "metadata: {name: written, annotations: &notes {1: one, true: yes, since: 2024-01-01}}",
      "spec:",
      "  signal: latencyMean",
      "  direction: lower",
      "  role: guardrail",
      "  floor: +.5",
      "  weight: 0x3",
      "  marginRatio: 2.0e-1",
      '  unit: "s"',
      "---",
      "# an empty document is nothing",
    ].join("\n");
    const applied = await terminal.run(["apply", "-f", "-"], { stdin: yaml });
    expect(applied).toEqual({ code: 0, err: "", out: "objective/written created\n" });
    const { out } = await terminal.run(["get", "objective", "written", "-o", "json"]);
    expect(JSON.parse(out)).toMatchObject({
      metadata: { annotations: { "1": "one", true: "yes", since: "2024-01-01" } },
      spec: { floor: 0.5, weight: 3, marginRatio: 0.2 },
    });
  });
});

describe("apply --dry-run", () => {
  it("knows server only: a word that it does not know never writes", async () => {
    const stdin = stringify(objective("dry", "guardrail"));
    const { code, err } = await terminal.run(["apply", "-f", "-", "--dry-run", "client"], {
      stdin,
    });
    expect([code, err]).toEqual([2, 'error: --dry-run: "client" is not server (Usage)\n']);
    expect((await terminal.run(["get", "objective", "dry"])).code).toBe(1);
  });
});

describe("apply of a List", () => {
  it("takes back what get of several kinds printed, also what is not there any more", async () => {
    const scope = ["get", "policies,objectives", "-o", "yaml"];
    const { out } = await terminal.run(scope);
    expect((await terminal.run(["delete", "objective", "written"])).code).toBe(0);
    const applied = await terminal.run(["apply", "-f", "-"], { stdin: out });
    expect([applied.code, applied.err]).toEqual([0, ""]);
    expect(applied.out).toContain("policy/demo unchanged\n");
    expect(applied.out).toContain("objective/latency unchanged\n");
    expect(applied.out).toContain("objective/written created\n");
  });

  it("names the item that is wrong", async () => {
    for (const [items, problem] of [
      ["items: 3", "items of a List is no list"],
      ["items: [3]", "items[0]: must be a mapping"],
      ["items: [{kind: Policy}]", "items[0]: metadata.name is missing"],
    ] as const) {
      const stdin = `apiVersion: v1\nkind: List\n${items}\n`;
      const { code, err } = await terminal.run(["apply", "-f", "-"], { stdin });
      expect([code, err]).toEqual([2, `error: stdin: ${problem} (InvalidField)\n`]);
    }
  });
});
