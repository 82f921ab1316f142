// Pure statistics: e-processes, switchback design, fleet tests.
export {};
