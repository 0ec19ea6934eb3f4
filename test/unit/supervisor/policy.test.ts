import { describe, expect, it } from "vitest";
import type { Exit } from "../../../src/model/observed.ts";
import { isSuccess } from "../../../src/model/success.ts";
import { decideRestart, NO_RETRIES, wantsRestart } from "../../../src/supervisor/policy.ts";
import type { Retries } from "../../../src/supervisor/recorded.ts";
import { specWith } from "./fixture.ts";

const NOW = 1_000_000;
const NEVER_READY = { ready: undefined, end: "failure" } as const;
const code = (n: number): Exit => ({ kind: "code", code: n });
const SEGV: Exit = { kind: "signal", signal: "SIGSEGV" };
const UNKNOWN: Exit = { kind: "unknown" };

describe("an end", () => {
  it.each([
    ["never", code(0), false],
    ["never", code(7), false],
    ["never", SEGV, false],
    ["on-failure", code(0), false],
    ["on-failure", code(3), false],
    ["on-failure", code(7), true],
    ["on-failure", SEGV, true],
    ["on-failure", UNKNOWN, true],
    ["always", code(0), true],
    ["always", code(7), true],
    ["always", UNKNOWN, true],
  ] as const)("under policy %s, %o wants a restart: %s", (policy, exit, wanted) => {
    expect(wantsRestart(exit, specWith({ restart: { policy, successExitCodes: [0, 3] } }))).toBe(wanted);
  });

  it.each([
    [code(0), true],
    [code(3), true],
    [code(1), false],
    [SEGV, false],
    [UNKNOWN, false],
  ])("%o is a success: %s", (exit, success) => {
    expect(isSuccess(exit, specWith({ restart: { successExitCodes: [0, 3] } }))).toBe(success);
  });
});

describe("the backoff", () => {
  it.each([
    [0, 0, 1000],
    [1, 0, 2000],
    [4, 0, 16_000],
    [5, 0, 30_000],
    [5000, 0, 30_000],
    [4, 9_999, 16_000],
    [4, 10_000, 1000],
    // The clock was set back during the run.
    [4, -3_600_000, 16_000],
  ])("after %i restarts in a row and %i ms up is %i ms", (attempt, uptime, delay) => {
    const decision = decideRestart(
      { attempt, counted: [] },
      { ready: uptime, end: "failure" },
      specWith(),
      NOW,
    );
    expect(decision).toMatchObject({ kind: "restart", delay });
  });

  it("starts over at the reset, and grows again from there", () => {
    const decision = decideRestart(
      { attempt: 4, counted: [] },
      { ready: 10_000, end: "failure" },
      specWith(),
      NOW,
    );
    expect(decision).toMatchObject({ retries: { attempt: 1 } });
  });

  it.each([
    [{ backoffInitial: 0 }, 5000, 0],
    [{ backoffInitial: 60_000 }, 0, 30_000],
  ])("with %o after %i restarts is %i ms", (restart, attempt, delay) => {
    const decision = decideRestart({ attempt, counted: [] }, NEVER_READY, specWith({ restart }), NOW);
    expect(decision).toMatchObject({ kind: "restart", delay });
  });
});

describe("the retry window", () => {
  const ago = (...ms: number[]): Retries => ({ attempt: ms.length, counted: ms.map((each) => NOW - each) });
  it.each([
    ["nothing counted", ago(), "restart"],
    ["four in the window", ago(59_999, 40_000, 3000, 1000), "restart"],
    ["five in the window", ago(59_999, 50_000, 40_000, 3000, 1000), "give-up"],
    ["the oldest of five just out of it", ago(60_000, 50_000, 40_000, 3000, 1000), "restart"],
    [
      "five that seem to lie ahead, the clock was set back",
      ago(-5000, -5000, -5000, -5000, -5000),
      "give-up",
    ],
  ])("with %s", (_, retries, kind) => {
    expect(decideRestart(retries, NEVER_READY, specWith(), NOW).kind).toBe(kind);
  });

  it("forgets what is out of the window and counts the new one", () => {
    expect(decideRestart(ago(70_000, 1000), NEVER_READY, specWith(), NOW)).toMatchObject({
      retries: { attempt: 3, counted: [NOW - 1000, NOW] },
    });
  });

  it("counts a restart of the future as one of now, so that it leaves the window in a minute", () => {
    const decision = decideRestart(ago(-3_600_000), NEVER_READY, specWith(), NOW);
    expect(decision).toMatchObject({ retries: { counted: [NOW, NOW] } });
  });

  it("of none gives up at the first end", () => {
    expect(
      decideRestart(NO_RETRIES, NEVER_READY, specWith({ restart: { maxRetriesPerMinute: 0 } }), NOW).kind,
    ).toBe("give-up");
  });
});
