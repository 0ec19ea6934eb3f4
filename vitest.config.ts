import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const report = process.env.XY_TEST_REPORT;

/** Unit tests that take as long as all the others together. */
const LONGEST = [
  "clients/edit",
  "config/generated",
  "config/same-in-every-format",
  "importing/round-trip",
  "readers",
  "supervisor/invariants",
].map((name) => `/test/unit/${name}.test.ts`);

/**
 * Unit tests keep the cores busy, and the others wait for what they have started: they take turns, so that one kind goes on
 * while the other waits. Of each kind the longest come first: one that began last would keep one core busy while the
 * others are idle.
 */
class Mixed extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.some((file) => moduleId.endsWith(file));
    const isUnit = ({ moduleId }: TestSpecification) => moduleId.includes("/test/unit/");
    const unit = sorted.filter(isUnit);
    return [
      [...unit.filter(isLong), ...unit.filter((file) => !isLong(file))],
      sorted.filter((file) => !isUnit(file)),
    ]
      .flatMap((kind) => kind.map((file, n) => ({ file, share: n / kind.length })))
      .sort((a, b) => a.share - b.share)
      .map(({ file }) => file);
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: Mixed },
    pool: "forks",
    // Two test files more at once than there are cores: files wait for what they have started, and with one more the cores
    // were idle for a quarter of the time. With three more nothing was gained.
    maxWorkers: availableParallelism() + 2,
    // What a random test makes is gone at once: with room for it, and without threads that take turns with the others, the
    // longest take a twelfth less of the processor.
    execArgv: ["--max-semi-space-size=64", "--single-threaded-gc"],
    globalSetup: ["test/rig/leftovers.ts"],
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    include: ["test/*/**/*.test.ts"],
    // Bounds for what hangs, far above what a busy machine needs: no test is about time.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Nothing of ours keeps state in a module: one worker may run many files, and load what they share once.
    isolate: false,
  },
});
