// Plans and evidence as they arrive: parsed JSON from a signed document, of any shape at all. Reading
// checks the form only (objects, lists, numbers, strings, and how many) and copies the known fields, so
// that everything behind it can rely on the types; whether the numbers are true is `checkEvidence`'s.

import { EvidenceInputError, requireNumber } from "../errors.ts";
import { OBJECTIVES_MAX, OBJECTIVE_NAME_LENGTH_MAX, REASON_LENGTH_MAX } from "../limits.ts";
import type { ProcessKind, ProcessRecord } from "../process/record.ts";
import type { ObjectiveEvidence, TrialDecision, TrialEvidence } from "./evidence.ts";
import { requirePlan, type TrialPlan } from "./plan.ts";

const KINDS: readonly ProcessKind[] = ["harm", "nonInferior", "improvement", "count"];
const DECISIONS: readonly TrialDecision[] = ["accept", "reject", "abstain"];

/** Records of one objective: the three processes of a trial, and room for a count. */
const RECORDS_MAX = 4;

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(field: string, value: unknown): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new EvidenceInputError(field, "an object", value);
}

function listOf(field: string, value: unknown, max: number): readonly unknown[] {
  if (!Array.isArray(value)) throw new EvidenceInputError(field, "a list", value);
  requireNumber(`${field}.length`, value.length, { max });
  return value;
}

function numberOf(field: string, value: unknown): number {
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new EvidenceInputError(field, "a finite number", value);
}

function textOf(field: string, value: unknown, max: number): string {
  if (typeof value === "string" && value.length <= max) return value;
  throw new EvidenceInputError(field, `a string of at most ${max} characters`, value);
}

function oneOf<T extends string>(field: string, value: unknown, options: readonly T[]): T {
  const found = options.find((option) => option === value);
  if (found !== undefined) return found;
  throw new EvidenceInputError(field, `one of ${options.join(", ")}`, value);
}

/** A plan from parsed JSON, complete and in range; throws `EvidenceInputError` otherwise. */
export function readPlan(value: unknown): TrialPlan {
  const fields = fieldsOf("plan", value);
  const { requireImprovement } = fields;
  if (typeof requireImprovement !== "boolean") {
    throw new EvidenceInputError("plan.requireImprovement", "true or false", requireImprovement);
  }
  const objectives = listOf("plan.objectives", fields["objectives"], OBJECTIVES_MAX);
  const plan: TrialPlan = {
    objectives: objectives.map((item, i) => {
      const path = `plan.objectives[${i}]`;
      const objective = fieldsOf(path, item);
      const number = (name: string): number => numberOf(`${path}.${name}`, objective[name]);
      return {
        name: textOf(`${path}.name`, objective["name"], OBJECTIVE_NAME_LENGTH_MAX),
        role: oneOf(`${path}.role`, objective["role"], ["primary", "guardrail"]),
        direction: oneOf(`${path}.direction`, objective["direction"], ["lower", "higher"]),
        floor: number("floor"),
        weight: number("weight"),
        marginRatio: number("marginRatio"),
        harmMarginRatio: number("harmMarginRatio"),
        rho: number("rho"),
      };
    }),
    alpha: numberOf("plan.alpha", fields["alpha"]),
    beta: numberOf("plan.beta", fields["beta"]),
    clip: numberOf("plan.clip", fields["clip"]),
    maxPairs: numberOf("plan.maxPairs", fields["maxPairs"]),
    requireImprovement,
  };
  requirePlan(plan);
  return plan;
}

/** A trial's evidence from parsed JSON, of the right form; throws `EvidenceInputError` otherwise. */
export function readEvidence(value: unknown): TrialEvidence {
  const fields = fieldsOf("evidence", value);
  const objectives = listOf("objectives", fields["objectives"], OBJECTIVES_MAX);
  return {
    pairs: numberOf("pairs", fields["pairs"]),
    droppedPairs: numberOf("droppedPairs", fields["droppedPairs"]),
    objectives: objectives.map((item, i) => readObjective(`objectives[${i}]`, item)),
    decision: oneOf("decision", fields["decision"], DECISIONS),
    reason: textOf("reason", fields["reason"], REASON_LENGTH_MAX),
  };
}

function readObjective(path: string, value: unknown): ObjectiveEvidence {
  const fields = fieldsOf(path, value);
  const records = listOf(`${path}.records`, fields["records"], RECORDS_MAX);
  return {
    objective: textOf(`${path}.objective`, fields["objective"], OBJECTIVE_NAME_LENGTH_MAX),
    records: records.map((item, i) => readRecord(`${path}.records[${i}]`, item)),
    droppedPairs: numberOf(`${path}.droppedPairs`, fields["droppedPairs"]),
  };
}

/** One process record from parsed JSON, of the right form; throws `EvidenceInputError` otherwise. */
export function readRecord(path: string, value: unknown): ProcessRecord {
  const fields = fieldsOf(path, value);
  const number = (name: string): number => numberOf(`${path}.${name}`, fields[name]);
  const record: ProcessRecord = {
    kind: oneOf(`${path}.kind`, fields["kind"], KINDS),
    pairs: number("pairs"),
    positives: number("positives"),
    sum: number("sum"),
    sumSquares: number("sumSquares"),
    lnE: number("lnE"),
    stoppedAtPair: number("stoppedAtPair"),
  };
  const isCount = record.kind === "count";
  for (const name of ["events", "candidateEvents", "exposureShare"]) {
    if (!isCount && fields[name] !== undefined) {
      throw new EvidenceInputError(`${path}.${name}`, "absent on a paired process", fields[name]);
    }
  }
  if (!isCount) return record;
  return {
    ...record,
    events: number("events"),
    candidateEvents: number("candidateEvents"),
    exposureShare: number("exposureShare"),
  };
}
