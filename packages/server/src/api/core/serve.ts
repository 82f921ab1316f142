// From stored to served: what is computed on read (adoption, readiness, the content of a version)
// and what has another form outside (Events). Everything else is served as it is stored.

import { isJsonObject } from "@kingly/base";
import type { JsonObject, JsonValue } from "@kingly/base";
import { renderEvent, setCondition } from "@kingly/resources";
import type {
  ApiObject,
  Config,
  ConfigVersion,
  EventSpec,
  KindName,
  Node,
} from "@kingly/resources";
import type { Replica } from "../../replica/replica.ts";
import { adoptionOf, versionData } from "./views.ts";

const COMPUTED: readonly KindName[] = ["Config", "ConfigVersion", "Node", "Event"];

/** True when objects of the kind are served byte for byte as they are stored. */
export function isServedAsStored(kind: KindName): boolean {
  return !COMPUTED.includes(kind);
}

function serveConfig(replica: Replica, config: Config): Config {
  if (config.status === undefined) return config;
  return { ...config, status: { ...config.status, adoption: adoptionOf(replica.state, config) } };
}

function serveVersion(replica: Replica, version: ConfigVersion): ConfigVersion {
  const data = versionData(replica.state, version.spec.contentHash);
  return data === undefined ? version : { ...version, spec: { ...version.spec, data } };
}

function serveNode(replica: Replica, node: Node): Node {
  const { name } = node.metadata;
  const heard = replica.soft.heartbeat(name);
  const ready = replica.soft.reachableNodes.has(name);
  const conditions = setCondition(
    node.status?.conditions ?? [],
    {
      type: "Ready",
      status: ready ? "True" : heard === undefined ? "Unknown" : "False",
      reason: ready ? "Heartbeat" : heard === undefined ? "NeverHeard" : "Silent",
      message: ready
        ? `its agent is connected to ${heard?.server ?? "a server"}`
        : heard === undefined
          ? "no server has heard its agent since it started"
          : `its agent was last heard ${Math.round(heard.ageMs / 1000)} s ago`,
    },
    replica.state.meta().timeMs,
  );
  const status = node.status ?? { targets: [], signals: [], agentVersion: "", calibration: {} };
  return { ...node, status: { ...status, conditions } };
}

/** The served form of a stored object. */
export function serve(replica: Replica, kind: KindName, value: JsonValue): JsonObject {
  if (!isJsonObject(value)) return {};
  const object = value as unknown;
  if (kind === "Config") return serveConfig(replica, object as Config) as unknown as JsonObject;
  if (kind === "Node") return serveNode(replica, object as Node) as unknown as JsonObject;
  if (kind === "Event") return renderEvent(object as ApiObject<EventSpec>);
  if (kind !== "ConfigVersion") return value;
  return serveVersion(replica, object as ConfigVersion) as unknown as JsonObject;
}

/** The object with another resourceVersion: a deletion carries its own revision. */
export function atRevision(object: JsonObject, revision: number): JsonObject {
  const metadata = object["metadata"];
  const kept = isJsonObject(metadata) ? metadata : {};
  return { ...object, metadata: { ...kept, resourceVersion: String(revision) } };
}

/** The form that table columns read: Events keep theirs under `spec`, as they are stored. */
export function tableForm(kind: KindName, value: JsonValue, served: JsonObject): JsonObject {
  return kind === "Event" && isJsonObject(value) ? value : served;
}
