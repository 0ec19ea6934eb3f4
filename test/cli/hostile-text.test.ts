import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ALL_COLOURS,
  type Allowed,
  expectHarmless,
  HOSTILE_NAME,
  HOSTILE_TEXT,
  OWN_COLOURS,
} from "../rig/hostile.ts";
import {
  BUSY,
  freePort,
  Home,
  homesInTurn,
  LISTENER,
  type Outcome,
  newHome as ownHome,
  ROOT,
} from "./cli.ts";
import { sharedOnTerminal } from "./transcript.ts";

const newHome = homesInTurn();

const linux = process.platform === "linux";

/** What a line of a server may have beside text. */
const OUTPUT: Allowed = { colours: ALL_COLOURS, tabs: true };

/** Everything in it that may be any text is hostile. */
async function hostileProject(home: Home): Promise<void> {
  home.trusts();
  const text = (word: string) => `${word}${HOSTILE_TEXT}`;
  const folder = `folder${HOSTILE_NAME}`;
  for (const name of [folder, "servers.d"]) mkdirSync(home.pathOf(name));
  // Lines of its own are its own.
  home.write("printed", `a\tb ${HOSTILE_TEXT.replaceAll("\n", "")}\n`);
  home.write(`secret${HOSTILE_NAME}`, "value of the secret\n");
  home.write(`variables${HOSTILE_NAME}`, "FROM_FILE=other value of the secret\n");
  const server = (name: string, more: object) =>
    home.write(`servers.d/${name}.json`, JSON.stringify({ command: "bash", port: "none", ...more }, null, 2));
  const says = `cat ${home.pathOf("printed")}; cat ${home.pathOf("printed")} >&2; echo; echo up;`;
  server("web", {
    args: ["-c", `${says} exec -a "$1" sleep 600`, "bash", `sleep${HOSTILE_NAME}`, text("argument")],
    env: {
      PATH: `/usr/bin:/bin:${text("/x")}`,
      PLAIN: text("value"),
      TOKEN: { secret: { file: `../secret${HOSTILE_NAME}` } },
      SAID: { secret: { command: `echo ${HOSTILE_NAME.length}; : '${HOSTILE_TEXT}'` } },
    },
    envFile: `../variables${HOSTILE_NAME}`,
    workingDir: `../${folder}`,
    description: text("described"),
    tags: [text("tag")],
    readiness: { type: "log", pattern: `^up$|${HOSTILE_TEXT.replace(/[[\]\\?*]/g, ".")}` },
    actions: {
      say: {
        script: `#!/bin/sh\n${says}\nexit 3\n# ${HOSTILE_NAME}\n`,
        description: text("described"),
        tags: [text("tag")],
        env: { MORE: text("value") },
      },
    },
  });
  const probe = { type: "command", command: "bash", args: ["-c", `${says} exit 1`], interval: "1s" };
  // A client's file that a repository brings along.
  const entries = {
    [text("name")]: { url: `http://x/${HOSTILE_NAME}` },
    [text("other")]: { command: text("program") },
  };
  home.write(".cursor/mcp.json", JSON.stringify({ mcpServers: entries }));
  home.write(".vscode/mcp.json", `{ "servers": { ${text("")}`);
  server("ill", { args: ["-c", "exec sleep 600"], readiness: probe, wanted: "stop" });
  server("bad", {
    args: ["-c", `${says} exit 7`],
    restart: { policy: "never" },
    readiness: { type: "log", pattern: "never" },
  });
}

interface Manifest {
  readonly commands: Record<string, { readonly flags: Record<string, unknown> }>;
}
const manifest: Manifest = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../dist/oclif.manifest.json"), "utf8"),
);

