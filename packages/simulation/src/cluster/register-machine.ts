// Registers with exactly-once requests: the smallest machine on which every promise of the cluster
// can be seen. A row per register, a row per client with its newest request and answer.

import { utf8Decode, utf8Encode } from "@kingly/base";
import type { JsonValue } from "@kingly/base";
import type { HistoryEntry, ObjectMeta, RowChange } from "@kingly/storage";
import type { ConfState, Entry } from "raft-ts";
import { requestKey } from "./machine.ts";
import type { Applied, Machine, MachineKind, Request } from "./machine.ts";

interface Session {
  readonly sequence: number;
  readonly seen: string;
}

const NOTHING: Applied = {
  request: undefined,
  answer: undefined,
  effective: false,
  rows: [],
  history: [],
};

class RegisterMachine implements Machine {
  readonly #registers = new Map<string, string>();
  readonly #sessions = new Map<number, Session>();
  #index: number;
  #term: number;
  #revision: number;

  constructor(rows: Iterable<readonly [string, JsonValue]>, meta: ObjectMeta) {
    this.#index = meta.appliedIndex;
    this.#term = meta.appliedTerm;
    this.#revision = meta.revision;
    for (const [key, value] of rows) {
      if (key.startsWith("~session/")) {
        this.#sessions.set(Number(key.slice(9)), value as unknown as Session);
      } else {
        this.#registers.set(key.slice(9), value as string);
      }
    }
  }

  get isReady(): boolean {
    return true;
  }

  get appliedIndex(): number {
    return this.#index;
  }

  apply(entry: Entry): Applied {
    this.#index = entry.index;
    this.#term = entry.term;
    if (entry.data.length === 0) return NOTHING;
    const request = JSON.parse(utf8Decode(entry.data)) as Request;
    const { client, sequence, kind, key, value } = request;
    const name = requestKey(client, sequence);
    const session = this.#sessions.get(client);
    if (session !== undefined && sequence <= session.sequence) {
      const answer = sequence === session.sequence ? { seen: session.seen } : undefined;
      return { ...NOTHING, request: name, answer };
    }
    const seen = this.read(key);
    const next: Session = { sequence, seen };
    this.#sessions.set(client, next);
    const rows: RowChange[] = [{ key: `~session/${client}`, value: { sequence, seen } }];
    const history: HistoryEntry[] = [];
    if (kind === "put" || seen === request.expected) {
      this.#registers.set(key, value);
      this.#revision += 1;
      const type = seen === "" ? "ADDED" : "MODIFIED";
      rows.push({ key: `register/${key}`, value });
      history.push({ revision: this.#revision, type, key: `register/${key}`, value });
    }
    return { request: name, answer: { seen }, effective: true, rows, history };
  }

  read(key: string): string {
    return this.#registers.get(key) ?? "";
  }

  remembers(request: string): boolean {
    const [client, sequence] = request.split(".").map(Number);
    return (this.#sessions.get(client ?? 0)?.sequence ?? 0) >= (sequence ?? 0);
  }

  meta(confState: ConfState): ObjectMeta {
    return {
      appliedIndex: this.#index,
      appliedTerm: this.#term,
      revision: this.#revision,
      timeMs: 0,
      confState,
      state: {},
    };
  }
}

/** The register machine. */
export function registerMachine(): MachineKind {
  return {
    name: "register",
    create: (rows, meta) => new RegisterMachine(rows, meta),
    encode: (request) => utf8Encode(JSON.stringify(request)),
    genesis: () => undefined,
  };
}
