// Whole clusters and fleets in virtual time, faults, checkers.
export {};
