// The document of POST /infer: {"text": string, "scores"?: boolean}, nothing else.
import { TEXT_LENGTH_MAX } from "../limits.ts";
import { problem } from "../tunables.ts";
import { BadRequestError } from "./body.ts";

/** A checked request. */
export interface InferRequest {
  /** 1..TEXT_LENGTH_MAX UTF-16 units. */
  readonly text: string;
  /** True: answer with all scores, not only the label. */
  readonly scores: boolean;
}

/** Parses and checks a body; throws BadRequestError that names field, limit and value. */
export function parseInferRequest(body: string): InferRequest {
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    throw refuse("", "valid JSON", body);
  }
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    throw refuse("", 'a JSON object like {"text": "..."}', document);
  }
  let text: unknown;
  let scores: unknown = false;
  for (const [key, value] of Object.entries(document) as [string, unknown][]) {
    if (key === "text") text = value;
    else if (key === "scores") scores = value;
    else throw refuse(key, "one of text, scores", value);
  }
  if (typeof text !== "string") throw refuse("text", "a string", text);
  if (text.length === 0 || text.length > TEXT_LENGTH_MAX) {
    const message = `text must have 1 to ${TEXT_LENGTH_MAX} characters, found ${text.length}`;
    throw new BadRequestError(400, "text", message);
  }
  if (typeof scores !== "boolean") throw refuse("scores", "true or false", scores);
  return { text, scores };
}

function refuse(field: string, limit: string, value: unknown): BadRequestError {
  return new BadRequestError(400, field, problem(field, limit, value).message);
}
