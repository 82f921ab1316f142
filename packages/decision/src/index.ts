// Pure replicated state machine: proposals, votes, verdicts, rollouts, vetoes.
export {};
