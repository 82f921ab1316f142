// Replays transcripts: our own in testdata/, and the published ones where they are at hand.
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { formatDifference, replay } from "../src/harness/run.ts";

const OWN = fileURLToPath(new URL("../testdata", import.meta.url));
const PUBLISHED = fileURLToPath(new URL("../../../../shared/vectors/etcd-raft", import.meta.url));

function files(path: string): string[] {
  if (!statSync(path).isDirectory()) return path.endsWith(".txt") ? [path] : [];
  return readdirSync(path)
    .sort()
    .flatMap((name) => files(join(path, name)));
}

function check(file: string): string {
  const difference = replay(readFileSync(file, "utf8"), { stripLogs: false });
  return difference === undefined ? "as expected" : formatDifference(difference);
}

describe("own transcripts", () => {
  for (const file of files(OWN)) {
    it(`${file.slice(OWN.length + 1)} replays line by line`, () => {
      expect(check(file)).toBe("as expected");
    });
  }

  it("notices a line that differs, with its place", () => {
    const script = "log-level info\n----\nok\n\nadd-nodes 1 voters=(1) index=3\n----\nINFO else\n";
    expect(replay(script, { stripLogs: false })).toMatchObject({
      line: 5,
      expected: "INFO else",
      actual: "INFO 1 switched to configuration voters=(1)",
    });
  });

  it("leaves log lines out of the comparison when asked to", () => {
    const script = "add-nodes 1 voters=(1) index=3\n----\nINFO else\n";
    expect(replay(script, { stripLogs: true })).toBeUndefined();
  });
});

const present = existsSync(PUBLISHED);
if (!present) console.info(`published transcripts are not at ${PUBLISHED}; not replayed`);
describe.skipIf(!present)("published transcripts", () => {
  for (const file of present ? files(PUBLISHED) : []) {
    it(`${file.slice(PUBLISHED.length + 1)} replays line by line, log lines included`, () => {
      expect(check(file)).toBe("as expected");
    });
  }
});
