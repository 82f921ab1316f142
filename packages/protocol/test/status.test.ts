// Errors across the wire: every code and its details arrive as they were sent.
import { Metadata } from "@grpc/grpc-js";
import type { ServiceError } from "@grpc/grpc-js";
import { ERROR_CODES, ERROR_TABLE, KinglyError } from "@kingly/base";
import { describe, expect, it } from "vitest";
import { errorReason, fromServiceError, hasErrorDetails, toServiceError } from "../src/status.ts";

function transmit(error: KinglyError): ServiceError {
  const sent = toServiceError(error);
  const received = new Metadata();
  for (const value of sent.metadata?.get("grpc-status-details-bin") ?? []) {
    received.add("grpc-status-details-bin", value);
  }
  return Object.assign(new Error("x"), {
    code: sent.code ?? 0,
    details: sent.details ?? "",
    metadata: received,
  });
}

describe("error mapping", () => {
  it("brings every code back exactly, under its canonical gRPC status", () => {
    for (const code of ERROR_CODES) {
      const received = transmit(new KinglyError(code, `about ${code}`));
      expect(received.code).toBe(ERROR_TABLE[code].grpc);
      expect(fromServiceError(received)).toMatchObject({ code, message: `about ${code}` });
    }
  });

  it("has a distinct wire reason for every code", () => {
    expect(new Set(ERROR_CODES.map(errorReason)).size).toBe(ERROR_CODES.length);
    expect(errorReason("DocumentTooLarge")).toBe("DOCUMENT_TOO_LARGE");
  });

  it("keeps all details", () => {
    const details = {
      field: "spec.data",
      limit: 5,
      value: true,
      step: "validate",
      help: "shorten it",
      retryAfterMs: 1_250,
      leaderHint: "127.0.0.1:1",
      idempotencyKey: "k",
      causes: [{ reason: "FieldValueInvalid", field: "a", message: "b" }],
    };
    const received = fromServiceError(transmit(new KinglyError("InvalidField", "no", details)));
    expect(received.details).toEqual(details);
  });

  it("drops details that would not fit a trailer but keeps the code", () => {
    const causes = Array.from({ length: 500 }, (_, i) => ({
      reason: "FieldValueInvalid",
      field: `f${i}`,
      message: "x".repeat(50),
    }));
    const received = fromServiceError(transmit(new KinglyError("InvalidField", "no", { causes })));
    expect(received.code).toBe("InvalidField");
    expect(received.details.causes).toBeUndefined();
  });

  it("survives a damaged trailer and says that the details are not there", () => {
    const metadata = new Metadata();
    metadata.set("grpc-status-details-bin", Buffer.from([255, 255, 255]));
    const error = Object.assign(new Error("x"), { code: 14, details: "gone", metadata });
    expect(fromServiceError(error).code).toBe("Unavailable");
    const bare = Object.assign(new Error("x"), { code: 5, details: "", metadata: new Metadata() });
    expect(hasErrorDetails(bare)).toBe(false);
    expect(fromServiceError(bare).code).toBe("NotFound");
  });
});
