import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { load } from "../../../../src/config/load.ts";
import { resolve } from "../../../../src/config/resolve/resolve.ts";
import type { World } from "../../../../src/config/resolve/world.ts";
import type { Machine } from "../../../../src/model/machine.ts";
import { serverSpec } from "../../../../src/model/spec.ts";
import { isAnyones } from "../../../../src/model/spec-parts.ts";
import { folderWith, formatted, machine, requestFor, resolvedFrom, worldOf } from "../rig.ts";

/** One server of `servers.d/a.kdl`; `sh` is on every machine. */
async function one(text: string, changes: Partial<World> = {}) {
  const resolved = await resolvedFrom({ "servers.d/a.kdl": text }, changes);
  const [spec] = resolved.desired.servers;
  if (!spec) throw new Error("no server");
  return { ...resolved, spec };
}

/** A folder with programs, and what is resolved and said of its files. */
async function inFolder(
  files: Record<string, string>,
  changes: (folder: string) => Partial<World> = () => ({}),
  programs: string[] = [],
) {
  const folder = folderWith(files);
  for (const program of programs) chmodSync(join(folder, program), 0o755);
  const world = worldOf({ machine: { ...machine, home: folder }, ...changes(folder) });
  const result = await load(requestFor(folder, { machine: world.machine }));
  if (!result.ok) throw new Error(formatted(result.problems, folder).join("\n"));
  const resolved = await resolve(result.value, world);
  return { folder, ...resolved, said: formatted(resolved.diagnostics, folder) };
}

describe("a spec", () => {
  it("has every default filled in, and is valid", async () => {
    const { spec } = await one('command "sh"; port 8421');
    expect(serverSpec.parse(spec)).toEqual(spec);
    const timing = {
      interval: 5000,
      timeout: 2000,
      startPeriod: 30_000,
      failureThreshold: 3,
      successThreshold: 1,
    };
    expect(spec).toMatchObject({
      backend: "agent",
      args: [],
      port: 8421,
      host: "127.0.0.1",
      mcp: null,
      workingDir: "/home/ann",
      umask: 0o022,
      restart: {
        policy: "on-failure",
        backoffInitial: 1000,
        backoffMax: 30_000,
        maxRetriesPerMinute: 5,
        resetAfter: 10_000,
        successExitCodes: [0],
      },
      stop: { grace: 10_000, signal: "SIGTERM", descendants: "own" },
      readiness: { type: "tcp", port: 8421, ...timing },
      liveness: { type: "tcp", port: 8421, ...timing },
      logs: { maxSize: 10 * 2 ** 20, keep: 5 },
      wanted: "start",
      limits: { openFiles: 1024 },
    });
  });

  it("without a port has no probes", async () => {
    const { spec } = await one('command "sh"; port "none"');
    expect([spec.port, spec.readiness, spec.liveness]).toEqual([null, { type: "none" }, { type: "none" }]);
  });

  it.each([
    ["the kind of check that it has anyway", "readiness { owner any; }", "tcp any", "tcp any"],
    ["another kind", 'readiness "http" owner="any"', "http any", "tcp any"],
    ["the other check alone", "liveness { owner any; }", "tcp any", "tcp any"],
    [
      "one check, and not the other",
      "readiness { owner any; }; liveness { owner own; }",
      "tcp any",
      "tcp own",
    ],
    ["a kind that looks at no port", "readiness { owner any; }; liveness none", "tcp any", "none own"],
    ["nothing", 'readiness { timeout "3s"; }; liveness default', "tcp own", "tcp own"],
    ["an MCP server's", "mcp #true; readiness { owner any; }", "mcp any", "tcp any"],
  ])("takes any listener where that is said of %s", async (_, text, readiness, liveness) => {
    const { spec } = await one(`command "sh"; port 8421; ${text}`);
    const told = (probe: typeof spec.readiness) => `${probe.type} ${isAnyones(probe) ? "any" : "own"}`;
    expect([told(spec.readiness), told(spec.liveness)]).toEqual([readiness, liveness]);
    // What every record has of whom nothing is said must stay as it is.
    expect(JSON.stringify(spec)).not.toContain('"owner":"own"');
  });

  it("keeps the kind of check of its defaults where only settings are said", async () => {
    const { desired } = await resolvedFrom({
      "xy.config.kdl": 'defaults { readiness "http" path="/up"; liveness mcp; }',
      "servers.d/a.kdl": 'command "sh"; port 8421; readiness { owner any; }; liveness { interval "1m"; }',
    });
    expect(desired.servers[0]).toMatchObject({
      readiness: { type: "http", path: "/up", owner: "any" },
      liveness: { type: "mcp", interval: 60_000, timeout: 10_000, owner: "any" },
    });
  });

  it("allows 256 open files on macOS", async () => {
    const { spec } = await one('command "sh"; port 1', { machine: { ...machine, os: "macos" } });
    expect(spec.limits.openFiles).toBe(256);
  });

  it("appends the port after its flag", async () => {
    const { spec } = await one('command "sh"; port 8421; args "serve"; port-flag "--port"');
    expect(spec.args).toEqual(["serve", "--port", "8421"]);
  });

  it("is the same whatever shell xy is called from", async () => {
    const text = 'command "sh"; port "auto"; env { A "{env.HOME}"; }';
    const first = await one(text, {
      env: { PATH: "/usr/bin:/bin", FOO: "1", HOME: "/elsewhere", LANG: "de" },
    });
    const second = await one(text, { env: {} });
    expect(second.spec.env).toEqual(first.spec.env);
  });
});

