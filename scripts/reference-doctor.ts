import { readFile } from "node:fs/promises";
import { CHECKS } from "../src/doctor/checks.ts";

const PAGE = new URL("../docs/doctor.md", import.meta.url);

/** The page about the doctor, with a new table of its checks. The rest of it is written by hand. */
export async function doctorText(): Promise<string> {
  const text = await readFile(PAGE, "utf8");
  const [begin, end] = ["<!-- generated: checks -->\n", "<!-- end: checks -->"];
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined)
    throw new Error("cannot write the table into docs/doctor.md: its two marks are not there");
  const rows = CHECKS.map(({ id, title, about }) => `| \`${id}\` | ${title} | ${about} |`);
  const table = ["| check | shown as | what it looks at |", "| --- | --- | --- |", ...rows].join("\n");
  return `${before}${begin}\n${table}\n\n${end}${after}`;
}
