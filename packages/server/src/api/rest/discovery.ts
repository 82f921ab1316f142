// Discovery: which groups, versions and kinds this API has. Served aggregated (what kubectl asks for
// first) and in the older plain forms.

import type { JsonObject, JsonValue } from "@kingly/base";
import { KINDS } from "@kingly/resources";
import type { KindInfo } from "@kingly/resources";

interface GroupVersion {
  readonly group: string;
  readonly version: string;
  readonly kinds: readonly KindInfo[];
  /** Kinds that exist only as calls: reviews. */
  readonly reviews: readonly { readonly resource: string; readonly kind: string }[];
}

const REVIEWS: readonly Omit<GroupVersion, "kinds">[] = [
  {
    group: "authentication.k8s.io",
    version: "v1",
    reviews: [{ resource: "selfsubjectreviews", kind: "SelfSubjectReview" }],
  },
  {
    group: "authorization.k8s.io",
    version: "v1",
    reviews: [
      { resource: "selfsubjectaccessreviews", kind: "SelfSubjectAccessReview" },
      { resource: "selfsubjectrulesreviews", kind: "SelfSubjectRulesReview" },
    ],
  },
];

/** All groups of the API, own ones first. */
export function groupVersions(): readonly GroupVersion[] {
  const found = new Map<string, KindInfo[]>();
  for (const info of KINDS) {
    const id = `${info.group}/${info.version}`;
    found.set(id, [...(found.get(id) ?? []), info]);
  }
  const own = [...found].map(([id, kinds]) => {
    const slash = id.indexOf("/");
    return { group: id.slice(0, slash), version: id.slice(slash + 1), kinds, reviews: [] };
  });
  return [...own, ...REVIEWS.map((review) => ({ ...review, kinds: [] }))];
}

function gvk({
  group,
  version,
  kind,
}: {
  group: string;
  version: string;
  kind: string;
}): JsonObject {
  return { group, version, kind };
}

function aggregatedKind(info: KindInfo): JsonObject {
  return {
    resource: info.plural,
    responseKind: gvk(info),
    scope: info.namespaced ? "Namespaced" : "Cluster",
    singularResource: info.singular,
    verbs: [...info.verbs],
    shortNames: [...info.shortNames],
    categories: [...info.categories],
    ...(info.hasStatus
      ? { subresources: [{ subresource: "status", responseKind: gvk(info), verbs: ["get"] }] }
      : {}),
  };
}

function aggregatedResources(one: GroupVersion): JsonValue[] {
  const reviews = one.reviews.map(({ resource, kind }) => ({
    resource,
    responseKind: gvk({ group: one.group, version: one.version, kind }),
    scope: "Cluster",
    singularResource: kind.toLowerCase(),
    verbs: ["create"],
  }));
  return [...one.kinds.map(aggregatedKind), ...reviews];
}

/** `APIGroupDiscoveryList` of the core group or of all named groups. */
export function aggregatedDiscovery(core: boolean, version: "v2" | "v2beta1"): JsonObject {
  const items = groupVersions().filter(({ group }) => (group === "") === core);
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: items.map((one) => ({
      metadata: { name: one.group, creationTimestamp: null },
      versions: [
        { version: one.version, freshness: "Current", resources: aggregatedResources(one) },
      ],
    })),
  };
}

function plainGroup(one: GroupVersion): JsonObject {
  const version = { groupVersion: `${one.group}/${one.version}`, version: one.version };
  return { name: one.group, versions: [version], preferredVersion: version };
}

/** `APIVersions` of the core group. */
export function apiVersions(): JsonObject {
  return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] };
}

/** `APIGroupList`. */
export function apiGroupList(): JsonObject {
  const groups = groupVersions().filter(({ group }) => group !== "");
  return { kind: "APIGroupList", apiVersion: "v1", groups: groups.map(plainGroup) };
}

/** `APIGroup` of one group; undefined when there is none. */
export function apiGroup(group: string): JsonObject | undefined {
  const found = groupVersions().find((one) => one.group === group && group !== "");
  if (found === undefined) return undefined;
  return { kind: "APIGroup", apiVersion: "v1", ...plainGroup(found) };
}

function plainKind(info: KindInfo): JsonValue[] {
  const base = { namespaced: info.namespaced, kind: info.kind };
  const item = {
    ...base,
    name: info.plural,
    singularName: info.singular,
    verbs: [...info.verbs],
    shortNames: [...info.shortNames],
    categories: [...info.categories],
  };
  if (!info.hasStatus) return [item];
  return [item, { ...base, name: `${info.plural}/status`, singularName: "", verbs: ["get"] }];
}

/** `APIResourceList` of one group and version; undefined when there is none. */
export function apiResourceList(group: string, version: string): JsonObject | undefined {
  const found = groupVersions().find((one) => one.group === group && one.version === version);
  if (found === undefined) return undefined;
  const reviews = found.reviews.map(({ resource, kind }) => ({
    name: resource,
    singularName: kind.toLowerCase(),
    namespaced: false,
    kind,
    verbs: ["create"],
  }));
  return {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: group === "" ? version : `${group}/${version}`,
    resources: [...found.kinds.flatMap(plainKind), ...reviews],
  };
}
