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
    // As many test files at once as there are cores, and no more: many of them start processes of their own.
    maxWorkers: process.env.CI ? 2 : "100%",
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
