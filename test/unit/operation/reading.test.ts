import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { formatDiagnostic } from "../../../src/model/diagnostic.ts";
import { readConfiguration } from "../../../src/operation/evaluating.ts";
import { readMachine } from "../../../src/operation/machine.ts";

let home: string;
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), "reading-")));
});
afterEach(() => rmSync(home, { recursive: true }));

/** Reads the account's own root, with a bound of so many ms; what is asked is answered after so many. */
async function read(files: Readonly<Record<string, string>>, bound: number, own: boolean, answersAfter = 0) {
  const root = own ? join(home, ".config/xy") : join(home, "theirs");
  mkdirSync(join(root, "servers.d"), { recursive: true });
  for (const [file, text] of Object.entries(files)) writeFileSync(join(root, file), text);
  const setting = {
    cwd: own ? home : root,
    env: { HOME: home },
    state: join(home, "state"),
    signal: new AbortController().signal,
    consent: {
      trust: false,
      ask: () => new Promise<boolean>((answer) => setTimeout(() => answer(true), answersAfter)),
      tell: async () => {},
      unkept: () => {},
    },
    print: () => {},
  };
  const result = await readConfiguration(setting, readMachine(setting.env), bound);
  return result.ok
    ? "read"
    : result.problems.map((problem) => formatDiagnostic(problem).replace(`${root}/`, ""));
}

const ENDLESS = {
  "xy.config.kdl": `a ${'##"""x"## '.repeat(100_000)}\n`,
  "xy.config.ts": "for (;;);",
};

test.each(Object.entries(ENDLESS))(
  "a reading of %s that takes too long ends, with its place",
  async (file, text) => {
    expect(await read({ [file]: text }, 200, true)).toEqual([
      expect.stringMatching(new RegExp(`^${file.replaceAll(".", "\\.")}: cannot .*`)),
    ]);
  },
);

test("the time in which a person answers does not count", async () => {
  expect(await read({ "xy.config.mjs": "export default {}" }, 5000, false, 5500)).toBe("read");
});
