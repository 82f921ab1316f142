// The count: thresholds met exactly, quorum, ties, classes that disagree.

import { describe, expect, it } from "vitest";
import { defaultPolicySpec } from "@kingly/resources";
import type { PolicySpec, Verdict } from "@kingly/resources";
import { verdictOf } from "../src/model/ballot.ts";
import type { BallotVote } from "../src/model/ballot.ts";

const LN_STRONG = 6;

/** "AAR-" = two Accept, one Reject (with strong evidence of harm), one that did not answer. */
function votes(letters: string, change: Partial<BallotVote> = {}): BallotVote[] {
  const answers = { A: "Accept", R: "Reject", N: "Abstain", "-": "" } as const;
  return letters.split("").map((letter, i) => ({
    node: `n${i}`,
    class: "gpu",
    ownerGroup: "ops",
    decision: answers[letter as keyof typeof answers],
    lnHarm: letter === "R" ? LN_STRONG : -1,
    measured: letter !== "-",
    ...change,
  }));
}

function verdict(
  all: readonly BallotVote[],
  sizes: Record<string, number> = {},
  policy: PolicySpec = defaultPolicySpec,
): Verdict {
  return verdictOf({ votes: all, classSizes: { gpu: 100, ...sizes }, policy, beta: 0.05 });
}

describe("a verdict of one class", () => {
  it.each([
    ["AAAAA", "Accepted", "Accepted"],
    ["AAAAR", "Accepted", "Accepted"],
    ["AARRR", "Rejected", "HarmMeasured"],
    ["RRRRR", "Rejected", "HarmMeasured"],
    ["AAA--", "Accepted", "Accepted"],
    ["AA---", "Inconclusive", "QuorumMissed"],
    ["AANNN", "Inconclusive", "QuorumMissed"],
    ["NNNNN", "Inconclusive", "QuorumMissed"],
    ["", "Inconclusive", "QuorumMissed"],
  ] as const)("of %s is %s (%s)", (letters, outcome, reason) => {
    expect(verdict(votes(letters))).toMatchObject({ outcome, reason });
  });

  it("takes exactly two thirds for Accept and exactly one third with proof for Reject: a tie rejects", () => {
    const weak = votes("AAR").map((vote) => ({ ...vote, lnHarm: Math.min(vote.lnHarm, 4) }));
    expect(verdict(weak).outcome).toBe("Accepted");
    expect(verdict(votes("AAR")).outcome).toBe("Rejected");
  });

  it("asks for the mean of the harm e-values, not for single ones", () => {
    const all = votes("AARRR").map((vote) => ({
      ...vote,
      lnHarm: vote.decision === "Reject" ? 4.7 : -5,
    }));
    const result = verdict(all);
    expect(result.classes[0]?.meanHarmE).toBeLessThan(100);
    expect(result).toMatchObject({ outcome: "Inconclusive", reason: "Undecided" });
  });

  it("needs the smallest number of votes of the class, or all of a smaller one", () => {
    expect(verdict(votes("A"), { gpu: 5 }).outcome).toBe("Inconclusive");
    expect(verdict(votes("A"), { gpu: 1 }).outcome).toBe("Accepted");
  });
});

describe("a verdict of several classes", () => {
  const edge = (letters: string) => votes(letters, { class: "edge", node: "e" });
  it("rejects by name when one class rejects and another accepts", () => {
    const result = verdict([...votes("AAAA"), ...edge("RRRR")], { edge: 100 });
    expect(result).toMatchObject({ outcome: "Rejected", reason: "ClassesSplit" });
    expect(result.classes.map((tally) => tally.outcome)).toEqual(["rejects", "accepts"]);
    expect(result.message).toBe("classes disagree: edge rejects, so nothing is committed");
  });

  it("says that a policy with onSplit narrow asks for what is not available yet", () => {
    const all = [...votes("AAAA"), ...edge("RRRR")];
    const narrow = verdict(all, { edge: 100 }, { ...defaultPolicySpec, onSplit: "narrow" });
    expect(narrow).toMatchObject({ outcome: "Rejected", reason: "ClassesSplit" });
    expect(narrow.message).toMatch(/edge rejects.*onSplit: narrow.*not available yet$/);
    expect(defaultPolicySpec.onSplit).toBe("reject");
  });

  it("is inconclusive when a class stays undecided", () => {
    const result = verdict([...votes("AAAAA"), ...edge("ANN")], { edge: 20 });
    expect(result).toMatchObject({ outcome: "Inconclusive", reason: "ClassesSplit" });
  });

  it("is accepted when every class accepts", () => {
    expect(verdict([...votes("AAA"), ...edge("AAA")], { edge: 5 }).outcome).toBe("Accepted");
  });
});

describe("owners of very different sizes", () => {
  /** Letters of each owner's nodes: "AAAA R R" = one owner of four, two of one. */
  const owned = (text: string): BallotVote[] =>
    text
      .split(" ")
      .flatMap((letters, owner) => votes(letters, { ownerGroup: `owner-${owner}` }))
      .map((vote, i) => ({ ...vote, node: `n${i}` }));

  it("cannot reach the quorum alone, however many nodes they have", () => {
    for (const text of ["AAAA - -", "AAAAAAAAAAAA N N", "- AAAA -", "A - ----"]) {
      expect(verdict(owned(text))).toMatchObject({ reason: "QuorumMissed" });
    }
  });

  it("count as owners: two of three with one node each outvote one with many", () => {
    expect(verdict(owned("AAAA R R")).outcome).toBe("Rejected");
    expect(verdict(owned("RRRR A A")).outcome).toBe("Rejected");
    expect(verdict(owned("AAAA A -")).outcome).toBe("Accepted");
  });
});
