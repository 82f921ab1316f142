// What lint cannot see: the layer rule between packages, purity of the cores, exact pins, documented
// dependencies and exports, leftover words, orphaned files, markdown shape and links.
// Prints every finding as `file:line: message`, exits 1 when there is one.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const findings = [];

function report(file, line, message) {
  findings.push(`${file}${line > 0 ? `:${line}` : ""}: ${message}`);
}

function read(file) {
  return readFileSync(join(root, file), "utf8");
}

const tracked = execFileSync(
  "git",
  ["-C", root, "ls-files", "--cached", "--others", "--exclude-standard"],
  { encoding: "utf8" },
)
  .split("\n")
  .filter((file) => file !== "" && existsSync(join(root, file)));

// Layers, lowest first; a package may depend only on packages of lower layers, or on those listed.
const LAYERS = [
  ["@kingly/base", "raft-ts"],
  ["@kingly/evidence", "@kingly/resources"],
  ["@kingly/decision", "@kingly/node-core"],
  ["@kingly/storage", "@kingly/protocol"],
  ["@kingly/client"],
  ["@kingly/server", "@kingly/agent", "@kingly/cli", "@kingly/workload"],
  ["@kingly/simulation", "@kingly/demo"],
  ["@kingly/test"],
];
const PURE = ["base", "raft-ts", "evidence", "resources", "decision", "node-core"];
const APPS = ["@kingly/server", "@kingly/agent", "@kingly/cli", "@kingly/workload", "@kingly/demo"];
const layerOf = new Map(LAYERS.flatMap((names, layer) => names.map((name) => [name, layer])));

const manifests = tracked
  .filter((file) => /^(packages\/[^/]+\/|test\/|)package\.json$/.test(file))
  .map((file) => ({ file, json: JSON.parse(read(file)) }));
const workspaceNames = new Set(manifests.map(({ json }) => json.name));

function checkDependency(file, json, name, version) {
  if (!/^\d+\.\d+\.\d+$/.test(version))
    report(file, 0, `${name} is not pinned exactly: ${version}`);
  if (json.name === "raft-ts") report(file, 0, "raft-ts depends on nothing at all");
  if (!workspaceNames.has(name)) return;
  const mine = layerOf.get(json.name);
  const other = layerOf.get(name);
  if (mine === undefined || other === undefined) report(file, 0, `${json.name} has no layer`);
  else if (other >= mine) report(file, 0, `layer rule: ${json.name} may not depend on ${name}`);
  if (json.name === "@kingly/simulation" && APPS.includes(name)) {
    report(file, 0, `layer rule: simulation may not depend on the app ${name}`);
  }
}

function checkManifests() {
  const documented = existsSync(join(root, "docs/dependencies.md"))
    ? read("docs/dependencies.md")
    : "";
  for (const { file, json } of manifests) {
    const all = { ...json.dependencies, ...json.devDependencies };
    for (const [name, version] of Object.entries(all)) {
      checkDependency(file, json, name, version);
      if (
        !workspaceNames.has(name) &&
        !documented.split("\n").some((row) => row.startsWith(`| ${name} `))
      ) {
        report(file, 0, `${name} has no row in docs/dependencies.md`);
      }
    }
    const folder = file.split("/")[1];
    if (PURE.includes(folder)) {
      for (const name of Object.keys(json.dependencies ?? {})) {
        if (!workspaceNames.has(name)) report(file, 0, `pure package depends on ${name}`);
      }
    }
  }
}

