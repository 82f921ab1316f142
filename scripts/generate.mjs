// Generates the TypeScript types of the wire (packages/protocol/src/gen) from proto/.
// `--check` fails instead when the committed files differ from what would be generated.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const committed = join(root, "packages/protocol/src/gen");
const check = process.argv.includes("--check");
const outDir = check ? mkdtempSync(join(tmpdir(), "kingly-gen-")) : committed;

function files(folder, suffix) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

const protos = files(join(root, "proto"), ".proto").map((file) =>
  relative(join(root, "proto"), file),
);
if (!check) rmSync(outDir, { recursive: true, force: true });
const result = spawnSync(
  process.execPath,
  [
    join(root, "node_modules/@grpc/proto-loader/build/bin/proto-loader-gen-types.js"),
    "--longs=Number",
    "--enums=String",
    "--defaults",
    "--oneofs",
    "--grpcLib=@grpc/grpc-js",
    "--importFileExtension=.ts",
    "--targetFileExtension=.ts",
    `--outDir=${outDir}`,
    "-I",
    join(root, "proto"),
    "--",
    ...protos,
  ],
  { stdio: ["ignore", "ignore", "inherit"], cwd: join(root, "proto") },
);
if (result.status !== 0) process.exit(result.status ?? 1);

// The generator writes where it found a proto file on this machine: keep only the name in proto/.
for (const file of files(outDir, ".ts")) {
  const text = readFileSync(file, "utf8");
  writeFileSync(
    file,
    text.replace(/^(\/\/ Original file: ).*?proto\/((?:kingly|google)\/.*)$/gm, "$1proto/$2"),
  );
}

if (check) {
  const wanted = new Map(
    files(outDir, ".ts").map((f) => [relative(outDir, f), readFileSync(f, "utf8")]),
  );
  const have = new Map(
    files(committed, ".ts").map((f) => [relative(committed, f), readFileSync(f, "utf8")]),
  );
  rmSync(outDir, { recursive: true, force: true });
  const stale = [...new Set([...wanted.keys(), ...have.keys()])].filter(
    (name) => wanted.get(name) !== have.get(name),
  );
  if (stale.length > 0) {
    console.error(`Generated wire types are stale, run \`npm run generate\`: ${stale.join(", ")}`);
    process.exit(1);
  }
}
