// Names, keys, times, conditions, tables and OpenAPI: what the other packages build on.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KinglyError } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import {
  KINDS,
  defaultPolicySpec,
  findKind,
  formatFault,
  fromRfc3339,
  isConditionTrue,
  kindByAlias,
  kindByPlural,
  kindInfo,
  objectKey,
  objectKeyPrefix,
  openApiSchema,
  parseObjectKey,
  renderEvent,
  setCondition,
  shortDuration,
  tableColumns,
  tableRow,
  toRfc3339,
} from "@kingly/resources";
import type { ApiObject, Condition, EventSpec, FormatName, KindName } from "@kingly/resources";
import { EXAMPLES } from "./examples.ts";

function row(kind: KindName, object: object, nowMs?: number): Readonly<Record<string, unknown>> {
  const cells = tableRow(kind, object, nowMs);
  return Object.fromEntries(tableColumns(kind).map((column, at) => [column.name, cells[at]]));
}

describe("kinds by name", () => {
  it("are found by plural in their group only, and by what people type", () => {
    expect(kindByPlural("kingly.dev", "vetoes")?.kind).toBe("Veto");
    expect(kindByPlural("", "vetoes")).toBeUndefined();
    expect(kindByPlural("", "namespaces")?.apiVersion).toBe("v1");
    expect(kindByAlias("CFG")?.kind).toBe("Config");
    expect(kindByAlias("policies")?.kind).toBe("Policy");
    expect(findKind("constructor")).toBeUndefined();
    expect(() => kindInfo("Pod")).toThrow(KinglyError);
  });
});

describe("object keys", () => {
  it("come back from every example and sort by kind, namespace and name", () => {
    for (const info of KINDS) {
      const { name, namespace } = EXAMPLES[info.kind]["metadata"] as Record<string, string>;
      const key = objectKey(info.kind, namespace, name as string);
      expect(key).toBe(`${info.plural}/${namespace ?? ""}/${name}`);
      expect(parseObjectKey(key)).toEqual({
        kind: info.kind,
        name,
        ...(namespace === undefined ? {} : { namespace }),
      });
      expect(key.startsWith(objectKeyPrefix(info.kind, namespace))).toBe(true);
    }
  });

  it.each([
    ["Pod", "ns", "a", "UnknownKind"],
    ["Config", undefined, "a", "InvalidField"],
    ["Config", "", "a", "InvalidField"],
    ["Node", "ns", "a", "InvalidField"],
    ["Config", "ns", "", "InvalidField"],
    ["Config", "ns", "a/b", "InvalidField"],
    ["Config", "n/s", "a", "InvalidField"],
  ])("refuse %s in %s named %s", (kind, namespace, name, code) => {
    expect(() => objectKey(kind, namespace, name)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    "",
    "configs",
    "configs/a",
    "configs//a",
    "configs/a/b/c",
    "nodes/a/b",
    "pods/a/b",
    "~x/a/b",
  ])("do not parse %j", (key) => {
    expect(parseObjectKey(key)).toBeUndefined();
  });
});

describe("times", () => {
  it("print and read as the platform's own calendar does", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
        const text = toRfc3339(seconds * 1000);
        expect(text).toBe(new Date(seconds * 1000).toISOString().replace(".000Z", "Z"));
        expect(fromRfc3339(text)).toBe(seconds * 1000);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["2024-02-29T23:59:59.123456Z", Date.UTC(2024, 1, 29, 23, 59, 59, 123)],
    ["2026-01-01T00:30:00+01:30", Date.UTC(2025, 11, 31, 23)],
    ["2026-01-01T00:30:00.5-00:30", Date.UTC(2026, 0, 1, 1, 0, 0, 500)],
    ["2023-02-29T00:00:00Z", undefined],
    ["1900-02-29T00:00:00Z", undefined],
    ["2026-13-01T00:00:00Z", undefined],
    ["2026-00-10T00:00:00Z", undefined],
    ["2026-01-01T24:00:00Z", undefined],
    ["2026-01-01T00:60:00Z", undefined],
    ["2026-01-01 00:00:00Z", undefined],
    ["2026-01-01T00:00:00", undefined],
    ["2026-01-01T00:00:00.Z", undefined],
    ["2026-01-01T00:00:00+1:00", undefined],
    ["2026-1-01T00:00:00Z", undefined],
    ["", undefined],
  ])("read %s as %s", (text, expected) => {
    expect(fromRfc3339(text)).toBe(expected);
  });

  it("shorten durations for tables", () => {
    const shown = [-5, 0, 119_000, 120_000, 7_199_000, 7_200_000, 172_800_000].map(shortDuration);
    expect(shown).toEqual(["0s", "0s", "119s", "2m", "119m", "2h", "2d"]);
  });
});

