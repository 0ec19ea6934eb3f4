import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

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

  it.each([["--help"], ["-h"], ["help"], []])("lists its commands: %s", (...args) => {
    expect(xy(...args)).toMatchObject({ status: 0, stdout: expect.stringContaining("COMMANDS"), stderr: "" });
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