/** In an order in which each finds what it shows. Whether one succeeds is nothing to this test. */
const COMMANDS: readonly (readonly [words: readonly string[], allowed?: Allowed])[] = [
  [["check"]],
  [["trust"]],
  [["import", ".cursor/mcp.json", "--dry-run"]],
  [["import", ".vscode/mcp.json"]],
  [["import", HOSTILE_NAME]],
  [["plan", "-o", "saved.plan"]],
  [["plan", "--only", HOSTILE_NAME]],
  [["emit", "systemd", "--out", "units"]],
  [["apply", "--yes", "--wait-timeout", "2s"]],
  [["reload"]],
  [["list"]],
  [["list", HOSTILE_NAME]],
  [["tree"]],
  [["stats"]],
  [["ports"]],
  [["clients"]],
  [["doctor"]],
  [["ports", "--reset", "web"]],
  [["ports", "--reset", HOSTILE_NAME]],
  [["status"]],
  [["status", "web"]],
  [["status", "bad"]],
  [["status", HOSTILE_NAME]],
  [["why", "web"]],
  [["why", "bad"]],
  [["url", "web"]],
  [["url", HOSTILE_NAME]],
  [["connect", "web", "--open"]],
  [["connect", HOSTILE_NAME, "--open"]],
  [["probe", "web"]],
  [["probe", "ill"]],
  [["children", "web"]],
  [["logs", "web"], OUTPUT],
  [["logs", "web", "bad"], OUTPUT],
  [["run"]],
  [["run", "web:say"], OUTPUT],
  [["run", "web:say", "--detach"]],
  [["jobs"]],
  [["job", "show", "1"]],
  [["job", "logs", "1"], OUTPUT],
  [["job", "show", "4"]],
  [["job", "logs", "4"], OUTPUT],
  [["job", "retry", "4"]],
  [["job", "cancel", "4"]],
  [["job", "delete", "4"]],
  [["run", "--", "printf", "\\033[2Jtyped \\033]0;x\\007"], OUTPUT],
  [["run", "--", HOSTILE_NAME]],
  [["run", "--env", `\u001b[2J${HOSTILE_NAME}`, "--", "true"]],
  [["run", "--keep", HOSTILE_NAME, "--", "true"]],
  [["run", "--detach", "--keep", "kept", "--", "sleep", "600", "\u001b[2J\u202e"]],
  [["status", "kept"]],
  [["plan"]],
  [["forget", "kept"]],
  [["forget", HOSTILE_NAME]],
  [["start", "ill", "bad"]],
  [["restart", "bad"]],
  [["pause", "web"]],
  [["resume", "web"]],
  [["kill", "web"]],
  [["stop", "web"]],
  [["start", "web"]],
  [["bridge", "--port", HOSTILE_NAME, "--", "true"]],
  [["bridge", `--\u001b[2J${HOSTILE_NAME}`, "--", "true"]],
  [["history"]],
  [["history", "1"]],
  [["history", HOSTILE_NAME]],
  [["rollback", "1", "--plan"]],
  [["rollback", HOSTILE_NAME, "--plan"]],
  [["rollback", "1", "--yes"]],
  [["history", "1", "2"]],
  [["init", "."]],
  [["init", "--refresh"]],
  [["version"]],
  [["completion", "bash"]],
  [["completion", HOSTILE_NAME]],
  [[HOSTILE_NAME]],
  [["plan", HOSTILE_NAME]],
  [["agent", "status"]],
  [["agent", "start"]],
  [["agent", "run"]],
  [["agent", "upgrade"]],
  [["agent", "uninstall"]],
  [["agent", "stop"]],
  [["destroy", "--yes"]],
];

/** Those that cannot be run to their end like that, and where they are looked at instead. */
const ELSEWHERE = ["up (below)", "agent install (takes a service manager, and shows one path of xy's own)"];

/** As it arrives on paper: the terminal itself ends each line with a carriage return. */
const shown = ({ stdout }: Outcome) => stdout.replace(BUSY, "").replace(/\r+\n/g, "\n");

describe("text from outside", () => {
  const home = new Home();
  beforeAll(() => hostileProject(home));
  afterAll(() => home.close());

  it.each(COMMANDS.map(([words, allowed = {}]) => ({ words, allowed })))(
    "reaches nobody as it is, nor in JSON: xy $words",
    async ({ words, allowed }) => {
      const { stdout, stderr } = await home.xy(...words);
      expectHarmless(stdout, allowed);
      expectHarmless(stderr, allowed);
      if (manifest.commands[idOf(words)]?.flags.json === undefined) return;
      const document = await home.xy(...words, "--json");
      expectHarmless(document.stdout);
      expectHarmless(document.stderr);
    },
  );

  it("is looked at for every command", () => {
    const seen = [
      ...COMMANDS.map(([words]) => idOf(words)),
      ...ELSEWHERE.map((text) => idOf(text.split(" "))),
    ];
    expect(Object.keys(manifest.commands).filter((id) => !seen.includes(id))).toEqual([]);
  });
});

