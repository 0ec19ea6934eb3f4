import { expect, test } from "vitest";
import { runWhileAlive } from "../../src/agent/operations/reload.ts";

const program = (text: string) => ["-e", text];
const BOUNDS = { quiet: 2000, whole: 60_000, lookEvery: 100 };

test("a command that an agent runs may take as long as it is at work, and no longer", async () => {
  const works = "const until = Date.now() + 40; while (Date.now() < until);";
  const atWork = `let left = 12; setInterval(() => { ${works} if (left-- === 0) { console.log("done"); process.exit(0); } }, 400)`;
  expect(await runWhileAlive(program(atWork), "/", BOUNDS)).toEqual({
    code: 0,
    stdout: "done\n",
    stderr: "",
  });
  const hangs = "setInterval(() => {}, 100_000)";
  expect(await runWhileAlive(program(hangs), "/", BOUNDS)).toMatchObject({ code: 1, stdout: "" });
});
