// Of vitest's JSON reports: the slowest tests, and the sum as one plain line: `N passed, N failed[, N skipped]`.
import { readFileSync } from "node:fs";
import { relative } from "node:path";

const SLOWEST = 20;

const reports = process.argv.slice(2).map((path) => JSON.parse(readFileSync(path, "utf8")));

const tests = reports.flatMap(({ testResults }) =>
  testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ fullName, duration }) => ({
      file: relative("", name),
      fullName,
      seconds: (duration ?? 0) / 1000,
    })),
  ),
);
tests.sort((a, b) => b.seconds - a.seconds);
console.log("The slowest tests:");
for (const { file, fullName, seconds } of tests.slice(0, SLOWEST))
  console.log(`${seconds.toFixed(1).padStart(7)} s  ${file}: ${fullName}`);
console.log("");

const sum = (field) => reports.reduce((total, report) => total + report[field], 0);
const passed = sum("numPassedTests");
const failed = sum("numFailedTests");
const skipped = sum("numPendingTests") + sum("numTodoTests");
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
