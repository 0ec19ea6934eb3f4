import { readFile } from "node:fs/promises";
import { CHECKS, type CheckFacts } from "../src/probes/audit/checks.ts";

const PAGE = new URL("../docs/audit.md", import.meta.url);

/** The page about audits, with a new table. The rest of it is written by hand. */
export async function auditText(): Promise<string> {
  const text = await readFile(PAGE, "utf8");
  const [begin, end] = ["<!-- generated: checks -->\n", "<!-- end: checks -->"];
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error("cannot write the table into docs/audit.md: its two marks are not there");
  const rows = Object.values<CheckFacts>(CHECKS).map(
    ({ asked, right, why }) => `| ${asked} | ${right} | ${why} |`,
  );
  const table = ["| what is asked | what is right | why it matters |", "| --- | --- | --- |", ...rows].join(
    "\n",
  );
  return `${before}${begin}\n${table}\n\n${end}${after}`;
}
