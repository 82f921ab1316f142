// Row keys. Objects live under `plural/namespace/name`; internal rows under keys that begin with
// `~`, one prefix per purpose. Everything replicated is listed here.

export { objectKey, objectKeyPrefix } from "@kingly/resources";

/** True for rows that are stored but never watched. */
export function isInternalKey(key: string): boolean {
  return key.startsWith("~");
}

/** Content of a Config by its hash (lower-case hex sha256 of its canonical JSON). */
export function contentKey(hash: string): string {
  return `~content/${hash}`;
}

/** State of one Config beyond its object: queue, version counter, quarantine. */
export function configStateKey(configUid: string): string {
  return `~config/${configUid}`;
}

/** State of one proposal beyond its object: base, electorate, seed. */
export function trialKey(proposalUid: string): string {
  return `~trial/${proposalUid}`;
}

/** Marks a trial whose nodes are still measuring. */
export function openTrialKey(proposalUid: string): string {
  return `${OPEN_TRIAL_PREFIX}${proposalUid}`;
}

/** All running trials. */
export const OPEN_TRIAL_PREFIX = "~open-trial/";

/** When a proposal was opened (replicated milliseconds); as long as it waits. */
export function openedKey(proposalUid: string): string {
  return `~opened/${proposalUid}`;
}

/** Facts fixed when a rollout began. */
export function rolloutStateKey(rolloutUid: string): string {
  return `~rollout/${rolloutUid}`;
}

/** What one node shall run for one Config. */
export function assignmentKey(node: string, configUid: string): string {
  return `${assignmentPrefix(node)}${configUid}`;
}

/** All assignments of one node. */
export function assignmentPrefix(node: string): string {
  return `~assign/${node}/`;
}

/** Trials spent on one key of one Config since its last confirmed commit. */
export function betaKey(configUid: string, dataKey: string): string {
  return `~beta/${configUid}/${dataKey}`;
}

/** Row key of the object with this uid; for commands that name objects by uid. */
export function uidKey(uid: string): string {
  return `~uid/${uid}`;
}

/** First result of (principal, idempotency key). */
export function idempotencyKey(principal: string, key: string): string {
  return `${IDEMPOTENCY_PREFIX}${principal.length}:${principal}/${key}`;
}

/** All remembered results. */
export const IDEMPOTENCY_PREFIX = "~idem/";

/** Order in which Events expire. */
export function eventQueueKey(index: number, counter: number): string {
  return `${EVENT_QUEUE_PREFIX}${sequence(index)}.${sequence(counter)}`;
}

/** All Events, oldest first. */
export const EVENT_QUEUE_PREFIX = "~eventq/";

/** One open join token, by its hash. */
export function tokenKey(hash: string): string {
  return `${TOKEN_PREFIX}${hash}`;
}

/** All join tokens. */
export const TOKEN_PREFIX = "~token/";

/** A number as a string that sorts like the number (16 digits reach 2^53). */
function sequence(value: number): string {
  return String(value).padStart(16, "0");
}
