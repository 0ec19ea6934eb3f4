import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { kindOf, rows } from "../../src/completion/kinds.ts";
import { type Command, type Flag, tableIn, valuesOf } from "../../src/completion/table.ts";
import { Home, homesInTurn, LAUNCHER, newHome } from "./cli.ts";

const ROOT = join(import.meta.dirname, "../..");
const textOf = (file: string) => readFileSync(join(ROOT, file), "utf8");

describe("every command", () => {
  const { commands } = tableIn(textOf("dist/oclif.manifest.json"), textOf("package.json"));
  const valued = ([, flag]: [string, Flag]) => flag.type === "option" && valuesOf(flag) === undefined;
  const parts = ({ args, flags }: Command) => [
    ...Object.entries(args).flatMap(([name, arg]) => (valuesOf(arg) === undefined ? [name] : [])),
    ...Object.entries(flags)
      .filter(valued)
      .map(([name]) => `--${name}`),
  ];
  const all = [...commands].flatMap(([id, command]) => parts(command).map((what) => [id, what] as const));

  it("is completed: a row of src/completion/kinds.ts says what each argument and flag names", () => {
    expect(all.filter(([id, what]) => kindOf(id, what) === undefined).map((each) => each.join(" "))).toEqual(
      [],
    );
  });

  it("has the arguments and flags that have a row", () => {
    const known = all.flatMap(([id, what]) => [what, `${id} ${what}`]);
    const further = [...commands].flatMap(([id, { strict }]) => (strict ? [] : [`${id} …`, `${id} --`]));
    expect(rows().filter((row) => ![...known, ...further].includes(row))).toEqual([]);
  });
});

/** What runs if a shell takes a name or a description for a command. */
const TOUCH = "$(touch pwned)`touch pwned`";

/** A home with something of each kind, some of it hostile, and `xy` in its PATH. No agent runs in it. */
class Shown {
  readonly home: Home;
  readonly bin: string;
  constructor(home: Home) {
    this.home = home;
    this.bin = join(home.path, "bin");
    mkdirSync(this.bin);
    writeFileSync(join(this.bin, "xy"), `#!/bin/sh\nexec '${process.execPath}' '${LAUNCHER}' "$@"\n`);
    chmodSync(join(this.bin, "xy"), 0o755);
  }

  static async make(home: Home): Promise<Shown> {
    home.write(
      "xy.config.kdl",
      `project "tools"\naction "backup" { command "true"; description "Back up ${TOUCH}"; }\n`,
    );
    home.declare(
      "web",
      `description "Web ${TOUCH}"\ntags "mine" "${TOUCH}"\naction "say" { command "echo"; args "hi"; }`,
    );
    home.declare("api");
    await home.did("apply", "--yes");
    await home.did("run", "web:say");
    await home.did("agent", "stop");
    home.declare("later");
    const project = join(home.state, "projects/tools");
    mkdirSync(join(project, "servers", `we${TOUCH}`));
    writeFileSync(join(project, "servers", `we${TOUCH}`, "spec.json"), "{}");
    writeFileSync(join(project, "units"), "no folder");
    home.write(`servers.d/l${TOUCH}.kdl`, "");
    appendFileSync(
      join(project, "jobs/servers/web/journal"),
      `{"id":900,"project":"tools","service_id":"web","action_id":"${TOUCH}","phase":"running","created_at":1}\n`,
    );
    return new Shown(home);
  }

  get env() {
    return { ...this.home.env, PATH: `${this.bin}:${process.env.PATH}`, TERM: "xterm", LANG: "C.UTF-8" };
  }

  /** What the words are answered with, the last of them under the cursor. */
  ask(...words: string[]): string[] {
    return this.askIn({}, ...words);
  }

