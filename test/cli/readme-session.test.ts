import { rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FIRST_WORDS } from "../rig/command-line.ts";
import { blocksOf, textOf } from "../rig/pages.ts";
import { accountWith } from "./account.ts";
import { LAUNCHER, newHome, ROOT } from "./cli.ts";
import { checkAllowed, downloaded, replay, sessionOf, stepsOf } from "./transcript.ts";

const readme = textOf("README.md");

describe("the README", () => {
  const steps = stepsOf(readme);
  const shown = sessionOf(
    steps,
    steps.map(({ output }) => output),
  );

  it("shows a session as it goes, also to an ordinary account with whatever umask", async () => {
    for (const step of steps) checkAllowed(step);
    const home = newHome();
    rmSync(home.project, { recursive: true });
    const before = downloaded(ROOT);
    const own = replay(steps, { launcher: LAUNCHER, cwd: home.path, env: home.env, before });
    // 002 is what distributions set where each account has a group of its own.
    const ordinary = ["002", "022", "077"].map((umask) => {
      const { root, ...account } = accountWith(umask, newHome());
      return replay(steps, { ...account, shared: root, before: downloaded(root) });
    });
    for (const printed of await Promise.all([own, ...ordinary]))
      expect(sessionOf(steps, printed)).toEqual(shown);
  }, 300_000);

  it("goes through a session from its beginning to its end", () => {
    const typed = stepsOf(readme).map(({ command }) => command.split(" ").slice(0, 2).join(" "));
    const words = [
      "import",
      "plan",
      "apply",
      "list",
      "clients",
      "reload",
      "logs",
      "why",
      "stop",
      "start",
      "history",
      "rollback",
      "destroy",
    ];
    for (const word of words) expect(typed).toContain(`xy ${word}`);
    expect(typed.at(-1)).toBe("xy agent");
  });

  it("names the commands that there are", () => {
    const table = /^## Commands\n(.*?)^## /ms.exec(readme)?.[1] ?? "";
    const named = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`(?:xy )?([a-z]+)\b/g)].map(([, word]) => word),
    );
    for (const word of FIRST_WORDS) expect(named).toContain(word);
  });

  it("begins with the command that its session types first", () => {
    const [install] = blocksOf("README.md");
    const begins = install?.text.trimEnd().split("\n").at(-1);
    expect(steps.map(({ command }) => command).find((command) => command.startsWith("xy "))).toBe(begins);
  });
});
