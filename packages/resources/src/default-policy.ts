// The policy that holds where nobody chose another: the numbers of the design, one for each
// field of PolicySpec. Schema defaults are taken from here, so the two cannot differ.

import type { PolicySpec } from "./kinds/policy.ts";

/** Defaults of every field of a Policy. One pair is two blocks and two wash-outs: 60 s. */
export const defaultPolicySpec: PolicySpec = {
  electorate: { nodesPerClass: 5, minVotesPerClass: 2 },
  quorum: 0.6,
  acceptThreshold: { numerator: 2, denominator: 3 },
  rejectThreshold: { numerator: 1, denominator: 3 },
  alpha: 0.01,
  beta: 0.05,
  trial: {
    blockSeconds: 20,
    washoutSeconds: 10,
    maxPairs: 120,
    // 120 pairs take two hours; half an hour more for interruptions and late votes.
    deadlineSeconds: 9_000,
    harmMarginRatio: 0.02,
    clip: 0.5,
  },
  rollout: {
    stages: [0, 0.1, 0.5, 1],
    soakSeconds: 300,
    confirmedShare: 0.9,
    // The customary time of a confirmed commit on network devices.
    confirmDeadlineSeconds: 600,
    probationSeconds: 86_400,
    onFirstVeto: "pause",
    vetoCeiling: 50,
  },
  onSplit: "reject",
  directCommits: false,
  agentsMayPropose: false,
  vetoExpirySeconds: 604_800,
};
