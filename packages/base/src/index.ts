// Assertions, errors, seeded PRNG, canonical JSON, clock and logger interfaces.
export {};