describe("formats", () => {
  it.each<[FormatName, readonly string[], readonly string[]]>([
    ["dns1123-label", ["a", "a-b1", "9"], ["", "-a", "a-", "A", "a.b", "a".repeat(64)]],
    ["dns1123-subdomain", ["a.b-c", "a"], ["", "a..b", ".a", "a.", "a_b", "a.".repeat(127) + "ab"]],
    ["label-value", ["", "A_b.c-1"], ["-a", "a ", "a/b", "a".repeat(64)]],
    ["qualified-name", ["a", "x.io/A_b"], ["", "/a", "a/", "X.io/a", "a/b/c"]],
    ["logical-name", ["inference/main", "latencyP99"], ["", "/a", "a//b", "a/", "a b"]],
    ["hex", ["", "00ff"], ["0", "0G", "FF"]],
    ["sha256", ["0".repeat(64)], ["", "0".repeat(63), "A".repeat(64)]],
    ["sha256-or-empty", ["", "0".repeat(64)], ["0"]],
    ["base64", ["", "AA=="], ["AA", "A A=", "AB=="]],
    ["rfc3339", ["2026-01-01T00:00:00Z"], ["now"]],
    ["printable-ascii", ["a~!"], ["a b", "\u00e9", "\n"]],
  ])("%s tells good from bad", (format, good, bad) => {
    for (const text of good) expect(formatFault(format, text), text).toBeUndefined();
    for (const text of bad) expect(formatFault(format, text), text).toBeTypeOf("string");
  });
});

describe("conditions", () => {
  const set = { type: "Synced", status: "True", reason: "Committed", message: "m" } as const;
  const first = setCondition([], set, 1_000);

  it("keep their transition time until the status changes", () => {
    expect(first).toEqual([{ ...set, lastTransitionTime: "1970-01-01T00:00:01Z" }]);
    const reworded = setCondition(first, { ...set, message: "other" }, 9_000);
    expect(reworded[0]).toMatchObject({
      message: "other",
      lastTransitionTime: "1970-01-01T00:00:01Z",
    });
    const flipped = setCondition(first, { ...set, status: "False" }, 9_000);
    expect(flipped[0]?.lastTransitionTime).toBe("1970-01-01T00:00:09Z");
    expect(isConditionTrue(first, "Synced")).toBe(true);
    expect(isConditionTrue(flipped, "Synced")).toBe(false);
  });

  it("leave the very same list when nothing changes, and other types alone", () => {
    expect(setCondition(first, set, 9_000)).toBe(first);
    const two = setCondition(first, { ...set, type: "Other" }, 9_000);
    expect(two.map((one) => one.type)).toEqual(["Synced", "Other"]);
    expect(setCondition(two, { ...set, status: "Unknown" }, 9_000)[1]).toBe(two[1]);
  });

  it("are bounded", () => {
    let list: readonly Condition[] = [];
    for (let at = 0; at < 32; at += 1) list = setCondition(list, { ...set, type: `T${at}` }, 0);
    expect(() => setCondition(list, { ...set, type: "More" }, 0)).toThrow("more than 32");
  });
});

