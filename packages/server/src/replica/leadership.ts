// Giving leadership away and taking it over early: what makes a change of leader cost little. The
// core decides who may lead; this only says when to ask it.
import type { Logger } from "@kingly/base";
import type { TimingConfig } from "../config.ts";
import { DISK_STALL_ELECTIONS, EARLY_ELECTIONS_MAX, LEADER_LOST_TICKS } from "../limits.ts";
import type { RaftDriver } from "../raft/driver.ts";
import type { Member } from "../transport/types.ts";
import type { LeaderWatch } from "./leader-watch.ts";

/** What leadership is judged by. */
export interface LeadershipPorts {
  readonly self: Member;
  readonly timing: TimingConfig;
  readonly driver: RaftDriver;
  readonly leaders: LeaderWatch;
  readonly logger: Logger;
  /** Milliseconds that the oldest unfinished log write has taken. */
  stalledMs(): number;
}

/** When to hand over and when to campaign early. */
export class Leadership {
  readonly #ports: LeadershipPorts;
  #campaign: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(ports: LeadershipPorts) {
    this.#ports = ports;
  }

  /** Once per tick: a leader whose own disk stalls for longer than an election takes hands over. */
  tick(): void {
    const { timing, leaders, driver, logger } = this.#ports;
    const stalledMs = this.#ports.stalledMs();
    const limitMs = DISK_STALL_ELECTIONS * timing.tickMs * timing.electionTicks;
    if (!leaders.leads || stalledMs < limitMs) return;
    const target = this.#successor();
    if (target === undefined) return;
    logger.warn("the disk stalls; handing leadership over", { stalledMs, target });
    driver.transferLeadership(target);
  }

  /**
   * The leader's connection broke, usually because its process died. Do not wait for the election
   * timeout: vote freely, and after a short random pause ask for votes. Pre-vote and the leases of
   * the others make this harmless when the leader is alive and only one connection broke.
   */
  peerLost(from: Member): void {
    const { leaders, driver, logger } = this.#ports;
    if (this.#stopped || leaders.leads || leaders.leaderId !== from.raftId) return;
    logger.info("lost the connection from the leader", { leader: from.id });
    driver.forgetLeader();
    this.#campaignSoon(EARLY_ELECTIONS_MAX);
  }

  /** After a short random pause: an election, unless there is a leader; again if it is in vain. */
  #campaignSoon(attempts: number): void {
    const { driver, timing } = this.#ports;
    clearTimeout(this.#campaign);
    const pauseMs = timing.tickMs * (LEADER_LOST_TICKS + 2 * Math.random());
    this.#campaign = setTimeout(() => {
      if (this.#stopped || driver.basicStatus().lead !== 0) return;
      driver.campaign();
      // Two who ask at the same moment split the votes, and would then sit out an election timeout.
      if (attempts > 1) this.#campaignSoon(attempts - 1);
    }, pauseMs);
  }

  /**
   * Hands leadership to the voter that is furthest, and waits for it to take over. Raft gives a
   * transfer up after an election timeout (thesis section 3.10); it is tried again until `deadlineMs`.
   */
  async handOver(deadlineMs: number): Promise<void> {
    const { leaders, driver, timing } = this.#ports;
    const deadline = performance.now() + deadlineMs;
    for (let left = deadlineMs; leaders.leads && left > 0; left = deadline - performance.now()) {
      const target = this.#successor();
      if (target === undefined) return;
      driver.transferLeadership(target);
      const oneTry = timing.tickMs * timing.electionTicks;
      await leaders.waitFor((watch) => !watch.leads, Math.min(left, oneTry));
    }
  }

  /** The reachable voter that is furthest; undefined when there is none. */
  #successor(): number | undefined {
    const { driver, self } = this.#ports;
    const others = driver.status().progress.filter((one) => {
      return one.id !== self.raftId && !one.isLearner && one.recentActive;
    });
    return others.sort((a, b) => b.match - a.match)[0]?.id;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#campaign);
  }
}
