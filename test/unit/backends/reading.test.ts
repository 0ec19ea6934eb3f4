import { describe, expect, test } from "vitest";
import { Reading } from "../../../src/backends/agent/reading.ts";

/** Takes lines with these times; answers with the indexes of the new ones. */
const take = (reading: Reading, times: readonly number[]): number[] =>
  times.flatMap((at, n) => (reading.isNew({ ts_unix_ms: at }) ? [n] : []));

describe("a reading", () => {
  test("takes everything the first time", () => {
    const reading = new Reading();
    reading.begin(0);
    expect(take(reading, [1, 1, 2])).toEqual([0, 1, 2]);
    expect(reading.place).toEqual({ at: 2, lines: 1, taken: 3 });
  });

  test("asked again from its last millisecond, leaves out what it has of that", () => {
    const reading = new Reading();
    take(reading, [1, 2, 2]);
    reading.begin(2);
    expect(take(reading, [2, 2, 2, 3])).toEqual([2, 3]);
    expect(reading.place).toEqual({ at: 3, lines: 1, taken: 5 });
  });

  test("asked again from the beginning, leaves out all that it has", () => {
    const reading = new Reading();
    take(reading, [1, 2, 2]);
    reading.begin(3);
    expect(take(reading, [1, 2, 2, 2, 3])).toEqual([3, 4]);
  });

  test("takes what is newer although its first lines are no longer kept", () => {
    const reading = new Reading();
    take(reading, [1, 2, 2]);
    reading.begin(3);
    expect(take(reading, [2, 3, 4])).toEqual([1, 2]);
  });

  test("takes new lines also when the clock was set back", () => {
    const reading = new Reading();
    take(reading, [5, 6, 7]);
    reading.begin(3);
    expect(take(reading, [5, 6, 7, 1, 2])).toEqual([3, 4]);
    reading.begin(1);
    expect(take(reading, [2, 1])).toEqual([1]);
  });

  test("asked again twice, with nothing new in between, still leaves out the same", () => {
    const reading = new Reading();
    take(reading, [1, 1]);
    for (let turn = 0; turn < 2; turn++) {
      reading.begin(2);
      expect(take(reading, [1, 1])).toEqual([]);
    }
    expect(take(reading, [1])).toEqual([0]);
  });

  test("counts lines that were reported as missing", () => {
    const reading = new Reading();
    reading.isNew({ ts_unix_ms: 1, missed: 4 });
    expect(reading.place).toMatchObject({ taken: 5 });
  });
});
