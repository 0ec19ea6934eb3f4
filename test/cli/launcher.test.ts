import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { GROUPS } from "../../src/commands/help.ts";

const launcher = join(import.meta.dirname, "../../bin/xy.js");

function xy(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], { encoding: "utf8" });
  return { status, stdout, stderr };
}

describe("xy", () => {
  it("says its version", () => {
    expect(xy("--version")).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^xyctl\/\d/),
      stderr: "",
    });
  });

  it.each([["--help"], ["-h"], ["help"], []])("lists its commands in groups: %s", (...args) => {
    const { status, stdout, stderr } = xy(...args);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const [description, ...titles] = stdout.split("\n").filter((line) => /^\S/.test(line));
    expect(description).toBe("xy keeps your own long-running servers exactly as you declare them.");
    expect(titles).toEqual([
      "USAGE",
      "FIRST STEPS",
      "EVERY DAY",
      "LOOKING",
      "MORE",
      "Run `xy COMMAND --help` to see what a command does and which flags it takes.",
    ]);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, name]) => name);
    expect(names.slice(0, 5)).toEqual(["init", "import", "check", "plan", "apply"]);
    expect(names.sort()).toEqual(Object.values(GROUPS).flat().sort());
  });

  it.each(["plan", "import", "completion", "job logs"])("breaks no word in the help of %s", (command) => {
    const words = (columns: number) => {
      const env = { ...process.env, NO_COLOR: "1", OCLIF_COLUMNS: String(columns) };
      const args = [launcher, ...command.split(" "), "--help"];
      const text = execFileSync(process.execPath, args, { encoding: "utf8", env });
      for (const line of text.split("\n"))
        if (/[^\s$]\s+\S/.test(line) && !/^ +\$/.test(line)) expect(line.length).toBeLessThanOrEqual(columns);
      // Commands are there to be copied. A list of options is broken after one of them, and a command with a backslash.
      return text.split(/[\s|]+/).filter((word) => word !== "\\");
    };
    const whole = words(1000);
    for (const columns of [80, 40]) expect(words(columns)).toEqual(whole);
  });

  it.each([
    [80, { NO_COLOR: "1" }],
    [40, { NO_COLOR: "1" }],
    [80, { FORCE_COLOR: "1" }],
    [40, { FORCE_COLOR: "1" }],
  ])("lists its commands in %i columns, %o", (columns, colour) => {
    const { NO_COLOR: _, FORCE_COLOR: __, ...env } = process.env;
    const stdout = execFileSync(process.execPath, [launcher, "--help"], {
      encoding: "utf8",
      env: { ...env, ...colour, OCLIF_COLUMNS: String(columns) },
    });
    const plain = stripVTControlCharacters(stdout);
    expect(plain === stdout).toBe("NO_COLOR" in colour);
    for (const line of plain.split("\n")) expect(line.length).toBeLessThanOrEqual(columns);
    // The summaries are in one column, also where they take several lines.
    const starts = [...plain.matchAll(/^( {2,}[a-z]* {2,})\S/gm)].map(([, { length = 0 } = ""]) => length);
    expect(new Set(starts)).toEqual(new Set([14]));
  });

  it("takes an unknown command for wrong usage", () => {
    expect(xy("zzzzzzzzzz")).toEqual({
      status: 64,
      stdout: "",
      stderr: 'xy: there is no command "zzzzzzzzzz": run `xy --help` to see all\n',
    });
  });

  it("ends quietly when nobody reads on", () => {
    const pipeline = `"$0" "$1" --help | true; echo "\${PIPESTATUS[0]}"`;
    const said = execFileSync("bash", ["-c", pipeline, process.execPath, launcher], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect(said).toBe("0\n");
  });

  it("says what to do when it has not been built", () => {
    const folder = mkdtempSync(join(tmpdir(), "unbuilt-"));
    cpSync(launcher, join(folder, "bin/xy.mjs"));
    const { status, stderr } = spawnSync(process.execPath, [join(folder, "bin/xy.mjs")], {
      encoding: "utf8",
    });
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: "xy: cannot start: dist/ has not been built: run `npm run build` in the project's folder\n",
    });
  });
});
