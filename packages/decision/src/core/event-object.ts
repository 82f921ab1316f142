// How an Event is stored: like every other object, its core/v1 fields under `spec`. The API renders
// them at the top level, where `kubectl describe` looks for them.

import type { ApiObject, EventSpec } from "@kingly/resources";

/** A stored Event; `apiVersion` is "v1". */
export type EventObject = ApiObject<EventSpec>;
