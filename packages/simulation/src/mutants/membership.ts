// Mutants of membership changes and snapshots (paper sections 6 and 7).

import { change, changes } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

/** See the file comment. */
export const MEMBERSHIP_MUTANTS: readonly Mutant[] = [
  {
    name: "joint-commit-half",
    breaks: "in a joint configuration the new voters alone commit",
    seedsMax: 300,
    modules: change(
      "raft-ts/quorum/joint.js",
      "majorityCommitted(config.outgoing, acked)",
      "Infinity",
    ),
  },
  {
    name: "two-changes-at-once",
    breaks: "a change of members is taken while another one is not applied",
    seedsMax: 300,
    modules: change(
      "raft-ts/propose.js",
      "if (raft.pendingConfIndex > raft.log.applied)",
      "if (false)",
    ),
  },
  {
    name: "learners-count",
    breaks: "what learners store counts towards commitment",
    seedsMax: 300,
    modules: change(
      "raft-ts/tracker/tracker.js",
      "return jointCommitted(this.#config.voters, (id) => this.#progress.get(id)?.match);",
      "return jointCommitted({ incoming: [...this.#config.voters.incoming, ...this.#config.learners], outgoing: this.#config.voters.outgoing }, (id) => this.#progress.get(id)?.match);",
    ),
  },
  {
    name: "members-not-stored",
    breaks: "the members are not stored with the applied index",
    seedsMax: 100,
    modules: change(
      "@kingly/simulation/cluster/applier.js",
      "this.#machine.meta(confState)",
      "this.#machine.meta(storage.objects.meta.confState)",
    ),
  },
  {
    name: "snapshot-keeps-log",
    breaks: "installing a snapshot leaves the store's log where it began before",
    seedsMax: 200,
    modules: change(
      "@kingly/storage/raft-log-store.js",
      "operations.push(...plan.operations, baseOperation({ generation: plan.generation, base }));",
      "operations.push(...plan.operations);",
    ),
  },
  {
    name: "snapshot-keeps-state",
    breaks: "after a snapshot the machine goes on with the state that it had",
    seedsMax: 60,
    modules: changes(
      change(
        "@kingly/simulation/cluster/applier.js",
        "this.#machine = machine;\n        this.#rows = rows;\n    }\n    /** Queues",
        "}\n    /** Queues",
      ),
    ),
  },
  {
    name: "snapshot-old-members",
    breaks: "a snapshot changes the log but not who is a member",
    seedsMax: 400,
    modules: change(
      "raft-ts/snapshots.js",
      "assertSameConfState(confState, switchToConfig(raft, membership, configId));",
      "",
    ),
  },
  {
    name: "compacts-unapplied",
    breaks: "the log is compacted past what is applied and durable",
    seedsMax: 60,
    modules: change(
      "@kingly/storage/raft-log-store.js",
      "const limit = Math.min(toIndex, this.#ports.appliedIndex(), this.#durable.index);",
      "const limit = this.#window.lastIndex;",
    ),
  },
];
