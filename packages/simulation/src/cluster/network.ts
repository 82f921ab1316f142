// The simulated network: a message is a closure that runs at the receiver, or never, or twice, and
// after a drawn time, so that messages overtake each other. Links are one-way; cutting one direction
// only is how asymmetric partitions are made. A cut also eats what is under way.

import type { Prng } from "@kingly/base";
import type { Scheduler } from "../engine/scheduler.ts";

/** Quality of all links. */
export interface LinkQuality {
  /** Probability that a message is lost, 0 to 1. */
  readonly loss: number;
  /** Probability that a message arrives twice, 0 to 1. */
  readonly duplication: number;
  readonly delayLeastUs: number;
  /** Added uniformly from 0 to this. */
  readonly delaySpreadUs: number;
  /** Probability that a message is late by up to `spikeUs` more, 0 to 1. */
  readonly spikes: number;
  readonly spikeUs: number;
}

/** What happened on the network. */
export interface NetworkCounts {
  sent: number;
  lost: number;
  duplicated: number;
}

/** A network between numbered hosts. */
export class Network {
  readonly #scheduler: Scheduler;
  readonly #prng: Prng;
  readonly #cut = new Set<string>();
  readonly counts: NetworkCounts = { sent: 0, lost: 0, duplicated: 0 };
  quality: LinkQuality;

  constructor(scheduler: Scheduler, prng: Prng, quality: LinkQuality) {
    this.#scheduler = scheduler;
    this.#prng = prng;
    this.quality = quality;
  }

  /** Cuts the direction from one host to another. */
  cut(from: number, to: number): void {
    this.#cut.add(`${from}>${to}`);
  }

  /** Joins everything again. */
  healCuts(): void {
    this.#cut.clear();
  }

  /** Sends; `extraUs` is added to the delay, for large messages. */
  send(from: number, to: number, deliver: () => void, extraUs: number = 0): void {
    const { loss, duplication } = this.quality;
    this.counts.sent += 1;
    if (this.#prng.unit() < loss || this.#isCut(from, to)) {
      this.counts.lost += 1;
      return;
    }
    this.#carry(from, to, deliver, extraUs);
    if (duplication > 0 && this.#prng.unit() < duplication) {
      this.counts.duplicated += 1;
      this.#carry(from, to, deliver, extraUs);
    }
  }

  #carry(from: number, to: number, deliver: () => void, extraUs: number): void {
    const { delayLeastUs, delaySpreadUs, spikes, spikeUs } = this.quality;
    let delayUs = delayLeastUs + this.#prng.below(delaySpreadUs + 1) + extraUs;
    if (spikes > 0 && this.#prng.unit() < spikes) delayUs += this.#prng.below(spikeUs + 1);
    this.#scheduler.after(delayUs, () => {
      if (this.#isCut(from, to)) this.counts.lost += 1;
      else deliver();
    });
  }

  #isCut(from: number, to: number): boolean {
    return this.#cut.size > 0 && this.#cut.has(`${from}>${to}`);
  }
}
