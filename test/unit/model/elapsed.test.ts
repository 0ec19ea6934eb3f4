import { expect, test } from "vitest";
import { secondsSince } from "../../../src/model/elapsed.ts";

test.each([
  [0, 0],
  [999, 0],
  [61_500, 61],
  // The clock was set back.
  [-1, 0],
  [-3_600_000, 0],
])("after %i ms it is %i seconds", (ms, secs) => {
  expect(secondsSince(1_000_000_000_000, 1_000_000_000_000 + ms)).toBe(secs);
});
