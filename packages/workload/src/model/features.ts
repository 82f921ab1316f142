// Text to a fixed vector by the hashing trick: every word and every three neighbouring characters add
// +1 or -1 to one of 256 cells chosen by a hash; the vector is then scaled to length 16 (mean square 1
// per cell). No vocabulary is kept. (Weinberger et al. 2009, "Feature Hashing for Large Scale Multitask Learning".)

/** Cells of a feature vector. */
export const FEATURE_COUNT = 256;

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const SPACE = 32;

/** Writes the features of `text` to `target[offset .. offset + 255]`. An empty text gives zeros. */
export function writeFeatures(text: string, target: Float32Array, offset: number): void {
  target.fill(0, offset, offset + FEATURE_COUNT);
  let word = FNV_OFFSET;
  let wordLength = 0;
  let before = SPACE;
  let previous = SPACE;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : SPACE;
    if (code === SPACE) {
      if (wordLength > 0) add(word, target, offset);
      word = FNV_OFFSET;
      wordLength = 0;
    } else {
      word = Math.imul(word ^ code, FNV_PRIME);
      wordLength++;
    }
    if (index > 0) {
      let gram = Math.imul(FNV_OFFSET ^ before, FNV_PRIME);
      gram = Math.imul(gram ^ previous, FNV_PRIME);
      add(Math.imul(gram ^ code, FNV_PRIME), target, offset);
    }
    before = previous;
    previous = code;
  }
  normalise(target, offset);
}

function add(hash: number, target: Float32Array, offset: number): void {
  const mixed = hash ^ (hash >>> 15);
  const cell = offset + (mixed & (FEATURE_COUNT - 1));
  target[cell] = (target[cell] ?? 0) + ((mixed & 0x10000) === 0 ? 1 : -1);
}

function normalise(target: Float32Array, offset: number): void {
  let sum = 0;
  for (let index = 0; index < FEATURE_COUNT; index++) {
    const value = target[offset + index] ?? 0;
    sum += value * value;
  }
  if (sum === 0) return;
  const scale = Math.sqrt(FEATURE_COUNT / sum);
  for (let index = 0; index < FEATURE_COUNT; index++) {
    target[offset + index] = (target[offset + index] ?? 0) * scale;
  }
}
