// The error table is complete, valid at every door, and errors keep what they were told.

import { describe, expect, it } from "vitest";
import {
  AssertionFailed,
  ERROR_CODES,
  ERROR_TABLE,
  KinglyError,
  assert,
  isErrorCode,
  shortValue,
  toKinglyError,
  unreachable,
} from "@kingly/base";

/** Reasons of Kubernetes Status objects by HTTP status, as clients know them. */
const REASONS: Readonly<Record<number, readonly string[]>> = {
  400: ["BadRequest"],
  401: ["Unauthorized"],
  403: ["Forbidden"],
  404: ["NotFound"],
  405: ["MethodNotAllowed"],
  406: ["NotAcceptable"],
  409: ["AlreadyExists", "Conflict"],
  410: ["Expired"],
  413: ["RequestEntityTooLarge"],
  415: ["UnsupportedMediaType"],
  422: ["Invalid"],
  429: ["TooManyRequests"],
  500: ["InternalError"],
  503: ["ServiceUnavailable"],
  504: ["Timeout"],
};

/** Which HTTP statuses say the same as a canonical gRPC code. */
const HTTP_OF_GRPC: Readonly<Record<number, readonly number[]>> = {
  2: [504],
  3: [400, 413, 422],
  4: [504],
  5: [404],
  6: [409],
  7: [403],
  8: [429],
  9: [403, 409, 500],
  10: [409, 503],
  11: [410, 504],
  12: [405, 406, 415],
  13: [500],
  14: [503],
  15: [500],
  16: [401],
};

describe("the error table", () => {
  it("has 44 codes, each with a purpose of its own", () => {
    expect(ERROR_CODES).toHaveLength(44);
    const descriptions = ERROR_CODES.map((code) => ERROR_TABLE[code].description);
    expect(new Set(descriptions).size).toBe(ERROR_CODES.length);
    for (const description of descriptions) expect(description).toMatch(/^[A-Z].{15,}\.$/);
  });

  it.each(ERROR_CODES)("%s is valid and says the same at gRPC, HTTP and the shell", (code) => {
    const entry = ERROR_TABLE[code];
    expect(REASONS[entry.http]).toContain(entry.reason);
    expect(HTTP_OF_GRPC[entry.grpc]).toContain(entry.http);
    expect([0, 1, 2, 4, 5, 6]).toContain(entry.exit);
    expect(new KinglyError(code, "x").info).toBe(entry);
  });

  it("says UNAVAILABLE only where nothing was written", () => {
    const unavailable = ERROR_CODES.filter((code) => ERROR_TABLE[code].grpc === 14);
    expect(unavailable.toSorted()).toEqual(["NoLeader", "NotLeader", "Recovering", "Unavailable"]);
    expect(ERROR_TABLE.Indeterminate.http).not.toBe(503);
  });

  it("lets only a change of nothing count as success", () => {
    expect(ERROR_CODES.filter((code) => ERROR_TABLE[code].exit === 0)).toEqual(["Unchanged"]);
  });

  it("knows its codes and no inherited name", () => {
    expect(isErrorCode("Conflict")).toBe(true);
    expect(isErrorCode("toString")).toBe(false);
    expect(isErrorCode("__proto__")).toBe(false);
  });
});

describe("KinglyError", () => {
  it("keeps code, message, details and cause", () => {
    const cause = new Error("disk");
    const error = new KinglyError("StorageFailure", "write", { field: "wal", limit: 1 }, { cause });
    expect(error).toMatchObject({ code: "StorageFailure", message: "write", name: "KinglyError" });
    expect(error.details).toEqual({ field: "wal", limit: 1 });
    expect(error.cause).toBe(cause);
    expect(toKinglyError(error)).toBe(error);
  });

  it("wraps anything else as Internal", () => {
    const thrown = new TypeError("oops");
    expect(toKinglyError(thrown)).toMatchObject({
      code: "Internal",
      message: "oops",
      cause: thrown,
    });
    expect(toKinglyError("text")).toMatchObject({ code: "Internal", message: "text" });
    expect(toKinglyError(undefined).code).toBe("Internal");
  });

  it.each([
    ["a".repeat(1_000), 90],
    [[1, 2, 3], 12],
    [{ a: 1 }, 12],
    [null, 5],
    [undefined, 8],
    [12n, 3],
    [Symbol("s"), 9],
  ])("shortens %s", (value, charsMax) => {
    expect(shortValue(value).length).toBeLessThanOrEqual(charsMax);
  });
});

describe("assertions", () => {
  it("throw AssertionFailed with the message, built only when needed", () => {
    let built = 0;
    const message = (): string => {
      built += 1;
      return "broken";
    };
    assert(true, message);
    expect(built).toBe(0);
    expect(() => {
      assert(false, message);
    }).toThrow(AssertionFailed);
    expect(() => {
      assert(false, "plain");
    }).toThrow("plain");
    expect(() => unreachable("x" as never, "switch")).toThrow('switch: unexpected "x"');
  });
});
