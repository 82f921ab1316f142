// Mutants of elections and terms (paper sections 5.1, 5.2 and 5.4.1).

import { change, changes } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

const STEP = "raft-ts/step.js";

/** See the file comment. */
export const ELECTION_MUTANTS: readonly Mutant[] = [
  {
    name: "votes-twice",
    breaks: "a voter grants its vote again in a term, to another candidate",
    seedsMax: 60,
    modules: changes(
      change(STEP, "(raft.vote === NO_NODE && raft.lead === NO_NODE)", "raft.lead === NO_NODE"),
      change(
        "@kingly/storage/raft-log-store.js",
        "assert(isNewTerm || before.vote === 0 || next.vote === before.vote",
        "assert(true",
      ),
    ),
  },
  {
    name: "vote-not-persisted",
    breaks: "the vote is answered but never written to disk",
    seedsMax: 60,
    modules: change(
      "@kingly/simulation/cluster/log-writer.js",
      "{ hardState: { term, vote, commit } }",
      "{ hardState: { term, vote: 0, commit } }",
    ),
  },
  {
    name: "term-not-persisted",
    breaks: "term and vote are written with the next entries only",
    seedsMax: 60,
    modules: change(
      "@kingly/simulation/cluster/log-writer.js",
      "const hasHardState = term !== 0 || vote !== 0 || commit !== 0;",
      "const hasHardState = entries.length > 0;",
    ),
  },
  {
    name: "forged-votes",
    breaks: "a candidate counts refused votes as granted",
    seedsMax: 20,
    modules: change("raft-ts/election.js", "const granted = !m.reject;", "const granted = true;"),
  },
  {
    name: "pre-votes-count",
    breaks: "grants of the pre-vote are counted as votes of the election",
    seedsMax: 600,
    modules: change("raft-ts/step-candidate.js", "if (raft.state === state)", "if (true)"),
  },
  {
    name: "short-logs-win",
    breaks: "votes are given without a look at the candidate's log",
    seedsMax: 40,
    modules: change("raft-ts/raft-log.js", "return end.term > lastTerm ||", "return true ||"),
  },
  {
    name: "longer-is-newer",
    breaks: "of two logs the longer one counts as newer, whatever its last term",
    seedsMax: 600,
    modules: change(
      "raft-ts/raft-log.js",
      "return end.term > lastTerm || (end.term === lastTerm && end.index >= this.lastIndex());",
      "return end.index >= this.lastIndex();",
    ),
  },
  {
    name: "stays-leader",
    breaks: "a leader that hears of a later term stays in its own",
    seedsMax: 150,
    modules: change(
      STEP,
      "raft.becomeFollower(m.term, fromLeader ? m.from : NO_NODE);",
      "if (raft.state === 'leader') return false; raft.becomeFollower(m.term, fromLeader ? m.from : NO_NODE);",
    ),
  },
];
