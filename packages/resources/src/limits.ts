// Named limits of the kinds. A log entry is at most 1.5 MiB: the parts of the largest object
// (data, annotations, field ownership, envelope) must fit into it together.

/** Canonical bytes of Config.spec.data, of a patch and of a proposed content: 512 KiB. */
export const CONTENT_BYTES_MAX = 524_288;

/** Canonical bytes of ConfigSchema.spec.schema: 256 KiB; compiled by every server. */
export const SCHEMA_BYTES_MAX = 262_144;

/** Bytes of all annotations of one object, keys and values: 256 KiB, as Kubernetes allows. */
export const ANNOTATIONS_BYTES_MAX = 262_144;

/** Bytes of a signed document: 64 KiB holds evidence of 16 objectives several times over. */
export const DOCUMENT_BYTES_MAX = 65_536;

/** Nesting of a signed document; evidence needs 6. */
export const DOCUMENT_DEPTH_MAX = 32;

/** Longest name of most kinds: a DNS subdomain. */
export const NAME_CHARS_MAX = 253;

/** Config names: `<node>.<namespace>.<config>` must stay within NAME_CHARS_MAX. */
export const CONFIG_NAME_CHARS_MAX = 63;

/** Node names, for the same sum: 100 + 63 + 63 + 2 dots = 228. */
export const NODE_NAME_CHARS_MAX = 100;

/** Proposal names: `<proposal>-a<attempt>-<node>` = 120 + 2 + 10 + 1 + 100 = 233. */
export const PROPOSAL_NAME_CHARS_MAX = 120;

/** Labels of one object, and pairs of one selector. */
export const LABELS_MAX = 64;

/** Objectives of one Config; trials run four processes for each. */
export const OBJECTIVES_MAX = 16;

/** Key rules of one ConfigSchema. */
export const KEY_RULES_MAX = 1_000;

/** Names of keys, pinned or changed, in one object. */
export const KEYS_MAX = 1_000;

/** Nodes one object lists (trial, rollout stages); the fleet is at most this. */
export const NODES_MAX = 10_000;

/** Conditions of one object; each type appears once. */
export const CONDITIONS_MAX = 32;

/** Stages of a rollout. */
export const STAGES_MAX = 10;

/** Pairs of one trial: the sequential tests are planned for at most two hours of minutes. */
export const TRIAL_PAIRS_MAX = 120;

/** Characters of a reason or message written for people; a commit's subject and body fit. */
export const MESSAGE_CHARS_MAX = 1_024;

/** Characters of an idempotency key: a proposal's name with a prefix, or a hash. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 128;

/** Signals of one calibration or node. */
export const SIGNALS_MAX = 128;

/** Field errors of one object that are reported; a person fixes the first few anyway. */
export const FIELD_ERRORS_MAX = 50;

/** Unknown fields of one object that are listed. */
export const UNKNOWN_FIELDS_MAX = 50;

/** Depth at which the structural validator stops; the deepest kind needs 8. */
export const SCHEMA_DEPTH_MAX = 32;

/** Characters of cluster id, type and uid in signed bytes. */
export const SIGNING_PART_CHARS_MAX = 1_024;

/** Items of a list that a table cell spells out before it counts the rest. */
export const CELL_ITEMS_MAX = 3;

/** Latest moment an object may name, in milliseconds: the end of the year 9999. */
export const TIME_MS_MAX = 253_402_300_799_999;

/** Longest duration of any policy: 366 days, in seconds. */
export const DURATION_SECONDS_MAX = 31_622_400;
