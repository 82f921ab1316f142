// What every part of the API layer works with: the replica, time, logging, who may do what. Made once
// by startApi and passed down; nothing here is global.

import type { Clock, Logger } from "@kingly/base";
import type { Authority } from "@kingly/protocol/pki";
import type { Replica } from "../../replica/replica.ts";
import type { ApiMetrics } from "../metrics.ts";
import type { Authenticator } from "./auth.ts";
import type { ListSnapshots } from "./list-snapshots.ts";

/** Shared by REST and gRPC. */
export interface ApiContext {
  readonly replica: Replica;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: ApiMetrics;
  readonly auth: Authenticator;
  readonly snapshots: ListSnapshots;
  /** PEM of the cluster's CA. */
  readonly authorityPem: string;
  /** The CA with its key; absent on servers that do not issue certificates. */
  readonly authority: Authority | undefined;
  /** Release of this server. */
  readonly version: string;
  /** False while the server should get no traffic (recovering, no leader, stopping). */
  ready(): boolean;
}
