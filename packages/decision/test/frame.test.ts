// What every command must satisfy before its handler sees it: genesis, read set, a body that is one.

import { describe, expect, it } from "vitest";
import { utf8Encode } from "@kingly/base";
import { COMMAND_TYPES } from "../src/index.ts";
import { CLUSTER, Fleet, NS, nodes } from "./support/fleet.ts";
import { refused } from "./support/refused.ts";

describe("the frame around commands", () => {
  it("refuses everything but genesis before genesis, and genesis after it", () => {
    const fleet = new Fleet({ nodes: nodes(1) });
    const again = { clusterId: CLUSTER, namespaces: [] };
    refused(fleet, "AlreadyExists", () => fleet.submit("genesis", again));
  });

  it("answers Retry when something that admission read has moved", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const policy = fleet.machine.object("Policy", NS, "standard");
    const revision = Number(policy?.metadata.resourceVersion);
    const key = `policies/${NS}/standard`;
    const body = {
      namespace: NS,
      config: "web",
      baseVersion: 1,
      patch: { batch: 9 },
      reason: "r",
    };
    refused(fleet, "Retry", () =>
      fleet.submit("propose", body, { readSet: [{ key, revision: revision - 1 }] }),
    );
    refused(fleet, "Retry", () =>
      fleet.submit("propose", body, { readSet: [{ key: `${key}-gone`, revision: 4 }] }),
    );
    const readSet = [
      { key, revision },
      { key: `${key}-gone`, revision: 0 },
    ];
    expect(fleet.submit("propose", body, { readSet }).outcome.ok).toBe(true);
  });

  it("refuses bodies that are no JSON, too deep or of another shape, for every command", () => {
    const fleet = Fleet.settled({ nodes: nodes(2) });
    const types = COMMAND_TYPES.filter((type) => type !== "genesis");
    const bodies = ["", "{", "[]", "null", "7", '{"a":1,"a":2}', "{}", "[".repeat(500)];
    const before = fleet.machine.stateHash();
    for (const type of types) {
      for (const body of bodies) {
        const result = fleet.submit(type, utf8Encode(body));
        expect(result.outcome.ok).toBe(false);
        expect(result.requestId).not.toBe("");
      }
    }
    expect(fleet.machine.stateHash()).toBe(before);
  });
});
