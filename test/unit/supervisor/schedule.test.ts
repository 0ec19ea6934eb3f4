import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueRun } from "../../../src/supervisor/schedule.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Every hour on the hour. */
const hourly = (after: number) => (Math.floor(after / HOUR) + 1) * HOUR;
const never = () => null;
const NOON = 12 * HOUR;

describe("a schedule", () => {
  it.each([
    ["before its time", NOON - HOUR, NOON - 1, null, NOON - HOUR],
    ["at its time", NOON - HOUR, NOON, "on-time", NOON],
    ["a busy moment later", NOON - HOUR, NOON + 59_000, "on-time", NOON + 59_000],
    ["after a sleep over it", NOON - HOUR, NOON + 10 * MINUTE, "missed", NOON + 10 * MINUTE],
    ["after a sleep over many", NOON - 5 * HOUR, NOON + 10 * MINUTE, "missed", NOON + 10 * MINUTE],
    ["after a sleep that ends at a time", NOON - 5 * HOUR, NOON + 1, "on-time", NOON + 1],
    ["when the clock was set back a little", NOON + MINUTE, NOON - MINUTE, null, NOON + MINUTE],
    ["when the clock was wrong by years", 1000 * HOUR, NOON - MINUTE, null, NOON - MINUTE],
  ] as const)("%s", (_, last, now, run, then) => {
    expect(dueRun({ last, missed: "once", next: hourly }, now)).toEqual({ run, last: then });
  });

  it("skips what it missed, if it is to", () => {
    const slept = { last: NOON - 5 * HOUR, missed: "skip", next: hourly } as const;
    expect(dueRun(slept, NOON + 10 * MINUTE)).toEqual({ run: null, last: NOON + 10 * MINUTE });
    expect(dueRun(slept, NOON + 1000)).toEqual({ run: "on-time", last: NOON + 1000 });
  });

  it("without a next time does nothing", () => {
    expect(dueRun({ last: 0, missed: "once", next: never }, NOON)).toEqual({ run: null, last: 0 });
  });

  it("does not run again what it ran, when the clock is set back by an hour", () => {
    let last = NOON - 10 * MINUTE;
    const runs = [
      NOON,
      NOON + MINUTE,
      NOON - 55 * MINUTE,
      NOON - 1,
      NOON,
      NOON + 30 * MINUTE,
      NOON + HOUR,
    ].map((now) => {
      const due = dueRun({ last, missed: "once", next: hourly }, now);
      last = due.last;
      return due.run;
    });
    expect(runs).toEqual(["on-time", null, null, null, null, null, "on-time"]);
  });
});

it("property: looked at often enough, a clock that only goes on runs each time once", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 59_000 }), { minLength: 1, maxLength: 400 }), (gaps) => {
      let now = NOON - 30_000;
      let last = now;
      let runs = 0;
      for (const gap of gaps) {
        now += gap;
        const due = dueRun({ last, missed: "skip", next: hourly }, now);
        last = due.last;
        if (due.run) runs++;
        expect(due.run).not.toBe("missed");
      }
      expect(runs).toBe(Math.floor(now / HOUR) - Math.floor((NOON - 30_000) / HOUR));
    }),
  );
});