describe("templates", () => {
  it("are filled in args and env, every other brace stays", async () => {
    const { spec } = await one(`
      command "sh"; port 8421; port-flag "{port}"; description "{port}"
      args "{port}" "{{port}}" "{name}-{project}" "{home}" "{env.B}" "{" "{}" "{other}" "{{other}}" "{{{port}}}" "{ port }" "{env.A-B}" "{env.}"
      env { A "a{port}"; B "<{env.A}>"; C "{{env.A}}"; }
    `);
    const project = spec.project;
    expect(spec.args).toEqual([
      "8421",
      "{port}",
      `a-${project}`,
      "/home/ann",
      "<a8421>",
      "{",
      "{}",
      "{other}",
      "{{other}}",
      "{{port}}",
      "{ port }",
      "{env.A-B}",
      "{env.}",
      "{port}",
      "8421",
    ]);
    expect(spec.env).toMatchObject({ A: "a8421", B: "<a8421>", C: "{env.A}" });
    expect(spec.description).toBe("{port}");
  });

  it("know the port that was chosen, and the PATH", async () => {
    const { spec, autoPorts } = await one('command "sh"; port "auto"; args "{port}" "{env.PATH}"');
    expect(spec.args).toEqual([String(autoPorts.a), spec.env.PATH]);
  });
});