  askIn(where: { cwd?: string; env?: NodeJS.ProcessEnv }, ...words: string[]): string[] {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [LAUNCHER, "__complete", "zsh", ...words],
      {
        cwd: where.cwd ?? this.home.project,
        env: { ...(this.env as NodeJS.ProcessEnv), ...where.env },
        encoding: "utf8",
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const [kind, ...lines] = stdout.split("\n").slice(0, -1);
    expect(kind).toMatch(/^:[a-z]+$/);
    return lines;
  }

  names(...words: string[]): string[] {
    return this.ask(...words).map((line) => line.replace(/\t.*/, ""));
  }

  /** Every file of the home, with what would show that it was touched. */
  files(): string[] {
    const all = readdirSync(this.home.path, { recursive: true, encoding: "utf8" }).sort();
    return all.map((name) => {
      const { mtimeMs, size, mode } = lstatSync(join(this.home.path, name));
      return `${name} ${size} ${mode} ${mtimeMs}`;
    });
  }
}

const homes = homesInTurn();

it("names come from what was applied, whether or not an agent runs, and nothing is written or started", async () => {
  const shown = await Shown.make(newHome());
  const before = shown.files();
  expect(shown.ask("stop", "")).toEqual(["api\t", `web\tWeb ${TOUCH}`]);
  expect(shown.names("stop", "api", "")).toEqual(["web"]);
  expect(shown.names("stop", "tools/")).toEqual(["tools/api", "tools/web"]);
  expect(shown.names("stop", "tag:")).toContain("tag:mine");
  expect(shown.names("plan", "--only", "")).toEqual(["api", "later", "web"]);
  expect(shown.ask("run", "")).toEqual([`backup\tBack up ${TOUCH}`, "web:say\t"]);
  expect(shown.names("jobs", "--action", "")).toEqual(["backup", "say"]);
  expect(shown.ask("job", "logs", "").map((line) => line.replace(/^\d+/, "N"))).toEqual([
    `N\ttools/web:${TOUCH} running`,
    "N\ttools/web:say succeeded",
    expect.stringMatching(/^N\ttools\/(api|web) /),
    expect.stringMatching(/^N\ttools\/(api|web) /),
  ]);
  expect(shown.names("job", "cancel", "")).toEqual(["900"]);
  expect(shown.ask("rollback", "")).toEqual([expect.stringMatching(/^1\t20.*Z \+api \+web /)]);
  expect(shown.ask("list", "--project", "")).toEqual(["tools\t~/tools"]);
  expect(shown.names("trust", "--revoke", "")).toEqual([shown.home.project]);
  expect(shown.names("jobs", "--tag", "")).toEqual(["mine"]);
  expect(shown.files()).toEqual(before);
});

it("the project is that of --config, of $XY_CONFIG or of the folder", async () => {
  const home = homes();
  home.declare("web");
  await home.did("apply", "--yes");
  home.write("../other/servers.d/web.kdl", 'command "sleep"\nargs "600"\nport "none"\n');
  home.write("../other/servers.d/own.kdl", 'command "sleep"\nargs "600"\nport "none"\n');
  const other = join(home.path, "other");
  await home.xyIn({ cwd: other }, "apply", "--yes");
  const shown = new Shown(home);
  expect(shown.names("stop", "")).toEqual(["web", "own", "other/web"]);
  expect(shown.names("plan", "--only", "")).toEqual(["web"]);
  expect(shown.names("plan", "--config", "../other", "--only", "")).toEqual(["own", "web"]);
  expect(shown.names("plan", "--config", "~/other", "--only", "")).toEqual(["own", "web"]);
  expect(shown.askIn({ env: { XY_CONFIG: other } }, "plan", "--only", "")).toHaveLength(2);
  expect(shown.askIn({ cwd: "/" }, "stop", "").map((line) => line.split("\t")[0])).toEqual([
    "own",
    "other/web",
    "tools/web",
  ]);
});

describe("whatever is there, it is silent", () => {
  let shown: Shown;
  let before: string[];

  beforeAll(() => {
    const home = new Home();
    shown = new Shown(home);
    home.write("xy.config.js", "process.exit(77)\n");
    home.declare("web", 'env { TOKEN (command)"touch pwned"; }');
    return () => home.close();
  });

  it("without any record", () => {
    before = shown.files();
    expect(shown.ask("stop", "")).toEqual([]);
    expect(shown.names("plan", "--only", "")).toEqual(["web"]);
    expect(shown.names("st")).toContain("stop");
    expect(shown.askIn({ cwd: "/" }, "job", "logs", "")).toEqual([]);
    expect(shown.ask()).toContain("list\tList all servers and their state.");
    expect(shown.files()).toEqual(before);
  });

  it("without a home, or with one that is not there", () => {
    for (const HOME of [undefined, "/nowhere/at/all", "relative", "/dev/null"])
      expect(shown.askIn({ env: { HOME } }, "plan", "--only", "")).toEqual([expect.stringMatching(/^web\t/)]);
  });

  it("in a folder that was removed", () => {
    const script = `mkdir gone && cd gone && rmdir ../gone && exec '${process.execPath}' '${LAUNCHER}' __complete zsh stop ''`;
    const { status, stdout, stderr } = spawnSync("sh", ["-c", script], {
      cwd: shown.home.path,
      env: shown.env as NodeJS.ProcessEnv,
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: ":names\n", stderr: "" });
  });

  it("with damaged records, and things in their places", () => {
    const project = join(shown.home.state, "projects/tools");
    for (const name of [
      "servers/web",
      "servers/api",
      "generations",
      "jobs/inline",
      "jobs/servers/web",
      "jobs/actions/x",
    ])
      mkdirSync(join(project, name), { recursive: true, mode: 0o700 });
    for (const [name, text] of Object.entries({
      "project.json": '{"config": 7',
      "servers/web/spec.json": "null",
      "servers/api/spec.json": '{"spec": {"description": {"a": 1}, "tags": "x"}}',
      "actions.json": '{"actions": [null, 7, {"spec": null}, {"spec": {"name": "UP"}}]}',
      "generations/1.json": '{"changes":{"add":7}}',
      "generations/x.json": "",
      "jobs/inline/journal": '{"id":1\n{"id":"x"}\n{"id":3,"action_id":7}\n{"id":2,"action_id":"true"}\n',
    }))
      writeFileSync(join(project, name), text);
    spawnSync("mkfifo", [join(project, "jobs/servers/web/journal"), join(shown.home.state, "projects/pipe")]);
    writeFileSync(join(shown.home.state, "projects/file"), "");
    const damaged = shown.files();
    expect(shown.names("stop", "")).toEqual(["api", "web"]);
    expect(shown.names("stop", "tag:")).toEqual(
      expect.not.arrayContaining([expect.stringContaining("tag:")]),
    );
    expect(shown.names("run", "")).toEqual([]);
    expect(shown.names("rollback", "")).toEqual(["1"]);
    expect(shown.names("job", "show", "")).toEqual(["2"]);
    expect(shown.files()).toEqual(damaged);
  });

  it("with a state folder that others can write to", () => {
    chmodSync(shown.home.state, 0o777);
    expect(shown.ask("stop", "")).toEqual([]);
    rmSync(shown.home.state, { recursive: true });
    writeFileSync(shown.home.state, "");
    expect(shown.ask("stop", "")).toEqual([]);
  });
});

/** Why there are no tests in a shell; undefined if there are. Under CI there have to be. */
function whyNot(shell: string): string | undefined {
  if (spawnSync(shell, ["-c", "exit 0"]).status === 0) return undefined;
  if (process.env.CI) throw new Error(`cannot test completion in ${shell}: it is not installed`);
  console.warn(`SKIPPED, no completion in ${shell}: it is not installed`);
  return "not installed";
}

/** Keys that put a word before a line, and have the shell print it. */
const ECHO = "\u0001echo GOT: \r";

describe("a press of Tab", () => {
  let shown: Shown;
  beforeAll(async () => {
    const home = new Home();
    shown = await Shown.make(home);
    return () => home.close();
  });

  /** Types lines in an interactive shell, each with Tab behind it, and looks at what they become. */
  async function typed(shell: string, begin: string, lines: Readonly<Record<string, string>>) {
    const script = `stty cols 80 rows 24; exec ${shell}`;
    const running = shown.home.start({ env: shown.env }, "script", "-qefc", script, "/dev/null");
    running.types(`${begin}; echo REA''DY\r`);
    await running.prints("READY");
    for (const [line, become] of Object.entries(lines)) {
      running.types(`${line}\t${ECHO}`);
      await running.prints(`GOT: ${become}`);
    }
    return running;
  }

  const BECOME = {
    "xy sto": "xy stop",
    "xy stop w": "xy stop web",
    "xy stop tools/w": "xy stop tools/web",
    "xy stop web --remo": "xy stop web --remove-jobs",
    "xy run web:": "xy run web:say",
    "xy run web:s": "xy run web:say",
    "xy plan --only=la": "xy plan --only=later",
    "xy plan --config serv": "xy plan --config servers.d",
    "xy logs api --stream o": "xy logs api --stream out",
    "xy list --state running,fa": "xy list --state running,failed",
    "xy init --with every": "xy init --with everything",
    "xy job cancel 9": "xy job cancel 900",
    "xy rollback ": "xy rollback 1",
    "xy list --project t": "xy list --project tools",
    "xy run -- ls xy.con": "xy run -- ls xy.config.kdl",
  };

  const nothingRan = () => expect(readdirSync(shown.home.project)).not.toContain("pwned");

  it.skipIf(whyNot("bash") !== undefined)("in bash", async () => {
    const running = await typed("bash --norc -i", `PS1='> '; eval "$(xy completion bash)"`, {
      ...BECOME,
      'xy stop "w': "xy stop web",
      "FOO=1; xy stop w": "FOO=1",
    });
    running.types("xy stop \t\t");
    await running.prints(/api +web/);
    running.types("\u0015exit\r");
    await running.ended;
    nothingRan();
  });

  it.skipIf(whyNot("zsh") !== undefined)("in zsh, with what each is about", async () => {
    const begin = `PS1='> '; autoload -Uz compinit; compinit -u -D; eval "$(xy completion zsh)"`;
    const running = await typed("zsh -f -i", begin, { ...BECOME, 'xy stop "w': "xy stop web" });
    running.types("xy stop \t");
    await running.prints(`web  -- Web ${TOUCH}`);
    running.types("\u0015xy job logs \t");
    await running.prints("tools/web:say succeeded");
    running.types("\u0015exit\r");
    await running.ended;
    nothingRan();
  });

  it.skipIf(whyNot("fish") !== undefined)("in fish, with what each is about", () => {
    const asked = [...Object.keys(BECOME), "xy stop ", "xy job logs ", "xy --", "xy plan --config=serv"];
    const quoted = asked.map((line) => `'${line}'`).join(" ");
    const script = `xy completion fish | source; for line in ${quoted}; echo "== $line"; complete -C $line; end`;
    const { stdout, stderr } = spawnSync("fish", ["--no-config", "-c", script], {
      cwd: shown.home.project,
      env: shown.env as NodeJS.ProcessEnv,
      encoding: "utf8",
    });
    expect(stderr).toBe("");
    const answers = new Map(
      stdout
        .split(/^== /m)
        .slice(1)
        .map((part) => {
          const [line = "", ...all] = part.trimEnd().split("\n");
          return [line, all];
        }),
    );
    for (const [line, become] of Object.entries(BECOME)) {
      const last = become.split(" ").at(-1) ?? "";
      const found = answers.get(line)?.map((each) => each.replace(/\/?(\t.*)?$/, ""));
      expect(found, line).toContain(last);
    }
    expect(answers.get("xy stop ")).toEqual(["api", `web\tWeb ${TOUCH}`]);
    expect(answers.get("xy job logs ")?.join("\n")).toMatch(/^\d+\ttools\/web:say succeeded$/m);
    expect(answers.get("xy --")).toContain("--version\tShow the version.");
    expect(answers.get("xy plan --config=serv")).toEqual(["--config=servers.d/"]);
    nothingRan();
  });
});

describe("xy completion", () => {
  it("prints a script that its shell can read, for $SHELL without a word", async () => {
    const home = homes();
    for (const shell of ["bash", "zsh", "fish"]) {
      const script = await home.did("completion", shell);
      expect(await home.xyIn({ env: { SHELL: `/bin/${shell}` } }, "completion")).toMatchObject({
        stdout: script,
      });
    }
    const { code, stderr } = await home.xyIn({ env: { SHELL: "/bin/tcsh" } }, "completion");
    expect({ code, stderr }).toEqual({
      code: 64,
      stderr: "xy: cannot tell which shell you use: write `xy completion bash`, zsh or fish\n",
    });
  });

  it("says on a terminal how it is installed", async () => {
    const terminal = homes().terminal("xy completion fish");
    await terminal.prints("  xy completion fish > ~/.config/fish/completions/xy.fish\r\n");
    await terminal.ended;
  });
});
