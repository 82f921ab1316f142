// What every package stands on: no dependencies, no clock, no randomness of its own.

export type { JsonObject, JsonValue } from "./json.ts";