describe("the program", () => {
  const files = {
    "xy.config.yaml": "path: [tools, ~/more]\n",
    "servers.d/a.yaml": "command: prog\nport: none\n",
    "tools/prog": "",
    "more/prog": "",
    "shell/prog": "",
    ".local/bin/prog": "",
  };
  const found = async (programs: string[]) => {
    const resolved = await inFolder(
      files,
      (folder) => ({ env: { PATH: `relative::${folder}/shell:${folder}/more` } }),
      programs,
    );
    const [spec] = resolved.desired.servers;
    return {
      ...resolved,
      program: spec?.program.replace(`${resolved.folder}/`, ""),
      path: String(spec?.env.PATH).replaceAll(`${resolved.folder}/`, "~/"),
    };
  };
  const system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

  it.each([
    [["tools/prog", "more/prog", "shell/prog"], "tools/prog", `~/tools:~/more:~/.local/bin:${system}`],
    [["more/prog", "shell/prog"], "more/prog", `~/more:~/tools:~/.local/bin:${system}`],
    [[".local/bin/prog", "shell/prog"], ".local/bin/prog", `~/.local/bin:~/tools:~/more:${system}`],
    [["shell/prog"], "shell/prog", `~/shell:~/tools:~/more:~/.local/bin:${system}`],
  ])(
    "is looked for in `path`, in the fixed list and at last in the shell's PATH: %j",
    async (programs, program, path) => {
      expect(await found(programs)).toMatchObject({ program, path, said: [] });
    },
  );

  it("that is there but cannot be executed is named", async () => {
    const { said, program } = await found([]);
    expect(program).toBe("prog");
    expect(said).toEqual([
      'servers.d/a.yaml:1:10: cannot find the program "prog": tools/prog is not executable; run "chmod +x tools/prog"',
    ]);
  });

  it.each([
    [
      "nope-nope",
      'cannot find the program "nope-nope": it is not in the service PATH; install it, add its folder to "path", or write its full path',
    ],
    ["./x", 'cannot run "./x": servers.d/x does not exist; correct the path'],
    ["~/tools", 'cannot run "~/tools": tools is a folder; name a program in it'],
    ["../tools/prog", 'cannot run "../tools/prog": tools/prog is not executable; run "chmod +x tools/prog"'],
    ["/dev/null", 'cannot run "/dev/null": /dev/null is not a file; correct the path'],
  ])("is looked at: %s", async (command, message) => {
    const { said, desired } = await inFolder({
      ...files,
      "servers.d/a.yaml": `port: none\ncommand: ${command}\n`,
    });
    expect(said).toEqual([`servers.d/a.yaml:2:10: ${message}`]);
    expect(desired.servers[0]).toMatchObject({ command, program: command });
  });

  /** As people paste them, and what is said of each. */
  const lines: [string, string][] = [
    ["npx -y x", 'cannot run "npx -y x": it must be one program, not a command line; ARGS'],
    [
      "nope-nope\\t--flag",
      'cannot run "nope-nope\\t--flag": it must be one program, not a command line; ARGS',
    ],
    ["/bin/sh run.sh", 'cannot run "/bin/sh run.sh": it must be one program, not a command line; ARGS'],
    ["./x --flag", 'cannot run "./x --flag": it must be one program, not a command line; ARGS'],
    ["bash -c 'a | b'", "cannot run \"bash -c 'a | b'\": it must be one program, not a command line; ARGS"],
    [
      "curl http://h/?a=1&b=2",
      'cannot run "curl http://h/?a=…": it must be one program, not a command line; ARGS',
    ],
    [
      "cd a && b",
      'cannot run "cd a && b": it is not run in a shell, and only a shell knows cd; put the folder into working-dir, or SH',
    ],
    ["a && b", 'cannot run "a && b": it is not run in a shell, and only a shell knows &&; SH'],
    ["foo | bar", 'cannot run "foo | bar": it is not run in a shell, and only a shell knows |; SH'],
    ["foo|bar", 'cannot run "foo|bar": it is not run in a shell, and only a shell knows |; SH'],
    ["a; b", 'cannot run "a; b": it is not run in a shell, and only a shell knows ;; SH'],
    ["a > /tmp/log", 'cannot run "a > /tmp/log": it is not run in a shell, and only a shell knows >; SH'],
    ["server &", 'cannot run "server &": it is not run in a shell, and only a shell knows &; SH'],
    ["node $HOME/x", 'cannot run "node $HOME/x": it is not run in a shell, and only a shell knows $HOME; SH'],
    ["export A=1", 'cannot run "export A=…": it is not run in a shell, and only a shell knows export; SH'],
    [
      "A=1 b c",
      'cannot run "A=… b c": it is not run in a shell; put A into env, leave only the program here, and put the words after it into args',
    ],
    [
      "$HOME/bin/x",
      'cannot run "$HOME/bin/x": nothing fills in $HOME; write the path itself, or begin it with ~',
    ],
    ["'sh'", 'cannot run "\'sh\'": the quotes are part of the name; write "sh" without them'],
    ["sh ", 'cannot run "sh ": it begins or ends with whitespace; remove it'],
    [" ", 'cannot run " ": it is blank; write the program to run'],
    [
      "C:\\\\tools\\\\x.exe",
      'cannot run "C:\\\\tools\\\\x.exe": it is a Windows path, and xy does not run there; write a path on this machine',
    ],
  ];
  const told = (message: string) =>
    message
      .replace("ARGS", "put the words after the first into args")
      .replace("SH", 'write the program "sh", and put "-c" and this line into args');

  it.each(lines)("is told to be a line for a shell: %s", async (command, message) => {
    const { said, diagnostics } = await inFolder({
      "servers.d/a.json": `{"port":"none","command":"${command}"}`,
    });
    expect(said).toEqual([`servers.d/a.json:1:26: ${told(message)}`]);
    expect(diagnostics).toMatchObject([{ severity: "error", server: "a", everywhere: true }]);
  });

  it("is told to be a line where a probe or an action names it", async () => {
    const { said } = await inFolder({
      "xy.config.yaml":
        "actions:\n  tidy:\n    command: rm -r x\n  deep:\n    script: x\n    interpreter: sh -e\n",
      "servers.d/a.yaml":
        "command: sh\nport: none\nreadiness:\n  type: command\n  command: curl -f x\nactions:\n  go:\n    command: a && b\n",
    });
    const line = "it must be one program, not a command line;";
    expect(said).toEqual([
      `servers.d/a.yaml:5:12: cannot run "curl -f x": ${line} put the words after the first into args`,
      `servers.d/a.yaml:8:14: action a:go: cannot run "a && b": ${told("it is not run in a shell, and only a shell knows &&; SH")}`,
      `xy.config.yaml:3:14: action tidy: cannot run "rm -r x": ${line} put the words after the first into args`,
      `xy.config.yaml:6:18: action deep: cannot run "sh -e": ${line} write a list of its words`,
    ]);
  });

  it("may have blanks and signs in its name where it is there", async () => {
    const names = ["bin/my server", "bin/a && b", "tools/two words", "bin/it's"];
    const commands = ["../bin/my server", "~/bin/a && b", "two words", "../bin/it's"];
    const servers = Object.fromEntries(
      commands.map((command, i) => [`servers.d/s${i}.json`, JSON.stringify({ command, port: "none" })]),
    );
    const programs = Object.fromEntries(names.map((name) => [name, ""]));
    const { folder, desired, said } = await inFolder(
      { ...servers, ...programs, "xy.config.yaml": "path: [tools]\n" },
      undefined,
      names,
    );
    expect(said).toEqual([]);
    expect(desired.servers.map(({ program }) => program)).toEqual(names.map((name) => join(folder, name)));
  });

  it("that is missing, with a blank in its path, is no line", async () => {
    const { said, diagnostics } = await inFolder({
      "servers.d/a.json": '{"port":"none","command":"/opt/My App/bin/x"}',
    });
    expect(said).toEqual([
      'servers.d/a.json:1:26: cannot run "/opt/My App/bin/x": /opt/My App/bin/x does not exist; correct the path',
    ]);
    expect(diagnostics[0]).not.toHaveProperty("everywhere");
  });

  it.each(["stop", "ignore"])("that is missing stops nothing where wanted is %s", async (wanted) => {
    const { diagnostics, desired } = await inFolder({
      "servers.d/a.kdl": `command "nope-nope"; port "none"; wanted "${wanted}"; working-dir "/nope"
        readiness "command" { command "nope-probe"; }
        action "go" { command "nope-act"; working-dir "/nope"; }`,
      "servers.d/b.kdl": `command "npx -y x"; port "none"; wanted "${wanted}"`,
    });
    expect(diagnostics.map(({ severity }) => severity)).toEqual(Array(6).fill("warning"));
    expect(desired.servers.map(({ program }) => program)).toEqual(["nope-nope", "npx -y x"]);
  });

  it("as a path starts at the file that says so, or at home", async () => {
    const programs = ["servers.d/run", "bin/run"];
    const texts = {
      "servers.d/run": "",
      "bin/run": "",
      "servers.d/a.json": '{"command":"./run","port":"none"}',
      "servers.d/b.json": '{"command":"~/bin/run","port":"none"}',
    };
    const { folder, desired } = await inFolder(texts, undefined, programs);
    expect(desired.servers.map(({ program }) => program)).toEqual([
      join(folder, "servers.d/run"),
      join(folder, "bin/run"),
    ]);
    expect(desired.servers.map(({ env }) => env.PATH?.toString().split(":")[0])).toEqual([
      join(folder, "servers.d"),
      join(folder, "bin"),
    ]);
  });

  it("is looked for on the PATH that the server declares, too", async () => {
    const { folder, desired } = await inFolder(
      { "own/prog": "", "servers.d/a.yaml": 'command: prog\nport: none\nenv: {PATH: "{home}/x:/bin"}\n' },
      (folder) => ({ env: { PATH: join(folder, "own") } }),
      ["own/prog"],
    );
    expect(desired.servers[0]).toMatchObject({
      program: join(folder, "own/prog"),
      env: { PATH: `${folder}/x:/bin` },
    });
  });
});

