import { describe, expect, test } from "vitest";
import {
  type Condition,
  isMet,
  missing,
  type Standing,
  waitsSentence,
  waitsText,
} from "../../../src/model/dependency.ts";

const spec = { wanted: "start", restart: { successExitCodes: [0, 3] } } as Standing["spec"] & object;
const lastExit = (code: number, requested = false) => ({
  exit: { kind: "code" as const, code },
  at: 0,
  ...(requested ? { requested } : {}),
});

function standing(over: Partial<Standing>): Standing {
  const ready = { status: "failing", evidence: "nothing listens on port 8421" } as const;
  return { state: "stopped", operator: null, ready, spec, ...over };
}

const running = standing({ state: "running" });
const ready = standing({ state: "running", ready: { status: "ok", evidence: "listens" } });
const ended = standing({ lastExit: lastExit(3) });

describe("what a dependency meets", () => {
  test.each<[string, Standing, Condition[]]>([
    ["running, and not ready", running, ["started"]],
    ["ready", ready, ["started", "ready"]],
    ["ended with success", ended, ["started", "ready", "completed"]],
    ["ended with success, and held since", { ...ended, operator: "stop" }, ["started", "ready", "completed"]],
    ["ended without success", standing({ lastExit: lastExit(1) }), []],
    ["told to end, and so it did", standing({ lastExit: lastExit(0, true) }), []],
    ["ended with success once, and runs again", { ...ended, state: "running" }, ["started"]],
    ["ended with success, and is to start again", { ...ended, waits: [] }, []],
    ["still running, and its restart is owed", { ...ready, waits: [] }, []],
    ["starting", standing({ state: "starting" }), []],
    ["in its backoff", standing({ state: "restarting" }), []],
    ["stopping", standing({ state: "stopping" }), []],
    ["never started", standing({}), []],
  ])("%s: %j", (_, one, conditions) => {
    const met = (["started", "ready", "completed"] as const).filter((condition) => isMet(one, condition));
    expect(met).toEqual(conditions);
    for (const condition of met) expect(missing("db", condition, one)).toBeUndefined();
  });
});

describe("what a dependency is short of", () => {
  test.each<[Condition, Partial<Standing>, string, resting: boolean]>([
    ["ready", { state: "running" }, "running, not ready: nothing listens on port 8421", false],
    ["completed", { state: "running" }, "running, not completed", false],
    ["started", { state: "starting" }, "starting", false],
    [
      "ready",
      { state: "restarting", reason: "exit 7; starts again after 2s" },
      "restarting: exit 7; starts again after 2s",
      false,
    ],
    ["ready", { state: "stopping" }, "stopping", false],
    ["ready", { operator: "stop" }, "held", true],
    ["ready", { spec: { ...spec, wanted: "stop" } }, "stopped, as the configuration wants it", true],
    ["ready", {}, "stopped", true],
    ["completed", { reason: "ended: exit 7", lastExit: lastExit(7) }, "stopped: ended: exit 7", true],
    ["ready", { state: "failed", reason: "exit 7" }, "failed: exit 7", true],
    ["ready", { waits: ["seed", "dns"] }, "waiting for seed, dns", false],
    ["ready", { waits: [] }, "about to start", false],
  ])("%s: %j", (condition, over, state, resting) => {
    expect(missing("db", condition, standing(over))).toEqual({ server: "db", condition, state, resting });
  });
});

test("in words, with the way out where somebody has to take it", () => {
  const db = { server: "db", condition: "ready", state: "held", resting: true } as const;
  const seed = {
    server: "seed",
    condition: "completed",
    state: "running, not completed",
    resting: false,
  } as const;
  expect(waitsText([db, seed])).toBe(
    "waits for db to be ready: held; and for seed to complete: running, not completed",
  );
  expect(waitsSentence([db, seed])).toMatch(
    /; it starts automatically once that happens \(run `xy start db`\)$/,
  );
  expect(waitsSentence([seed])).toMatch(/; it starts automatically once that happens$/);
});
