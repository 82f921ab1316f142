// Seeded bugs. A simulator is worth what it finds, so it is shown known mistakes of consensus systems
// and must find each of them. They are made around the code under test, at the seams of the simulated
// server, never in it.

/** Names of the seeded bugs. */
export const CANARIES = [
  "vote-not-persisted",
  "ack-before-durable",
  "sync-lies",
  "stale-reads",
  "applies-twice",
  "forged-vote",
  "commit-by-count",
  "skips-an-effect",
] as const;

/** Name of a seeded bug. */
export type Canary = (typeof CANARIES)[number];

/** What each of them does, for the command line's help. */
export const CANARY_TEXT: Readonly<Record<Canary, string>> = {
  "vote-not-persisted": "the vote is left out of what is written to disk",
  "ack-before-durable": "answers leave before the write they wait for is durable",
  "sync-lies": "the disk acknowledges syncs that it does not perform",
  "stale-reads": "reads are answered from local state without asking for a read index",
  "applies-twice": "repeated requests are applied again",
  "forged-vote": "a candidate counts refused votes as granted",
  "commit-by-count": "a leader calls old-term entries committed because a majority stores them",
  "skips-an-effect": "server 2 now and then applies an entry without its effect",
};
