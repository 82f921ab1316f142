// The catalogue of kinds: names, scope, verbs, schema. Discovery, admission, storage keys, tables
// and the command line all read it; nothing else knows which kinds exist.

import { KinglyError, shortValue } from "@kingly/base";
import { API_VERSION } from "./meta.ts";
import { CONFIG_NAME_CHARS_MAX, NAME_CHARS_MAX, NODE_NAME_CHARS_MAX } from "./limits.ts";
import { PROPOSAL_NAME_CHARS_MAX } from "./limits.ts";
import type { ObjectSchema } from "./schema/types.ts";
import { configSchemaSpec, configSpec, configStatus, configVersionSpec } from "./schemas/config.ts";
import {
  eventSpec,
  namespaceSpec,
  namespaceStatus,
  nodeConfigSpec,
  nodeConfigStatus,
  nodeSpec,
  nodeStatus,
  rolloutSpec,
  rolloutStatus,
} from "./schemas/fleet.ts";
import { objectSchema } from "./schemas/meta.ts";
import { objectiveSpec, policySpec } from "./schemas/policy.ts";
import { proposalSpec, proposalStatus, vetoSpec, voteSpec } from "./schemas/proposal.ts";
import { columnsOf } from "./table/columns.ts";
import type { TableColumn } from "./table/columns.ts";

/** Verbs of the Kubernetes API. */
export type Verb =
  "get" | "list" | "watch" | "create" | "update" | "patch" | "delete" | "deletecollection";

/** Names of all kinds. */
export type KindName =
  | "Config"
  | "ConfigVersion"
  | "ConfigSchema"
  | "Proposal"
  | "Vote"
  | "Veto"
  | "Objective"
  | "Policy"
  | "Rollout"
  | "Node"
  | "NodeConfig"
  | "Namespace"
  | "Event";

/** Everything the product knows about a kind. */
export interface KindInfo {
  readonly kind: KindName;
  /** `configs`; unique over all groups. */
  readonly plural: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** "" is the core group. */
  readonly group: string;
  readonly version: string;
  /** `kingly.dev/v1` or `v1`. */
  readonly apiVersion: string;
  readonly namespaced: boolean;
  readonly verbs: readonly Verb[];
  /** True when clients may change objects; which way, the verbs say. */
  readonly writable: boolean;
  /** Whether a status subresource is served. */
  readonly hasStatus: boolean;
  /** Paths that no update may change, beyond identity. */
  readonly immutableFields: readonly string[];
  /** Rendered on read, never stored. */
  readonly rendered: boolean;
  readonly description: string;
  readonly columns: readonly TableColumn[];
  readonly schema: ObjectSchema;
}

const READ: readonly Verb[] = ["get", "list", "watch"];
const WRITE: readonly Verb[] = ["create", "update", "patch", "delete", "deletecollection"];
const ALL: readonly Verb[] = [...READ, ...WRITE];

/** What differs between kinds; the rest has a usual value. */
interface Declaration {
  readonly kind: KindName;
  readonly plural: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly core?: boolean;
  readonly clusterScoped?: boolean;
  readonly verbs: readonly Verb[];
  readonly immutableFields?: readonly string[];
  readonly rendered?: boolean;
  readonly nameCharsMax?: number;
  readonly nameIsLabel?: boolean;
  readonly description: string;
  readonly spec: ObjectSchema;
  readonly status?: ObjectSchema;
}

const OWN_KINDS: readonly Declaration[] = [
  {
    kind: "Config",
    plural: "configs",
    shortNames: ["cfg"],
    categories: ["all", "kingly"],
    verbs: ALL,
    nameCharsMax: CONFIG_NAME_CHARS_MAX,
    description: "A named document that configures a set of nodes; the intent, not the decision.",
    spec: configSpec,
    status: configStatus,
  },
  {
    kind: "ConfigVersion",
    plural: "configversions",
    shortNames: ["cv"],
    categories: ["kingly"],
    verbs: READ,
    immutableFields: ["spec"],
    description: "One immutable committed content of a Config.",
    spec: configVersionSpec,
  },
  {
    kind: "ConfigSchema",
    plural: "configschemas",
    shortNames: ["cs"],
    categories: ["kingly"],
    verbs: ALL,
    description: "What the content of a Config may be, and what is known of each key.",
    spec: configSchemaSpec,
  },
  {
    kind: "Proposal",
    plural: "proposals",
    shortNames: ["prop"],
    categories: ["all", "kingly"],
    verbs: [...READ, "create", "delete"],
    immutableFields: ["spec"],
    nameCharsMax: PROPOSAL_NAME_CHARS_MAX,
    description: "A wished change that nodes try and vote on; deleting it withdraws it.",
    spec: proposalSpec,
    status: proposalStatus,
  },
  {
    kind: "Vote",
    plural: "votes",
    categories: ["kingly"],
    verbs: READ,
    immutableFields: ["spec"],
    description: "A node's signed answer to a proposal, with its evidence.",
    spec: voteSpec,
  },
  {
    kind: "Veto",
    plural: "vetoes",
    categories: ["kingly"],
    verbs: READ,
    immutableFields: ["spec"],
    description: "A node's signed rejection of a committed version, with its evidence.",
    spec: vetoSpec,
  },
  {
    kind: "Objective",
    plural: "objectives",
    shortNames: ["obj"],
    categories: ["kingly"],
    verbs: ALL,
    description: "What performance means: a signal, which way is better, which loss is none.",
    spec: objectiveSpec,
  },
  {
    kind: "Policy",
    plural: "policies",
    shortNames: ["pol"],
    categories: ["kingly"],
    verbs: ALL,
    description: "By which rules changes of a Config are tried, voted on and rolled out.",
    spec: policySpec,
  },
  {
    kind: "Rollout",
    plural: "rollouts",
    shortNames: ["ro"],
    categories: ["all", "kingly"],
    verbs: READ,
    immutableFields: ["spec"],
    description: "The staged application of a committed version.",
    spec: rolloutSpec,
    status: rolloutStatus,
  },
  {
    kind: "Node",
    plural: "nodes",
    shortNames: ["no"],
    categories: ["kingly"],
    clusterScoped: true,
    // Nodes are created by enrolment, never by a client.
    verbs: [...READ, "update", "patch", "delete"],
    immutableFields: ["spec.publicKey"],
    nameCharsMax: NODE_NAME_CHARS_MAX,
    description: "A machine with an agent: its key, its class and who owns it.",
    spec: nodeSpec,
    status: nodeStatus,
  },
  {
    kind: "NodeConfig",
    plural: "nodeconfigs",
    shortNames: ["nc"],
    categories: ["kingly"],
    clusterScoped: true,
    verbs: ["get", "list"],
    rendered: true,
    description: "What one node runs of one Config: assigned, active, last known good.",
    spec: nodeConfigSpec,
    status: nodeConfigStatus,
  },
];

