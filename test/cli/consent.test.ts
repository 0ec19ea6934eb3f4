import {
  appendFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { asJson, asKdl, asTypeScript, asYaml } from "../unit/config/writers.ts";
import { type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

const linux = process.platform === "linux";

/** What a repository of a stranger would have run and sent: each leaves a file, or knocks at a door. */
function hostile(mark: string, url: string) {
  const touch = (what: string) => ({ command: "touch", args: [`${mark}-${what}`] });
  const sh = (what: string) => ({ command: "sh", args: ["-c", `touch ${mark}-${what}; exec sleep 600`] });
  return {
    supervisord: {
      url,
      user: "me",
      password: "PASSWORD",
      includeDir: "units",
    },
    path: ["./bin"],
    defaults: { env: { COMMON: { secret: { command: `touch ${mark}-defaults` } } } },
    actions: { nightly: { script: `#!/bin/sh\ntouch ${mark}-action`, schedule: "* * * * *" } },
    servers: {
      agents: {
        ...sh("server"),
        port: "none" as const,
        env: { TOKEN: { secret: { command: `touch ${mark}-secret; echo x` } } },
        readiness: { type: "command" as const, ...touch("probe") },
      },
      elsewhere: { ...sh("elsewhere"), port: "none" as const, backend: "supervisord" as const },
    },
  };
}

const FORMATS = {
  "xy.config.kdl": asKdl,
  "xy.config.yaml": asYaml,
  "xy.config.json": asJson,
  "xy.config.ts": (root: Parameters<typeof asTypeScript>[0]) =>
    `import { writeFileSync } from "node:fs";\nwriteFileSync(process.env.HOME + "/mark-program", "");\n${asTypeScript(root)}`,
} as const;

/** A repository of somebody else, and how often it made somebody call. */
async function repository(file: keyof typeof FORMATS): Promise<{ home: Home; harm: () => string[] }> {
  const home = newHome();
  const calls: string[] = [];
  const server = createServer((request, response) => {
    calls.push(`call ${request.headers.authorization ?? ""}`);
    response.end();
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  mkdirSync(join(home.project, "bin"));
  mkdirSync(join(home.project, "units"));
  const mark = `${home.path}/mark`;
  const text = FORMATS[file](hostile(mark, `http://127.0.0.1:${port}/RPC2`) as never);
  const command = JSON.stringify(`touch ${mark}-password; echo x`);
  const password = file === "xy.config.kdl" ? `(command)${command}` : `{"secret": {"command": ${command}}}`;
  home.write(file, text.replace(/"?PASSWORD"?/, password));
  const before = filesOf(home.path);
  const harm = () => [...calls, ...filesOf(home.path).filter((entry) => !before.includes(entry))];
  return { home, harm };
}

/** All that is in a home but xy's own folders. */
function filesOf(home: string): string[] {
  const names = readdirSync(home, { recursive: true, encoding: "utf8" });
  return names
    .filter((name) => !/^\.(local|cache)(\/|$)/.test(name))
    .map(
      (name) =>
        `${name} ${lstatSync(join(home, name)).isDirectory() ? "" : statSync(join(home, name)).mtimeMs}`,
    );
}

/** What each command is called with in a stranger's repository; a command without an entry fails the test. */
const WORDS: Readonly<Record<string, readonly string[][]>> = {
  init: [
    ["init", "--format", "kdl"],
    ["init", "--refresh"],
  ],
  // Its files are data, or programs that nobody has agreed to.
  import: [
    ["import", "xy.config.js", "xy.config.ts"],
    ["import", "xy.config.yaml", "--dry-run"],
  ],
  check: [["check"], ["check", "--yes"], ["check", "--no-secrets"]],
  plan: [
    ["plan"],
    ["plan", "--json"],
    ["plan", "--yes"],
    ["plan", "--no-secrets"],
    ["plan", "--config", "."],
  ],
  apply: [["apply"], ["apply", "--yes"], ["apply", "--yes", "--no-secrets", "--no-wait"]],
  emit: [
    ["emit", "systemd"],
    ["emit", "supervisord", "--out", "out", "--yes"],
  ],
  up: [["up"], ["up", "--yes"]],
  reload: [["reload"], ["reload", "--json"]],
  destroy: [["destroy", "--yes"]],
  rollback: [
    ["rollback", "--yes"],
    ["rollback", "1", "--plan"],
  ],
  history: [["history"], ["history", "1"], ["history", "1", "2"]],
  list: [["list"]],
  logs: [["logs", "agents"]],
  why: [["why", "agents"]],
  start: [
    ["start", "agents"],
    ["start", "--all"],
  ],
  stop: [["stop", "--all"]],
  restart: [["restart", "--all"]],
  kill: [["kill", "--all"]],
  run: [["run"], ["run", "nightly"], ["run", "--", "true"], ["run", "--keep", "mine", "--", "sleep", "600"]],
  forget: [["forget", "mine"]],
  status: [["status"], ["status", "agents"]],
  version: [["version"]],
  url: [["url", "agents"]],
  // What a shim runs to find its server, and to start it.
  connect: [["connect", "agents", "--open"]],
  probe: [["probe", "agents"]],
  tree: [["tree"]],
  clients: [["clients"]],
  doctor: [["doctor"], ["doctor", "--json"], ["doctor", "--config", "."]],
  children: [["children", "agents"]],
  stats: [["stats"]],
  ports: [["ports"], ["ports", "--reset", "agents"]],
  jobs: [["jobs"]],
  pause: [["pause", "--all"]],
  resume: [["resume", "--all"]],
  trust: [["trust"], ["trust", "--revoke", "."]],
  completion: [["completion", "bash"]],
  "job:show": [["job", "show", "1"]],
  "job:logs": [["job", "logs", "1"]],
  "job:cancel": [["job", "cancel", "1"]],
  "job:retry": [["job", "retry", "1"]],
  "job:delete": [["job", "delete", "1"]],
  "agent:start": [["agent", "start"]],
  "agent:status": [["agent", "status"]],
  "agent:upgrade": [["agent", "upgrade"]],
  "agent:stop": [["agent", "stop"]],
  // It serves what it is told, and looks at no configuration.
  bridge: [["bridge", "--help"], ["bridge"]],
  // They change the account's service manager, and run until they are ended: neither looks at a configuration.
  "agent:install": [["agent", "install", "--help"]],
  "agent:uninstall": [["agent", "uninstall", "--help"]],
  "agent:run": [["agent", "run", "--help"]],
};
/** Those that evaluate a configuration. */
const EVALUATING = ["check", "plan", "apply", "emit", "up", "reload"];

describe("in a stranger's repository nothing is run, sent or written", () => {
  test("by any command that there is", () => {
    const manifest = readFileSync(join(import.meta.dirname, "../../dist/oclif.manifest.json"), "utf8");
    const aliases = new Set(["daemon", "ls", "ps"]);
    const commands = Object.keys(JSON.parse(manifest).commands).filter((id) => !aliases.has(id));
    expect(Object.keys(WORDS).sort()).toEqual(commands.sort());
  });

  test.each(Object.keys(FORMATS) as (keyof typeof FORMATS)[])("without a terminal: %s", async (file) => {
    const { home, harm } = await repository(file);
    const all = file === "xy.config.kdl" ? Object.keys(WORDS) : EVALUATING;
    for (const words of all.flatMap((id) => WORDS[id] ?? [])) {
      const { code, stderr } = await home.xy(...words);
      if (!EVALUATING.includes(words[0] ?? "")) continue;
      expect([words.join(" "), code]).toEqual([words.join(" "), 3]);
      if (!words.includes("--json")) expect(stderr).toMatch(/agree with --trust$/m);
    }
    expect(harm()).toEqual([]);
    expect(await home.json("list")).toEqual([]);
  });

  test.skipIf(!linux).each(Object.keys(FORMATS) as (keyof typeof FORMATS)[])(
    "on a terminal, answering no: %s",
    async (file) => {
      const { home, harm } = await repository(file);
      // Files of data are all read the same way.
      const commands = file === "xy.config.yaml" || file === "xy.config.json" ? ["plan"] : EVALUATING;
      for (const words of commands.map((id) => WORDS[id]?.[0] ?? [])) {
        const asked = home.terminal(`xy ${words.join(" ")}`);
        await asked.prints("Trust this configuration? [y/N] ");
        asked.types("n\r");
        const { code, stdout } = await asked.ended;
        expect(code).toBe(3);
        if (file === "xy.config.ts")
          expect(stdout).toContain("run a program, which can do anything that you can do");
        else
          for (const what of ["secret", "defaults", "probe", "password"])
            expect(stdout).toContain(`mark-${what}`);
      }
      expect(harm()).toEqual([]);
    },
  );

  test("by the names of variables", async () => {
    const { home, harm } = await repository("xy.config.kdl");
    const env = { XY_TRUST: "1", XY_YES: "1", XY_CONFIG: home.project };
    expect(await home.xyIn({ env }, "apply", "--yes")).toMatchObject({ code: 3 });
    expect(harm()).toEqual([]);
  });

  test("through a link that init would follow", async () => {
    const home = newHome();
    mkdirSync(join(home.path, "elsewhere"));
    await home.shell("ln -s ../elsewhere servers.d");
    expect(await home.xy("init", "--format", "kdl")).toMatchObject({ code: 1 });
    expect(readdirSync(join(home.path, "elsewhere"))).toEqual([]);
  });
});

const RUNS = (mark: string) =>
  `command "sleep"\nargs "600"\nport "none"\nenv { TOKEN (command)"${mark}"; }\n`;

describe("agreeing to a configuration", () => {
  test.skipIf(!linux)("happens once, and is told by a plan of what is new since then", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", RUNS("echo first"));
    const first = home.terminal("xy plan");
    await first.prints("Trust this configuration? [y/N] ");
    first.types("y\r");
    expect(await first.ended).toMatchObject({ code: 0, stdout: expect.stringContaining("1 to add (web)") });
    expect(await home.xy("plan")).toMatchObject({ code: 0, stderr: "" });
    home.write("servers.d/api.kdl", RUNS("echo from a pull"));
    expect((await home.xy("plan")).stderr).toMatch(/echo from a pull\n +in servers\.d\/api\.kdl:4:/);
    expect(await home.xy("apply", "--yes", "--trust")).toMatchObject({ code: 0, stderr: "" });
    expect(await home.xy("plan")).toMatchObject({ code: 0, stderr: "" });
  });

  test("ends with the folder, or when it is taken back; what runs keeps running", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", RUNS("echo x"));
    await home.did("apply", "--yes", "--trust");
    const { web } = await home.servers();
    await home.did("trust", "--revoke", ".");
    expect(await home.xy("plan")).toMatchObject({ code: 3 });
    expect(await home.xy("trust", "--revoke", ".")).toMatchObject({ code: 1 });
    // The agent reloads by itself, where nobody can be asked.
    const agent = await home.call("reload", { project: "tools" });
    expect(agent).toMatchObject({ error: { code: -32003, message: expect.stringContaining("--trust") } });
    expect(await home.servers()).toMatchObject({ web: { state: "running", pid: web?.pid } });
    await home.did("plan", "--trust");
    expect(await home.call("reload", { project: "tools" })).toMatchObject({ result: { unchanged: ["web"] } });

    renameSync(home.project, `${home.project}-old`);
    cpSync(`${home.project}-old`, home.project, { recursive: true });
    expect(await home.xy("plan")).toMatchObject({ code: 3 });
    expect(await home.json("trust")).toMatchObject([{ path: home.project, is_there: false }]);
  });

  test.skipIf(!linux)("does not go to a folder that took the place of the one that was shown", async () => {
    const home = newHome();
    home.write("xy.config.mjs", `export default { servers: {} };\n`);
    const asked = home.terminal("xy plan");
    await asked.prints("Trust this configuration? [y/N] ");
    rmSync(home.project, { recursive: true });
    home.write("xy.config.mjs", `import fs from "node:fs"; fs.writeFileSync("${home.path}/ran", "");\n`);
    asked.types("y\r");
    expect((await asked.ended).code).toBe(3);
    expect(existsSync(join(home.path, "ran"))).toBe(false);
  });

  test("is not needed in the account's own root, nor where init has just written", async () => {
    const home = newHome();
    const own = join(home.path, ".config/xy/servers.d/web.kdl");
    home.write(own, RUNS("echo x"));
    expect(await home.xyIn({ cwd: home.path }, "apply", "--yes")).toMatchObject({ code: 0, stderr: "" });
    mkdirSync(join(home.path, "new"));
    expect(await home.xyIn({ cwd: join(home.path, "new") }, "init")).toMatchObject({ code: 0 });
    expect(await home.xyIn({ cwd: join(home.path, "new") }, "plan")).toMatchObject({ code: 0 });
  });

  test("is owed for what is written beside the files of init", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", RUNS("echo x"));
    expect(await home.xy("init", "--format", "kdl")).toMatchObject({ code: 0 });
    expect(await home.xy("plan")).toMatchObject({ code: 3 });
  });
});

describe("servers of a configuration that was never applied here", () => {
  test.skipIf(!linux)("are asked about by up and reload, too", async () => {
    const home = newHome();
    home.declare("web");
    for (const command of ["up", "reload"]) {
      expect((await home.xy(command)).code).toBe(1);
      const asked = home.terminal(`xy ${command}`);
      await asked.prints("Apply these changes? [y/N] ");
      asked.types("n\r");
      expect((await asked.ended).code).toBe(1);
    }
    expect(await home.servers()).toEqual({});
    await home.did("apply", "--yes");
    home.declare("api");
    await home.did("reload");
    expect(await home.servers()).toMatchObject({ api: { state: "running" } });
    // That says nothing about what else a configuration can do.
    home.write("servers.d/other.kdl", RUNS("echo x"));
    expect((await home.xy("reload")).code).toBe(3);
  });
});

test("what an earlier version has applied is not asked about", async () => {
  const home = newHome();
  home.write("servers.d/web.kdl", RUNS("echo x"));
  await home.did("apply", "--yes", "--trust");
  // As such a version leaves it.
  rmSync(join(home.state, "trust"), { recursive: true });
  const record = join(home.state, "projects/tools/project.json");
  const { asked: _, ...earlier } = JSON.parse(readFileSync(record, "utf8"));
  home.write(record, JSON.stringify(earlier));
  expect(await home.xy("plan")).toEqual({
    code: 0,
    stdout: "No changes. 1 server matches the configuration.\n",
    stderr: "",
  });
});

describe("an apply without secrets", () => {
  const env = (line: string) =>
    `command "sh"\nargs "-c" "echo $TOKEN | wc -c; exec sleep 600"\nport "none"\n${line}\n`;

  test("keeps the values that were applied, and refuses what has none", async () => {
    const home = newHome();
    home.trusts();
    home.write("value", "s3cr3t-1");
    const secret = `env { TOKEN (command)"echo run >>${home.path}/runs; cat ${home.path}/tools/value"; LEVEL "LEVEL"; }`;
    const action = 'action "use" { script "#!/bin/sh\\necho $TOKEN | wc -c"; env { LEVEL "LEVEL"; }; }';
    const write = (level: string) =>
      home.write("servers.d/web.kdl", env(`${secret}\n${action}`.replaceAll('"LEVEL"', `"${level}"`)));
    write("1");
    const refused = await home.xy("apply", "--yes", "--no-secrets");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stdout).toContain("cannot apply web without secrets: no value of TOKEN was applied");
    await home.did("apply", "--yes");
    const runs = () => readFileSync(join(home.path, "runs"), "utf8").length;
    const once = runs();

    home.write("value", "s3cr3t-22");
    write("2");
    await home.did("apply", "--yes", "--no-secrets");
    expect(runs()).toBe(once);
    await eventually(async () => expect(await home.did("logs", "web")).toBe("[out] 9\n[out] 9\n"));
    expect(await home.did("run", "web:use")).toBe("9\n");
    // As after an apply with secrets: that the value is another one by now is seen.
    expect(await home.did("plan", "--no-secrets")).toContain("No changes.");
    expect(await home.did("plan")).toContain("~ env.TOKEN:");

    appendFileSync(join(home.project, "servers.d/web.kdl"), "");
    home.write("servers.d/web.kdl", env('env { TOKEN (command)"cat another"; }'));
    expect((await home.xy("apply", "--yes", "--no-secrets")).stdout).toContain(
      "cannot apply web without secrets",
    );
    expect(await home.xy("plan", "-o", "p")).toMatchObject({ code: 1 });
    expect(await home.xy("apply", "p", "--no-secrets")).toMatchObject({ code: 64 });
  });
});

