// Nodes join with a token, once, and have from it what the token says.

import { describe, expect, it } from "vitest";
import { toBase64 } from "@kingly/base";
import type { JsonObject } from "@kingly/base";
import type { ApplyResult } from "../src/index.ts";
import { Fleet, nodes } from "./support/fleet.ts";
import { refused } from "./support/refused.ts";

describe("enrolment", () => {
  const key = toBase64(new Uint8Array(32).fill(1));
  const hash = "ab".repeat(32);
  const token = (fleet: Fleet, change: JsonObject = {}): ApplyResult =>
    fleet.submit("join-token", {
      tokenHash: hash,
      expiresAtMs: fleet.nowMs + 1_000,
      class: "gpu",
      ownerGroup: "ops",
      pool: "main",
      ...change,
    });
  const join = (fleet: Fleet, change: JsonObject = {}): ApplyResult =>
    fleet.submit("enroll-node", {
      node: "fresh",
      publicKey: key,
      tokenHash: hash,
      targets: [],
      signals: [],
      agentVersion: "1",
      ...change,
    });

  it("refuses unknown, expired, used and foreign tokens, and keys of another length", () => {
    const fleet = new Fleet({ nodes: nodes(1) });
    refused(fleet, "TokenInvalid", () => join(fleet));
    refused(fleet, "InvalidField", () => token(fleet, { expiresAtMs: fleet.nowMs }));
    expect(token(fleet, { node: "fresh" }).outcome.ok).toBe(true);
    refused(fleet, "AlreadyExists", () => token(fleet));
    refused(fleet, "TokenInvalid", () => join(fleet, { node: "impostor" }));
    refused(fleet, "InvalidField", () => join(fleet, { publicKey: "AAAA" }));
    expect(join(fleet).outcome.ok).toBe(true);
    expect(fleet.machine.object("Node", "", "fresh")?.spec).toMatchObject({ class: "gpu" });
    refused(fleet, "TokenInvalid", () =>
      join(fleet, { publicKey: toBase64(new Uint8Array(32).fill(2)) }),
    );
    const before = fleet.machine.stateHash();
    expect(join(fleet).outcome).toMatchObject({ ok: true, value: { changed: false } });
    expect(fleet.machine.stateHash()).toBe(before);
    fleet.nowMs += 1_000;
    refused(fleet, "TokenExpired", () => join(fleet));
  });

  it("never takes class, owner group or pool from the node", () => {
    const fleet = new Fleet({ nodes: nodes(1) });
    token(fleet);
    refused(fleet, "UnknownField", () => join(fleet, { class: "privileged" }));
  });
});
