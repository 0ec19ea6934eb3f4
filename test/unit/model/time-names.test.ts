import { expect, test } from "vitest";
import type { Observed } from "../../../src/model/observed.ts";
import { withTimeNames } from "../../../src/model/time-names.ts";

test("times have names that say their unit, beside the old ones", () => {
  const observed = { state: "restarting", startedAt: 1, nextStartAt: 2, paused: { at: 3, until: 4 } };
  expect(withTimeNames(observed)).toEqual({
    ...observed,
    started_at_unix_ms: 1,
    next_start_at_unix_ms: 2,
    paused: { at: 3, until: 4, at_unix_ms: 3, until_unix_ms: 4 },
  });
});

test("what has no times gets none", () => {
  const observed = { state: "stopped", since: 1 } as const;
  expect(withTimeNames<Partial<Observed>>(observed)).toEqual(observed);
});
