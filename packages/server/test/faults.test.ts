// What disks do to servers: a failing sync, a lost tail of the log, a directory that is not theirs.
import { cp, readdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { KinglyError } from "@kingly/base";
import { nodeDisk } from "@kingly/storage";
import type { Disk } from "@kingly/storage";
import { afterEach, describe, expect, it } from "vitest";
import { createCluster, eventually, weightOf, write } from "./cluster.ts";
import type { Cluster } from "./cluster.ts";

let cluster: Cluster | undefined;

afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

interface Control {
  readonly disk: Disk;
  /** Batches fail. */
  broken: boolean;
  /** Batches wait for it. */
  stall: Promise<void> | undefined;
}

/** A real disk whose batches can be made to fail or to wait. */
function breakableDisk(): Control {
  const real = nodeDisk();
  const control: Control = {
    broken: false,
    stall: undefined,
    disk: {
      ...bound(real),
      openKeyValue: async (directory, options) => {
        const store = await real.openKeyValue(directory, options);
        const batch = store.batch.bind(store);
        store.batch = async (operations, how) => {
          await control.stall;
          if (control.broken) throw new Error("EIO: fsync failed");
          return batch(operations, how);
        };
        return store;
      },
    },
  };
  return control;
}

function bound(disk: Disk): Disk {
  return {
    list: (directory) => disk.list(directory),
    makeDirectory: (directory) => disk.makeDirectory(directory),
    readFile: (file) => disk.readFile(file),
    writeFileDurably: (file, bytes) => disk.writeFileDurably(file, bytes),
    remove: (path) => disk.remove(path),
    openFile: (file) => disk.openFile(file),
    openKeyValue: (directory, options) => disk.openKeyValue(directory, options),
  };
}

describe("a server whose disk fails", () => {
  it("halts with the cause and acknowledges nothing that it could not sync", async () => {
    cluster = await createCluster(1);
    const control = breakableDisk();
    let fatal: KinglyError | undefined;
    const server = await cluster.start(0, {
      disk: control.disk,
      onFatal: (error) => (fatal = error),
    });
    await write(server, "create", "before");
    control.broken = true;
    await expect(write(server, "create", "lost", { deadlineMs: 5_000 })).rejects.toMatchObject({
      code: "Indeterminate",
    });
    await eventually("the halt", () => fatal);
    expect(fatal?.code).toBe("StorageFailure");
    await expect(write(server, "create", "after")).rejects.toMatchObject({ code: "Unavailable" });
    await expect(server.replica.readBarrier(100)).rejects.toMatchObject({ code: "Unavailable" });
    await server.kill();
    const again = await cluster.start(0);
    await again.replica.readBarrier(10_000);
    expect(weightOf(again, "before")).toBe(1);
  });

  it("hands over to the others and they go on", async () => {
    cluster = await createCluster(3);
    const controls = [0, 1, 2].map(() => breakableDisk());
    for (const [at, control] of controls.entries()) await cluster.start(at, control);
    const leader = await cluster.leader();
    await write(leader, "create", "before");
    const at = cluster.servers.indexOf(leader);
    const other = cluster.servers[(at + 1) % 3];
    if (other === undefined) throw new Error("three servers run");
    (controls[at] as Control).broken = true;
    await write(other, "create", "after", { key: "after" });
    expect(other.replica.status().leaderId).not.toBe(leader.replica.memberId);
    expect(weightOf(other, "before")).toBe(1);
  });
});

describe("a leader whose disk stalls", () => {
  it("hands over while it waits, and follows again when the disk is back", async () => {
    cluster = await createCluster(3);
    const controls = [0, 1, 2].map(() => breakableDisk());
    for (const [at, control] of controls.entries()) await cluster.start(at, control);
    const leader = await cluster.leader();
    const at = cluster.servers.indexOf(leader);
    const other = cluster.servers[(at + 1) % 3];
    if (other === undefined) throw new Error("three servers run");
    await write(leader, "create", "before");
    let resume = (): void => {};
    (controls[at] as Control).stall = new Promise((resolve) => (resume = resolve));
    try {
      await write(other, "create", "during", { key: "during" });
      await eventually("another leader", () => {
        const { leaderId } = other.replica.status();
        return leaderId !== "" && leaderId !== leader.replica.memberId;
      });
      await write(other, "create", "after", { key: "after" });
    } finally {
      resume();
    }
    await leader.replica.readBarrier(20_000);
    for (const name of ["before", "during", "after"]) expect(weightOf(leader, name)).toBe(1);
  });
});

describe("a server that lost the tail of its log", () => {
  it("recovers from the others under the same identity and loses nothing", async () => {
    cluster = await createCluster(3);
    for (const at of [0, 1, 2]) await cluster.start(at);
    const leader = await cluster.leader();
    for (let i = 0; i < 50; i += 1) await write(leader, "create", `kept-${i}`);
    const at = cluster.servers.findIndex((server) => server !== leader);
    await cluster.servers[at]?.kill();
    cluster.servers[at] = undefined;
    const store = join(cluster.configs[at]?.dataDir ?? "", "store");
    const logs = (await readdir(store)).filter((name) => name.endsWith(".log")).sort();
    const log = join(store, logs.at(-1) ?? "");
    const { size } = await stat(log);
    expect(size).toBeGreaterThan(1_000);
    await truncate(log, Math.floor(size / 2));
    const back = await cluster.start(at);
    expect(back.storage.log.recovery).toBeDefined();
    await write(leader, "create", "while-recovering");
    await eventually("the recovery", () => !back.storage.log.recovering);
    await back.replica.readBarrier(20_000);
    for (let i = 0; i < 50; i += 1) expect(weightOf(back, `kept-${i}`)).toBe(1);
    expect(weightOf(back, "while-recovering")).toBe(1);
  });
});

describe("a server with the wrong directory", () => {
  it("refuses another member's directory and says what to do", async () => {
    cluster = await createCluster(3);
    const [first, second] = cluster.configs;
    if (first === undefined || second === undefined) throw new Error("three members");
    await rm(first.dataDir, { recursive: true });
    await cp(second.dataDir, first.dataDir, { recursive: true });
    await expect(cluster.start(0)).rejects.toMatchObject({ code: "IdentityMismatch" });
  });

  it("refuses an empty directory instead of forgetting its votes", async () => {
    cluster = await createCluster(1);
    await rm(cluster.configs[0]?.dataDir ?? "", { recursive: true });
    await expect(cluster.start(0)).rejects.toMatchObject({ code: "IdentityMismatch" });
  });

  it("refuses a directory that another server has open", async () => {
    cluster = await createCluster(1);
    await cluster.start(0);
    await expect(cluster.start(0)).rejects.toThrow(/already open/);
  });
});
