// Writes API.md from the built declarations: every export with its doc comment and its declaration.
// `--check` writes nothing and exits 1 when the file is stale. Exports without a doc comment, and public
// members of classes and interfaces without one, are refused by name in both modes. Works on dist/, so
// build first (the npm script does).
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { format, resolveConfig } from "prettier";

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const read = (path) => readFileSync(at(path), "utf8");
const check = process.argv.includes("--check");

/** Groups in reading order: title and the modules whose exports it shows. */
const GROUPS = [
  { title: "The node", paths: ["raw-node", "config", "ready", "status", "compaction"] },
  { title: "Membership", paths: ["confchange/types", "confchange/codec"] },
  { title: "Messages", paths: ["messages"] },
  { title: "Storage", paths: ["storage", "memory-storage"] },
  { title: "Data", paths: ["types", "ids"] },
  { title: "Events", paths: ["trace", "trace-render"] },
  { title: "Errors", paths: ["errors"] },
  { title: "Text", paths: ["describe"] },
  { title: "Limits and states", paths: ["limits", "tracker/progress"] },
];
/** Members that say what they are by their name and the type's own comment. */
const PLAIN = new Set(["id", "term", "index", "kind", "code", "constructor"]);
/** Types whose members may go without a comment: plain records of named numbers, and events. */
const RECORDS = new Set(["EntryType", "LogEnd", "Position", "VoteView", "TraceLine"]);

/** Exported names by module, in the order of the index. */
function exportsOf(index) {
  const modules = new Map();
  for (const [, names, path] of index.matchAll(
    /export (?:type )?\{([^}]*)\} from "\.\/([^"]+)\.(?:ts|js)"/g,
  )) {
    const list = names
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    modules.set(path, [...(modules.get(path) ?? []), ...list]);
  }
  return modules;
}

/** Doc comment and declaration of an exported name. */
function declarationOf(text, name) {
  const pattern = new RegExp(
    `((?:/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\s*)?)^export (?:declare )?(?:abstract )?` +
      `(?:class|interface|type|function|const) ${name}\\b`,
    "m",
  );
  const match = pattern.exec(text);
  if (match === null) throw new Error(`no declaration of ${name}`);
  const start = match.index + match[1].length;
  return { doc: match[1], code: text.slice(start, endOf(text, start)) };
}

/** End of a declaration: its closing brace, or the semicolon outside all brackets. */
function endOf(text, start) {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    if (text.startsWith("/*", i)) i = text.indexOf("*/", i) + 1;
    else if (text.startsWith("//", i)) i = text.indexOf("\n", i);
    else if (text[i] === '"') i = text.indexOf('"', i + 1);
    else if ("{([".includes(text[i])) depth++;
    else if ("})]".includes(text[i])) {
      depth--;
      const isBlock = /^export (?:declare )?(?:abstract )?(?:class|interface) /.test(
        text.slice(start, start + 60),
      );
      if (depth === 0 && text[i] === "}" && isBlock) return i + 1;
    } else if (text[i] === ";" && depth === 0) return i + 1;
  }
  throw new Error("declaration without end");
}

/** Members of a class or interface without a doc comment. */
function undocumented(name, code) {
  if (RECORDS.has(name) || !/^export (?:declare )?(?:abstract )?(?:class|interface) /.test(code)) {
    return [];
  }
  const missing = [];
  const lines = code.split("\n");
  let depth = 0;
  lines.forEach((line, i) => {
    const member =
      depth === 1 ? /^\s+(?:abstract |readonly |override |get )*(\w+)[?(:;]/.exec(line) : null;
    const before = lines[i - 1]?.trim() ?? "";
    if (member !== null && !before.endsWith("*/") && !PLAIN.has(member[1])) {
      missing.push(`${name}.${member[1]}`);
    }
    if (!/^\s*(\/?\*|\/\/)/.test(line)) {
      depth += (line.match(/[{(]/g) ?? []).length - (line.match(/[})]/g) ?? []).length;
    }
  });
  return missing;
}

/** Text of a doc comment. */
function prose(doc) {
  return doc
    .replace(/^\s*\/\*\*|\*\/\s*$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, ""))
    .join("\n")
    .replace(/^@param (\w+) /gm, "\n- `$1`: ")
    .trim();
}

const modules = exportsOf(read("src/index.ts"));
const faults = [];
const pages = [];
for (const { title, paths } of GROUPS) {
  pages.push(`## ${title}`);
  for (const path of paths) {
    const names = modules.get(path);
    if (names === undefined) throw new Error(`the index exports nothing of ${path}`);
    modules.delete(path);
    const text = read(`dist/${path}.d.ts`);
    for (const name of names) {
      const { doc, code } = declarationOf(text, name);
      if (doc === "") faults.push(name);
      faults.push(...undocumented(name, code));
      const shown = code.replace(/^export (declare )?/, "").replace(/^\s*#private;\n/m, "");
      pages.push(`### ${name}`, prose(doc), `\`\`\`ts\n${shown}\n\`\`\``);
    }
  }
}
for (const path of modules.keys()) faults.push(`exports of ${path} (in no group of this script)`);
if (faults.length > 0) {
  process.stderr.write(`without a doc comment: ${faults.join(", ")}\n`);
  process.exit(1);
}
const opening =
  "# raft-ts: all exports\n\nWritten by `npm run api` from the declarations; do not edit. How the parts " +
  "go together is in [README.md](README.md).";
const page = await format([opening, ...pages].join("\n\n"), {
  ...(await resolveConfig(at("README.md"))),
  parser: "markdown",
});
if (!check) writeFileSync(at("API.md"), page);
else if (read("API.md") !== page) {
  process.stderr.write("API.md is stale; run `npm run api -w raft-ts`\n");
  process.exit(1);
}
