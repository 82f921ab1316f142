// Field paths as people read them in errors: `spec.entries[1].value`; keys that are not plain
// words are quoted in brackets: `spec.data["max.inflight"]`.

/** The path of a member of the object at `path` ("" = the document itself). */
export function appendKey(path: string, key: string): string {
  if (!isWord(key)) return `${path}[${JSON.stringify(shorten(key))}]`;
  return path === "" ? key : `${path}.${key}`;
}

/** The path of an element of the array at `path`. */
export function appendIndex(path: string, index: number): string {
  return `${path}[${index}]`;
}

/** The path that leads through the given keys and indexes; "" for none. */
export function renderPath(steps: readonly (string | number)[]): string {
  let path = "";
  for (const step of steps) {
    path = typeof step === "number" ? appendIndex(path, step) : appendKey(path, step);
  }
  return path;
}

/** Longest key shown whole; matches the longest Kubernetes name. */
const KEY_CHARS_SHOWN = 253;

function shorten(key: string): string {
  return key.length <= KEY_CHARS_SHOWN ? key : `${key.slice(0, KEY_CHARS_SHOWN)}...`;
}

function isWord(key: string): boolean {
  if (key.length === 0 || key.length > KEY_CHARS_SHOWN) return false;
  for (let at = 0; at < key.length; at += 1) {
    const unit = key.charCodeAt(at);
    const letter = (unit >= 0x41 && unit <= 0x5a) || (unit >= 0x61 && unit <= 0x7a);
    const digit = unit >= 0x30 && unit <= 0x39;
    // `$`, `_` and `-` are read without doubt; a dot or bracket would not be.
    if (!letter && !digit && unit !== 0x24 && unit !== 0x5f && unit !== 0x2d) return false;
  }
  return true;
}
