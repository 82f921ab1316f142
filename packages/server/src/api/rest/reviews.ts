// The three questions a caller may ask about itself: may I, what may I, who am I
// (`kubectl auth can-i`, `can-i --list`, `whoami`).

import { isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { KINDS, kindByPlural } from "@kingly/resources";
import { ADMINS, isAllowed } from "../core/auth.ts";
import type { Principal } from "../core/auth.ts";

function specOf(document: JsonValue): JsonObject {
  const spec = isJsonObject(document) ? document["spec"] : undefined;
  return isJsonObject(spec) ? spec : {};
}

function textAt(object: JsonObject, field: string): string {
  const value = object[field];
  return typeof value === "string" ? value : "";
}

function mayAccess(principal: Principal, spec: JsonObject): boolean {
  const attributes = spec["resourceAttributes"];
  if (!isJsonObject(attributes)) {
    // Paths such as /version: whoever is known may read them.
    const other = spec["nonResourceAttributes"];
    return isJsonObject(other) && textAt(other, "verb").toLowerCase() === "get";
  }
  const group = textAt(attributes, "group");
  const resource = textAt(attributes, "resource");
  const verb = textAt(attributes, "verb");
  if (resource === "*" || verb === "*") return principal.groups.includes(ADMINS);
  if (resource === "jointokens") return isAllowed(principal, verb, resource);
  const info = kindByPlural(group, resource);
  const offered = info?.verbs.some((known) => known === verb) ?? false;
  return offered && isAllowed(principal, verb, resource);
}

function accessReview(principal: Principal, document: JsonValue): JsonObject {
  const spec = specOf(document);
  const allowed = mayAccess(principal, spec);
  return {
    kind: "SelfSubjectAccessReview",
    apiVersion: "authorization.k8s.io/v1",
    metadata: { creationTimestamp: null },
    spec,
    status: { allowed, ...(allowed ? {} : { reason: "not offered, or not for your groups" }) },
  };
}

function rulesReview(principal: Principal, document: JsonValue): JsonObject {
  const resourceRules = KINDS.map((info) => ({
    verbs: info.verbs.filter((verb) => isAllowed(principal, verb, info.plural)),
    apiGroups: [info.group],
    resources: [info.plural],
  })).filter((rule) => rule.verbs.length > 0);
  return {
    kind: "SelfSubjectRulesReview",
    apiVersion: "authorization.k8s.io/v1",
    metadata: { creationTimestamp: null },
    spec: specOf(document),
    status: {
      resourceRules,
      nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/version", "/healthz", "/metrics"] }],
      incomplete: false,
    },
  };
}

function subjectReview(principal: Principal): JsonObject {
  return {
    kind: "SelfSubjectReview",
    apiVersion: "authentication.k8s.io/v1",
    metadata: { creationTimestamp: null },
    status: {
      userInfo: {
        username: principal.name,
        groups: [...principal.groups],
        extra: { "kingly.dev/method": [principal.method] },
      },
    },
  };
}

/** Answers a review; undefined when the path names none. */
export function review(
  path: { readonly group: string; readonly plural: string | undefined },
  principal: Principal,
  document: () => JsonValue,
): JsonObject | undefined {
  switch (`${path.group}/${path.plural ?? ""}`) {
    case "authorization.k8s.io/selfsubjectaccessreviews":
      return accessReview(principal, document());
    case "authorization.k8s.io/selfsubjectrulesreviews":
      return rulesReview(principal, document());
    case "authentication.k8s.io/selfsubjectreviews":
      document();
      return subjectReview(principal);
    default:
      return undefined;
  }
}
