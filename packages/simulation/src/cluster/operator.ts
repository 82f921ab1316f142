// Whoever runs the cluster and changes its members, never tidily: joins, promotions, demotions,
// removals and exchanges of a member, at any time and whatever else goes wrong, one at a time as raft
// demands, refused or lost as it happens. A server that was removed never comes back under its id.

import type { Prng } from "@kingly/base";
import type { ConfChange, ConfChangeSingle, ConfState, NodeId } from "raft-ts";
import { everybody, membersOf, membersText } from "../checkers/members.ts";
import type { Scheduler } from "../engine/scheduler.ts";
import type { Server } from "./server.ts";

/** What the operator has power over. */
export interface OperatorPorts {
  readonly prng: Prng;
  readonly scheduler: Scheduler;
  readonly servers: readonly Server[];
  /** Servers with ids up to this one are members from the beginning. */
  readonly firstMembers: number;
  readonly leader: () => Server | undefined;
}

const NO_CONTEXT = new Uint8Array(0);

/** Changes the members of one cluster. */
export class Operator {
  readonly #ports: OperatorPorts;

  constructor(ports: OperatorPorts) {
    this.#ports = ports;
  }

  /** Asks the leader for some change; false when there is no leader or nothing to change. */
  change(): boolean {
    const leader = this.#ports.leader();
    const members = leader?.process?.members;
    if (leader === undefined || members === undefined) return false;
    const change = this.#draw(members);
    if (change === undefined) return false;
    this.#ports.scheduler.note(() => `operator: ${textOf(change)} of ${textOfMembers(members)}`);
    leader.process?.proposeMembers(change);
    return true;
  }

  /** Leaves a joint configuration that nobody else would leave. */
  settle(): void {
    const leader = this.#ports.leader();
    const members = leader?.process?.members;
    if (members === undefined || members.votersOutgoing.length === 0 || members.autoLeave) return;
    leader?.process?.proposeMembers(changeOf([], "auto"));
  }

  #draw(members: ConfState): ConfChange | undefined {
    const { prng } = this.#ports;
    const { voters, learners, votersOutgoing } = members;
    if (votersOutgoing.length > 0) {
      const stays = members.autoLeave || prng.chance(0.6);
      return stays ? undefined : changeOf([], "auto");
    }
    const joint = prng.pick(["joint-implicit", "joint-explicit"] as const);
    const spare = this.#spare();
    const choices: (() => ConfChange)[] = [];
    if (spare !== undefined) {
      choices.push(() => this.#join(spare, [single("add-learner-node", spare.id)], "auto"));
      choices.push(() => this.#join(spare, [single("add-node", spare.id)], "auto"));
      const leaving = prng.pick(voters);
      const exchange = [single("add-node", spare.id), single("remove-node", leaving)];
      choices.push(() => this.#join(spare, exchange, joint));
    }
    const learner = learners.length > 0 ? prng.pick(learners) : undefined;
    if (learner !== undefined) {
      choices.push(() => changeOf([single("add-node", learner)], "auto"));
      const swapped = [single("add-node", learner), single("add-learner-node", prng.pick(voters))];
      choices.push(() => changeOf(swapped, joint));
    }
    if (voters.length > 2) {
      const [one = 0, two = 0] = prng.shuffle(voters);
      choices.push(() => changeOf([single("add-learner-node", one)], "auto"));
      choices.push(() => changeOf([single("remove-node", one)], "auto"));
      const halved = [single("add-learner-node", one), single("add-learner-node", two)];
      if (voters.length > 3) choices.push(() => changeOf(halved, joint));
    }
    return choices.length === 0 ? undefined : prng.pick(choices)();
  }

  /** A server that never ran. */
  #spare(): Server | undefined {
    const { servers, firstMembers } = this.#ports;
    return servers.find((server) => server.id > firstMembers && server.lives === 0);
  }

  #join(
    server: Server,
    changes: readonly ConfChangeSingle[],
    transition: "auto" | "joint-implicit" | "joint-explicit",
  ): ConfChange {
    server.start();
    return changeOf(changes, transition);
  }
}

function single(type: ConfChangeSingle["type"], id: number): ConfChangeSingle {
  return { type, nodeId: id as NodeId };
}

function changeOf(
  changes: readonly ConfChangeSingle[],
  transition: "auto" | "joint-implicit" | "joint-explicit",
): ConfChange {
  return { version: 2, transition, changes, context: NO_CONTEXT };
}

function textOf(change: ConfChange): string {
  const changes = change.version === 1 ? [change] : change.changes;
  if (changes.length === 0) return "leave joint";
  return changes.map(({ type, nodeId }) => `${type} ${nodeId}`).join(", ");
}

function textOfMembers(state: ConfState): string {
  return membersText(membersOf(state));
}

/** The servers that a leader's configuration names. */
export function membersAmong(servers: readonly Server[], leader: Server): readonly Server[] {
  const state = leader.process?.members;
  const ids = state === undefined ? [] : everybody(membersOf(state));
  return servers.filter((server) => ids.includes(server.id));
}
