import { expect, test } from "vitest";
import { atMost, patienceFor, SLACK } from "../../../src/model/patience.ts";

const MINUTES = 60_000;
type Case = [
  what: string,
  waitMs: number | undefined,
  startTimeout: number | undefined,
  putsBack: boolean,
  expected: object,
];

test.each<Case>([
  ["a new server", undefined, undefined, false, { ms: 5 * MINUTES, slack: SLACK, whileProgress: true }],
  ["one with a start-timeout", undefined, 2000, false, { ms: 2000, slack: SLACK, whileProgress: true }],
  ["a changed one that ran", undefined, undefined, true, { ms: MINUTES, slack: 0, whileProgress: false }],
  [
    "such a one with a start-timeout",
    undefined,
    20 * MINUTES,
    true,
    { ms: 20 * MINUTES, whileProgress: true },
  ],
  ["a wait that somebody has bounded", 7000, undefined, false, { ms: 7000, slack: 0, whileProgress: false }],
  ["the same of a changed one", 9 * MINUTES, 2000, true, { ms: 9 * MINUTES, whileProgress: false }],
  ["no wait", 0, undefined, false, { ms: 0 }],
])("%s is waited for as long as it should be", (_, waitMs, startTimeout, putsBack, expected) => {
  const spec = startTimeout === undefined ? {} : { startTimeout };
  expect(patienceFor(waitMs, spec, { putsBack })).toMatchObject(expected);
});

test("whoever asks for less on the wire gets less", () => {
  const patience = patienceFor(undefined, {}, { putsBack: false });
  expect(atMost(5 * MINUTES + SLACK, patience)).toEqual(patience);
  expect(atMost(5 * MINUTES + 1000, patience)).toEqual({ ...patience, slack: 1000 });
  expect(atMost(100, patience)).toEqual({ ms: 100, slack: 0, whileProgress: true, by: "wait-timeout" });
});