describe("a program of one shell", () => {
  const versions = ".local/share/fnm/node-versions";
  const text =
    "command: prog\nport: none\nreadiness: {type: command, command: prog}\nactions: {go: {command: prog}}\n";
  /** A home with two versions of node, and a shell that has each of these links on its PATH. */
  async function shell(links: Record<string, string>, path: string[], env: Record<string, string> = {}) {
    const files = {
      [`${versions}/v1/installation/lib/cli.js`]: "",
      [`${versions}/v2/installation/lib/cli.js`]: "",
    };
    const folder = folderWith({
      ...files,
      "servers.d/a.yaml": text,
      "shims/prog": "",
      "xy.config.yaml": "project: p\n",
    });
    for (const file of [...Object.keys(files), "shims/prog"]) chmodSync(join(folder, file), 0o755);
    // As npx is: a link to something of another name.
    const programs = ["v1", "v2"].map((version) => [
      `${versions}/${version}/installation/bin/prog`,
      `${versions}/${version}/installation/lib/cli.js`,
    ]);
    for (const [link, to] of [...programs, ...Object.entries(links)] as [string, string][]) {
      mkdirSync(dirname(join(folder, link)), { recursive: true });
      symlinkSync(join(folder, to), join(folder, link));
    }
    const result = await load(requestFor(folder));
    if (!result.ok) throw new Error("not loaded");
    const PATH = path.map((one) => join(folder, one)).join(":");
    const runtime = { XDG_RUNTIME_DIR: join(folder, "runtime") };
    const { desired } = await resolve(result.value, worldOf({ env: { PATH, ...runtime, ...env } }));
    const shown = (value: unknown) => JSON.parse(JSON.stringify(value).replaceAll(folder, "~"));
    return shown({ server: desired.servers[0], action: desired.actions[0] });
  }
  const multishell = (number: string) => `runtime/fnm_multishells/${number}`;
  const inShell = (number: string, version: string) =>
    shell({ [multishell(number)]: `${versions}/${version}/installation` }, [`${multishell(number)}/bin`]);

  it("is where its shell's link leads, under its own name, with what is beside it", async () => {
    const { server, action } = await inShell("123_456", "v1");
    const bin = `~/${versions}/v1/installation/bin`;
    expect(server.program).toBe(`${bin}/prog`);
    expect(server.env.PATH.split(":")[0]).toBe(bin);
    expect(server.readiness.program).toBe(`${bin}/prog`);
    expect(action.program).toBe(`${bin}/prog`);
  });

  it("is the same from another shell, and another one with another version", async () => {
    const first = await inShell("123_456", "v1");
    expect(await inShell("789_1011", "v1")).toEqual(first);
    expect(await inShell("789_1011", "v2")).not.toEqual(first);
  });

  it.each([
    ["a link that somebody leads elsewhere later", { current: `${versions}/v1/installation` }, "current/bin"],
    ["a folder of shims", {}, "shims"],
  ])("is no other: %s", async (_, links, folder) => {
    const { server } = await shell(links as Record<string, string>, [folder]);
    expect(server.program).toBe(`~/${folder}/prog`);
  });

  it("whose link is gone is not found there", async () => {
    const { server } = await shell({ [multishell("1_2")]: "gone" }, [`${multishell("1_2")}/bin`]);
    expect(server.program).toBe("prog");
  });
});

