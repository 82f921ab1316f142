// JSON values as the control plane handles them: plain data, never class instances.

/** Any JSON value. Numbers are finite; integers beyond 2^53 - 1 are refused at the edge. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. Key order carries no meaning; canonical form sorts keys (RFC 8785). */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}
