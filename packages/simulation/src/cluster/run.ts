// One run: faults for a while (safety), then none (liveness): the healed core must elect a leader, let
// every client finish some operations and bring all its servers to the same state within a bound of
// virtual time. At the end the whole history is judged.

import { createPrng } from "@kingly/base";
import type { Prng } from "@kingly/base";
import { checkDurability } from "../checkers/durability.ts";
import { checkLinearizability } from "../checkers/linearizability.ts";
import { isIntact } from "../checkers/recorder.ts";
import { SECOND_US } from "../engine/scheduler.ts";
import { Violation } from "../engine/violation.ts";
import type { Property } from "../engine/violation.ts";
import { EVENTS_BASE_MAX, EVENTS_PER_SECOND_MAX, LIVENESS_SECONDS_MAX } from "../limits.ts";
import { Cluster } from "./cluster.ts";
import { machineFor } from "./machines.ts";
import { membersAmong } from "./operator.ts";
import { drawScenario } from "./scenario.ts";
import type { Scenario, ScenarioWishes } from "./scenario.ts";
import type { Server } from "./server.ts";

/** What a run is given. */
export interface RunOptions extends ScenarioWishes {
  readonly seed: number;
  /** Receives a line per noteworthy event; undefined: none. */
  readonly trace?: ((line: string) => void) | undefined;
}

/** Numbers of one run, for the report. */
export interface RunCounts {
  readonly virtualSeconds: number;
  readonly terms: number;
  readonly committed: number;
  readonly reads: number;
  readonly writes: number;
  readonly unknown: number;
  /** Starts after the first one of each server. */
  readonly starts: number;
  readonly snapshots: number;
  readonly faults: number;
  /** Changes of members that were committed. */
  readonly reconfigurations: number;
  readonly messages: number;
  readonly lost: number;
  readonly events: number;
  /** Fingerprint of the final rows; equal on all servers of the core. */
  readonly rowsPrint: number;
}

/** What went wrong in a run; plain data. */
export interface Failure {
  readonly property: Property;
  readonly message: string;
}

/** How a run ended. */
export interface RunResult {
  readonly seed: number;
  readonly scenario: Scenario;
  readonly counts: RunCounts;
  /** Undefined when all properties held. */
  readonly violation: Failure | undefined;
}

/** Operations that each client must finish after the faults have ended. */
const OPERATIONS_AFTER_HEALING = 3;

/** Runs one seed. Rejects only for mistakes of the simulator itself. */
export async function runCluster(options: RunOptions): Promise<RunResult> {
  const prng = createPrng(`cluster ${options.seed}`);
  const scenario = drawScenario(prng.fork("scenario"), options);
  const machine = machineFor(scenario);
  const cluster = new Cluster({ prng, scenario, machine, trace: options.trace });
  let violation: Failure | undefined;
  try {
    await cluster.start();
    await cluster.scheduler.run(scenario.safetyUs, () => checkStorm(cluster));
    const core = await heal(cluster, prng.fork("core"));
    judge(cluster, core);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    violation = { property: error.property, message: error.message };
  }
  return { seed: options.seed, scenario, counts: countsOf(cluster), violation };
}

/** Servers that answer each other without end are as useless as servers that do not answer. */
function checkStorm({ scheduler, scenario }: Cluster): false {
  const seconds = scenario.safetyUs / SECOND_US + LIVENESS_SECONDS_MAX;
  const limit = EVENTS_BASE_MAX + EVENTS_PER_SECOND_MAX * seconds;
  if (scheduler.order <= limit) return false;
  const text = `more than ${limit} events in ${scheduler.nowUs / SECOND_US} virtual seconds`;
  throw new Violation("liveness", `${text}: servers keep each other busy`);
}

/** Servers that the liveness phase may count on. */
function coreOf(cluster: Cluster, prng: Prng): readonly Server[] {
  const { servers, recorder, scenario } = cluster;
  const usable = servers.filter((server) => server.state !== "lost" && server.lives > 0);
  const allIntact = servers.every((server) => isIntact(recorder.world.view(server.id)));
  const isWhole = allIntact && usable.length === servers.length && scenario.spares === 0;
  if (!scenario.healsMajorityOnly || !isWhole) return usable;
  return prng.shuffle(servers).slice(0, Math.floor(servers.length / 2) + 1);
}

