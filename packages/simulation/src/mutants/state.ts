// Mutants of what is above the log: apply, idempotency, answers, and the decisions of a fleet.

import { change, changes } from "./mutant.ts";
import type { Mutant } from "./mutant.ts";

const APPLIER = "@kingly/simulation/cluster/applier.js";
const DESK = "@kingly/simulation/cluster/call-desk.js";
const BALLOT = "@kingly/decision/model/ballot.js";

/** See the file comment. */
export const STATE_MUTANTS: readonly Mutant[] = [
  {
    name: "idempotency-forgotten",
    breaks: "a repeated request is applied again (decision machine)",
    seedsMax: 60,
    machine: "decision",
    modules: change(
      "@kingly/decision/core/machine.js",
      "const known = row === undefined ? undefined : recall(tx, row);",
      "const known = undefined;",
    ),
  },
  {
    name: "sessions-forgotten",
    breaks: "a repeated request is applied again (register machine)",
    seedsMax: 60,
    machine: "register",
    modules: change(
      "@kingly/simulation/cluster/register-machine.js",
      "sequence <= session.sequence)",
      "sequence < 0)",
    ),
  },
  {
    name: "apply-order-swapped",
    breaks: "entries of one batch are applied newest first",
    seedsMax: 20,
    machine: "register",
    modules: change(
      APPLIER,
      "for (const entry of message.entries) {",
      "for (const entry of message.entries.toReversed()) {",
    ),
  },
  {
    name: "apply-not-deterministic",
    breaks: "time in rows comes from a count of the own process, not from the command",
    seedsMax: 20,
    machine: "decision",
    modules: change(
      "@kingly/decision/core/machine.js",
      "const timeMs = Math.max(this.#meta.timeMs, command.timeMs);",
      "const timeMs = Math.max(this.#meta.timeMs, command.timeMs) + (globalThis.applied = (globalThis.applied ?? 0) + 1);",
    ),
  },
  {
    name: "skips-an-effect",
    breaks: "server 2 applies every fortieth entry without its effect",
    seedsMax: 20,
    modules: change(
      APPLIER,
      'const own = entry.type === "normal" ?',
      'const own = entry.type === "normal" && (this.#ports.id !== 2 || entry.index % 40 > 0) ?',
    ),
  },
  {
    name: "success-too-early",
    breaks: "a write is answered as done when it is proposed",
    seedsMax: 20,
    modules: change(
      DESK,
      "this.#writers.set(name, request);",
      "this.#ports.reply(client, { kind: 'done', sequence: request.sequence, seen: this.#ports.machine().read(request.key) });",
    ),
  },
  {
    name: "lost-proposal-succeeds",
    breaks: "a write that was refused is answered as done",
    seedsMax: 20,
    modules: change(
      DESK,
      "if (refused !== undefined)\n            return this.#refuse(client, request.sequence, attempt);",
      "if (refused !== undefined)\n            return this.#ports.reply(client, { kind: 'done', sequence: request.sequence, seen: this.#ports.machine().read(request.key) });",
    ),
  },
  {
    name: "harm-is-accepted",
    breaks: "a class that rejects counts as one that accepts",
    seedsMax: 100,
    world: "fleet",
    modules: changes(
      change(BALLOT, 'outcome: rejects ? "rejects"', 'outcome: rejects ? "accepts"'),
      change(BALLOT, "accept * denominator < numerator * decided", "false"),
    ),
  },
  {
    name: "reject-not-pinned",
    breaks: "a node that voted against what was committed is not kept from it",
    seedsMax: 100,
    world: "fleet",
    modules: change(
      "@kingly/decision/model/commit.js",
      "for (const vote of commit.rejections) {",
      "for (const vote of []) {",
    ),
  },
];
