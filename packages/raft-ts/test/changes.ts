// Membership changes in short, for tests.
import { nodeId } from "../src/index.ts";
import type {
  ConfChange,
  ConfChangeSingle,
  ConfChangeTransition,
  ConfChangeV2,
  LogIndex,
} from "../src/index.ts";
import { bytes } from "./cluster.ts";

export const one = (type: ConfChangeSingle["type"], id: number): ConfChange => ({
  version: 1,
  type,
  nodeId: nodeId(id),
  context: bytes(""),
});

export const many = (
  transition: ConfChangeTransition,
  ...changes: [ConfChangeSingle["type"], number][]
): ConfChangeV2 => ({
  version: 2,
  transition,
  changes: changes.map(([type, id]) => ({ type, nodeId: nodeId(id) })),
  context: bytes(""),
});

/** The change on condition that the configuration of this id is in force. */
export const onlyIf = (expected: number, change: ConfChangeV2): ConfChangeV2 => ({
  ...change,
  expectedConfigId: expected as LogIndex,
});