describe("the environment", () => {
  it("comes from the account, with PATH, and what is declared wins", async () => {
    const own: Machine = { ...machine, runtimeDir: "/run/user/1" };
    const { spec } = await one('command "sh"; port 1; env { LANG "de"; X ""; }', { machine: own });
    const { PATH, ...rest } = spec.env;
    expect(rest).toEqual({
      HOME: "/home/ann",
      USER: "ann",
      LOGNAME: "ann",
      SHELL: "/bin/sh",
      LANG: "de",
      TMPDIR: "/tmp",
      XDG_RUNTIME_DIR: "/run/user/1",
      X: "",
    });
    expect(PATH).toContain(dirname(spec.program));
  });

  it("has Homebrew's folders on macOS", async () => {
    const { spec } = await one('command "sh"; port 1', { machine: { ...machine, os: "macos" } });
    expect(spec.env.PATH).toContain(
      "/home/ann/.local/bin:/opt/homebrew/bin:/opt/homebrew/sbin:/usr/local/sbin",
    );
  });
});

describe("the working folder", () => {
  it.each([
    ["~", "."],
    ["~/x", "x"],
    [".", "servers.d"],
    ["../x", "x"],
  ])("%s is %s", async (written, place) => {
    const { folder, desired, said } = await inFolder({
      "x/y": "",
      "servers.d/a.yaml": `command: sh\nport: none\nworking-dir: "${written}"\n`,
    });
    expect(desired.servers[0]?.workingDir).toBe(join(folder, place));
    expect(said).toEqual([]);
  });

  it("must be one", async () => {
    const text = (path: string) => `command: sh\nport: none\nworking-dir: ${path}\n`;
    const { said } = await inFolder({
      file: "",
      "servers.d/a.yaml": text("../nope"),
      "servers.d/b.yaml": text("../file"),
    });
    expect(said).toEqual([
      "servers.d/a.yaml:3:14: cannot run in nope: it does not exist; create it, or correct the path",
      "servers.d/b.yaml:3:14: cannot run in file: it is not a folder; correct the path",
    ]);
  });
});

