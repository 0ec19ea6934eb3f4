import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

/** Other versions of xy, each whole: its commands and its agent. */

const ROOT = join(import.meta.dirname, "../..");
/** Where the rows of a server are. */
const TABLE = ["src/model/server-fields.ts", "src/model/process-fields.ts"];

/**
 * The package as it was built when records were read strictly: `npm pack` at the commit that its name ends with. Answers
 * with its folder, as {@link versionWith} does.
 */
export function releasedVersion(folder: string): string {
  mkdirSync(folder);
  const packed = join(import.meta.dirname, "releases/0.1.0-64fb1a9.tar.gz");
  execFileSync("tar", ["-xzf", packed, "-C", folder, "--strip-components=1"]);
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Built from today's sources, with another table of a server's settings. */
export async function versionWith(
  folder: string,
  version: string,
  change: (table: string) => string,
): Promise<string> {
  mkdirSync(folder);
  for (const part of ["bin", "schema", "scripts", "src", "templates", "tsconfig.json"])
    cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...manifest, version }));
  const changes = TABLE.map((part) => {
    const rows = readFileSync(join(folder, part), "utf8");
    writeFileSync(join(folder, part), change(rows));
    return change(rows) !== rows;
  });
  if (!changes.includes(true)) throw new Error("the table of settings is not as the change of it expects");
  const jiti = join(ROOT, "node_modules/jiti/lib/jiti-cli.mjs");
  await promisify(execFile)(process.execPath, [jiti, join(folder, "scripts/build.ts")], { cwd: folder });
  return folder;
}

/** A setting that a process has from its start. */
export const oneFieldMore = (table: string) =>
  table
    .replace(
      "\n  limits,\n",
      `
  nice: field({
    written: whole(0, 19).default(0).describe("How much it gives way to others."),
    kept: z.int(),
    becomes: (written) => written,
    absent: 0,
    start: { agent: (value: number) => [value] },
  }),
  limits,
`,
    )
    .replace(
      "  {\n    openFiles: field({",
      `  {
    mem: field({
      written: whole(0, 9).default(0).describe("In a block that was there before."),
      kept: z.int(),
      becomes: (written) => written,
      absent: 0,
    }),
    openFiles: field({`,
    );

export const oneFieldFewer = (table: string) =>
  table.replace(/\n {2}tags: field\(\{\n[\s\S]*?\n {2}\}\),/, "");
