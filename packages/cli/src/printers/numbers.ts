// Numbers of a trial as people read them.

/** From here on an e-value says nothing more than "beyond doubt"; servers cap at e^700. */
const E_SHOWN_MAX = 1e300;

/** An e-value: two or three digits, `2.4e+8` when large, never 0 or Infinity. */
export function formatE(value: number): string {
  if (!Number.isFinite(value) || value >= E_SHOWN_MAX) return ">1e+300";
  if (value >= 10_000) return value.toExponential(1);
  if (value >= 100) return value.toFixed(0);
  if (value >= 10) return value.toFixed(1);
  if (value >= 0.01) return value.toFixed(2);
  return value < 1e-300 ? "<1e-300" : value.toExponential(1);
}

/** An effect in percent; the server's sign: above 0 is worse, whatever the direction. */
export function formatEffect(percent: number): string {
  const size = Math.abs(percent).toFixed(1);
  if (size === "0.0") return "no change";
  return `${size}% ${percent > 0 ? "worse" : "better"}`;
}

/** A share as a percentage, cut to one decimal: 59.96 % must not look like a quorum of 60 %. */
export function formatShare(share: number): string {
  // The room is for decimals that binary numbers cannot hold: 0.58 x 1000 is a little below 580.
  return `${Math.floor(share * 1_000 + 1e-6) / 10}%`;
}

/** Votes by weight: whole numbers as such, others with two decimals. */
export function formatWeight(weight: number): string {
  return Number.isInteger(weight) ? String(weight) : weight.toFixed(2);
}

/** A JSON value on one line, cut when long. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return "(none)";
  const text = JSON.stringify(value);
  return text.length <= 40 ? text : `${text.slice(0, 40)}...`;
}

/** A span of time: `45s`, `12m`, `3h`, `7d`. */
export function formatSpan(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
