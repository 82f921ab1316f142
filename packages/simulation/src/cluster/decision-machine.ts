// The product's decision machine as a set of registers: each register is an Objective whose signal is
// the value, so that commands, transactions, idempotency, revisions and events of the real machine run
// in the simulated cluster and their histories can still be checked.

import { canonicalJson, utf8Encode } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { StateMachine, encodeCommand } from "@kingly/decision";
import type { ApplyResult } from "@kingly/decision";
import type { ObjectMeta } from "@kingly/storage";
import type { ConfState, Entry } from "raft-ts";
import { simCrypto } from "../engine/crypto.ts";
import { CLUSTER_ID } from "./directory.ts";
import { requestKey } from "./machine.ts";
import type { Applied, Machine, MachineKind, Request } from "./machine.ts";

const NAMESPACE = "default";
/** The signal of a register that nobody has written. */
const UNWRITTEN = "unwritten";
/** Simulated clocks start here, milliseconds since the Unix epoch. */
const EPOCH_MS = 1_700_000_000_000;

function objectiveSpec(signal: string): JsonObject {
  return {
    signal,
    direction: "lower",
    role: "guardrail",
    floor: 0.001,
    weight: 1,
    marginRatio: 0.05,
    unit: "ms",
  };
}

class DecisionMachine implements Machine {
  readonly #state: StateMachine;

  constructor(rows: Iterable<readonly [string, JsonValue]>, meta: ObjectMeta) {
    const { clusterId, featureLevel } = meta.state;
    const { appliedIndex, appliedTerm, timeMs, revision } = meta;
    this.#state = StateMachine.restore(
      {
        rows,
        meta: {
          appliedIndex,
          appliedTerm,
          timeMs,
          revision,
          clusterId: typeof clusterId === "string" ? clusterId : "",
          featureLevel: typeof featureLevel === "number" ? featureLevel : 1,
        },
      },
      { crypto: simCrypto },
    );
  }

  get isReady(): boolean {
    return this.#state.meta().clusterId !== "";
  }

  get appliedIndex(): number {
    return this.#state.meta().appliedIndex;
  }

  apply(entry: Entry, chainHash: Uint8Array): Applied {
    const { index, term, data } = entry;
    const result = this.#state.apply({ index, term, data, chainHash });
    const { requestId, outcome, changes } = result;
    return {
      request: requestId === "" || requestId === "genesis" ? undefined : requestId,
      // A refusal (before genesis) did nothing: the client asks again.
      answer: outcome.ok ? { seen: "" } : undefined,
      effective: isWrite(result),
      rows: changes.map(({ key, type, value }) => ({
        key,
        value: type === "DELETED" ? undefined : value,
      })),
      history: changes
        .filter((change) => !change.internal)
        .map(({ revision, type, key, value }) => ({ revision, type, key, value })),
    };
  }

  read(key: string): string {
    const signal = this.#state.object("Objective", NAMESPACE, key)?.spec.signal ?? UNWRITTEN;
    return signal === UNWRITTEN ? "" : signal;
  }

  remembers(request: string): boolean {
    const [client = ""] = request.split(".");
    const principal = `client-${client}`;
    // The row of the idempotency table, as the machine stores it.
    return this.#state.get(`~idem/${principal.length}:${principal}/${request}`) !== undefined;
  }

  meta(confState: ConfState): ObjectMeta {
    const { appliedIndex, appliedTerm, revision, timeMs, clusterId, featureLevel } =
      this.#state.meta();
    const state = { clusterId, featureLevel };
    return { appliedIndex, appliedTerm, revision, timeMs, confState, state };
  }
}

function isWrite({ requestId, outcome, changes }: ApplyResult): boolean {
  return requestId !== "genesis" && outcome.ok && changes.length > 0;
}

function command(
  type: "genesis" | "write",
  body: JsonValue,
  request: Request | undefined,
  nowMs: number,
): Uint8Array {
  const name = request === undefined ? "" : requestKey(request.client, request.sequence);
  const isGenesis = request === undefined;
  return encodeCommand({
    type,
    body: utf8Encode(canonicalJson(body)),
    actor: {
      name: isGenesis ? "system:leader" : `client-${request.client}`,
      method: isGenesis ? "system" : "token",
      server: "simulated",
    },
    timeMs: EPOCH_MS + nowMs,
    readSet: [],
    requestId: isGenesis ? "genesis" : name,
    ...(isGenesis ? {} : { idempotencyKey: name }),
  });
}

/** The decision machine with this many registers, k0 and on. */
export function decisionMachine(registers: number): MachineKind {
  return {
    name: "decision",
    create: (rows, meta) => new DecisionMachine(rows, meta),
    encode: (request, nowMs) => {
      const object = { spec: objectiveSpec(request.value) };
      const body = {
        op: "replace",
        kind: "Objective",
        namespace: NAMESPACE,
        name: request.key,
        object,
      };
      return command("write", body, request, nowMs);
    },
    genesis: (nowMs) => {
      const objects = Array.from({ length: registers }, (_, at) => ({
        kind: "Objective",
        namespace: NAMESPACE,
        name: `k${at}`,
        spec: objectiveSpec(UNWRITTEN),
      }));
      const body = { clusterId: CLUSTER_ID, namespaces: [], objects };
      return command("genesis", body, undefined, nowMs);
    },
  };
}
