import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

const report = process.env.XY_TEST_REPORT;

function project(name: string, testTimeout: number) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout,
      hookTimeout: testTimeout,
      // Nothing of ours keeps state in a module: one worker may run many files, and load what they share once.
      isolate: false,
    },
  };
}

/** Unit tests that take as long as all the others together. */
const LONGEST = [
  "clients/edit",
  "config/generated",
  "config/same-in-every-format",
  "importing/round-trip",
  "readers",
  "supervisor/invariants",
].map((name) => `/test/unit/${name}.test.ts`);

/** One of them that began last would keep one core busy while the others are idle: they begin before the others. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.some((file) => moduleId.endsWith(file));
    const others = sorted.filter((file) => !isLong(file));
    const at = others.findIndex(({ project }) => project.name === "unit");
    return others.toSpliced(at < 0 ? others.length : at, 0, ...sorted.filter(isLong));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    pool: "forks",
    // Two test files more at once than there are cores: files wait for what they have started, and with one more the cores
    // were idle for a quarter of the time. With three more nothing was gained.
    maxWorkers: availableParallelism() + 2,
    globalSetup: ["test/rig/leftovers.ts"],
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    projects: [
      // Bounds for what hangs, far above what a busy machine needs: no test is about time.
      project("unit", 120_000),
      project("contract", 120_000),
      project("cli", 120_000),
      project("real", 300_000),
      project("fire", 300_000),
    ],
  },
});
