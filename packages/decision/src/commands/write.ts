// `write`: create, replace or delete one object of a kind that people write. Optimistic concurrency by
// uid and resourceVersion; status is never written from outside; references must exist and may not be
// deleted under those who use them. Configs have their own file: writing their data is an intent.

import type { Config, Namespace, Node, Objective, Proposal } from "@kingly/resources";
import { bodyOf } from "../core/body.ts";
import { Fields, invalid } from "../core/fields.ts";
import { refuse } from "../core/refuse.ts";
import { objectReply } from "../core/reply.ts";
import type { Reply } from "../core/reply.ts";
import { assignmentPrefix, objectKey } from "../core/keys.ts";
import type { Transaction } from "../core/transaction.ts";
import type { StoredObject } from "../core/view.ts";
import { followNode, followSelection } from "../model/assignments.ts";
import {
  requireNamespace,
  requireNoOverlap,
  requireOneConfigPerTarget,
} from "../model/selection.ts";
import { createConfig, deleteConfig, replaceConfig } from "./write-config.ts";
import { requireOnePrimary } from "./references.ts";
import { createProposal, deleteProposal } from "./propose.ts";
import {
  WRITABLE_KINDS,
  mergedMeta,
  metaOf,
  sameObject,
  validated,
  withSpec,
} from "./write-request.ts";
import type { WritableKind, Write } from "./write-request.ts";

/** Runs a `write`. */
export function write(tx: Transaction): Reply {
  const body = bodyOf(tx);
  const op = body.oneOf("op", ["create", "replace", "delete"]);
  const kind = writableKind(body);
  const name = body.name("name");
  const scoped = kind !== "Namespace" && kind !== "Node";
  const namespace = scoped ? body.name("namespace") : body.optionalName("namespace");
  if (!scoped && namespace !== "")
    invalid("namespace", "absent for cluster-scoped kinds", namespace);
  const object = body.optionalObject("object") ?? {};
  const preconditions = new Fields(body.any("preconditions") ?? {}, "preconditions");
  const uid = preconditions.optionalText("uid");
  const resourceVersion = preconditions.optionalText("resourceVersion");
  preconditions.end();
  body.end();
  const key = objectKey(kind, namespace, name);
  const raw: Write = { kind, namespace, name, key, object, uid, resourceVersion };
  const request = op === "delete" ? raw : validated(raw, tx.command.isAdmitted === true);
  if (scoped) requireNamespace(tx, namespace);
  if (op === "create") return create(tx, request);
  const existing = requireExisting(tx, request);
  return op === "delete" ? remove(tx, request, existing) : replace(tx, request, existing);
}

function writableKind(body: Fields): WritableKind {
  const kind = body.text("kind");
  const found = WRITABLE_KINDS.find((candidate) => candidate === kind);
  if (found !== undefined) return found;
  return refuse("Forbidden", `${kind} objects are not written directly`, {
    field: "kind",
    value: kind,
    limit: WRITABLE_KINDS.join(", "),
    help: "proposals are opened with propose; votes, vetoes and versions come from decisions",
  });
}

function requireExisting(tx: Transaction, request: Write): StoredObject {
  const { kind, name, key, uid, resourceVersion } = request;
  const existing = tx.get(key) as unknown as StoredObject | undefined;
  if (existing === undefined) {
    return refuse("NotFound", `${kind} ${name} does not exist`, {
      field: "metadata.name",
      value: name,
    });
  }
  const { metadata } = existing;
  if (uid !== "" && metadata.uid !== uid) {
    refuse("Conflict", `${kind} ${name} is another object now`, {
      field: "metadata.uid",
      limit: metadata.uid,
      value: uid,
    });
  }
  if (resourceVersion !== "" && metadata.resourceVersion !== resourceVersion) {
    refuse("Conflict", `${kind} ${name} has been changed since it was read`, {
      field: "metadata.resourceVersion",
      limit: metadata.resourceVersion,
      value: resourceVersion,
      help: "read it again and repeat the change",
    });
  }
  return existing;
}

