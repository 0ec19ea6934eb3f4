import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { agentEntryPath } from "../../../src/system/package.ts";
import { programPaths, programsDir } from "../../../src/system/paths.ts";
import { copyOfAgent, prepareProgram, readProgram } from "../../../src/system/program.ts";
import { DAMAGES } from "../../rig/damage.ts";

let state: string;
beforeEach(() => {
  state = fs.mkdtempSync(join(tmpdir(), "program-"));
});
afterEach(() => fs.rmSync(state, { recursive: true }));

const filesIn = (dir: string) =>
  fs
    .readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((file) => !file.includes("set-aside") && fs.statSync(join(dir, file)).isFile())
    .sort();
const sumOf = (path: string) => createHash("sha256").update(fs.readFileSync(path)).digest("hex");
const contents = (dir: string) => filesIn(dir).map((file) => [file, sumOf(join(dir, file))]);

test("a copy of the agent is mended, whatever became of any file or folder of it", () => {
  const { entry } = copyOfAgent(state);
  const dir = dirname(dirname(entry));
  const whole = contents(dir);
  expect(fs.readFileSync(entry).equals(fs.readFileSync(agentEntryPath()))).toBe(true);
  const parts = [...filesIn(dir), "dist", "bin", "."].map((part) => join(dir, part));
  const damaged = [...parts, programsDir(state), ...DAMAGES.map(() => entry)];
  for (const [index, path] of damaged.entries()) {
    const [how, damage] = DAMAGES[index % DAMAGES.length] as (typeof DAMAGES)[number];
    damage(path);
    expect(copyOfAgent(state)).toEqual({ node: process.execPath, entry });
    expect(contents(dir), `${path} was ${how}`).toEqual(whole);
  }
});

test("what is beside a copy is what cksum says of it", () => {
  const { entry } = copyOfAgent(state);
  const said = execFileSync("cksum", { input: fs.readFileSync(entry), encoding: "utf8" }).trim();
  expect(fs.readFileSync(`${entry}.sum`, "utf8")).toBe(`${said}\n${agentEntryPath()}\n`);
});

test("a file that names a program is written, whatever is in its place; one that is torn names none", () => {
  const { current } = programPaths(state);
  prepareProgram(state);
  const program = readProgram(current);
  for (const [how, damage] of DAMAGES) {
    damage(current);
    expect(readProgram(current), how).toBeUndefined();
    prepareProgram(state);
    expect(readProgram(current)).toEqual(program);
  }
  expect(basename(program?.entry ?? "")).toBe("agent.js");
});
