// What a probe is: it opens a block, and the block's end gives one number or null for "no data". A
// probe never throws and never decides; overlapping blocks do not disturb each other.

/** One block of one signal. */
export interface ProbeBlock {
  /** The block's value, or null for an empty block. Called once. */
  end(): Promise<number | null>;
  /** Gives the block up; nothing keeps running. */
  cancel(): void;
}

/** Measures one signal. */
export interface Probe {
  begin(): ProbeBlock;
}