describe("what a plan of nothing, a revocation or a lost folder leave", () => {
  test("is no agreement to what comes later", async () => {
    const home = newHome();
    mkdirSync(join(home.project, "servers.d"));
    await home.did("reload");
    await home.did("apply", "--yes");
    home.declare("web");
    expect((await home.xy("reload")).code).toBe(1);
    expect(await home.servers()).toEqual({});
    await home.did("apply", "--yes");
    await home.did("trust", "--revoke", ".");
    rmSync(join(home.state, "trust"), { recursive: true });
    home.write("servers.d/other.kdl", RUNS(`touch ${home.path}/ran; echo x`));
    expect((await home.xy("plan")).code).toBe(3);
    expect(existsSync(join(home.path, "ran"))).toBe(false);
  });

  test("stops a rollback from running commands again", async () => {
    const home = newHome();
    const count = () => readFileSync(join(home.path, "ran"), "utf8").length;
    home.write("servers.d/web.kdl", RUNS(`echo x >>${home.path}/ran; echo x`));
    await home.did("apply", "--yes", "--trust");
    home.declare("other");
    await home.did("apply", "--yes");
    const before = count();
    await home.did("trust", "--revoke", ".");
    expect(await home.xy("rollback", "1", "--yes")).toMatchObject({ code: 3 });
    expect(count()).toBe(before);
    await home.did("rollback", "1", "--yes", "--trust");
    expect(count()).toBeGreaterThan(before);
  });

  test.skipIf(!linux)("does not make up start what only a plan would have shown", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", RUNS("echo x"));
    const asked = home.terminal("xy up");
    await asked.prints("Trust this configuration? [y/N] ");
    asked.types("y\r");
    await asked.prints("Apply these changes? [y/N] ");
    asked.types("n\r");
    expect((await asked.ended).code).toBe(1);
    expect(await home.servers()).toEqual({});
  });
});

test("all of what is refused is told, however much that is", async () => {
  const home = newHome();
  const env = Object.fromEntries(
    Array.from({ length: 150 }, (_, i) => [`V${i}`, { secret: { command: `echo number-${i}` } }]),
  );
  home.write("servers.d/web.json", JSON.stringify({ command: "sleep", port: "none", env }));
  expect((await home.xy("plan")).stderr).toContain("echo number-149");
});

test("the question names where a password is from, and each probe as it would run", async () => {
  const home = newHome();
  home.write(
    "xy.config.kdl",
    'supervisord { url "http://127.0.0.1:1/RPC2"; user "u"; password (file)"~/id_rsa"; include-dir "units"; }\ndefaults { readiness "command" { command "true"; args "-c" "touch x"; }; }\n',
  );
  home.write("servers.d/web.kdl", 'command "sleep"\nport "none"\nreadiness "command" { command "sh"; }\n');
  const { stderr } = await home.xy("plan");
  expect(stderr).toContain(
    "http://127.0.0.1:1/RPC2, with the password in the file ~/id_rsa, with units in units",
  );
  expect(stderr).toContain("sh -c 'touch x'");
});