const CORE_KINDS: readonly Declaration[] = [
  {
    kind: "Namespace",
    plural: "namespaces",
    shortNames: ["ns"],
    core: true,
    clusterScoped: true,
    nameIsLabel: true,
    verbs: [...READ, "create", "update", "patch", "delete"],
    description: "A scope for names.",
    spec: namespaceSpec,
    status: namespaceStatus,
  },
  {
    kind: "Event",
    plural: "events",
    shortNames: ["ev"],
    core: true,
    verbs: READ,
    description: "Something that happened to an object.",
    spec: eventSpec,
  },
];

/** All kinds; own kinds first, in the order of the documentation. */
export const KINDS: readonly KindInfo[] = [...OWN_KINDS, ...CORE_KINDS].map(complete);

const BY_KIND: ReadonlyMap<string, KindInfo> = new Map(KINDS.map((info) => [info.kind, info]));
const BY_PLURAL: ReadonlyMap<string, KindInfo> = new Map(KINDS.map((info) => [info.plural, info]));

/** The kind of this name; undefined when there is none. */
export function findKind(kind: string): KindInfo | undefined {
  return BY_KIND.get(kind);
}

/** The kind of this name. Throws UnknownKind when there is none. */
export function kindInfo(kind: string): KindInfo {
  const info = BY_KIND.get(kind);
  if (info !== undefined) return info;
  throw new KinglyError("UnknownKind", `kind: there is no kind ${shortValue(kind)}`, {
    field: "kind",
    limit: KINDS.map((known) => known.kind).join(", "),
    value: kind.slice(0, NAME_CHARS_MAX),
  });
}

/** The kind with this plural in this group ("" = core); undefined when there is none. */
export function kindByPlural(group: string, plural: string): KindInfo | undefined {
  const info = BY_PLURAL.get(plural);
  return info?.group === group ? info : undefined;
}

/** The kind that a person means: kind, plural, singular or short name, in any case. */
export function kindByAlias(alias: string): KindInfo | undefined {
  const wanted = alias.toLowerCase();
  return KINDS.find(
    (info) =>
      info.plural === wanted || info.singular === wanted || info.shortNames.includes(wanted),
  );
}

/** The kind with this plural in any group; plurals are unique. */
export function kindOfPlural(plural: string): KindInfo | undefined {
  return BY_PLURAL.get(plural);
}

function complete(declared: Declaration): KindInfo {
  const core = declared.core === true;
  const namespaced = declared.clusterScoped !== true;
  const apiVersion = core ? "v1" : API_VERSION;
  const slash = API_VERSION.indexOf("/");
  const { kind, description, spec, status } = declared;
  return {
    kind,
    plural: declared.plural,
    singular: kind.toLowerCase(),
    shortNames: declared.shortNames ?? [],
    categories: declared.categories ?? [],
    group: core ? "" : API_VERSION.slice(0, slash),
    version: API_VERSION.slice(slash + 1),
    apiVersion,
    namespaced,
    verbs: declared.verbs,
    writable: declared.verbs.some((verb) => WRITE.includes(verb)),
    hasStatus: status !== undefined,
    immutableFields: declared.immutableFields ?? [],
    rendered: declared.rendered === true,
    description,
    columns: columnsOf(kind),
    schema: objectSchema(
      { kind, apiVersion, description },
      {
        format: declared.nameIsLabel === true ? "dns1123-label" : "dns1123-subdomain",
        charsMax: declared.nameCharsMax ?? (declared.nameIsLabel === true ? 63 : NAME_CHARS_MAX),
        namespaced,
      },
      status === undefined ? { spec } : { spec, status },
    ),
  };
}
