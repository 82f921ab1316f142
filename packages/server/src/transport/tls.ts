// What both ends of the servers' connections share: certificates and how a process introduces itself.
import { Metadata } from "@grpc/grpc-js";

/** Certificates of this server, PEM. */
export interface TlsFiles {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Name of the header with which a process introduces itself: new at every start. */
export const BOOT_HEADER = "kingly-boot";
/** Name of the header with the index of the last entry of the sender's log. */
export const LAST_INDEX_HEADER = "kingly-last-index";

/** How this process introduces itself to a peer. */
export interface Introduction {
  readonly boot: string;
  /** Last index of its log, when the stream was opened. */
  readonly lastIndex: number;
}

/** Headers of a stream. */
export function introductionMetadata(introduction: Introduction): Metadata {
  const metadata = new Metadata();
  metadata.set(BOOT_HEADER, introduction.boot);
  metadata.set(LAST_INDEX_HEADER, String(introduction.lastIndex));
  return metadata;
}

/** The introduction in a stream's headers; undefined when there is none. */
export function readIntroduction(metadata: Metadata): Introduction | undefined {
  const boot = metadata.get(BOOT_HEADER)[0];
  const lastIndex = Number(metadata.get(LAST_INDEX_HEADER)[0]);
  if (typeof boot !== "string" || boot === "" || boot.length > 64) return undefined;
  return Number.isSafeInteger(lastIndex) && lastIndex >= 0 ? { boot, lastIndex } : undefined;
}
