// The few lines of a Prometheus text page (exposition format 0.0.4) that a probe asks for. Pages may
// be large, so lines of other metrics are skipped without being parsed.

/** One sample. */
export interface PrometheusSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples whose metric name is in `names`. Malformed lines are skipped: a page is not ours. */
export function parsePrometheus(text: string, names: ReadonlySet<string>): PrometheusSample[] {
  const samples: PrometheusSample[] = [];
  let from = 0;
  while (from < text.length) {
    const newline = text.indexOf("\n", from);
    const to = newline < 0 ? text.length : newline;
    if (text.charCodeAt(from) !== 35 /* # */ && to > from) {
      const sample = parseLine(text, from, to, names);
      if (sample !== undefined) samples.push(sample);
    }
    from = to + 1;
  }
  return samples;
}

function parseLine(
  text: string,
  from: number,
  to: number,
  names: ReadonlySet<string>,
): PrometheusSample | undefined {
  let at = from;
  while (at < to && isNameCharacter(text.charCodeAt(at))) at += 1;
  const name = text.slice(from, at);
  if (!names.has(name)) return undefined;
  const labels: Record<string, string> = {};
  let rest = text.slice(at, to);
  if (rest.startsWith("{")) {
    const end = parseLabels(rest, labels);
    if (end < 0) return undefined;
    rest = rest.slice(end);
  }
  const word = rest.trim().split(/\s+/)[0] ?? "";
  const value = word === "+Inf" ? Number.POSITIVE_INFINITY : Number(word);
  if (word === "" || Number.isNaN(value)) return undefined;
  return { name, labels, value };
}

/** Reads `{a="b",...}` into `labels`; the index after it, or -1. */
function parseLabels(text: string, labels: Record<string, string>): number {
  const pattern = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?/y;
  pattern.lastIndex = 1;
  let end = 1;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    labels[match[1] ?? ""] = (match[2] ?? "").replaceAll(/\\(.)/g, (_, c: string) =>
      c === "n" ? "\n" : c,
    );
    end = pattern.lastIndex;
  }
  return text[end] === "}" ? end + 1 : -1;
}

function isNameCharacter(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 90) ||
    (code >= 48 && code <= 58) ||
    code === 95
  );
}
