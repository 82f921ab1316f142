// Mutants of replication, commitment and flow control (paper sections 5.3 and 5.4.2).

import { change, changes } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

const LOG = "raft-ts/raft-log.js";

/** See the file comment. */
export const REPLICATION_MUTANTS: readonly Mutant[] = [
  {
    name: "commit-by-counting",
    breaks: "an entry of an older term counts as committed because a majority stores it",
    seedsMax: 60,
    modules: change(LOG, "if (this.termOrZero(logIndex(index)) !== term)", "if (false)"),
  },
  {
    name: "append-unchecked",
    breaks:
      "a follower appends, and cuts its log, without looking whether the entry before matches",
    seedsMax: 20,
    modules: changes(
      change(
        LOG,
        "if (!this.matches(prev.index, prev.term))",
        "if (prev.index > this.lastIndex())",
      ),
    ),
  },
  {
    name: "cuts-what-matches",
    breaks: "an old append cuts off what came after it, though all of it matches",
    seedsMax: 60,
    modules: changes(
      change(LOG, "if (this.matches(entry.index, entry.term))\n                continue;", ""),
      change(LOG, 'invariant(conflict > this.#committed, "entry', 'invariant(true, "entry'),
      change(LOG, 'invariant(first.index > this.#committed, "append', 'invariant(true, "append'),
    ),
  },
  {
    name: "heartbeat-commits",
    breaks: "a heartbeat carries a commit index beyond what the follower is known to have",
    seedsMax: 60,
    modules: changes(
      change(
        "raft-ts/replicate.js",
        "const commit = pr.match < raft.log.committed ? pr.match :",
        "const commit =",
      ),
      change(
        LOG,
        "if (index <= this.#committed)\n            return;",
        "index = Math.min(index, this.lastIndex()); if (index <= this.#committed) return;",
      ),
    ),
  },
  {
    name: "stale-progress",
    breaks: "a new leader believes what followers acknowledged to it in an earlier term",
    seedsMax: 60,
    modules: change(
      "raft-ts/raft.js",
      "this.tracker.resetProgress(this.id, this.log.lastIndex());",
      "",
    ),
  },
  {
    name: "restart-forgotten",
    breaks: "a leader keeps the progress of a follower that came back with less log",
    seedsMax: 25,
    modules: change("raft-ts/raw-node.js", "pr.forget(", "(() => {})("),
  },
  {
    name: "half-is-enough",
    breaks: "half of an even number of voters counts as a majority",
    seedsMax: 200,
    modules: change("raft-ts/quorum/majority.js", "Math.floor(n / 2) + 1", "Math.ceil(n / 2)"),
  },
  {
    name: "window-never-frees",
    breaks: "acknowledged appends stay in the inflight window",
    seedsMax: 20,
    modules: change("raft-ts/step-leader.js", "pr.inflights.freeUpTo(m.index);", ""),
  },
  {
    name: "probe-never-resumes",
    breaks: "a lost probe is never repeated",
    seedsMax: 60,
    modules: change(
      "raft-ts/step-leader.js",
      "pr.heard(raft.tickCount);\n    pr.flowPaused = false;",
      "pr.heard(raft.tickCount);",
    ),
  },
];
