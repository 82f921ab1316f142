// Resolves what people type (`configs`, `config`, `cfg`) to a kind.

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
