/** Runs the faults of test/fire for as long as you like: `npm run test:soak [-- --minutes N] [--seed S] [--write]`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Tally, tallyLines } from "../test/fire/tally.ts";

const root = join(import.meta.dirname, "..");
const PAGE = join(root, "docs/reliability.md");
const MARK = "<!-- figures -->";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string" },
    /** The figures go into the page, too. */
    write: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) {
  console.error(`soak: cannot use --minutes ${values.minutes}: write a number of minutes, such as 60`);
  process.exit(64);
}

const folder = mkdtempSync(join(tmpdir(), "soak-"));
const report = join(folder, "tally.json");
const { status } = spawnSync("node_modules/.bin/vitest", ["run", "test/fire"], {
  cwd: root,
  stdio: "inherit",
  env: {
    ...process.env,
    XY_FIRE_MINUTES: String(minutes),
    XY_FIRE_REPORT: report,
    ...(values.seed === undefined ? {} : { XY_TEST_SEED: values.seed }),
  },
});
try {
  const tally = JSON.parse(readFileSync(report, "utf8")) as Tally;
  if (values.write) writeFigures(tally);
} finally {
  rmSync(folder, { recursive: true });
}
process.exitCode = status ?? 1;

function writeFigures(tally: Tally): void {
  const page = readFileSync(PAGE, "utf8");
  const at = page.indexOf(MARK);
  if (at < 0) throw new Error(`cannot write the figures: ${PAGE} has no line ${MARK}`);
  const day = new Date().toISOString().slice(0, 10);
  const [cpu] = cpus();
  const machine = `${cpus().length} cores of ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node ${process.versions.node}`;
  const faults = Object.entries(tally.faults).sort(([a], [b]) => a.localeCompare(b));
  const lines = [
    MARK,
    `The last run of \`npm run test:soak -- --minutes ${minutes} --write\`, on ${day}: ${machine}.`,
    "",
    ...tallyLines(tally).map((line) => `- ${line}`),
    ...tally.findings.map((finding) => `  - ${finding.replace(/\s+/g, " ")}`),
    "",
    "| fault | times |",
    "| --- | --- |",
    ...faults.map(([name, times]) => `| ${name} | ${times} |`),
    "",
  ];
  writeFileSync(PAGE, `${page.slice(0, at)}${lines.join("\n")}`);
}
