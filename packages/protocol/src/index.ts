// The wire and its conversions: the only package that knows both proto and domain types.

export { PROTO_OPTIONS, PROTO_ROOT, loadDefinition, loadService, safeUint } from "./services.ts";
export type { AnyServiceDefinition, ServiceName } from "./services.ts";
export { generateSigningKey, nodeCrypto, signingPublicKey } from "./node-crypto.ts";
export { decodeRaftMessage, encodeRaftMessage } from "./raft-codec.ts";
export {
  ERROR_DOMAIN,
  STATUS_DETAILS_TRAILER,
  errorReason,
  fromServiceError,
  hasErrorDetails,
  toServiceError,
} from "./status.ts";
export {
  certificateExpiryMs,
  certificateFingerprint,
  certificateIdentity,
  identityFromAltNames,
  identityUri,
} from "./identity.ts";
export type { CertificateIdentity, IdentityKind } from "./identity.ts";
export { FRAME_MESSAGES_MAX, SNAPSHOT_CHUNK_BYTES, WIRE_MESSAGE_BYTES_MAX } from "./limits.ts";
