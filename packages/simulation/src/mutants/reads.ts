// Mutants of linearizable reads (thesis section 6.4).

import { change } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

const READS = "raft-ts/reads.js";

/** See the file comment. */
export const READ_MUTANTS: readonly Mutant[] = [
  {
    name: "read-without-quorum",
    breaks: "a leader answers reads without asking a quorum whether it still leads",
    seedsMax: 600,
    modules: change(READS, "if (decidesAlone(raft) || holdsLease(raft))", "if (true)"),
  },
  {
    name: "read-before-first-commit",
    breaks: "a new leader answers reads before it has committed an entry of its term",
    seedsMax: 200,
    modules: change(READS, "if (!raft.committedInTerm()) {", "if (false) {"),
  },
  {
    name: "read-ack-of-any-age",
    breaks: "the answer to an old heartbeat confirms reads that came after it",
    seedsMax: 600,
    modules: change(
      READS,
      "const number = decodeToken(m.context);",
      "const number = raft.reads.newest;",
    ),
  },
  {
    name: "read-before-apply",
    breaks: "a confirmed read does not wait until its index is applied",
    seedsMax: 20,
    modules: change(
      "@kingly/simulation/cluster/call-desk.js",
      "if (index > appliedIndex)\n                return true;",
      "",
    ),
  },
  {
    name: "local-reads",
    breaks: "a server answers reads from its own state and calls them linearizable",
    seedsMax: 20,
    modules: change(
      "@kingly/simulation/cluster/call-desk.js",
      "const { client, sequence, attempt } = read;",
      "const { client, sequence, attempt } = read; return this.#ports.reply(client, { kind: 'done', sequence, seen: this.#ports.machine().read(read.key) });",
    ),
  },
  {
    name: "lease-never-ends",
    breaks: "a leader that was cut off keeps its lease",
    seedsMax: 1000,
    modules: change(READS, "raft.tickCount < raft.leaseEndTick", "raft.leaseEndTick > 0"),
  },
];