describe("tables", () => {
  const now = fromRfc3339("2026-01-31T12:05:00Z") as number;

  it("show what a person wants to know first", () => {
    expect(row("Config", EXAMPLES.Config, now)).toMatchObject({
      Name: "web",
      Target: "inference/main",
      Version: "v3",
      Confirmed: "4/5",
      Vetoes: 1,
      Proposal: "web-x1",
      Hash: "abababababab",
      Age: "5m",
    });
    expect(row("Proposal", EXAMPLES.Proposal, 1_700_000_000_000)).toMatchObject({
      Keys: "workers",
      Stage: "Voting",
      Votes: "2/0/1 of 2",
      "E-Max": "0.25",
      Version: "v3",
      Deadline: "10m",
    });
    expect(row("Rollout", EXAMPLES.Rollout)).toMatchObject({
      Stage: "2/2",
      Confirmed: "1/3",
      Vetoes: "1/2",
      Age: "<unknown>",
    });
    expect(row("Veto", EXAMPLES.Veto, 1_700_600_000_000)).toMatchObject({
      Runs: "v2",
      Expires: "passed",
      "Ln-E": "7.25",
    });
    expect(row("Node", EXAMPLES.Node)).toMatchObject({ Ready: "True", Class: "small" });
    expect(row("Objective", EXAMPLES.Objective)).toMatchObject({ Margin: "5%" });
    expect(row("Policy", EXAMPLES.Policy)).toMatchObject({ Accept: "2/3", Stages: "0,0.1,0.5,1" });
    expect(row("Event", EXAMPLES.Event, now)).toMatchObject({
      Object: "config/web",
      "Last Seen": "5m",
    });
    expect(row("NodeConfig", EXAMPLES.NodeConfig)).toMatchObject({
      Config: "prod/web",
      State: "applied",
    });
  });

  it.each(KINDS.map((info) => info.kind))(
    "have a cell of the right type per column for %s",
    (kind) => {
      const columns = tableColumns(kind);
      for (const object of [
        EXAMPLES[kind],
        {},
        { spec: null, status: [] },
        { status: { conditions: 1 } },
      ]) {
        const cells = tableRow(kind, object as object, now);
        expect(cells).toHaveLength(columns.length);
        cells.forEach((cell, at) => {
          if (columns[at]?.type === "integer") expect(Number.isInteger(cell)).toBe(true);
          expect(["string", "number"]).toContain(typeof cell);
          expect(cell).not.toBe("");
        });
      }
      expect(columns.some((column) => column.format === "name")).toBe(true);
    },
  );
});

describe("OpenAPI", () => {
  it.each(KINDS)("describes $kind with group, version, kind and every field", (info) => {
    const schema = openApiSchema(info.kind);
    expect(schema["x-kubernetes-group-version-kind"]).toEqual([
      { group: info.group, version: info.version, kind: info.kind },
    ]);
    const missing: string[] = [];
    const visit = (node: JsonObject, path: string): void => {
      if (typeof node["description"] !== "string" || node["description"] === "") missing.push(path);
      const properties = (node["properties"] ?? {}) as Record<string, JsonObject>;
      for (const [name, member] of Object.entries(properties)) visit(member, `${path}.${name}`);
      if (node["items"] !== undefined) visit(node["items"] as JsonObject, `${path}[]`);
      const values = node["additionalProperties"];
      if (values !== undefined) visit(values as JsonObject, `${path}{}`);
    };
    visit(schema, info.kind);
    expect(missing).toEqual([]);
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });

  it("carries defaults, bounds and merge rules", () => {
    const policy = openApiSchema("Policy") as unknown as {
      properties: { spec: { properties: Record<string, Record<string, unknown>> } };
    };
    const { alpha } = policy.properties.spec.properties;
    expect(alpha).toMatchObject({
      type: "number",
      default: defaultPolicySpec.alpha,
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 0.5,
    });
    const text = JSON.stringify(openApiSchema("Config"));
    expect(text).toContain('"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["type"]');
    expect(text).toContain('"x-kubernetes-list-type":"set"');
    expect(text).toContain('"x-kubernetes-preserve-unknown-fields":true');
  });

  it("serves Events in their core form, which is what the schema describes", () => {
    const event = EXAMPLES.Event as unknown as ApiObject<EventSpec>;
    const served = renderEvent(event);
    expect(served).toMatchObject({
      reason: "Vetoed",
      type: "Warning",
      involvedObject: { name: "web" },
    });
    expect(served["lastTimestamp"]).toBe("2026-01-31T12:00:00Z");
    const known = Object.keys(openApiSchema("Event")["properties"] as JsonObject);
    for (const field of Object.keys(served)) expect(known).toContain(field);
    expect(served["spec"]).toBeUndefined();
  });
});
