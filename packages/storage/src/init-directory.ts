// Creating the data directory of a member. Done only by `cluster init` and `cluster join`. The
// identity is written last, so a directory with an identity is complete; a marker file says that an
// unfinished creation may be started over, because nothing was ever acknowledged from it.

import { KinglyError, utf8Encode } from "@kingly/base";
import { seal, sha256 } from "./codec.ts";
import type { BatchOperation, Disk } from "./disk.ts";
import { joinPath } from "./disk.ts";
import { describe, identityMismatch, storageFailure } from "./errors.ts";
import { encodeIdentity, identityPath, ownerTag } from "./identity.ts";
import type { Identity } from "./identity.ts";
import { IDENTITY_KEY } from "./keys.ts";
import { baseOperation, hardOperation } from "./log-rows.ts";
import { EMPTY_TAIL, initialMarkFile } from "./mark-file.ts";
import type { Tail } from "./mark-file.ts";
import { EMPTY_META, EMPTY_STORED, metaOperation } from "./meta.ts";
import { nodeDisk } from "./node-disk.ts";
import type { ConfState } from "./raft.ts";

/** What a new directory is created for. */
export interface InitOptions extends Identity {
  /** Absolute path without a trailing slash; created when it does not exist. */
  readonly dir: string;
  /**
   * The first members of a new cluster. Every first member starts with the same list, which counts
   * as the state at index 1 of term 1. Absent for a joining member: it gets everything from a leader.
   */
  readonly bootstrap?: { readonly confState: ConfState } | undefined;
  /** Default: the real disk. */
  readonly disk?: Disk | undefined;
}

const INCOMPLETE_FILE = "init.incomplete";

/** Path of the key-value store of a directory. */
export function storePath(dir: string): string {
  return joinPath(dir, "store");
}

/** Path of the mark file of a directory. */
export function markPath(dir: string): string {
  return joinPath(dir, "mark");
}

/** The first generation of rows. */
const FIRST_GENERATION = 1;
/** Number of the first log batch; the mark of a new directory has the same. */
const FIRST_SEQUENCE = 1;

/**
 * Creates the data directory of a member. Throws AlreadyExists when it has an identity,
 * IdentityMismatch when it holds anything else, StorageFailure when the disk fails.
 */
export async function initDirectory(options: InitOptions): Promise<void> {
  const disk = options.disk ?? nodeDisk();
  const { dir } = options;
  const identity: Identity = {
    clusterId: options.clusterId,
    memberId: options.memberId,
    raftId: options.raftId,
    incarnation: options.incarnation,
  };
  const content = encodeIdentity(identity);
  await refuseOccupied(disk, dir);
  try {
    await disk.makeDirectory(dir);
    await disk.writeFileDurably(joinPath(dir, INCOMPLETE_FILE), new Uint8Array(0));
    await disk.remove(storePath(dir));
    await disk.remove(markPath(dir));
    await createFiles(disk, options, ownerTag(identity));
    await disk.writeFileDurably(identityPath(dir), content);
    await disk.remove(joinPath(dir, INCOMPLETE_FILE));
  } catch (error) {
    throw storageFailure(dir, "creating the data directory", error);
  }
}

async function refuseOccupied(disk: Disk, dir: string): Promise<void> {
  let names: readonly string[];
  try {
    names = (await disk.list(dir)) ?? [];
  } catch (error) {
    throw storageFailure(dir, "listing", describe(error));
  }
  if (names.includes("identity.json")) {
    throw new KinglyError("AlreadyExists", `${dir} already belongs to a member`, {
      field: "dir",
      value: dir,
      help: "start the server on it, or choose an empty directory",
    });
  }
  if (names.length > 0 && !names.includes(INCOMPLETE_FILE)) {
    throw identityMismatch(
      dir,
      `holds ${names.slice(0, 5).join(", ")}, an empty one was expected`,
      {
        field: "dir",
        value: dir,
      },
    );
  }
}

async function createFiles(disk: Disk, options: InitOptions, owner: Uint8Array): Promise<void> {
  const base: Tail =
    options.bootstrap === undefined
      ? EMPTY_TAIL
      : { term: 1, index: 1, chain: sha256(utf8Encode(`kingly/bootstrap\0${options.clusterId}`)) };
  const hard = { term: base.term, vote: 0, commit: base.index };
  const meta = {
    ...EMPTY_META,
    appliedIndex: base.index,
    appliedTerm: base.term,
    confState: options.bootstrap?.confState ?? EMPTY_META.confState,
  };
  const stored = { ...EMPTY_STORED, meta, chain: base.chain };
  const operations: BatchOperation[] = [
    { key: IDENTITY_KEY, value: seal(IDENTITY_KEY, owner).value },
    hardOperation(FIRST_SEQUENCE, hard),
    baseOperation({ generation: FIRST_GENERATION, base }),
    metaOperation(FIRST_GENERATION, stored),
  ];
  const store = await disk.openKeyValue(storePath(options.dir), { createIfMissing: true });
  try {
    await store.batch(operations, { sync: true });
  } finally {
    await store.close();
  }
  const { term, vote } = hard;
  const mark = { sequence: FIRST_SEQUENCE, term, vote, tail: base, recovering: false };
  await disk.writeFileDurably(markPath(options.dir), initialMarkFile(mark, owner));
}
