// A property that did not hold. Thrown by checkers, caught by the runner, which prints it with the
// command that shows it again.

/** Names of the properties that are checked; stable, for reports and tests. */
export type Property =
  | "election-safety"
  | "log-matching"
  | "leader-completeness"
  | "state-machine-safety"
  | "committed-on-quorum"
  | "commit-rule"
  | "membership"
  | "committed-immutable"
  | "monotone"
  | "index-order"
  | "storage-persistence"
  | "acknowledged-durable"
  | "exactly-once"
  | "linearizable"
  | "read-index"
  | "liveness"
  | "no-crash"
  | "restart"
  | "active-version"
  | "reject-not-assigned"
  | "honest-outcome"
  | "delivered-once";

/** One violated property. */
export class Violation extends Error {
  readonly property: Property;

  constructor(property: Property, message: string) {
    super(message);
    this.name = "Violation";
    this.property = property;
  }
}