describe("secrets", () => {
  it("are references with a keyed hash in the spec, and values beside it", async () => {
    const runSecretCommand: World["runSecretCommand"] = async (command) => ({
      kind: "value",
      value: `${command}!\n\n`,
    });
    const text =
      "command: sh\nport: none\nenv:\n  E: {secret: {env: TOKEN}}\n  F: {secret: {file: ../secret}}\n  C: {secret: {command: say}}\n  P: plain\n";
    const { folder, desired, secrets } = await inFolder(
      { secret: "s\r\n", "servers.d/a.yaml": text },
      () => ({ env: { TOKEN: "t\n" }, runSecretCommand }),
    );
    expect(secrets).toEqual({ a: { E: "t\n", F: "s", C: "say!\n" } });
    expect(desired.servers[0]?.env).toMatchObject({
      E: { secret: { env: "TOKEN" }, hmac: "hmac of t\n" },
      F: { secret: { file: join(folder, "secret") }, hmac: "hmac of s" },
      C: { secret: { command: "say" }, hmac: "hmac of say!\n" },
      P: "plain",
    });
    expect(JSON.stringify(desired.servers[0]?.args)).not.toContain("say!");
  });

  it("that are missing are problems, and the spec is there all the same", async () => {
    const runSecretCommand: World["runSecretCommand"] = async () => ({
      kind: "missing",
      message: "exit 1; sign in first",
    });
    const text =
      'command: sh\nport: none\nenv:\n  E: {secret: {env: TOKEN}}\n  F: {secret: {file: /nope}}\n  C: {secret: {command: say}}\n  D: {secret: {file: "~"}}\n';
    const { said, desired, secrets } = await inFolder({ "servers.d/a.yaml": text }, () => ({
      runSecretCommand,
    }));
    expect(said).toEqual([
      "servers.d/a.yaml:4:6: cannot get the secret for E: the variable TOKEN is not set; set it where you run xy",
      "servers.d/a.yaml:5:6: cannot get the secret for F: /nope: it does not exist, or is a broken link; correct the path or remove the link",
      "servers.d/a.yaml:6:6: cannot get the secret for C: exit 1; sign in first",
      "servers.d/a.yaml:7:6: cannot get the secret for D: .: it is a folder; correct the path",
    ]);
    expect(secrets).toEqual({});
    expect(desired.servers[0]?.env.E).toEqual({ secret: { env: "TOKEN" }, hmac: "" });
  });

  it("that were not asked for are no problem", async () => {
    const text = "command: sh\nport: 1\nenv: { C: { secret: { command: say } } }\n";
    const { said, desired } = await inFolder({ "servers.d/a.yaml": text });
    expect(said).toEqual([]);
    expect(desired.servers[0]?.env.C).toEqual({ secret: { command: "say" }, hmac: "" });
  });

  it("come from env files, a later one over an earlier one, env over all", async () => {
    const files = {
      one: "A=1\nB=1\nC=1\nHOME=/x\n",
      "servers.d/two": "B=2\nC=2\n",
      "servers.d/a.yaml": "command: sh\nport: none\nenv: {C: '3'}\nenv-file: [../one, two]\n",
    };
    const { folder, desired, secrets, said } = await inFolder(files);
    expect(secrets).toEqual({ a: { A: "1", B: "2", HOME: "/x" } });
    expect(desired.servers[0]?.env).toMatchObject({
      A: { secret: { envFile: join(folder, "one"), name: "A" }, hmac: "hmac of 1" },
      B: { secret: { envFile: join(folder, "servers.d/two"), name: "B" }, hmac: "hmac of 2" },
      C: "3",
    });
    expect(said).toEqual([]);
  });

  it("in env files that cannot be read are problems, with the line", async () => {
    const files = {
      bad: "A=1\nnonsense\nPWD=/\n",
      "servers.d/a.yaml": "command: sh\nport: none\nenv-file: [../nope, ../bad]\n",
    };
    const { folder, said, secrets } = await inFolder(files);
    mkdirSync(join(folder, "later"));
    expect(said).toEqual([
      "servers.d/a.yaml:3:12: cannot read the env file: nope: it does not exist, or is a broken link; correct the path or remove the link",
      "servers.d/a.yaml:3:21: cannot read this line: write NAME=value (bad:2)",
      "servers.d/a.yaml:3:21: cannot take PWD from bad: the shell that starts the program uses that name; remove it there",
    ]);
    expect(secrets).toEqual({ a: { A: "1" } });
  });

  it.skipIf(process.platform !== "linux")(
    "in files without an end, or that wait, are problems at once",
    async () => {
      const fifo = join(folderWith(), "fifo");
      execFileSync("mkfifo", [fifo]);
      // The first two have no size and are regular files all the same.
      const files = ["/proc/self/pagemap", "/proc/self/mem", "/dev/zero", fifo];
      const text = `command: sh\nport: none\nenv-file: ${JSON.stringify(files)}\nenv: {T: {secret: {file: ${fifo}}}}\n`;
      const { said, secrets } = await inFolder({ "servers.d/a.yaml": text });
      expect(said).toHaveLength(5);
      for (const [i, why] of [
        /pagemap: it has more than 1 MiB/,
        /mem: .*check the file/,
        /zero: it is not a regular file/,
        /fifo: it is not a regular file/,
        /fifo: it is not a regular file/,
      ].entries())
        expect(said[i]).toMatch(why);
      expect(secrets).toEqual({});
    },
  );
});

