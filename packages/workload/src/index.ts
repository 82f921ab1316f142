// The embedded example workload: a real, tunable inference service and its load.
export {};
