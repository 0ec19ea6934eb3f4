import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { accountWith, ID } from "./account.ts";
import { newHome } from "./cli.ts";
import { sharedProcess } from "./transcript.ts";

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

/** A shell that goes on. `xy`: what makes that a command in it. */
class Shell {
  readonly #child: ChildProcess;
  readonly #cwd: string;
  #said = "";
  #told: (() => void) | undefined;

  constructor(
    [program, ...words]: readonly string[],
    { env, xy, cwd }: { env: Readonly<Record<string, string>>; xy: string; cwd: string },
  ) {
    this.#cwd = cwd;
    this.#child = spawn(program as string, words, { env, cwd: "/", stdio: ["pipe", "pipe", "inherit"] });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
      this.#told?.();
    });
    this.#child.stdin?.write(`exec 2>&1\n${xy}\n`);
  }

  /** Runs lines, up to the first that fails. */
  run(script: string): Promise<Outcome> {
    this.#said = "";
    return new Promise((resolve, reject) => {
      this.#child.once("exit", reject);
      this.#told = () => {
        const [, said = "", code] = /^(.*)=== (\d+) ===\n$/s.exec(this.#said) ?? [];
        if (code === undefined) return;
        this.#child.off("exit", reject);
        resolve({ code: Number(code), said });
      };
      this.#child.stdin?.write(`( set -e; cd ${this.#cwd}\n${script}\n) </dev/null\necho "=== $? ==="\n`);
    });
  }

  end(): void {
    this.#child.stdin?.end();
  }
}

/** A machine with a name and an account of its own, which sees one folder with others. */
class Machine {
  readonly #own: Shell;
  /** Of an account that nobody has written down, with nothing of its own. */
  readonly #bare: Shell;

  private constructor(own: Shell, bare: Shell) {
    this.#own = own;
    this.#bare = bare;
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
    const enter = [
      "nsenter",
      "-t",
      String(child.pid),
      "--mount",
      "--uts",
      "--net",
      "setpriv",
      "--clear-groups",
    ];
    const shell = (uid: number, cwd: string, xy: string) =>
      new Shell([...enter, `--reuid=${uid}`, `--regid=${uid}`, "bash"], {
        env: { ...account.env, ...who },
        xy,
        cwd,
      });
    // How it starts without a home, and with no name, is a part of what is tested.
    const alone = `xy() { env -i PATH=/usr/bin:/bin ${account.node} ${account.launcher} "$@"; }`;
    const machine = new Machine(
      shell(ID, "/mnt/home", sharedProcess(account.node, account.root)),
      shell(NOBODY, "/mnt", alone),
    );
    onTestFinished(async () => {
      await machine.try("xy destroy --yes; xy agent stop");
      machine.#own.end();
      machine.#bare.end();
    });
    return machine;
  }

  /** Runs lines of bash as that account; `bare`: as one that nobody has written down, with nothing of its own. */
  try(script: string, { bare = false } = {}): Promise<Outcome> {
    return (bare ? this.#bare : this.#own).run(script);
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
