import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { tableIn } from "../../src/completion/table.ts";
import { EXIT } from "../../src/model/exit-codes.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = join(ROOT, "man/xy.1");
const textOf = (file: string) => readFileSync(join(ROOT, file), "utf8");

/** Why no page can be shown here; undefined if it can. Under CI it has to be. */
function whyNot(): string | undefined {
  if (spawnSync("man", ["--version"]).status === 0) return undefined;
  if (process.env.CI) throw new Error("cannot test the manual page: man is not installed");
  console.warn("SKIPPED, no manual page: man is not installed");
  return "man is not installed";
}

describe.skipIf(whyNot() !== undefined)("the manual page", () => {
  const man = (...options: string[]) =>
    spawnSync("man", ["--warnings", ...options, "-l", PAGE], {
      env: { PATH: process.env.PATH, MANWIDTH: "80", MANROFFOPT: "-c", LC_ALL: "C.UTF-8" },
      encoding: "utf8",
    });

  it("is shown without a warning, with every command, flag and exit code, in 80 columns", () => {
    const { status, stdout, stderr } = man();
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    // Bold is overstruck.
    const shown = stdout.replace(/.[\b]/g, "");
    const { commands } = tableIn(textOf("dist/oclif.manifest.json"), textOf("package.json"));
    for (const [id, { flags }] of commands) {
      expect(shown).toMatch(new RegExp(`^   xy ${id}\\b`, "m"));
      const visible = Object.entries(flags).filter(([, { hidden }]) => !hidden);
      for (const [name] of visible) expect(shown, id).toMatch(new RegExp(`--(\\[no-\\])?${name}\\b`));
    }
    for (const code of Object.values(EXIT)) expect(shown).toMatch(new RegExp(`^       ${code} +\\w`, "m"));
    for (const title of ["NAME", "SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES"])
      expect(shown).toMatch(new RegExp(`^${title}$`, "m"));
    expect(shown).toContain("$XDG_STATE_HOME/xy");
    const prose = shown.split("\n").filter((line) => !/^ {7,}(xy |#|\{)/.test(line));
    expect(prose.filter((line) => line.length > 80)).toEqual([]);
  });

  it("is installed with the package", () => {
    const { man, files } = JSON.parse(textOf("package.json"));
    expect(man).toEqual(["man/xy.1"]);
    expect(files).toContain("man");
  });
});
