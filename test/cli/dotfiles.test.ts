import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { accountWith, ID } from "./account.ts";
import { newHome } from "./cli.ts";

/** Why there can be no second machine here; undefined when there can. Under CI there has to be one. */
function whyNot(): string | undefined {
  if (process.platform === "linux" && process.getuid?.() === 0) return undefined;
  const why = "it takes root, for namespaces of its own";
  if (process.env.CI) throw new Error(`cannot test with two machines: ${why}`);
  console.warn(`SKIPPED, no test with two machines: ${why}`);
  return why;
}

interface Outcome {
  readonly code: number;
  readonly said: string;
}

/** A machine with a name and an account of its own, which sees one folder with others. */
class Machine {
  readonly #child: ChildProcess;
  readonly #env: Readonly<Record<string, string>>;
  readonly #xy: string;

  private constructor(child: ChildProcess, env: Readonly<Record<string, string>>, xy: string) {
    this.#child = child;
    this.#env = env;
    this.#xy = xy;
  }

  static async open(name: string, host: string, mounts: Readonly<Record<string, string>>): Promise<Machine> {
    const account = accountWith("022", newHome(), { name, host, mounts });
    const [program, ...words] = account.shell;
    const child = spawn(program, [...words, "echo up; exec sleep infinity"], {
      cwd: account.cwd,
      env: account.env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(async () => {
      const ended = once(child, "exit");
      child.kill("SIGKILL");
      await ended;
    });
    await once(createInterface({ input: child.stdout }), "line");
    const who = { GIT_AUTHOR_NAME: name, GIT_COMMITTER_NAME: name, EMAIL: `${name}@${host}` };
    const machine = new Machine(child, { ...account.env, ...who }, `${account.node} ${account.launcher}`);
    onTestFinished(async () => void (await machine.try("xy destroy --yes; xy agent stop")));
    return machine;
  }

  /** Runs lines of bash as that account; `bare`: as one that nobody has written down, with nothing of its own. */
  try(script: string, { bare = false } = {}): Promise<Outcome> {
    const uid = bare ? NOBODY : ID;
    const run = bare ? `env -i PATH=/usr/bin:/bin ${this.#xy}` : this.#xy;
    const lines = `set -e; cd ${bare ? "/mnt" : "/mnt/home"}\nxy() { ${run} "$@"; }\n${script}`;
    const target = ["-t", String(this.#child.pid), "--mount", "--uts", "--net"];
    const account = ["setpriv", `--reuid=${uid}`, `--regid=${uid}`, "--clear-groups"];
    return new Promise((resolve) => {
      const done = (error: unknown, stdout: string, stderr: string) =>
        resolve({
          code: error ? Number((error as { code?: number }).code ?? 1) : 0,
          said: `${stdout}${stderr}`,
        });
      execFile("nsenter", [...target, ...account, "bash", "-c", lines], { env: this.#env, cwd: "/" }, done);
    });
  }

  async did(script: string): Promise<string> {
    const { code, said } = await this.try(script);
    expect({ code, said: code === 0 ? "" : said }, script).toEqual({ code: 0, said: "" });
    return said;
  }

  async pids(): Promise<Record<string, number>> {
    const all = JSON.parse(await this.did("xy list --json")) as { name: string; pid: number }[];
    return Object.fromEntries(all.map(({ name, pid }) => [name, pid]));
  }
}

/** An account that is in no list. */
const NOBODY = ID + 2;

const file = (path: string, text: string) =>
  `mkdir -p $(dirname ${path})\ncat >${path} <<'END'\n${text}\nEND`;
const WEB = `command "sh"
args "-c" "echo on $WHERE; exec sleep 600"
port "none"
working-dir "~"
env { WHERE "anywhere"; }
on host="desk" { env { WHERE "the desk"; } }
readiness "log" pattern="^on "`;
const API = `command "sleep"\nargs "600"\nport "none"\nworking-dir "~"`;
/** One unit folder for each machine, and each can be made by anybody. */
const FOR = {
  desk: "--for os=linux,home=/home/ann,user=ann,host=desk --out dots/xy/units/desk",
  lap: "--for os=linux,home=/home/bob,user=bob,host=lap --out dots/xy/units/lap",
};
const emit = (more: string) =>
  Object.values(FOR)
    .map((words) => `xy emit systemd --config dots/xy ${words} --quiet ${more}`)
    .join("\n");

describe.skipIf(whyNot() !== undefined)("a configuration in a dotfiles repository", () => {
  it("is one for two accounts on two machines, through links and copies, with its units checked", async () => {
    const home = newHome();
    const folderOf = (name: string, uid: number) => {
      const path = join(home.path, name);
      mkdirSync(path);
      chownSync(path, uid, uid);
      return path;
    };
    const mounts = { "/mnt/shared": folderOf("shared", ID), "/mnt/ci": folderOf("ci", NOBODY) };
    const desk = await Machine.open("ann", "desk", mounts);
    const lap = await Machine.open("bob", "lap", mounts);

    // Ann begins, and has a link where the configuration is read.
    await desk.did(
      [
        "git init -q --bare -b main /mnt/shared/dots.git && git clone -q /mnt/shared/dots.git dots 2>/dev/null",
        file("dots/xy/xy.config.kdl", 'project "mine"'),
        file("dots/xy/servers.d/web.kdl", WEB),
        file("dots/xy/servers.d/api.kdl", API),
        "mkdir .config && ln -s ../dots/xy .config/xy",
        "xy apply --yes",
        emit(""),
        "cd dots && git add . && git commit -qm one && git push -q origin HEAD:main",
      ].join("\n"),
    );
    // Bob copies it, as chezmoi does.
    await lap.did(
      "git clone -q /mnt/shared/dots.git dots\nmkdir .config\ncp -r dots/xy .config/xy\nxy apply --yes",
    );
    expect(await desk.did("xy logs web")).toBe("[out] on the desk\n");
    expect(await lap.did("xy logs web")).toBe("[out] on anywhere\n");
    for (const machine of [desk, lap]) expect(await machine.did("xy plan")).toContain("No changes.");
    expect(await desk.did("cat dots/xy/units/desk/xy.mine.web.service")).toContain('"WHERE=the desk"');
    expect(await desk.did("cat dots/xy/units/lap/xy.mine.web.service")).not.toContain("the desk");

    // Whoever checks it needs no account and no home.
    const checked = async (ref: string) => {
      const clone = `cd /mnt/ci; rm -rf dots; export HOME=/mnt/ci; git config --global safe.directory "*"; git clone -q -b ${ref} /mnt/shared/dots.git dots`;
      return lap.try(`${clone}\nxy check --config dots/xy\n${emit("--check")}`, { bare: true });
    };
    expect(await checked("main")).toMatchObject({ code: 0, said: expect.stringContaining("is valid") });

    // She renames a server and forgets the units; he tags another one, with its units.
    const before = { desk: await desk.pids(), lap: await lap.pids() };
    await desk.did(
      "cd dots && git checkout -qb rename && git mv xy/servers.d/api.kdl xy/servers.d/backend.kdl && git commit -qm two && git push -q origin rename",
    );
    const stale = await checked("rename");
    expect(stale).toMatchObject({ code: 4 });
    expect(stale.said).toMatch(/missing .*xy\.mine\.backend\.service\n.*stale +.*xy\.mine\.api\.service/s);
    await desk.did(
      `${emit("--prune")}\ncd dots && git add -A && git commit -qm three && git push -q origin rename`,
    );
    expect(await checked("rename")).toMatchObject({ code: 0, said: expect.stringContaining("is valid") });
    await lap.did(
      `echo 'tags "daily"' >>dots/xy/servers.d/web.kdl\n${emit("")}\ncd dots && git checkout -qb daily && git add -A && git commit -qm four && git push -q origin daily`,
    );

    // Both come together without a conflict, and what they come to is what is committed.
    await desk.did(
      "cd dots && git fetch -q && git merge -qm five origin/daily && git push -q origin HEAD:main",
    );
    expect(await checked("main")).toMatchObject({ code: 0, said: expect.stringContaining("is valid") });
    await lap.did(
      "cd dots && git checkout -q main && git pull -q && cd .. && rm -rf .config/xy && cp -r dots/xy .config/xy",
    );
    for (const [machine, pids] of [
      [desk, before.desk],
      [lap, before.lap],
    ] as const) {
      expect(await machine.did("xy apply --yes")).toContain("1 added, 1 changed, 1 removed.");
      const after = await machine.pids();
      expect(after).toEqual({ web: pids.web, backend: expect.any(Number) });
      expect(await machine.did("xy plan")).toContain("No changes.");
    }
  });
});
