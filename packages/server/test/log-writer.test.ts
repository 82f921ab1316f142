// Writes keep their order, also around the installation of a snapshot.
import type { Storage } from "@kingly/storage";
import { logIndex, term, type Entry } from "raft-ts";
import { describe, expect, it } from "vitest";
import { LogWriter } from "../src/raft/log-writer.ts";
import type { LogWrite } from "../src/raft/driver.ts";

function entry(index: number): Entry {
  return { term: term(1), index: logIndex(index), type: "normal", data: new Uint8Array() };
}

function snapshotWrite(): LogWrite {
  const confState = {
    voters: [],
    learners: [],
    votersOutgoing: [],
    learnersNext: [],
    autoLeave: false,
  };
  const metadata = { confState, index: logIndex(5), term: term(1) };
  return { entries: [], snapshot: { data: new Uint8Array(), metadata } };
}

describe("the log writer", () => {
  it("holds entries back until the snapshot before them is installed", async () => {
    const order: string[] = [];
    let release = (): void => undefined;
    const idle = new Promise<void>((resolve) => {
      release = resolve;
    });
    const append = (write: LogWrite): Promise<void> => {
      order.push(write.snapshot === undefined ? `entry ${write.entries[0]?.index}` : "snapshot");
      return Promise.resolve();
    };
    const writer = new LogWriter({
      storage: { log: { append } } as unknown as Storage,
      applierIdle: () => idle,
      reload: () => {
        order.push("reload");
        return Promise.resolve();
      },
      observe: () => undefined,
    });
    const first = writer.append({ entries: [entry(4)] });
    const install = writer.append(snapshotWrite());
    const after = [6, 7].map((index) => writer.append({ entries: [entry(index)] }));
    await first;
    expect(order).toEqual(["entry 4"]);
    release();
    await Promise.all([install, ...after]);
    expect(order).toEqual(["entry 4", "snapshot", "reload", "entry 6", "entry 7"]);
    await writer.append({ entries: [entry(8)] });
    expect(order.at(-1)).toBe("entry 8");
    expect(writer.stalledMs()).toBe(0);
  });
});
