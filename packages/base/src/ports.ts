// Interfaces to the world outside the pure packages: keys and hashes, time, logging. Pure code
// receives them as arguments; the simulator passes its own.

/** Hashing and Ed25519 signatures (RFC 8032). */
export interface Crypto {
  /** SHA-256 of the bytes, 32 bytes. */
  sha256(bytes: Uint8Array): Uint8Array;
  /** Ed25519 signature (64 bytes) by the private key, given as its 32-byte seed. */
  sign(privateKey: Uint8Array, bytes: Uint8Array): Uint8Array;
  /** True when the signature is the raw 32-byte public key's over the bytes; never throws. */
  verify(publicKey: Uint8Array, bytes: Uint8Array, signature: Uint8Array): boolean;
}

/** A timer that can be cancelled; cancelling twice or after it fired does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as an argument. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Calls `fn` once after the delay (milliseconds, >= 0) unless cancelled. */
  setTimer(delayMs: number, fn: () => void): Timer;
}

/** Structured fields of a log line. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Logs nothing. */
export const noLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
};
