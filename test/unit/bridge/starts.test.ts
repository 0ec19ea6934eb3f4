import { describe, expect, it } from "vitest";
import { Pace, type Restart, Starts } from "../../../src/bridge/starts.ts";

const RESTART: Restart = {
  ...{ policy: "on-failure", backoffInitial: 500, backoffMax: 30_000, resetAfter: 10_000 },
};

describe("starts of children", () => {
  it("come so many at once, then one after another, as many as wish to", () => {
    const pace = new Pace(4);
    const now = 1_000_000;
    expect(Array.from({ length: 8 }, () => pace.taken(now))).toEqual([0, 0, 0, 0, 250, 500, 750, 1000]);
    // All who waited have begun, and it was quiet for a while.
    expect(Array.from({ length: 5 }, () => pace.taken(now + 10_000))).toEqual([0, 0, 0, 0, 250]);
  });

  it("of one that keeps ending wait longer each time, until a run goes well", () => {
    const starts = new Starts(RESTART);
    const waits = [];
    let now = 1_000_000;
    for (let i = 0; i < 9; i++) {
      waits.push(starts.waitAt(now));
      now += starts.waitAt(now);
      starts.begun(now);
      starts.failed(now);
    }
    expect(waits).toEqual([0, 0, 500, 1000, 2000, 4000, 8000, 16_000, 30_000]);
    now += starts.waitAt(now);
    starts.begun(now);
    starts.failed(now + RESTART.resetAfter);
    expect(starts.waitAt(now + RESTART.resetAfter)).toBe(0);
  });

  it("of one that is never started again are over when it has ended, however long it ran", () => {
    for (const policy of ["never", "on-failure", "always"] as const) {
      const starts = new Starts({ ...RESTART, policy });
      starts.begun(1_000_000);
      expect(starts.areOver).toBe(false);
      starts.failed(1_000_000 + RESTART.resetAfter);
      expect(starts.areOver).toBe(policy === "never");
    }
  });
});
