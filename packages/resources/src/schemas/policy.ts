// Schemas of Objective and Policy. Every field of a Policy has its default from
// defaultPolicySpec, so an empty spec is a complete policy.

import type { JsonValue } from "@kingly/base";
import { defaultPolicySpec as defaults } from "../default-policy.ts";
import {
  DURATION_SECONDS_MAX,
  NAME_CHARS_MAX,
  NODES_MAX,
  STAGES_MAX,
  TRIAL_PAIRS_MAX,
} from "../limits.ts";
import { flag, integer, list, number, oneOf, struct, text } from "../schema/types.ts";
import type { NumberSchema, ObjectSchema } from "../schema/types.ts";

export const objectiveSpec: ObjectSchema = struct("What performance means, and in which unit.", {
  signal: text("Logical signal that nodes bind themselves, for example latencyMean.", {
    minLength: 1,
    maxLength: NAME_CHARS_MAX,
    format: "logical-name",
  }),
  direction: oneOf("Which way is better.", ["lower", "higher"]),
  role: oneOf("Whether it must improve or only not suffer.", ["primary", "guardrail"]),
  floor: number("Added to both sides of the ratio, so that zeros are defined.", {
    minimum: 0,
    default: 0,
  }),
  weight: number("Relative weight when evidence over objectives is averaged.", {
    minimum: 0,
    exclusiveMinimum: true,
    maximum: 1_000_000,
    default: 1,
  }),
  marginRatio: number("Loss that still counts as none, as a ratio: 0.05 is five per cent.", {
    minimum: 0,
    exclusiveMinimum: true,
    maximum: 1,
    default: 0.05,
  }),
  unit: text("Unit for people.", { maxLength: 32, default: "" }),
});

function share(description: string, fallback: number): NumberSchema {
  return number(description, { minimum: 0, maximum: 1, default: fallback });
}

function positiveShare(description: string, fallback: number): NumberSchema {
  return { ...share(description, fallback), exclusiveMinimum: true };
}

/** An error level: half or more would be a coin toss. */
function level(description: string, fallback: number): NumberSchema {
  return { ...positiveShare(description, fallback), maximum: 0.5 };
}

function seconds(description: string, fallback: number): NumberSchema {
  return number(description, { minimum: 0, maximum: DURATION_SECONDS_MAX, default: fallback });
}

function positiveSeconds(description: string, fallback: number): NumberSchema {
  return { ...seconds(description, fallback), exclusiveMinimum: true };
}

function fraction(
  description: string,
  fallback: { readonly numerator: number; readonly denominator: number },
): ObjectSchema {
  const part = { minimum: 1, maximum: 1_000 };
  return struct(
    description,
    {
      numerator: integer("Upper part.", part),
      denominator: integer("Lower part.", part),
    },
    { default: { ...fallback } },
  );
}

const electorate: ObjectSchema = struct(
  "Who is asked.",
  {
    nodesPerClass: integer("Trial nodes drawn per class; all of a smaller class.", {
      minimum: 1,
      maximum: NODES_MAX,
      default: defaults.electorate.nodesPerClass,
    }),
    minVotesPerClass: integer("Votes below which a class stays undecided.", {
      minimum: 1,
      maximum: NODES_MAX,
      default: defaults.electorate.minVotesPerClass,
    }),
  },
  { default: {} },
);

const trial: ObjectSchema = struct(
  "How a trial measures.",
  {
    blockSeconds: positiveSeconds("Length of one measured block.", defaults.trial.blockSeconds),
    washoutSeconds: seconds(
      "Time after a switch that is not measured.",
      defaults.trial.washoutSeconds,
    ),
    maxPairs: integer("Most pairs of blocks in one trial.", {
      minimum: 1,
      maximum: TRIAL_PAIRS_MAX,
      default: defaults.trial.maxPairs,
    }),
    deadlineSeconds: positiveSeconds(
      "From the start of the trial to the end of voting.",
      defaults.trial.deadlineSeconds,
    ),
    harmMarginRatio: positiveShare(
      "Loss beyond which a trial node rejects, as a ratio.",
      defaults.trial.harmMarginRatio,
    ),
    clip: number("Largest weight of one pair, in log ratio.", {
      minimum: 0,
      exclusiveMinimum: true,
      maximum: 10,
      default: defaults.trial.clip,
    }),
  },
  { default: {} },
);

const rollout: ObjectSchema = struct(
  "How a committed version reaches the fleet.",
  {
    stages: list(
      "Cumulative shares of nodes, ascending, last 1; 0 = one node per class.",
      number("Share of nodes.", { minimum: 0, maximum: 1 }),
      { minItems: 1, maxItems: STAGES_MAX, default: defaults.rollout.stages as JsonValue },
    ),
    soakSeconds: seconds("Least time of a stage.", defaults.rollout.soakSeconds),
    confirmedShare: positiveShare(
      "Confirmed share of reachable assigned nodes that ends a stage.",
      defaults.rollout.confirmedShare,
    ),
    confirmDeadlineSeconds: positiveSeconds(
      "Time within which a node's guard must confirm a version.",
      defaults.rollout.confirmDeadlineSeconds,
    ),
    probationSeconds: seconds(
      "Time after confirming in which the version before stays the one to return to.",
      defaults.rollout.probationSeconds,
    ),
    onFirstVeto: oneOf(
      "What one veto does in a stage of at most five nodes.",
      ["pause", "continue", "rollback"],
      { default: defaults.rollout.onFirstVeto },
    ),
    vetoCeiling: integer("Vetoes that always stop a rollout, whatever the computed budget.", {
      minimum: 1,
      maximum: NODES_MAX,
      default: defaults.rollout.vetoCeiling,
    }),
  },
  { default: {} },
);

export const policySpec: ObjectSchema = struct(
  "By which rules a change is decided.",
  {
    electorate,
    quorum: positiveShare(
      "Share of the electorate's weight that a verdict needs.",
      defaults.quorum,
    ),
    acceptThreshold: fraction("Share of Accept that a class needs.", defaults.acceptThreshold),
    rejectThreshold: fraction("Share of Reject that a class needs.", defaults.rejectThreshold),
    alpha: level("Level of false rejections and vetoes.", defaults.alpha),
    beta: level("Level of false acceptances.", defaults.beta),
    trial,
    rollout,
    onSplit: oneOf(
      "What happens when classes disagree. A commit for one class (narrow) is not available yet: it rejects too.",
      ["narrow", "reject"],
      {
        default: defaults.onSplit,
      },
    ),
    directCommits: flag("Whether changes may skip trial and vote.", defaults.directCommits),
    agentsMayPropose: flag("Whether agents may propose changes.", defaults.agentsMayPropose),
    vetoExpirySeconds: positiveSeconds("How long a veto stands.", defaults.vetoExpirySeconds),
  },
  { default: {} },
);