const PREFERRING = `project: p
defaults: {command: sh, working-dir: /}
servers:
  c: {port: {auto: true, prefer: 8770}}
  b: {port: {auto: true, prefer: 8765}}
  a: {port: {auto: true, prefer: 8765}}
`;

describe("an auto port", () => {
  const files = {
    "xy.config.yaml": "project: p\ndefaults: {command: sh, port: auto}\nservers: {a: {}, b: {}}\n",
  };
  const ports = async (changes: Partial<World> = {}, more: Record<string, string> = {}) =>
    (await resolvedFrom({ ...files, ...more }, changes)).autoPorts;

  it("follows from project and name, and stays", async () => {
    const first = await ports();
    expect(first).toEqual(await ports());
    expect(Object.values(first).every((port) => port >= 20_000 && port < 30_000)).toBe(true);
    expect(new Set(Object.values(first)).size).toBe(2);
  });

  it("is moved on while somebody has it", async () => {
    const { a = 0 } = await ports();
    expect((await ports({ portTaken: (port) => port === a })).a).toBe(a + 1);
    expect((await ports({ portTaken: async (port) => port === a || port === a + 1 })).a).toBe(a + 2);
    expect(await ports({ keptPort: (name) => (name === "b" ? a : undefined) })).toEqual({ a: a + 1, b: a });
    expect((await ports({}, { "servers.d/c.yaml": `port: ${a}\n` })).a).toBe(a + 1);
  });

  it("that was kept is taken again, even while the server itself has it", async () => {
    expect(
      await ports({
        keptPort: (name) => (name === "a" ? 29_999 : undefined),
        portTaken: (port) => port === 29_999,
      }),
    ).toMatchObject({ a: 29_999 });
  });

  const preferring = { "xy.config.yaml": PREFERRING };

  it("is the one that it prefers, or the next that is free", async () => {
    expect(await ports({}, preferring)).toEqual({ a: 8765, b: 8766, c: 8765 + 5 });
    const taken = new Set([8765, 8766, 8770]);
    expect(await ports({ portTaken: (port) => taken.has(port) }, preferring)).toEqual({
      a: 8767,
      b: 8768,
      c: 8771,
    });
    // What is declared, or kept, is nobody else's.
    expect(await ports({}, { ...preferring, "servers.d/d.yaml": "port: 8765\n" })).toMatchObject({
      a: 8766,
      b: 8767,
    });
    expect(await ports({ keptPort: (name) => (name === "b" ? 8765 : undefined) }, preferring)).toMatchObject({
      a: 8766,
      b: 8765,
    });
    expect(await ports({ keptPort: (name) => (name === "a" ? 9999 : undefined) }, preferring)).toMatchObject({
      a: 9999,
      b: 8765,
    });
    // A server's own listener is in nobody's way but others'.
    const own = (port: number, server: string) => port === 8766 && server !== "b";
    expect(await ports({ portTaken: own }, preferring)).toMatchObject({ a: 8765, b: 8766 });
  });

  it("is derived where nothing near the preferred one is free, and at the end of all ports", async () => {
    const { a = 0 } = await ports({ portTaken: (port) => port < 20_000 }, preferring);
    expect(a).toBe((await ports()).a);
    const last = { "xy.config.yaml": PREFERRING.replaceAll("8765", "65535") };
    const { a: first, b: second = 0 } = await ports({}, last);
    expect([first, second >= 20_000 && second < 30_000]).toEqual([65_535, true]);
  });

  it("other than the preferred one is told when it is chosen, and not again", async () => {
    const { diagnostics } = await resolvedFrom(preferring, { portTaken: (port) => port === 8765 });
    expect(diagnostics.map(({ message }) => message)).toEqual([
      "port 8765 is taken: using port 8766 from now on",
      "port 8765 is taken: using port 8767 from now on",
    ]);
    const kept = await resolvedFrom(preferring, { keptPort: () => 8767 });
    expect(kept.diagnostics.filter(({ server }) => server === "a")).toEqual([]);
  });

  it("that was kept is given up to a server that declares it", async () => {
    const kept = await ports({ keptPort: () => 25_000 }, { "servers.d/c.yaml": "port: 25000\n" });
    expect(Object.values(kept)).not.toContain(25_000);
  });
});

