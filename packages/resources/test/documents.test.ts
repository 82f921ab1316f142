// Signed documents: the exact bytes decode, every fault is refused by field, and the bytes that
// are signed cannot be read as another document's.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KinglyError, canonicalJson, utf8Encode } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import { DOCUMENT_BYTES_MAX, documentSchema, parseDocument, signingBytes } from "@kingly/resources";
import type { DocumentKind } from "@kingly/resources";
import { DOCUMENTS } from "./examples.ts";
import { faults, withField } from "./mutate.ts";

const KINDS: readonly DocumentKind[] = ["Vote", "Veto", "Proposal", "Calibration"];

function refusal(kind: DocumentKind, value: JsonValue | string): KinglyError {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  try {
    parseDocument(kind, utf8Encode(text));
  } catch (thrown) {
    if (thrown instanceof KinglyError) return thrown;
    throw thrown;
  }
  throw new Error(`accepted: ${text.slice(0, 200)}`);
}

describe.each(KINDS)("a %s document", (kind) => {
  const example = DOCUMENTS[kind];

  it("decodes to exactly what was written", () => {
    const decoded = parseDocument(kind, utf8Encode(canonicalJson(example)));
    expect(decoded).toEqual(example);
  });

  it("is refused for each single-field fault, which is named", () => {
    let tried = 0;
    for (const fault of faults(documentSchema(kind), example)) {
      const error = refusal(kind, withField(example, fault.steps, fault.value));
      if (error.code === "DocumentTooLarge") continue;
      const what = `${fault.field} ${fault.what}`;
      expect(error.code, what).toBe("InvalidField");
      expect(error.details.causes, what).toContainEqual(
        expect.objectContaining({ reason: fault.reason, field: fault.field }),
      );
      tried += 1;
    }
    expect(tried).toBeGreaterThan(15);
  });

  it("is refused with an unknown field, a duplicate key, __proto__, or beyond its size", () => {
    const text = JSON.stringify(example);
    expect(refusal(kind, { ...example, extra: 1 })).toMatchObject({
      code: "UnknownField",
      details: { field: "extra" },
    });
    expect(refusal(kind, text.replace("{", '{"node":"n2",')).code).toBe("DuplicateKey");
    expect(refusal(kind, text.replace("{", '{"__proto__":{},')).code).toBe("ForbiddenKey");
    expect(refusal(kind, text + " ".repeat(DOCUMENT_BYTES_MAX)).code).toBe("DocumentTooLarge");
    expect(refusal(kind, "[1,").code).toBe("MalformedJson");
    expect(refusal(kind, "null").code).toBe("InvalidField");
  });

  it("is not taken for a document of another kind", () => {
    for (const other of KINDS) {
      if (other !== kind) expect(refusal(other, example).code).toBe("InvalidField");
    }
  });
});

describe("rules across fields of documents", () => {
  it("make a declined vote an abstention", () => {
    expect(refusal("Vote", { ...DOCUMENTS.Vote, decision: "Accept" }).details.field).toBe(
      "decision",
    );
  });

  it("let no veto claim the cause that only a commit sets, nor end before it was written", () => {
    expect(refusal("Veto", { ...DOCUMENTS.Veto, cause: "Voted" }).details.field).toBe("cause");
    expect(refusal("Veto", { ...DOCUMENTS.Veto, expiresAtMs: 5 }).details.field).toBe(
      "expiresAtMs",
    );
  });
});

describe("signingBytes", () => {
  it("puts each part behind its length, then the document", () => {
    const bytes = signingBytes({
      clusterId: "c",
      type: "Vote",
      uid: "\u00e9",
      bytes: utf8Encode("{}"),
    });
    expect(Buffer.from(bytes).toString("latin1")).toBe(
      "\0\0\0\x09kingly/v1\0\0\0\x01c\0\0\0\x04Vote\0\0\0\x02\xc3\xa9{}",
    );
  });

  it("differs whenever any part differs", () => {
    const part = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom("a", "b", "\0") });
    const input = fc.record({
      clusterId: part,
      type: part,
      uid: part,
      bytes: fc.uint8Array({ maxLength: 4 }),
    });
    fc.assert(
      fc.property(input, input, (a, b) => {
        const same =
          a.clusterId === b.clusterId &&
          a.type === b.type &&
          a.uid === b.uid &&
          Buffer.compare(a.bytes, b.bytes) === 0;
        expect(Buffer.compare(signingBytes(a), signingBytes(b)) === 0).toBe(same);
      }),
      { numRuns: 1_000 },
    );
  });

  it("refuses empty and overlong parts", () => {
    const good = { clusterId: "c", type: "Vote", uid: "u", bytes: new Uint8Array() };
    expect(() => signingBytes({ ...good, uid: "" })).toThrow("uid: must have 1 to 1024");
    expect(() => signingBytes({ ...good, clusterId: "c".repeat(1_025) })).toThrow("clusterId");
  });
});
