// Frames: what a stream between servers carries. Building them, and checking what arrives: cluster,
// sender and receiver must be who the certificates say, everything else is refused and counted.
import { KinglyError } from "@kingly/base";
import { FRAME_MESSAGES_MAX, decodeRaftMessage, encodeRaftMessage } from "@kingly/protocol";
import type { RaftFrame, RaftFrameInput } from "@kingly/protocol";
import type { Message } from "raft-ts";

/** A frame as it is sent. */
export type FrameInput = RaftFrameInput;
/** A frame as it arrived. */
export type Frame = RaftFrame;

/** Who talks to whom. */
export interface FrameRoute {
  readonly clusterId: string;
  readonly from: string;
  readonly to: string;
}

/** Frame of raft messages. */
export function messageFrame(route: FrameRoute, messages: readonly Message[]): FrameInput {
  return { ...route, messages: { messages: messages.map(encodeRaftMessage) } };
}

/** Checks the envelope. WrongCluster or Forbidden, naming the field. */
export function checkRoute(frame: Frame, route: FrameRoute): void {
  if (frame.clusterId !== route.clusterId) {
    throw new KinglyError("WrongCluster", "the frame is for another cluster", {
      field: "clusterId",
      limit: route.clusterId,
      value: frame.clusterId.slice(0, 80),
    });
  }
  for (const field of ["from", "to"] as const) {
    if (frame[field] === route[field]) continue;
    throw new KinglyError("Forbidden", `frame.${field} must be ${route[field]}`, {
      field,
      limit: route[field],
      value: frame[field].slice(0, 80),
    });
  }
}

/** Raft messages of a frame; each must come from and go to the raft ids of the route. */
export function frameMessages(
  frame: Frame,
  ids: { readonly from: number; readonly to: number },
): readonly Message[] {
  const wire = frame.messages?.messages ?? [];
  if (wire.length > FRAME_MESSAGES_MAX) {
    throw new KinglyError("MalformedFrame", `more than ${FRAME_MESSAGES_MAX} messages in a frame`, {
      field: "messages",
      limit: FRAME_MESSAGES_MAX,
      value: wire.length,
    });
  }
  return wire.map((item) => {
    const message = decodeRaftMessage(item);
    if (message.from !== ids.from || message.to !== ids.to) {
      throw new KinglyError("MalformedFrame", "a raft message names other members than its frame", {
        field: "messages.from",
        limit: ids.from,
        value: message.from,
      });
    }
    return message;
  });
}
