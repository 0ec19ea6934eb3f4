import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const report = process.env.XY_TEST_REPORT;

function project(name: string, testTimeout: number) {
  return {
    extends: true as const,
    test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout, hookTimeout: testTimeout },
  };
}

export default defineConfig({
  test: {
    pool: "forks",
    // More test files at once than there are cores: many of them wait, for a service manager or for a second to pass.
    maxWorkers: 2 * availableParallelism(),
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
