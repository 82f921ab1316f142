// Pure agent core: trial runner, guard, reconcile, tuner.
export {};