const idOf = ([first = "", second = ""]: readonly string[]) =>
  ["agent", "job"].includes(first) ? `${first}:${second}` : first;

describe.skipIf(!linux)("text from outside on a terminal", () => {
  it("is coloured by xy alone", async () => {
    const home = ownHome();
    await hostileProject(home);
    const plan = await home.terminal(
      `${sharedOnTerminal(process.execPath, ROOT)}\nxy check; xy plan; xy emit systemd --only web`,
      { columns: 60 },
    ).ended;
    expectHarmless(shown(plan), { colours: OWN_COLOURS });
    expect(plan.stdout).not.toContain("\u001b[31mFORGED");
    expect(plan.stdout).toContain("\\u{202e}");
    // Its task list moves the cursor itself.
    const apply = home.terminal("xy apply --wait-timeout 2s");
    await apply.prints("Apply these changes?");
    apply.types("y\r");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what moves a cursor, hides and shows it
    const moves = /\u001b\[(?:\?25[hl]|[\d;]*[A-HJKmsu])/g;
    expectHarmless(shown(await apply.ended), { colours: moves, broken: true });
    const commands = [
      "list",
      "tree",
      "stats",
      "status bad",
      "status web",
      "why bad",
      "probe web",
      "children web",
    ];
    const more = ["run", "jobs", "job show 1", "history", "history 1", "rollback 1 --plan"];
    const line = [...commands, ...more].map((one) => `xy ${one}`).join("; ");
    const shared = sharedOnTerminal(process.execPath, ROOT);
    const looked = await home.terminal(`${shared}\n${line}`).ended;
    expectHarmless(shown(looked), { colours: OWN_COLOURS });
    expect(looked.stdout).not.toContain("\u001b[31mFORGED");
    const logs = await home.terminal(`${shared}\nxy logs web; xy logs web bad; xy run web:say; xy job logs 1`)
      .ended;
    expectHarmless(shown(logs), OUTPUT);
    expect(logs.stdout).toContain("\u001b[31mFORGED");
  });
});

it.skipIf(!linux)("the question about a stranger's configuration shows all of it, harmlessly", async () => {
  const home = newHome();
  await hostileProject(home);
  await home.did("trust", "--revoke", ".");
  home.write(
    "servers.d/ask.json",
    JSON.stringify({ command: "sh", port: "none", env: { A: { secret: { command: HOSTILE_TEXT } } } }),
  );
  const asked = home.terminal("xy plan");
  await asked.prints("Trust this configuration?");
  asked.types("n\r");
  // The line editor moves the cursor to where an answer begins.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what moves a cursor and erases a line
  expectHarmless(shown(await asked.ended), { colours: /\u001b\[[\d;]*[GJK]/g });
});

describe("lines of servers", () => {
  it("are made visible in a session too, and left as they are with --raw", async () => {
    const home = newHome();
    await hostileProject(home);
    for (const raw of [[], ["--raw"]]) {
      const up = home.xyRunning("up", "--yes", "--only", "web", ...raw);
      await up.prints(/web \| up/);
      up.child.kill("SIGINT");
      const { stdout, stderr } = await up.ended;
      if (raw.length === 0) expectHarmless(`${stdout}${stderr}`, OUTPUT);
      else expect(stdout).toContain("\u001b[2J");
    }
    expect(await home.did("logs", "web", "--raw")).toContain("\u001b[2J");
    expect((await home.xy("run", "web:say", "--raw")).stdout).toContain("\u001b[2J");
    const [{ id } = { id: 0 }] = ((await home.json("jobs", "--action", "say")) as { jobs: { id: number }[] })
      .jobs;
    expect(await home.did("job", "logs", String(id), "--raw")).toContain("\u001b[2J");
  });

  it("lose their colours where there are none", async () => {
    const home = newHome();
    await hostileProject(home);
    await home.did("apply", "--yes", "--only", "web");
    const { stdout } = await home.xyIn({ env: { NO_COLOR: "1" } }, "logs", "web");
    expectHarmless(stdout, { tabs: true });
    expect(stdout).toContain("FORGED");
  });
});

/** Mistakes whose messages quote what is in a file, or its name. */
const BROKEN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "names of files": {
    [`servers.d/a${HOSTILE_NAME}.kdl`]: "",
    [`servers.d/b${HOSTILE_NAME}.ts`]: "",
    [`servers.d/c${HOSTILE_NAME}.yaml`]: "command: [",
  },
  KDL: {
    "servers.d/a.kdl": `command "\u202e"\n${"x\u200b"} 1\n`,
    "servers.d/b.kdl": `command "x"; port "none"\n"key${HOSTILE_NAME}" 1\nenv { A (type\u200b)"x" }`,
    "servers.d/c.kdl": `command "x"\nargs "\u001b[2J`,
  },
  YAML: {
    "servers.d/a.yaml": `command: x\nport: none\n"key\\u202e\\x1b": 1\n`,
    "servers.d/b.yaml": "command: x\nport: none\ndescription: *a\u202eb\n",
    "servers.d/c.yaml": "command: x\nport: none\ndescription: !tag\u202e x\n",
    "servers.d/d.yaml": 'command: x\nport: "\\e[2J\\u2066"\nbackend: "\\u202e"\nworking-dir: "\\u202e\\e"\n',
  },
  JSON: {
    "servers.d/a.json": JSON.stringify({ command: HOSTILE_TEXT, port: HOSTILE_TEXT, [HOSTILE_TEXT]: 1 }),
    "servers.d/b.json": JSON.stringify({ command: "x", port: "none", env: { [HOSTILE_TEXT]: HOSTILE_TEXT } }),
    "servers.d/c.json": JSON.stringify({ command: "x", port: "none", dependsOn: [HOSTILE_TEXT] }),
    "servers.d/d.json": `{"command": \u202e}`,
  },
  "a program": {
    // A line of its own is its own.
    "xy.config.ts": `console.log(${JSON.stringify(HOSTILE_TEXT.replaceAll("\n", ""))}); throw new Error(${JSON.stringify(HOSTILE_TEXT)});`,
  },
  "what is not there": {
    "servers.d/a.json": JSON.stringify({
      command: `no${HOSTILE_TEXT}`,
      port: "none",
      workingDir: `/no${HOSTILE_TEXT}`,
      envFile: `/no${HOSTILE_TEXT}`,
      env: {
        A: { secret: { file: `/no${HOSTILE_TEXT}` } },
        B: { secret: { command: `exit 1 # ${HOSTILE_TEXT}` } },
        C: { secret: { env: "NOT_SET" } },
      },
      readiness: { type: "command", command: `no${HOSTILE_TEXT}` },
    }),
  },
};

describe.each(Object.entries(BROKEN))("what is wrong with %s", (_, files) => {
  it.each(["check", "plan", "apply"])("is said harmlessly by xy %s", async (command) => {
    const home = newHome();
    home.trusts();
    for (const [file, text] of Object.entries(files)) home.write(file, text);
    for (const json of [[], ["--json"]]) {
      const { stdout, stderr, code } = await home.xy(command, "--yes", ...json);
      if (code !== 0) expect(`${stdout}${stderr}`).toMatch(/\\u/);
      expectHarmless(stdout);
      expectHarmless(stderr);
    }
  });
});

it.skipIf(!linux)("the name of a process that holds a port is said harmlessly", async () => {
  const home = newHome();
  const port = await freePort();
  const holder = home.start(
    { env: { PORT: String(port) } },
    "bash",
    "-c",
    `exec -a "$0" '${process.execPath}' -e "$1"`,
    `node${HOSTILE_NAME}`,
    `${LISTENER}.on('listening', () => console.log('listens'))`,
  );
  await holder.prints("listens");
  home.write("servers.d/web.kdl", `command "sleep"\nargs "600"\nport ${port}\n`);
  const { stdout } = await home.xy("plan");
  expect(stdout).toContain(`${port}`);
  expect(stdout).toContain("\\u{202e}");
  expectHarmless(stdout);
});
