// The version that agents tell servers; equal to the package's.

/** Semantic version of the agent. */
export const AGENT_VERSION = "0.1.0";
