import { execFile } from "node:child_process";
import { chmodSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Home, newHome } from "../cli/cli.ts";
import { eventually } from "../rig/eventually.ts";
import { SupervisordHome, whyNoSupervisord } from "../rig/supervisord.ts";

/** What runs under a real supervisord or pm2 is imported, stopped there, applied here, and runs with the same. */

const run = promisify(execFile);

/** Programs that write down what they were started with, beside themselves, under their first argument. */
const IN_NODE = `import { renameSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
const [, , name, ...args] = process.argv;
const file = fileURLToPath(import.meta.url);
const path = new URL(name + ".json", import.meta.url);
writeFileSync(path.pathname + ".tmp", JSON.stringify({ file, args, cwd: process.cwd(), env: process.env }));
renameSync(path.pathname + ".tmp", path);
setInterval(() => {}, 1e6);
`;
const IN_PYTHON = `#!/usr/bin/env python3
import json, os, signal, sys
file, name, *args = sys.argv
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".json")
with open(path + ".tmp", "w") as out:
    json.dump({"file": os.path.abspath(file), "args": args, "cwd": os.getcwd(), "env": dict(os.environ)}, out)
os.rename(path + ".tmp", path)
signal.pause()
`;

interface Report {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What each program has written down since it was asked the last time, as far as it is about these variables. */
async function reports(folder: string, names: readonly string[], variables: readonly string[]) {
  const all = names.map((name) => join(folder, `${name}.json`));
  const read = await eventually(() => all.map((path) => JSON.parse(readFileSync(path, "utf8")) as Report));
  for (const path of all) rmSync(path);
  return read.map(({ env, ...report }) => ({
    ...report,
    env: Object.fromEntries(variables.map((name) => [name, env[name]])),
  }));
}

const programs = (home: Home, folder: string) => {
  home.write(`${folder}/idle.mjs`, IN_NODE);
  for (const name of ["idle.py", "tool"]) home.write(`${folder}/${name}`, IN_PYTHON);
};

describe.skipIf(whyNoSupervisord())("three programs of a supervisord", () => {
  it("run here as they ran there", async () => {
    const home = newHome();
    programs(home, "../apps");
    const folder = join(home.path, "apps");
    const there = new SupervisordHome();
    onTestFinished(() => there.stop());
    const program = (name: string, more: string) =>
      `[program:${name}]\ncommand=${process.execPath} ${folder}/idle.mjs ${name} ${more}\nautorestart=true\n`;
    there.write(
      "one.conf",
      `${program("one", '"two words" 100%% ; why')}directory=%(here)s\nenvironment=A_DIR="1, 2",NOTE='it is "so"'\n`,
    );
    there.write("two.conf", `${program("two", "'a;b' '' {port}")}directory=/\numask=077\n`);
    there.write(
      "three.conf",
      `${program("three", "%(ENV_LANG)s $HOME")}directory=${folder}\nstopsignal=INT\n`,
    );
    await there.open();
    const names = ["one", "two", "three"];
    const before = await reports(folder, names, ["A_DIR", "NOTE"]);

    const files = names.map((name) => join(there.path, "units", `${name}.conf`));
    const said = await home.did("import", ...files, "--config", home.project);
    expect(said).toContain("what runs there goes on running");
    there.ctl("stop", "all");
    await home.did("apply", "--yes");
    expect(await reports(folder, names, ["A_DIR", "NOTE"])).toEqual(before);
    expect(await home.did("plan")).toContain("No changes");
  });
});

describe("three programs of a pm2", () => {
  it.each(["ecosystem.config.cjs", "the dump"])("run here as they ran there, by %s", async (source) => {
    const home = newHome();
    programs(home, "../apps");
    const folder = join(home.path, "apps");
    chmodSync(join(folder, "tool"), 0o755);
    const apps = [
      {
        name: "api",
        script: "./idle.mjs",
        args: ["api", "two words"],
        env: { A_DIR: "/x", DB_PASSWORD: "p w$" },
      },
      { name: "py", script: "idle.py", interpreter: "python3", args: "py 'x y' {port}", cwd: folder },
      {
        name: "tool",
        script: "./tool",
        interpreter: "none",
        args: "tool",
        cwd: folder,
        env: { A_DIR: "/y" },
      },
    ];
    home.write("../apps/ecosystem.config.cjs", `module.exports = ${JSON.stringify({ apps })};\n`);
    const env = { ...home.env, PM2_HOME: join(home.path, "pm2") };
    const bin = join(import.meta.dirname, "../../node_modules/pm2/bin/pm2");
    const pm2 = (...args: string[]) => run(process.execPath, [bin, ...args], { cwd: folder, env });
    onTestFinished(async () => void (await pm2("kill").catch(() => undefined)));
    await pm2("start", "ecosystem.config.cjs");
    const names = apps.map(({ name }) => name);
    const before = await reports(folder, names, ["A_DIR", "DB_PASSWORD"]);
    await pm2("save");

    const file = source === "the dump" ? join(home.path, "pm2/dump.pm2") : join(folder, source);
    await home.did("import", file, "--trust", "--config", home.project);
    await pm2("kill");
    await home.did("apply", "--yes");
    expect(await reports(folder, names, ["A_DIR", "DB_PASSWORD"])).toEqual(before);
    expect(await home.did("plan")).toContain("No changes");
  });
});
