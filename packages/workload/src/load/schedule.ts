// When which texts are sent: a pure function of profile and seed. The schedule knows nothing of the
// service's answers, which is what makes the loop open.
import { Random } from "../random.ts";
import { ZIPF_EXPONENT } from "./profiles.ts";
import type { Profile } from "./profiles.ts";

/** Requests due at the same instant. */
export interface Burst {
  /** Milliseconds after the start of the load. Never decreases. */
  readonly atMs: number;
  readonly texts: readonly string[];
}

const WORDS: readonly string[] = (
  "order invoice refund parcel delay broken screen battery charger camera signal router update " +
  "login password account locked billing address change cancel renew upgrade plan price discount " +
  "friendly slow quick helpful rude noisy quiet clean dirty warm cold early late never always " +
  "please thanks today tomorrow yesterday morning evening city station airport hotel room table"
).split(" ");

const WORDS_PER_TEXT = 12;

/** The endless traffic of a profile. */
export class Schedule {
  readonly #profile: Profile;
  readonly #random: Random;
  readonly #seed: number;
  readonly #cumulative: readonly number[];
  #atMs = 0;
  #textCount = 0;

  constructor(profile: Profile, seed: number) {
    this.#profile = profile;
    this.#random = new Random(seed);
    this.#seed = seed;
    this.#cumulative = zipfCumulative(profile.catalogueSize);
  }

  /** The next burst; the first one comes one interval after the start. */
  next(): Burst {
    const { burstIntervalMs, spacing, burstSizeMin, burstSizeMax } = this.#profile;
    this.#atMs +=
      spacing === "exponential"
        ? this.#random.exponential(burstIntervalMs)
        : burstIntervalMs * (1 + spacing.jitter * (2 * this.#random.uniform() - 1));
    const size = this.#random.integer(burstSizeMin, burstSizeMax);
    const texts: string[] = [];
    for (let index = 0; index < size; index++) texts.push(this.#nextText());
    return { atMs: this.#atMs, texts };
  }

  #nextText(): string {
    if (this.#cumulative.length === 0) return textNumber(this.#seed, this.#textCount++);
    return textNumber(this.#seed, drawIndex(this.#cumulative, this.#random.uniform()));
  }
}

/** The text with a number: its words follow from seed and number, and it names the number. */
export function textNumber(seed: number, number: number): string {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ number);
  let text = `ticket ${number}`;
  for (let index = 0; index < WORDS_PER_TEXT; index++) {
    text += ` ${WORDS[random.integer(0, WORDS.length - 1)] ?? ""}`;
  }
  return text;
}

function zipfCumulative(size: number): readonly number[] {
  const weights: number[] = [];
  let sum = 0;
  for (let rank = 1; rank <= size; rank++) {
    sum += 1 / Math.pow(rank, ZIPF_EXPONENT);
    weights.push(sum);
  }
  return weights.map((weight) => weight / sum);
}

/** The first index whose cumulative weight is above `draw`, by bisection. */
function drawIndex(cumulative: readonly number[], draw: number): number {
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((cumulative[middle] ?? 1) > draw) high = middle;
    else low = middle + 1;
  }
  return low;
}
