import { writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { Driver } from "./driver.ts";
import { tallyLines } from "./tally.ts";

/** How long a soak run goes on, min; none asked for: the part that is run with the other tests, of the same length each time. */
const MINUTES = Number(process.env.XY_FIRE_MINUTES ?? 0);
const FILES = 15;
/** Of that part: it is there to find what a change breaks. A soak run looks for what nobody has thought of. */
const USUAL_SEED = 5;

describe("whatever happens to xy and its files", () => {
  const usual = MINUTES > 0 ? Date.now() % 2 ** 31 : USUAL_SEED;
  const seed = Number(process.env.XY_TEST_SEED ?? usual);
  console.log(`faults: XY_TEST_SEED=${seed}`);
  const driver = new Driver(seed);
  afterAll(() => driver.close());

  it("its servers run on, and it finds its way back", { timeout: MINUTES * 60_000 + 900_000 }, async ({
    skip,
  }) => {
    if (!(await driver.canRun()))
      return skip("needs Linux, and to mount a small file system: root, or sudo without a password");
    const began = Date.now();
    if (MINUTES > 0) await driver.until(began + MINUTES * 60_000);
    else {
      await driver.eachOnce();
      for (let i = 0; i < FILES; i++) await driver.storage();
      await driver.calls(300);
      await driver.configurations(100);
    }
    await driver.close();
    const { tally } = driver;
    tally.seconds = Math.round((Date.now() - began) / 1000);
    console.log(tallyLines(tally).join("\n"));
    if (process.env.XY_FIRE_REPORT) writeFileSync(process.env.XY_FIRE_REPORT, JSON.stringify(tally));
    expect(tally.findings, `XY_TEST_SEED=${seed}`).toEqual([]);
  });
});
