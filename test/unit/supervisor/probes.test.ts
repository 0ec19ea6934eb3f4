import { describe, expect, it } from "vitest";
import type { Probe } from "../../../src/model/spec-parts.ts";
import { isSameCheck, nextGap, type Track, takeAnswer, untried } from "../../../src/supervisor/probes.ts";
import { LOG, MCP, NONE, tcp } from "./fixture.ts";

const NOW = 1_000_000;

/** Takes answers in, one letter each: `+` good, `-` bad. */
function trackAfter(answers: string, probe: Probe): Track {
  return [...answers].reduce(
    (track, letter, i) => takeAnswer(track, { ok: letter === "+", evidence: `answer ${i}` }, probe, NOW + i),
    untried(NOW),
  );
}

describe("a verdict", () => {
  const patient = tcp({ successThreshold: 2, failureThreshold: 3 });
  it.each([
    [tcp(), "", "unknown", false],
    [tcp(), "+", "ok", true],
    [tcp(), "--", "unknown", false],
    [tcp(), "---", "failing", false],
    [tcp(), "+--", "ok", true],
    [tcp(), "+--+--", "ok", true],
    [tcp(), "+---", "failing", true],
    [tcp(), "+---+", "ok", true],
    [patient, "+", "unknown", false],
    [patient, "+-+", "unknown", false],
    [patient, "++", "ok", true],
    [patient, "++---+", "failing", true],
    [patient, "++---++", "ok", true],
    [LOG, "+", "ok", true],
    [NONE, "+", "ok", true],
    [NONE, "-", "failing", false],
  ] as const)("of %o after '%s' is %s, settled: %s", (probe, answers, status, settled) => {
    const track = trackAfter(answers, probe);
    expect(track.verdict.status).toBe(status);
    expect(track.settled).toBe(settled);
  });

  it("carries the evidence and time of the last answer, and says so when that speaks against it", () => {
    const evidence = "failed check 1 of 3: answer 1";
    expect(trackAfter("+-", tcp()).verdict).toEqual({ status: "ok", evidence, at: NOW + 1 });
    const slow = tcp({ failureThreshold: 1, successThreshold: 2 });
    expect(trackAfter("-+", slow).verdict).toMatchObject({ evidence: "good check 1 of 2: answer 1" });
  });
});

describe("the gap to the next probe", () => {
  it.each([
    [0, false, 50],
    [1, false, 100],
    [6, false, 3200],
    [7, false, 5000],
    [2000, false, 5000],
    [0, true, 5000],
    [3, true, 5000],
  ])("after %i probes, settled: %s, is %i ms", (sent, settled, gap) => {
    expect(nextGap({ ...untried(NOW), sent, settled }, tcp())).toBe(gap);
  });

  it("is never longer than the interval", () => {
    expect(nextGap(untried(NOW), tcp({ interval: 20 }))).toBe(20);
  });
});

describe("two probes look at the same thing", () => {
  it.each([
    [tcp(), tcp({ interval: 1 }), true],
    [tcp(), tcp({}, 9000), false],
    [LOG, tcp(), false],
    [LOG, LOG, false],
    [NONE, NONE, false],
    [MCP, { ...MCP, timeout: 10_000 }, true],
    [MCP, { ...MCP, path: "/other" }, false],
    [MCP, tcp(), false],
  ])("%o and %o: %s", (a, b, same) => {
    expect(isSameCheck(a, b)).toBe(same);
  });
});
