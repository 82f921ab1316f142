// Resolves what people type (`configs`, `config`, `cfg`, `configs,policies`, `config/web`) to kinds and
// names, with the habits of kubectl.

import { KinglyError } from "@kingly/base";
import { KINDS, type KindInfo } from "@kingly/resources";

/** The kind behind a plural, singular, short name or Kind, in any case. */
export function resolveKind(word: string): KindInfo {
  const wanted = word.toLowerCase().split(".")[0] ?? "";
  const found = KINDS.find(
    (info) =>
      info.plural === wanted ||
      info.singular === wanted ||
      info.kind.toLowerCase() === wanted ||
      info.shortNames.includes(wanted),
  );
  if (found === undefined) {
    throw new KinglyError("UnknownKind", `unknown kind "${word}"`, {
      field: "kind",
      value: word,
      help: `known kinds: ${KINDS.map((info) => info.plural).join(", ")}`,
    });
  }
  return found;
}

/** `kind/name` or `kind name` arguments as a pair. */
export function splitTarget(words: readonly string[]): {
  readonly info: KindInfo;
  readonly names: readonly string[];
} {
  const [first = "", ...rest] = words;
  const slash = first.indexOf("/");
  if (slash < 0) return { info: resolveKind(first), names: rest };
  const info = resolveKind(first.slice(0, slash));
  return { info, names: [first.slice(slash + 1), ...rest] };
}

/** Objects of one kind that a command line names; no names = all of them. */
export interface KindTarget {
  readonly info: KindInfo;
  readonly names: readonly string[];
}

function usage(problem: string, words: readonly string[]): KinglyError {
  return new KinglyError("Usage", problem, { field: "kind", value: words.join(" ").slice(0, 80) });
}

/** `config/web policy/demo`: names by kind, kinds in the order in which they come first. */
function slashTargets(words: readonly string[]): readonly KindTarget[] {
  const names = new Map<KindInfo, string[]>();
  for (const word of words) {
    const [kind = "", name = "", ...more] = word.split("/");
    if (!word.includes("/") || name === "" || more.length > 0) {
      throw usage(`"${word}" is not KIND/NAME; with KIND/NAME give no kind of its own`, words);
    }
    const info = resolveKind(kind);
    names.set(info, [...(names.get(info) ?? []), name]);
  }
  return [...names].map(([info, list]) => ({ info, names: list }));
}

/**
 * What `get` is about: `KIND [NAME...]`, `KIND,KIND...` or `KIND/NAME...`; at least one. Throws Usage
 * for names together with several kinds, UnknownKind for a word that is none.
 */
export function resolveTargets(words: readonly string[]): readonly KindTarget[] {
  const [first = "", ...names] = words;
  if (words.some((word) => word.includes("/"))) return slashTargets(words);
  const kinds = [...new Set(first.split(",").map(resolveKind))];
  if (first.includes(",") && names.length > 0) {
    throw usage(`names need one kind, not "${first}"; KIND/NAME may be repeated`, words);
  }
  return kinds.map((info) => ({ info, names }));
}
