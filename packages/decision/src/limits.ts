// Every limit of the state machine, each with its reason. They bound what one entry may cost a
// replica and how far replicated state can grow; all are part of the replicated behaviour, so a
// change is gated by the feature level.

/** One raft entry: what the log, the transport and a snapshot chunk are dimensioned for. */
export const ENTRY_BYTES_MAX = 1_572_864;

/** A command's body: the entry minus room for its header, signature and read set. */
export const BODY_BYTES_MAX = 1_441_792;

/** Nesting of a body: documents nest at most 64 deep, wrapped in an object and a command. */
export const BODY_DEPTH_MAX = 72;

/** Characters of a request id: a UUID with a prefix. */
export const REQUEST_ID_CHARS_MAX = 128;

/** Characters of an idempotency key, as the interfaces promise. */
export const IDEMPOTENCY_KEY_CHARS_MAX = 128;

/** Characters of an actor's name: an OIDC subject or a service account. */
export const ACTOR_CHARS_MAX = 512;

/** Characters of a row key: plural, namespace and name at their longest, with separators. */
export const ROW_KEY_CHARS_MAX = 1_024;

/** Objects one admission may have read: schema, policy, base, objectives, bindings. */
export const READ_SET_MAX = 64;

/** Bytes of a leader's entropy; exactly this many or none. */
export const ENTROPY_BYTES = 32;

/** Bytes of a signature: Ed25519 has 64. */
export const SIGNATURE_BYTES = 64;

/** Milliseconds a first result is remembered: longer than any client retries. */
export const IDEMPOTENCY_TTL_MS = 86_400_000;

/** First results remembered; at 500 B each 50 MB, beyond it the oldest are forgotten first. */
export const IDEMPOTENCY_RESULTS_MAX = 100_000;

/** Milliseconds an Event is kept, as in Kubernetes. */
export const EVENT_TTL_MS = 3_600_000;

/** Events kept; beyond it the oldest go first, so that a storm cannot fill the store. */
export const EVENTS_MAX = 10_000;

/** Rows that housekeeping removes per entry: spreads expiry so that no entry stalls the loop. */
export const HOUSEKEEPING_ROWS_MAX = 16;

/** Open proposals per Config that wait their turn; more than these nobody would wait for. */
export const QUEUE_PER_CONFIG_MAX = 64;

/** Milliseconds a proposal may wait for its trial before it expires. */
export const QUEUE_WAIT_MS = 86_400_000;

/** Trial nodes of one electorate; enough for 64 classes of 4, and a verdict stays small. */
export const ELECTORATE_MAX = 256;

/** Nodes drawn anew for one place in the electorate after a decline. */
export const REDRAWS_MAX = 2;

/** Late votes kept per proposal, for people; they have no effect. */
export const LATE_VOTES_MAX = 64;

/** Node names in one command (reachable nodes, acknowledgements). */
export const NODE_NAMES_MAX = 20_000;

/** Characters of a node's or object's name (RFC 1123 subdomain). */
export const NAME_CHARS_MAX = 253;

/** Characters of a generated object name's stem, so that suffixes still fit. */
export const NAME_STEM_CHARS_MAX = 100;

/** Characters of a reason or message that somebody wrote. */
export const MESSAGE_CHARS_MAX = 1_024;

/** Characters of why a node could not apply its version; kept once per assignment. */
export const FAILURE_CHARS_MAX = 300;

/** Nodes of one group that a message names: enough to act on; the lists in status hold all. */
export const NODES_NAMED_MAX = 8;

/** Characters of a message inside status and events. */
export const STATUS_MESSAGE_CHARS_MAX = 512;

/** Milliseconds a lost delta stays in quarantine. */
export const QUARANTINE_MS = 2_592_000_000;

/** Lost deltas kept per Config; beyond it the oldest are forgotten first. */
export const QUARANTINE_MAX = 256;

/** Milliseconds in which a confirmed version makes a proposal on its keys a rival. */
export const RIVAL_WINDOW_MS = 604_800_000;

/** Highest trial number of a (config, key) account; spentBeta accepts no more. */
export const BETA_TRIALS_MAX = 10_000;

/** Milliseconds the longest veto may stand before it is looked at again. */
export const VETO_TTL_MAX_MS = 7_776_000_000;

/** Keys one veto may pin: more than a Config's top-level keys is a mistake. */
export const PINNED_KEYS_MAX = 1_024;

/** Join tokens that may be open at a time. */
export const JOIN_TOKENS_MAX = 1_000;

/** Milliseconds a join token may live at most: a week, and a day for clocks that disagree. */
export const JOIN_TOKEN_TTL_MAX_MS = 691_200_000;

/** Targets or signals one node may bind. */
export const BINDINGS_MAX = 256;

/** Commands that pendingWork returns at a time; the rest comes with the next look. */
export const PENDING_WORK_MAX = 256;

/** Keys in one chunk of the ordered row table: an insert moves at most this many pointers. */
export const TABLE_CHUNK_KEYS_MAX = 512;

/** Versions walked back along a Config's history when pins are resolved. */
export const LINEAGE_MAX = 1_000;

/** Share (per mille) of a stage's nodes that must be reachable for the rollout to go on. */
export const REACHABLE_PER_MILLE_MIN = 800;

/** Nodes assigned at which a single veto already is a question for the policy (`onFirstVeto`). */
export const FIRST_VETO_STAGE_NODES_MAX = 5;

/** Highest settle time (seconds) a block design can wait out; above it nodes are randomised. */
export const SETTLE_SECONDS_MAX = 60;

/** Namespaces and objects that the first command may create. */
export const GENESIS_OBJECTS_MAX = 256;

/** Latest time a command may carry: the end of the year 9999, the last that RFC 3339 can write. */
export const TIME_MS_MAX = 253_402_300_799_999;

/** Standing vetoes of one node and Config that pin keys; resolving them doubles with each. */
export const STANDING_VETOES_MAX = 8;

/** Newest proposals per Config that are kept whatever their age, with their votes. */
export const PROPOSALS_KEPT = 50;

/** Proposals per Config that are kept at most, even young ones: an agent may open many. */
export const PROPOSALS_MAX = 1_000;

/** Milliseconds after which older proposals leave: 90 days. */
export const PROPOSAL_TTL_MS = 7_776_000_000;

/** Newest versions per Config that are kept; older ones leave unless something still needs them. */
export const VERSIONS_KEPT = 100;

/** Milliseconds between two collections of one Config: retention is never urgent. */
export const COLLECT_INTERVAL_MS = 3_600_000;

/** Objects of one kind that one collection removes, so that no entry stalls the loop. */
export const COLLECT_OBJECTS_MAX = 100;