function create(tx: Transaction, request: Write): Reply {
  const { kind, namespace, name, key } = request;
  if (tx.get(key) !== undefined) {
    refuse("AlreadyExists", `${kind} ${name} exists already`, {
      field: "metadata.name",
      value: name,
    });
  }
  if (kind === "Config") return createConfig(tx, request);
  if (kind === "Proposal") return createProposal(tx, request);
  if (kind === "Node") {
    refuse("Forbidden", "nodes come into being by enrolment", {
      field: "kind",
      value: kind,
      help: "make a join token and start the agent with it",
    });
  }
  const content = {
    spec: request.object["spec"] ?? {},
    status: kind === "Namespace" ? { phase: "Active" } : {},
  };
  const stored: StoredObject = tx.create(kind, { namespace, name }, content as never);
  const metadata = mergedMeta(stored.metadata, metaOf(request));
  tx.put({ ...stored, metadata } as StoredObject);
  return objectReply(key, tx.warnings);
}

function replace(tx: Transaction, request: Write, existing: StoredObject): Reply {
  const { kind } = request;
  if (kind === "Config") return replaceConfig(tx, request, existing as Config);
  if (kind === "Proposal") {
    refuse("Forbidden", "a proposal is not changed after it was opened", {
      field: "spec",
      value: request.name,
      help: "delete it and propose again",
    });
  }
  const { key } = request;
  const next = withSpec(request, existing);
  const changed = !sameObject(next, existing);
  if (changed) {
    tx.putAt(key, next);
    if (kind === "Objective" && isRoleChanged(next as Objective, existing as Objective)) {
      requireOnePrimary(tx, request.namespace);
    }
    if (kind === "Node") replacedNode(tx, next as Node, existing as Node);
    if (kind === "Namespace") replacedNamespace(tx, next as Namespace);
  }
  return objectReply(key, tx.warnings, changed);
}

function isRoleChanged(next: Objective, before: Objective): boolean {
  return next.spec.role !== before.spec.role;
}

function replacedNode(tx: Transaction, next: Node, before: Node): void {
  if (next.spec.publicKey !== before.spec.publicKey) {
    refuse("Forbidden", "a node's key changes only by enrolment", {
      field: "spec.publicKey",
      value: next.metadata.name,
    });
  }
  requireOneConfigPerTarget(tx, next);
  followNode(tx, next);
}

function replacedNamespace(tx: Transaction, next: Namespace): void {
  for (const config of tx.objects("Config", next.metadata.name)) {
    requireNoOverlap(tx, config);
    followSelection(tx, config);
  }
}

function remove(tx: Transaction, request: Write, existing: StoredObject): Reply {
  const { kind, namespace, name, key } = request;
  if (kind === "Config") deleteConfig(tx, existing as Config);
  else if (kind === "Proposal") deleteProposal(tx, existing as Proposal);
  else if (kind === "Node") {
    for (const [row] of tx.list(assignmentPrefix(name))) tx.deleteRow(row);
  } else if (kind === "Namespace") requireEmpty(tx, name);
  else requireUnused(tx, { kind, namespace, name });
  tx.remove(existing);
  return objectReply(key, tx.warnings);
}

function requireEmpty(tx: Transaction, namespace: string): void {
  for (const kind of ["Config", "ConfigSchema", "Objective", "Policy"] as const) {
    const left = tx.objects(kind, namespace);
    if (left.length === 0) continue;
    refuse("Conflict", `namespace ${namespace} still holds ${left.length} ${kind} object(s)`, {
      field: "metadata.name",
      value: namespace,
      help: "delete them first",
    });
  }
}

function requireUnused(
  tx: Transaction,
  target: { readonly kind: WritableKind; readonly namespace: string; readonly name: string },
): void {
  const { kind, namespace, name } = target;
  const user = tx.objects("Config", namespace).find(({ spec }) => {
    if (kind === "ConfigSchema") return spec.schemaRef === name;
    if (kind === "Policy") return spec.policyRef === name;
    return spec.objectiveRefs.includes(name);
  });
  if (user === undefined) return;
  refuse("Conflict", `${kind} ${name} is used by Config ${user.metadata.name}`, {
    field: "metadata.name",
    value: name,
    rule: "ReferencedObject",
    help: `point Config ${user.metadata.name} elsewhere first`,
  });
}
