import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXIT } from "../../src/model/exit-codes.ts";
import { settled } from "../rig/masks.ts";
import { accountWith } from "./account.ts";
import { LAUNCHER, newHome } from "./cli.ts";
import { checkAllowed, replay, stepsOf } from "./transcript.ts";

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");

describe("the README", () => {
  const steps = stepsOf(readme);
  const session = (outputs: readonly string[]) =>
    steps.map(({ command }, i) => `$ ${command}\n${settled(outputs[i] ?? "")}`);
  const shown = session(steps.map(({ output }) => output));

  it("shows a session as it goes, also to an ordinary account with whatever umask", async () => {
    for (const step of steps) checkAllowed(step);
    const home = newHome();
    rmSync(home.project, { recursive: true });
    const own = replay(steps, { launcher: LAUNCHER, cwd: home.path, env: home.env });
    // 002 is what distributions set where each account has a group of its own.
    const ordinary = ["002", "022", "077"].map((umask) => {
      const { root, ...account } = accountWith(umask, newHome());
      return replay(steps, { ...account, shared: root });
    });
    for (const printed of await Promise.all([own, ...ordinary])) expect(session(printed)).toEqual(shown);
  }, 300_000);

  it("goes through a session from its beginning to its end", () => {
    const typed = stepsOf(readme).map(({ command }) => command.split(" ").slice(0, 2).join(" "));
    const words = ["init", "plan", "apply", "list", "reload", "logs", "stop", "start", "rollback", "destroy"];
    for (const word of words) expect(typed).toContain(`xy ${word}`);
    expect(typed.at(-1)).toBe("xy agent");
  });

  it("writes the same server in four formats", async () => {
    const files = [...readme.matchAll(/^`([\w./]+)`\n\n```\w+\n(.*?)^```$/gms)].map(
      ([, file = "", text = ""]) => ({ file, text }),
    );
    expect(files.map(({ file }) => file)).toEqual([
      "servers.d/notes.kdl",
      "servers.d/notes.yaml",
      "servers.d/notes.json",
      "xy.config.ts",
    ]);
    const home = newHome();
    home.trusts();
    home.write(join(home.path, ".notes-token"), "token\n");
    const specs: unknown[] = [];
    for (const { file, text } of files) {
      await home.shell("rm -rf servers.d xy.config.*");
      home.write(file, text.replace('os === "macos" ? 8422 : 8421', "8421"));
      const { stdout } = await home.xy("plan", "--json");
      specs.push(JSON.parse(stdout).changes[0].desired);
    }
    expect(specs[0]).toMatchObject({
      name: "notes",
      port: 8421,
      restart: { policy: "always", backoffMax: 10_000 },
    });
    for (const spec of specs) expect(spec).toEqual(specs[0]);
  });

  it("names the commands that there are, and no other", () => {
    const manifest = JSON.parse(
      readFileSync(join(import.meta.dirname, "../../dist/oclif.manifest.json"), "utf8"),
    );
    const topics = Object.keys(manifest.commands).map((id) => id.split(":")[0]);
    const table = /^## Commands\n(.*?)^### /ms.exec(readme)?.[1] ?? "";
    const named = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = ""]) =>
      [...cell.matchAll(/`(?:xy )?([a-z]+)\b/g)].map(([, word]) => word),
    );
    for (const topic of topics) expect(named).toContain(topic);
    for (const [, word = ""] of readme.matchAll(/`xy ([a-z]+)/g)) expect(topics).toContain(word);
  });

  it("lists every exit code", () => {
    const table = /^### Exit codes\n(.*?)^## /ms.exec(readme)?.[1] ?? "";
    const codes = [...table.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT));
  });
});
