// The package as others get it: what is in it, that it runs and type-checks where nothing else is
// installed, that it uses nothing of Node, and that its reference is complete.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const home = fileURLToPath(new URL("..", import.meta.url));
const modules = join(home, "../../node_modules");
const tsc = join(modules, "typescript/bin/tsc");
const place = mkdtempSync(join(tmpdir(), "raft-ts-"));
const installed = join(place, "node_modules/raft-ts");
let packed: string[] = [];

const run = (file: string, ...args: string[]): { status: number | null; output: string } => {
  const result = spawnSync(process.execPath, [file, ...args], { cwd: place, encoding: "utf8" });
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
};

/** Writes a file of the user who installed the package. */
const write = (name: string, text: string): string => {
  const file = join(place, name);
  writeFileSync(file, text);
  return file;
};

beforeAll(() => {
  execFileSync(process.execPath, [tsc, "-b", home]);
  const list = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: home,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [report] = JSON.parse(list) as { files: { path: string }[] }[];
  packed = (report?.files ?? []).map(({ path }) => path).sort();
  for (const path of packed) {
    mkdirSync(dirname(join(installed, path)), { recursive: true });
    cpSync(join(home, path), join(installed, path));
  }
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

describe("the packed files", () => {
  it("are the build, its sources and the documents, and nothing else", () => {
    const rest = packed.filter((path) => !/^(dist|src)\//.test(path));
    expect(rest).toEqual(["API.md", "LICENSE", "README.md", "package.json"]);
    const odd = packed.filter(
      (path) =>
        /^(dist|src)\//.test(path) && !/^(dist\/.*\.(js|d\.ts)(\.map)?|src\/.*\.ts)$/.test(path),
    );
    expect(odd).toEqual([]);
    expect(packed.filter((path) => /harness|test|tsbuildinfo/.test(path))).toEqual([]);
  });

  it("have everything that they refer to", () => {
    const missing: string[] = [];
    for (const path of packed.filter((name) => /\.(js|d\.ts)$/.test(name))) {
      const text = readFileSync(join(installed, path), "utf8");
      for (const [, target = ""] of text.matchAll(
        /(?:from|import) ?\(?"(\.[^"]+)"|sourceMappingURL=(\S+)/g,
      )) {
        const file = join(dirname(path), target).replace(/\.ts$/, ".d.ts");
        if (target !== "" && !packed.includes(file)) missing.push(`${path} -> ${target}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it("depend on nothing", () => {
    const manifest = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as object;
    const kinds = Object.keys(manifest).filter((key) => /dependencies$/i.test(key));
    expect(kinds).toEqual([]);
  });

  it("import only each other, and name nothing that only Node, or only a browser, has", () => {
    const found: string[] = [];
    const foreign =
      /\b(?:process|Buffer|require|globalThis|window|setTimeout|setInterval|setImmediate|queueMicrotask|performance|fetch|Date|Promise|Intl|crypto|async|await)\b|Math\.(?:random|pow|exp|log)/;
    for (const path of packed.filter((name) => name.endsWith(".js"))) {
      const text = readFileSync(join(installed, path), "utf8");
      for (const [, target = ""] of text.matchAll(
        /^(?:import|export|\}).*\bfrom ["'](.+)["'];|\bimport\(["'](.+)["']\)/gm,
      )) {
        if (!target.startsWith("./") && !target.startsWith("../")) found.push(`${path}: ${target}`);
      }
      const code = text
        .replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
        .replace(/"(?:[^"\\\n]|\\.)*"|`[^`]*`/g, '""');
      const name = foreign.exec(code)?.[0];
      if (name !== undefined) found.push(`${path}: ${name}`);
    }
    expect(found).toEqual([]);
  });
});

describe("where it is installed", () => {
  it("the example of the README runs", () => {
    const example = readFileSync(join(home, "examples/three-nodes.mjs"), "utf8");
    expect(run(write("example.mjs", example))).toEqual({
      status: 0,
      output: 'proposed: true\napplied: [["hello"],["hello"],["hello"]]\n',
    });
  });

  it("it runs without the globals of Node and without a clock, and gives way to no other entry", () => {
    const script = `
      const { log } = console;
      const gone = ["process", "Buffer", "setTimeout", "setInterval", "setImmediate", "queueMicrotask",
        "performance", "crypto", "fetch", "Date", "Intl"];
      for (const name of gone) delete globalThis[name];
      Math.random = () => { throw new Error("chance"); };
      const { MemoryLogStorage, RawNode, nodeId, logIndex, term } = await import("raft-ts");
      const storage = new MemoryLogStorage();
      const confState = { voters: [nodeId(1)], learners: [], votersOutgoing: [], learnersNext: [], autoLeave: false };
      storage.applySnapshot({ data: new Uint8Array(), metadata: { confState, index: logIndex(1), term: term(1) } });
      const node = new RawNode({ id: nodeId(1), storage, applied: logIndex(1), electionTicks: 10, heartbeatTicks: 1, random: () => 0 });
      const turn = () => {
        while (node.hasReady()) {
          const ready = node.ready();
          if (ready.hardState) storage.setHardState(ready.hardState);
          storage.append(ready.entries);
          node.advance();
        }
      };
      for (let i = 0; i < 12; i++) { node.tick(); turn(); }
      const { ok } = node.propose(Uint8Array.of(7));
      turn();
      log(ok, node.basicStatus().state, node.basicStatus().applied);
      const deep = await import("raft-ts" + "/dist/raft.js").then(() => "open", (error) => error.code);
      log(deep);`;
    expect(run(write("bare.mjs", script))).toEqual({
      status: 0,
      output: "true leader 3\nERR_PACKAGE_PATH_NOT_EXPORTED\n",
    });
  });

  it("CommonJS can require it", () => {
    const script = 'console.log(typeof require("raft-ts").RawNode);';
    expect(run(write("old.cjs", script)).output).toContain("function\n");
  });

  it("its types hold under strict rules, without types of Node and with libraries checked", () => {
    write(
      "user.ts",
      `import { MemoryLogStorage, RawNode, nodeId } from "raft-ts";
       import type { DropReason, ProposeResult, TraceEvent, TraceEventOf } from "raft-ts";
       const events: TraceEvent[] = [];
       const node = new RawNode({
         id: nodeId(1), storage: new MemoryLogStorage(), electionTicks: 10, heartbeatTicks: 1,
         random: () => 0, trace: (event) => events.push(event),
       });
       const result: ProposeResult = node.propose(new Uint8Array(1));
       export const reason: DropReason | undefined = result.ok ? undefined : result.reason;
       export const became = (event: TraceEventOf<"became">): string => \`\${event.id} \${event.state}\`;
       // @ts-expect-error ids, terms and indexes are not plain numbers
       node.transferLeadership(2);
       // @ts-expect-error there is no such reason
       export const wrong: DropReason = "because";`,
    );
    const options = {
      compilerOptions: {
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        target: "es2023",
        lib: ["es2023"],
        types: [],
        module: "nodenext",
      },
      files: ["user.ts"],
    };
    write("package.json", '{ "type": "module" }');
    const project = write("tsconfig.json", JSON.stringify(options));
    expect(run(tsc, "-p", project)).toEqual({ status: 0, output: "" });
  });
});

describe("the reference", () => {
  it("has every export, each with a doc comment, and is up to date", () => {
    const result = spawnSync(process.execPath, [join(home, "scripts/api.mjs"), "--check"], {
      encoding: "utf8",
    });
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
  });

  it("says in the README which reasons, errors, methods and options there are", () => {
    const readme = readFileSync(join(home, "README.md"), "utf8");
    const api = readFileSync(join(home, "API.md"), "utf8");
    const block = (name: string): string => api.split(`### ${name}\n`)[1]?.split("\n### ")[0] ?? "";
    const names = [
      ...[...block("DropReason").matchAll(/\| "([a-z-]+)"/g)].map((m) => m[1]),
      ...[...block("RawNode").matchAll(/^ {2}(\w+)\(/gm)].map((m) => m[1]),
      ...[...block("RaftConfig").matchAll(/^ {2}readonly (\w+)\?:/gm)].map((m) => m[1]),
      ...[...api.matchAll(/^class (\w+Error) /gm)].map((m) => m[1]),
    ].filter((name) => name !== "constructor" && name !== "setRandomizedElectionTicks");
    expect(names.length).toBeGreaterThan(60);
    expect(names.filter((name) => !readme.includes(`\`${name ?? ""}`))).toEqual([]);
  });
});