describe("what the kernel takes of a process", () => {
  const server = (more: object) => JSON.stringify({ command: "sh", port: "none", ...more });
  /** A text of so many bytes, of characters that have two each. */
  const long = (bytes: number) => `${"é".repeat(Math.floor(bytes / 2))}${bytes % 2 === 1 ? "x" : ""}`;
  const MOST = 128 * 1024 - 1;

  it("is told at its place, in bytes, with the name of a variable", async () => {
    const { said, diagnostics } = await inFolder({
      secret: long(MOST - 1),
      "big.env": `A=ok\nF=${long(MOST)}\n`,
      "servers.d/a.json": server({
        args: ["x", long(MOST), long(MOST + 1)],
        env: { FITS: long(MOST - 5), OVER: long(MOST - 4), S: { secret: { file: "../secret" } } },
      }),
      "servers.d/b.json": server({
        envFile: "../big.env",
        readiness: { type: "command", command: "sh", args: [long(MOST + 2)] },
      }),
      "servers.d/c.json": server({ actions: { go: { command: "sh", args: [long(MOST + 1)] } } }),
    });
    const takes = `and the system accepts at most ${MOST}; shorten it, or move it to a file`;
    expect(said.map((line) => line.replace(/^(\S+?):\d+:\d+: /, "$1: "))).toEqual([
      `servers.d/a.json: cannot pass argument 3: it has ${MOST + 1} bytes, ${takes}`,
      `servers.d/a.json: cannot pass env.OVER: it has ${MOST + 1} bytes, ${takes}`,
      `servers.d/a.json: cannot pass env.S: it has ${MOST + 1} bytes, ${takes}`,
      `servers.d/b.json: cannot pass env.F: it has ${MOST + 2} bytes, ${takes}`,
      `servers.d/b.json: cannot pass argument 1: it has ${MOST + 2} bytes, ${takes}`,
      `servers.d/c.json: action c:go: cannot pass argument 1: it has ${MOST + 1} bytes, ${takes}`,
    ]);
    expect(diagnostics.map(({ everywhere }) => everywhere === true)).toEqual([
      true,
      true,
      false,
      false,
      true,
      true,
    ]);
  });

  it("is what it takes: one byte less starts, that many do not", () => {
    const start = (size: number) =>
      execFileSync("true", ["x".repeat(size)], { env: { A: "x".repeat(size - 2) } });
    start(MOST);
    expect(() => start(MOST + 1)).toThrow("E2BIG");
  });

  it("is bounded for all of it together", async () => {
    const args = Array.from({ length: 9 }, () => "{env.A}");
    const files = { "servers.d/a.json": server({ args, env: { A: "x".repeat(120_000) } }) };
    const macos = { ...machine, os: "macos" } as const;
    expect((await inFolder(files)).said).toEqual([]);
    const { said } = await inFolder(files, (home) => ({ machine: { ...macos, home } }));
    expect(said).toEqual([
      expect.stringMatching(
        /^servers\.d\/a\.json:1:\d+: cannot pass all arguments and variables: together they are 12\d{5} bytes, /,
      ),
    ]);
  });
});

describe("the text of a secret", () => {
  it("is kept as it is, but for one line break at its end, and a byte order mark is remarked on", async () => {
    const { secrets, said, diagnostics } = await inFolder({
      mark: "\uFEFFtoken\n",
      two: "token\r\n\n",
      "servers.d/a.yaml":
        "command: sh\nport: none\nenv:\n  A: {secret: {file: ../mark}}\n  B: {secret: {file: ../two}}\n",
    });
    expect(secrets).toEqual({ a: { A: "\uFEFFtoken", B: "token\r\n" } });
    expect(said).toEqual([
      "servers.d/a.yaml:4:6: the secret for A begins with a byte order mark (U+FEFF), which the program will get too: save it without one unless you want that",
    ]);
    expect(diagnostics[0]?.severity).toBe("warning");
  });

  it("of an env file has no NUL either", async () => {
    const { said } = await inFolder({
      "a.env": "A=x\0y\n",
      "servers.d/a.yaml": "command: sh\nport: none\nenv-file: ../a.env\n",
    });
    expect(said).toEqual([
      "servers.d/a.yaml:3:11: cannot take A from a.env: its value has a NUL character; remove it there",
    ]);
  });
});
