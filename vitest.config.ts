import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

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

export default defineConfig({
  test: {
    pool: "forks",
    // One test file more at once than there are cores: a sixth of the time they were idle, as files wait for what they have started.
    maxWorkers: availableParallelism() + 1,
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
