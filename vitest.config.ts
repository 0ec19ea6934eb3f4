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
    // As many test files at once as there are cores, and no more: they start so many processes that no core is idle.
    maxWorkers: availableParallelism(),
    globalSetup: ["test/rig/leftovers.ts"],
    reporters: report ? ["default", ["json", { outputFile: report }]] : ["default"],
    projects: [
      // Bounds for what hangs, far above what a busy machine needs: no test is about time.
      project("unit", 120_000),
      project("contract", 120_000),
      project("cli", 120_000),
      project("real", 300_000),
    ],
  },
});
