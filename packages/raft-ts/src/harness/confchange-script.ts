// Transcripts of configuration changes on their own: each directive changes the configuration of the
// one before and prints the result, or why it was refused. The last index grows with every
// directive, so that `next=` tells when a member was added.
import { enterJoint, leaveJoint, simpleChange } from "../confchange/changer.ts";
import type { Membership } from "../confchange/changer.ts";
import { InvalidConfChangeError } from "../errors.ts";
import { compareIds, logIndex } from "../ids.ts";
import { EMPTY_CONFIG, ProgressTracker, formatConfig } from "../tracker/tracker.ts";
import { NO_LIMIT } from "../limits.ts";
import { parseChanges } from "./changes.ts";
import { ScriptError, parseBoolean, valuesOf } from "./script.ts";
import type { Directive } from "./script.ts";

const LIMITS = { messages: 10, bytes: NO_LIMIT, catchUp: { rounds: 1, roundTicks: 1 } };

/** State of one confchange transcript. */
export class ConfChangeScript {
  readonly #tracker = new ProgressTracker(LIMITS);
  #membership: Membership = { config: EMPTY_CONFIG, progress: new Map() };
  #directives = 0;

  /** Runs one directive. */
  run(d: Directive): string {
    const lastIndex = logIndex(this.#directives++);
    const base = { ...this.#membership, tracker: this.#tracker, lastIndex };
    const changes = parseChanges(d.input);
    try {
      this.#membership = this.#change(d, base, changes);
    } catch (error) {
      if (error instanceof InvalidConfChangeError) return `${error.message}\n`;
      throw error;
    }
    const { config, progress } = this.#membership;
    const ids = [...progress.keys()].sort(compareIds);
    const lines = ids.map((id) => `${id}: ${progress.get(id)?.toString() ?? ""}\n`);
    return `${formatConfig(config)}\n${lines.join("")}`;
  }

  #change(
    d: Directive,
    base: Parameters<typeof simpleChange>[0],
    changes: ReturnType<typeof parseChanges>,
  ): Membership {
    switch (d.name) {
      case "simple":
        return simpleChange(base, changes);
      case "enter-joint":
        return enterJoint(base, parseBoolean(valuesOf(d, "autoleave")?.[0] ?? "false"), changes);
      case "leave-joint":
        if (changes.length > 0) throw new ScriptError("leave-joint takes no input");
        return leaveJoint(base);
      default:
        throw new ScriptError(`unknown command: ${d.name}`);
    }
  }
}