const IMPORT =
  /(?:^\s*(?:import|export|\})[^"']*\bfrom\s+|\bimport\s*\(\s*|^\s*import\s+)["']([^"']+)["']/;
const WORDS =
  /\b(TODO|FIXME|XXX|HACK)\b|\b(?:it|test|describe)\.only\(|@ts-ignore|@ts-nocheck|\bas any\b/;
// Where this checkout and its user live, and the registry: none of it belongs into a file.
const FOREIGN = [`${root}/`, `${homedir()}/`, ["registry", "npmjs", "org"].join(".")];

function checkImport(file, line, specifier, dependencies) {
  if (specifier.startsWith(".")) {
    const target = relative(root, resolve(root, dirname(file), specifier));
    const home = /^(packages\/[^/]+|test|scripts)\//.exec(file)?.[1];
    if (file.includes("/src/") && !target.startsWith(`${home}/`)) {
      report(file, line, `reaches into another package: ${specifier}`);
    }
    return;
  }
  if (specifier.startsWith("node:")) return;
  const parts = specifier.split("/");
  const name = specifier.startsWith("@") ? parts.slice(0, 2).join("/") : parts[0];
  if (/\/(src|dist)\//.test(specifier) && workspaceNames.has(name)) {
    report(file, line, `deep import: ${specifier}`);
  }
  if (file.includes("/src/") && !(name in dependencies)) {
    report(file, line, `import of an undeclared dependency: ${name}`);
  }
}

function checkSource(file) {
  const text = read(file);
  const lines = text.split("\n");
  const folder = file.split("/")[1];
  const inSource = /^packages\/[^/]+\/src\//.test(file);
  const home = file.startsWith("test/") ? "test" : `packages/${folder}`;
  const manifest = manifests.find(({ file: m }) => m === `${home}/package.json`);
  const dependencies = manifest?.json.dependencies ?? {};
  const first = lines.find((line) => line.trim() !== "" && !line.startsWith("#!")) ?? "";
  if (inSource && !/^\s*(\/\/|\/\*)/.test(first)) {
    report(file, 1, "does not open with a comment that says what it is");
  }
  lines.forEach((line, index) => {
    const specifier = IMPORT.exec(line)?.[1];
    if (specifier !== undefined) checkImport(file, index + 1, specifier, dependencies);
    if (file !== "scripts/tidy.mjs" && WORDS.test(line)) {
      report(file, index + 1, `leftover: ${line.trim().slice(0, 60)}`);
    }
    if (
      inSource &&
      PURE.includes(folder) &&
      /^(?!\s*(?:\/\/|\*|\/\*)).*(?:\basync\s+[\w(*]|\bawait\s)/.test(line)
    ) {
      report(file, index + 1, "async in a pure core");
    }
    if (
      inSource &&
      PURE.includes(folder) &&
      /\*\*(?!\/)/.test(line) &&
      !/^\s*(\/?\*|\/\/)/.test(line)
    ) {
      report(file, index + 1, "`**` in a pure core (differs between Node versions)");
    }
    if (inSource && /^export\s+(default|\*)/.test(line)) {
      report(file, index + 1, "named exports only");
    }
  });
  if (inSource) checkExportDocs(file, lines);
}

const EXPORTED =
  /^export\s+(?:abstract\s+)?(?:declare\s+)?(?:function|class|const|interface|type)\s+(\w+)/;

// Names that a package gives away: those in its index files.
const publicNames = new Map();

function isPublic(file, name) {
  const home = file.split("/").slice(0, 3).join("/");
  if (!publicNames.has(home)) {
    const texts = tracked
      .filter((other) => other.startsWith(`${home}/`) && other.endsWith("/index.ts"))
      .map(read);
    publicNames.set(home, new Set(texts.join("\n").match(/\w+/g) ?? []));
  }
  return publicNames.get(home).has(name);
}

function checkExportDocs(file, lines) {
  if (file.endsWith("/index.ts") || file.includes("/gen/")) return;
  lines.forEach((line, index) => {
    const name = EXPORTED.exec(line)?.[1];
    if (name === undefined || !isPublic(file, name)) return;
    const before = lines[index - 1]?.trim() ?? "";
    const overload = new RegExp(`^export function ${name}\\b`).test(before);
    if (!before.endsWith("*/") && !overload)
      report(file, index + 1, `export ${name} has no doc comment`);
  });
}

function checkOrphans(sources) {
  const imported = new Set();
  for (const file of sources) {
    for (const line of read(file).split("\n")) {
      const specifier = IMPORT.exec(line)?.[1] ?? /new URL\(\s*["']([^"']+)["']/.exec(line)?.[1];
      if (specifier?.startsWith(".")) {
        const target = relative(root, resolve(root, dirname(file), specifier));
        // A program that is started by the path of its built file counts as its source.
        imported.add(
          target.replace(/^(packages\/[^/]+)\/dist\//, "$1/src/").replace(/\.js$/, ".ts"),
        );
      }
    }
  }
  const manifestText = manifests.map(({ file }) => read(file)).join("\n");
  for (const file of sources) {
    if (!/^packages\/[^/]+\/src\//.test(file) || file.includes("/gen/")) continue;
    // Workers and programs are started by path, not imported; declarations belong to the compiler.
    if (/\/(index|main|worker)\.ts$|\.d\.ts$/.test(file) || imported.has(file)) continue;
    const built = file.replace(/^packages\/[^/]+\/src\//, "dist/").replace(/\.ts$/, ".js");
    if (!manifestText.includes(built)) report(file, 0, "is imported by nobody");
  }
}

function checkMarkdown(file) {
  const lines = read(file).split("\n");
  let fenced = false;
  let titles = 0;
  lines.forEach((line, index) => {
    if (/^\s*```/.test(line)) fenced = !fenced;
    if (fenced) return;
    if (line.startsWith("# ")) titles += 1;
    for (const [, target] of line.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      if (!existsSync(join(root, dirname(file), target))) {
        report(file, index + 1, `broken link: ${target}`);
      }
    }
  });
  if (titles !== 1) report(file, 0, `has ${titles} first-level titles, wants one`);
}

function checkText(file) {
  if (statSync(join(root, file)).size > 2 * 1024 * 1024) report(file, 0, "larger than 2 MiB");
  if (/package-lock\.json$|\.(png|jpg|gz|bin|hex)$/.test(file)) return;
  read(file)
    .split("\n")
    .forEach((line, index) => {
      if (FOREIGN.some((text) => line.includes(text)))
        report(file, index + 1, "machine path or registry host");
    });
}

function checkLockFile() {
  const result = spawnSync(
    "npm",
    ["ci", "--dry-run", "--ignore-scripts", "--no-audit", "--no-fund"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  if (result.status !== 0 && !/ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ENOTCACHED/.test(result.stderr)) {
    report("package-lock.json", 0, "`npm ci --dry-run` fails: the lock file does not hold");
  }
}

checkManifests();
const sources = tracked.filter((file) => /\.(ts|mjs)$/.test(file) && !file.includes("/src/gen/"));
for (const file of sources) checkSource(file);
checkOrphans(sources);
for (const file of tracked) checkText(file);
for (const file of tracked.filter((name) => name.endsWith(".md"))) checkMarkdown(file);
checkLockFile();

if (findings.length > 0) {
  console.error(findings.toSorted((a, b) => (a < b ? -1 : 1)).join("\n"));
  console.error(`${findings.length} findings`);
  process.exit(1);
}
console.log(`tidy: ${tracked.length} files, no findings`);