async function heal(cluster: Cluster, prng: Prng): Promise<readonly Server[]> {
  const { scheduler, nemesis, operator, clients } = cluster;
  const core = coreOf(cluster, prng);
  nemesis.heal(core);
  for (const client of clients) client.finishAfter(OPERATIONS_AFTER_HEALING);
  const until = scheduler.nowUs + LIVENESS_SECONDS_MAX * SECOND_US;
  let checkedAt = 0;
  let converged = false;
  await scheduler.run(until, () => {
    checkStorm(cluster);
    if (scheduler.nowUs - checkedAt < SECOND_US / 50) return false;
    checkedAt = scheduler.nowUs;
    operator.settle();
    converged = clients.every((client) => client.resting) && isConverged(cluster, core);
    return converged;
  });
  if (!converged) throw new Violation("liveness", whatIsMissing(cluster, core));
  return membersOfCore(cluster, core);
}

/** Who of the core belongs to the cluster at the end. */
function membersOfCore(cluster: Cluster, core: readonly Server[]): readonly Server[] {
  const leader = cluster.leader();
  // Whether damage is beyond repair shows only when the server starts.
  const alive = core.filter((server) => server.state !== "lost");
  return leader === undefined ? [] : membersAmong(alive, leader);
}

function isConverged(cluster: Cluster, core: readonly Server[]): boolean {
  const leader = cluster.leader();
  const status = leader?.process?.status;
  if (leader === undefined || status === undefined) return false;
  const end = leader.process?.lastIndex;
  if (leader.process?.members?.votersOutgoing.length !== 0) return false;
  return membersOfCore(cluster, core).every((server) => {
    const own = server.process?.status;
    return (
      own !== undefined &&
      !own.recovering &&
      own.lead === leader.id &&
      own.term === status.term &&
      own.commit === end &&
      own.applied === end &&
      server.process?.lastIndex === end
    );
  });
}

function whatIsMissing(cluster: Cluster, core: readonly Server[]): string {
  const busy = cluster.clients.filter((client) => !client.resting).length;
  const states = core.map((server) => {
    const status = server.process?.status;
    if (status === undefined) return `${server.id}: ${server.state} ${server.lostBecause}`;
    const { state, term, lead, commit, applied, recovering } = status;
    const last = server.process?.lastIndex ?? 0;
    const note = recovering ? " recovering" : "";
    return `${server.id}: ${state} t${term} lead ${lead} ${applied}/${commit}/${last}${note}`;
  });
  return (
    `not converged ${LIVENESS_SECONDS_MAX} s after the faults ended: ${busy} clients are not ` +
    `served; ${states.join("; ")}`
  );
}

function judge(cluster: Cluster, core: readonly Server[]): void {
  const { clients, history, recorder } = cluster;
  for (const client of clients) client.abandon();
  const [first, ...others] = core;
  for (const server of others) {
    if (server.process?.rowsPrint === first?.process?.rowsPrint) continue;
    const text = `servers ${first?.id} and ${server.id} differ in rows at the end`;
    throw new Violation("state-machine-safety", text);
  }
  checkDurability(
    recorder.requests,
    core.map((server) => ({
      id: server.id,
      appliedIndex: server.process?.machine?.appliedIndex ?? 0,
      remembers: (key) => server.process?.machine?.remembers(key) ?? false,
    })),
  );
  checkLinearizability(history);
}

function countsOf(cluster: Cluster): RunCounts {
  const { scheduler, recorder, clients, servers, nemesis, network } = cluster;
  const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  return {
    virtualSeconds: scheduler.nowUs / SECOND_US,
    terms: recorder.elections.elections,
    committed: recorder.world.committedIndex,
    reads: sum(clients.map((client) => client.counts.reads)),
    writes: sum(clients.map((client) => client.counts.writes)),
    unknown: sum(clients.map((client) => client.counts.unknown)),
    starts: sum(servers.map((server) => Math.max(0, server.lives - 1))),
    snapshots: recorder.snapshots,
    reconfigurations: recorder.world.memberHistory.changes,
    faults: sum([...nemesis.counts.values()]),
    messages: network.counts.sent,
    lost: network.counts.lost,
    events: scheduler.order,
    rowsPrint: servers.find((server) => server.process !== undefined)?.process?.rowsPrint ?? 0,
  };
}
