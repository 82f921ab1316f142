// Label and field selectors of the Kubernetes API: `a=b,c!=d,e in (f,g),h notin (i),j,!k`, and
// `metadata.name=x`. Parsed once, then matched against every object of a list or watch.

import { KinglyError, isJsonObject, shortValue } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { KindInfo } from "@kingly/resources";
import { SELECTOR_CHARS_MAX, SELECTOR_TERMS_MAX } from "../limits.ts";

/** Decides for one object. */
export type Matcher = (object: JsonValue) => boolean;

/** A parsed selector; `text` is what was asked, for page tokens. */
export interface Selection {
  readonly labels: Matcher | undefined;
  readonly fields: Matcher | undefined;
  /** True when an object cannot begin or cease to match: only names and namespaces are asked for. */
  readonly fixed: boolean;
  readonly text: string;
}

const EQUAL = /^([^=!\s()]+)\s*(==|=|!=)\s*([^=!\s(),]*)$/;
const SET = /^([^=!\s()]+)\s+(in|notin)\s*\(([^()]*)\)$/;
const EXISTS = /^(!?)\s*([^=!\s()]+)$/;

function invalid(what: string, text: string, limit: string): never {
  throw new KinglyError("Usage", `${what}: must be ${limit}; got ${shortValue(text)}`, {
    field: what,
    limit,
    value: text.slice(0, 80),
  });
}

/** Splits at commas outside parentheses. */
function terms(text: string, what: string): string[] {
  if (text.length > SELECTOR_CHARS_MAX) {
    invalid(what, text, `at most ${SELECTOR_CHARS_MAX} characters`);
  }
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at += 1) {
    const char = text.charAt(at);
    if (char === "(") depth += 1;
    if (char === ")") depth -= 1;
    if (at < text.length && (char !== "," || depth > 0)) continue;
    found.push(text.slice(start, at).trim());
    start = at + 1;
  }
  if (found.length > SELECTOR_TERMS_MAX) {
    invalid(what, text, `at most ${SELECTOR_TERMS_MAX} requirements`);
  }
  return found;
}

function at(object: JsonValue | undefined, path: readonly string[]): JsonValue | undefined {
  let value = object;
  for (const key of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

type LabelTest = (value: string | undefined) => boolean;

function labelTerm(term: string, text: string): { readonly key: string; readonly test: LabelTest } {
  const set = SET.exec(term);
  if (set !== null) {
    const values = new Set((set[3] ?? "").split(",").map((value) => value.trim()));
    const wanted = set[2] === "in";
    const test: LabelTest = (value) =>
      wanted ? value !== undefined && values.has(value) : value === undefined || !values.has(value);
    return { key: set[1] ?? "", test };
  }
  const equal = EQUAL.exec(term);
  if (equal !== null) {
    const [, key = "", operator, wanted] = equal;
    return { key, test: (value) => (value === wanted) === (operator !== "!=") };
  }
  const exists = EXISTS.exec(term);
  if (exists === null) return invalid("labelSelector", text, "like a=b, a!=b, a in (b,c), a, !a");
  const wanted = exists[1] === "";
  return { key: exists[2] ?? "", test: (value) => (value !== undefined) === wanted };
}

function labelMatcher(text: string): Matcher {
  const tests = terms(text, "labelSelector").map((term) => labelTerm(term, text));
  return (object) => {
    const labels = at(object, ["metadata", "labels"]);
    return tests.every(({ key, test }) => {
      const value = isJsonObject(labels) && Object.hasOwn(labels, key) ? labels[key] : undefined;
      return test(typeof value === "string" ? value : undefined);
    });
  };
}

/** Fields that select, per kind, and where the stored object has them. */
function fieldPath(info: KindInfo, field: string): readonly string[] | undefined {
  if (field === "metadata.name" || field === "metadata.namespace") return field.split(".");
  if (info.kind === "Event") {
    if (["type", "reason"].includes(field) || /^involvedObject\.[a-zA-Z]+$/.test(field)) {
      return ["spec", ...field.split(".")];
    }
    return undefined;
  }
  const known = ["spec.config", "spec.node", "spec.proposal", "status.phase"];
  return known.includes(field) ? field.split(".") : undefined;
}

function fieldMatcher(
  info: KindInfo,
  text: string,
): { readonly matcher: Matcher; readonly fixed: boolean } {
  let fixed = true;
  const tests = terms(text, "fieldSelector").map((term) => {
    const match = EQUAL.exec(term);
    if (match === null) return invalid("fieldSelector", text, "like metadata.name=value");
    const [, field = "", operator, wanted = ""] = match;
    const path = fieldPath(info, field);
    if (path === undefined) {
      throw new KinglyError("Usage", `field label not supported: ${field}`, {
        field: "fieldSelector",
        value: field,
      });
    }
    if (!field.startsWith("metadata.")) fixed = false;
    return (object: JsonValue): boolean => {
      const value = at(object, path);
      return ((typeof value === "string" ? value : "") === wanted) === (operator !== "!=");
    };
  });
  const matcher: Matcher = (object) => tests.every((test) => test(object));
  return { matcher, fixed };
}

/** Parses the two selectors of a request. Throws Usage with the rule. */
export function parseSelection(info: KindInfo, labels: string, fields: string): Selection {
  const byField = fields === "" ? undefined : fieldMatcher(info, fields);
  return {
    labels: labels === "" ? undefined : labelMatcher(labels),
    fields: byField?.matcher,
    fixed: labels === "" && byField?.fixed !== false,
    text: `${labels}|${fields}`,
  };
}

/** True when the object is selected. */
export function selects(selection: Selection, object: JsonValue): boolean {
  return selection.fields?.(object) !== false && selection.labels?.(object) !== false;
}
