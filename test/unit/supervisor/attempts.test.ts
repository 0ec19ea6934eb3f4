import fc from "fast-check";
import { expect, it } from "vitest";
import type { Exit } from "../../../src/model/observed.ts";
import { type AfterAttempt, afterAttempt, type Outcome } from "../../../src/supervisor/attempts.ts";

const RETRIES = { max: 2, backoffInitial: 1000, backoffMax: 1800 };
const exit = (code: number): Outcome => ({ kind: "exit", exit: { kind: "code", code } });
const SEGV: Exit = { kind: "signal", signal: "SIGSEGV" };

it.each<[number, Outcome, AfterAttempt]>([
  [1, exit(0), { kind: "over", phase: "succeeded", error: null }],
  [1, exit(7), { kind: "again", ms: 1000, error: "exit 7; attempt 2 of 3 begins after 1s" }],
  [2, exit(7), { kind: "again", ms: 1800, error: "exit 7; attempt 3 of 3 begins after 1s800ms" }],
  [3, exit(7), { kind: "over", phase: "failed", error: "exit 7" }],
  [3, exit(0), { kind: "over", phase: "succeeded", error: null }],
  [
    1,
    { kind: "exit", exit: SEGV },
    { kind: "again", ms: 1000, error: "SIGSEGV; attempt 2 of 3 begins after 1s" },
  ],
  [
    3,
    { kind: "exit", exit: { kind: "unknown" } },
    { kind: "over", phase: "failed", error: "exit code unknown" },
  ],
  [
    1,
    { kind: "timeout", error: "not over after 2s" },
    { kind: "again", ms: 1000, error: "not over after 2s; attempt 2 of 3 begins after 1s" },
  ],
  [1, { kind: "cancelled", error: "by hand" }, { kind: "over", phase: "cancelled", error: "by hand" }],
  [
    1,
    { kind: "not-started", error: "no such file" },
    { kind: "over", phase: "failed", error: "no such file" },
  ],
])("after attempt %i, %o: %o", (attempt, outcome, after) => {
  expect(afterAttempt(attempt, outcome, RETRIES)).toEqual(after);
});

it("property: there are as many attempts as were allowed, and no wait is longer than the longest", () => {
  const retries = fc.record({
    max: fc.nat(20),
    backoffInitial: fc.nat(10_000),
    backoffMax: fc.nat(100_000),
  });
  fc.assert(
    fc.property(retries, (allowed) => {
      let attempts = 1;
      for (let after = afterAttempt(attempts, exit(1), allowed); after.kind === "again"; ) {
        expect(after.ms).toBeLessThanOrEqual(allowed.backoffMax);
        after = afterAttempt(++attempts, exit(1), allowed);
      }
      expect(attempts).toBe(allowed.max + 1);
    }),
  );
});
