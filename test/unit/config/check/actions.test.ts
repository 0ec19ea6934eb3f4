import { chmodSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { shebangOf } from "../../../../src/config/check/actions.ts";
import { load } from "../../../../src/config/load.ts";
import { resolve } from "../../../../src/config/resolve/resolve.ts";
import type { World } from "../../../../src/config/resolve/world.ts";
import { type ActionSpec, actionKey, actionSpec, parseActionKey } from "../../../../src/model/action.ts";
import { folderWith, formatted, machine, problemsOf, requestFor, worldOf } from "../rig.ts";

/** A server with an action. */
const within = (action: string) => ({ "servers.d/a.kdl": `command "sh"; port "none"\n${action}\n` });
const CRON = 'write minute, hour, day of month, month and day of week, such as "0 3 * * *"';

describe("mistakes in actions", () => {
  it.each<[string, Record<string, string>, string[]]>([
    [
      "nothing to run",
      within('action "b" {\n}'),
      ["servers.d/a.kdl:2:8: cannot run an action without a program: write its command, or a script"],
    ],
    [
      "two things to run",
      within('action "b" {\n  command "x"\n  script "#!/bin/sh"\n}'),
      ["servers.d/a.kdl:4:10: cannot run both a command and a script: keep one of them"],
    ],
    [
      "a script that nothing runs",
      within('action "b" {\n  script "echo hello"\n}'),
      [
        "servers.d/a.kdl:3:10: cannot tell what runs the script: begin it with a line such as #!/bin/sh, or set its interpreter",
      ],
    ],
    [
      "a command with an interpreter",
      within('action "b" {\n  command "x"\n  interpreter "sh"\n}'),
      ["servers.d/a.kdl:4:15: cannot use an interpreter with a command: make the interpreter the command"],
    ],
    [
      "the name of the server's own program",
      within('action "main" { command "x"; }'),
      [
        "servers.d/a.kdl:2:8: cannot name an action main: that is the name of jobs of the server's own program; choose another name",
      ],
    ],
    [
      "an action twice",
      within('action "b" { command "x"; }\naction "b" { command "y"; }'),
      ['servers.d/a.kdl:3:8: cannot set "b" twice: it is already set at 2:8; keep one of them'],
    ],
    [
      "a name that is none",
      { "xy.config.yaml": "actions:\n  B!: { command: x }\n" },
      [
        'xy.config.yaml:2:3: cannot use the name "B!": write a name of a-z, 0-9, "-" and "_", at most 63 characters, beginning with a letter or digit',
      ],
    ],
    [
      "an unknown key",
      within('action "b" {\n  command "x"\n  scedule "@daily"\n}'),
      ['servers.d/a.kdl:4:3: cannot use unknown key "actions.b.scedule": did you mean "schedule"?'],
    ],
    [
      "two settings on one line",
      within('action "b" {\n  command "x" timeout "5m"\n}'),
      [
        'servers.d/a.kdl:3:15: cannot give command several values: in KDL a line is one node; put ";" or a line break before timeout',
      ],
    ],
    [
      "a time that is none",
      within('action "b" {\n  command "x"\n  timeout "5 mice"\n}'),
      [
        'servers.d/a.kdl:4:11: cannot use "5 mice" for actions.b.timeout: write a duration such as "5m", or "none"',
      ],
    ],
    [
      "a word that is none",
      within('action "b" {\n  command "x"\n  concurrency "queue"\n}'),
      [
        'servers.d/a.kdl:4:15: cannot use "queue" for actions.b.concurrency: write "allow", "forbid" or "replace"',
      ],
    ],
    [
      "no time at all",
      within('action "b" {\n  command "x"\n  timeout "0s"\n}'),
      ['servers.d/a.kdl:4:11: cannot use "0s" for actions.b.timeout: write a longer time, or "none"'],
    ],
    [
      "an interpreter that is none",
      within('action "b" {\n  script "x"\n  interpreter\n}'),
      ["servers.d/a.kdl:4:3: cannot use a list for actions.b.interpreter: write a text or a list of texts"],
    ],
    [
      "retries of which nothing is said",
      within('action "b" {\n  command "x"\n  retries\n}'),
      ["servers.d/a.kdl:4:3: cannot leave out actions.b.retries.max: write a whole number from 0 to 100"],
    ],
    [
      "a schedule of which only the time zone is said",
      { "xy.config.yaml": "actions:\n  b: { command: x, schedule: { timeZone: UTC } }\n" },
      [
        'xy.config.yaml:2:20: cannot leave out actions.b.schedule.cron: write a cron expression such as "0 3 * * *"',
        'xy.config.yaml:2:32: cannot use unknown key "actions.b.schedule.timeZone": did you mean "time-zone"?',
      ],
    ],
    [
      "a setting on the line of a schedule",
      within('action "b" {\n  command "x"\n  schedule "@daily" timeout "5m"\n}'),
      [
        'servers.d/a.kdl:4:21: cannot give schedule several values: in KDL a line is one node; put ";" or a line break before timeout',
      ],
    ],
    [
      "a name that the shell owns",
      within('action "b" {\n  command "x"\n  env {\n    PWD "/"\n  }\n}'),
      [
        "servers.d/a.kdl:5:9: cannot set PWD in env: the shell that starts the program uses that name; use another one",
      ],
    ],
    [
      "a first wait that is longer than the longest",
      within('action "b" {\n  command "x"\n  retries {\n    max 3\n    backoff-initial "1m"\n  }\n}'),
      [
        "servers.d/a.kdl:6:21: cannot wait 1m before the second attempt: the longest wait is 30s; shorten this one, or lengthen the other",
      ],
    ],
    [
      "a template without a port",
      { "xy.config.kdl": 'action "b" {\n  command "x"\n  args "{port}"\n}\n' },
      [
        "xy.config.kdl:3:8: cannot fill in {port}: an action without a server has no port; write the number, or {{port}} for the literal text",
      ],
    ],
    [
      "a secret among its arguments",
      within('action "b" {\n  command "x"\n  args "{env.T}"\n  env { T (env)"T"; }\n}'),
      [
        "servers.d/a.kdl:4:8: cannot fill in the secret {env.T}: it would show in the process list; let the program read T from its environment",
      ],
    ],
    [
      "a template without a port, in a server that has none",
      within('action "b" {\n  command "x"\n  args "{port}"\n}'),
      [
        "servers.d/a.kdl:4:8: cannot fill in {port}: the server has no port; give it one, or write {{port}} for the literal text",
      ],
    ],
    [
      "a secret of its server among its arguments",
      {
        "servers.d/a.kdl":
          'command "sh"; port "none"; env { T (env)"T"; }\naction "b" { command "x"; args "{env.T}"; }\n',
      },
      [
        "servers.d/a.kdl:2:32: cannot fill in the secret {env.T}: it would show in the process list; let the program read T from its environment",
      ],
    ],
    [
      "a reference among its arguments",
      { "xy.config.yaml": "actions:\n  b: { command: x, args: [{ secret: { env: T } }] }\n" },
      ['xy.config.yaml:2:27: cannot use a block for actions.b.args[0]: write text in quotes, such as "8080"'],
    ],
    [
      "something in each of several",
      within(
        'action "a" { command "x"; timeout "5"; }\naction "b" { description "none"; }\naction "main" { command "x"; }',
      ),
      [
        'servers.d/a.kdl:2:35: cannot use "5" for actions.a.timeout: write a duration such as "5m", or "none"',
        "servers.d/a.kdl:3:8: cannot run an action without a program: write its command, or a script",
        "servers.d/a.kdl:4:8: cannot name an action main: that is the name of jobs of the server's own program; choose another name",
      ],
    ],
    [
      "the same in every server, by the defaults",
      {
        "xy.config.yaml":
          "defaults: { actions: { main: { command: x } } }\nservers: { a: { command: x, port: none }, b: { command: x, port: none } }\n",
      },
      [
        "xy.config.yaml:1:30: cannot name an action main: that is the name of jobs of the server's own program; choose another name",
      ],
    ],
    [
      "something in a program, which has no lines",
      {
        "xy.config.ts":
          'export default { actions: { b: { script: "echo" } }, servers: { a: { command: "x", port: "none", actions: { c: { command: "x", schedule: "61 * * * *" } } } } };\n',
      },
      [
        "xy.config.ts: actions.b.script: cannot tell what runs the script: begin it with a line such as #!/bin/sh, or set its interpreter",
        `xy.config.ts: servers.a.actions.c.schedule: cannot use "61 * * * *" as a schedule: Invalid value for minute; ${CRON}`,
      ],
    ],
  ])("%s", async (_, files, problems) => {
    expect(await problemsOf(files)).toEqual(problems);
  });

  it.each([
    ["61 * * * *", "Invalid value for minute"],
    ["* * *", "invalid configuration format"],
    ["a b c d e", "configuration entry 1 contains illegal characters"],
    ["0 0 30 2 *", "that time never comes"],
  ])("the schedule %s", async (cron, why) => {
    for (const written of [`schedule "${cron}"`, `schedule "${cron}" missed="skip"`])
      expect(await problemsOf(within(`action "b" {\n  command "x"\n  ${written}\n}`))).toEqual([
        expect.stringMatching(
          new RegExp(
            `^servers\\.d/a\\.kdl:4:12: cannot use "${cron.replaceAll("*", "\\*")}" as a schedule: `,
          ),
        ),
      ]);
    const [problem = ""] = await problemsOf(within(`action "b" { command "x"; schedule "${cron}"; }`));
    expect(problem).toContain(CRON);
    expect(problem.replace(/\s*\(.*?\)/g, "")).toContain(why.replace(/\s*\(.*?\)/g, ""));
  });

  it("a date, and a time zone that nobody knows", async () => {
    const dated = within('action "b" { command "x"; schedule "2030-01-01T00:00:00"; }');
    expect(await problemsOf(dated)).toEqual([
      `servers.d/a.kdl:2:36: cannot use "2030-01-01T00:00:00" as a schedule: ${CRON}`,
    ]);
    const both = within('action "b" { command "x"; schedule "2030-01-01" time-zone="Mars/Base"; }');
    expect(await problemsOf(both)).toHaveLength(2);
    const there = within('action "b" { command "x"; schedule "@daily" time-zone="Mars/Base"; }');
    expect(await problemsOf(there)).toEqual([
      'servers.d/a.kdl:2:55: cannot use "Mars/Base" as a time zone: this machine does not know it; write a name such as "Europe/Berlin"',
    ]);
  });

  it("may be called main where there is no server", async () => {
    expect(await problemsOf({ "xy.config.kdl": 'action "main" { command "sh"; }\n' })).toEqual([]);
  });
});

async function actionsIn(
  files: Record<string, string>,
  changes: Partial<World> = {},
  programs: string[] = [],
) {
  const folder = folderWith(files);
  for (const program of programs) chmodSync(join(folder, program), 0o755);
  const world = worldOf({ machine: { ...machine, home: folder }, ...changes });
  const result = await load(requestFor(folder, { machine: world.machine }));
  if (!result.ok) throw new Error(formatted(result.problems, folder).join("\n"));
  const { desired, actionSecrets, diagnostics } = await resolve(result.value, world);
  const actions = Object.fromEntries(desired.actions.map((spec) => [actionKey(spec), spec]));
  return { folder, actions, actionSecrets, said: formatted(diagnostics, folder), servers: desired.servers };
}

const SERVER = `command "sh"
port 8421
working-dir "."
umask "027"
limits { open-files 500; }
env { GREETING "hello from {name}"; TOKEN (env)"TOKEN"; }
`;

describe("an action on this machine", () => {
  it("has every default filled in, and is valid", async () => {
    const { actions, folder } = await actionsIn({
      "xy.config.kdl": 'project "p"\naction "b" { command "sh"; }\n',
    });
    expect(actionSpec.parse(actions.b)).toEqual(actions.b);
    expect(actions.b).toMatchObject({
      project: "p",
      server: null,
      script: null,
      args: [],
      workingDir: folder,
      umask: 0o022,
      openFiles: 1024,
      timeout: 3_600_000,
      grace: 10_000,
      retries: { max: 0 },
      schedule: null,
      concurrency: "forbid",
    } satisfies Partial<ActionSpec> | object);
  });

  it("begins with what its server has, and says what is otherwise", async () => {
    const own =
      'action "own" { command "sh"; env { GREETING "{env.MORE}"; MORE "{name} {port}"; }; umask "077"; working-dir "/"; }';
    const { actions, actionSecrets, servers, folder } = await actionsIn(
      {
        "servers.d/a.kdl": `${SERVER}action "same" { command "sh"; args "{port}" "{env.GREETING}"; }\n${own}\n`,
      },
      { env: { TOKEN: "t0k3n" } },
    );
    const token = { secret: { env: "TOKEN" }, hmac: "hmac of t0k3n" };
    expect(actions["a:same"]).toMatchObject({
      env: { ...servers[0]?.env, TOKEN: token },
      args: ["8421", "hello from a"],
      workingDir: join(folder, "servers.d"),
      umask: 0o027,
      openFiles: 500,
    });
    expect(actions["a:own"]).toMatchObject({
      env: { GREETING: "a 8421", MORE: "a 8421", TOKEN: token },
      umask: 0o077,
      workingDir: "/",
    });
    expect(actionSecrets).toEqual({ "a:same": { TOKEN: "t0k3n" }, "a:own": { TOKEN: "t0k3n" } });
  });

  it("reads of its server what that has, whatever the action makes of what it is made from", async () => {
    const server =
      'command "sh"; port "none"; env { GREETING "hello {env.WHO}"; WHO "you"; TOKEN (env)"TOKEN"; }\n';
    const text = `action "b" { command "sh"; args "{env.GREETING}" "{env.MORE}"; env { WHO %; MORE "{env.GREETING}!"; }; }\n`;
    for (const who of ['"me"', '(env)"TOKEN"']) {
      const { actions } = await actionsIn(
        { "servers.d/a.kdl": server + text.replace("%", who) },
        { env: { TOKEN: "t" } },
      );
      expect(actions["a:b"]).toMatchObject({
        args: ["hello you", "hello you!"],
        env: { GREETING: "hello you", MORE: "hello you!" },
      });
    }
  });

  it("has its own secrets beside those of its server, and only those that it gets", async () => {
    const text = `${SERVER}action "b" { command "sh"; env { TOKEN "plain"; OTHER (env)"OTHER"; GONE (env)"GONE"; }; }\n`;
    const { actions, actionSecrets, said } = await actionsIn(
      { "servers.d/a.kdl": text },
      { env: { TOKEN: "t", OTHER: "o" } },
    );
    expect(actionSecrets["a:b"]).toEqual({ OTHER: "o" });
    expect(actions["a:b"]?.env).toMatchObject({ TOKEN: "plain", GONE: { hmac: "" } });
    expect(said).toEqual([
      expect.stringMatching(
        /^servers\.d\/a\.kdl:7:\d+: action a:b: cannot get the secret for GONE: the variable GONE is not set/,
      ),
    ]);
  });

  it("is found as a server is, its interpreter too, and its folder comes first on its PATH", async () => {
    const files = {
      "bin/tool": "#!/bin/sh\n",
      "xy.config.kdl": `path "bin"
action "named" { command "tool"; }
action "env" { script "#!/usr/bin/env tool\\necho"; }
action "flags" { script "#!/usr/bin/env -S tool -x\\necho"; }
action "said" { script "echo"; interpreter "tool" "-u"; }
action "whole" { command "./bin/tool"; }
`,
    };
    const { actions, folder, said } = await actionsIn(files, {}, ["bin/tool"]);
    const tool = join(folder, "bin/tool");
    expect(said).toEqual([]);
    for (const name of ["named", "env", "said", "whole"]) {
      expect(actions[name]?.program).toBe(tool);
      expect(String(actions[name]?.env.PATH).split(":")[0]).toBe(join(folder, "bin"));
    }
    expect(actions.said).toMatchObject({ interpreterArgs: ["-u"], script: "echo" });
    expect(actions.env?.interpreterArgs).toEqual([]);
    expect(actions.flags).toMatchObject({ program: "/usr/bin/env", interpreterArgs: ["-S tool -x"] });
  });

  it("that cannot run is told before anything is done", async () => {
    const { said } = await actionsIn({
      "xy.config.kdl": `action "a" { command "no-such-program"; }
action "b" { script "#!/no/such/interpreter\\n"; }
action "c" { command "sh"; working-dir "nowhere"; }
`,
    });
    expect(said).toEqual([
      expect.stringMatching(/^xy\.config\.kdl:1:22: action a: cannot find the program "no-such-program"/),
      expect.stringMatching(
        /^xy\.config\.kdl:2:21: action b: cannot run "\/no\/such\/interpreter": .* does not exist/,
      ),
      expect.stringMatching(/^xy\.config\.kdl:3:40: action c: cannot run in nowhere: it does not exist/),
    ]);
  });

  it("has secrets of every kind, by keyed hash only, and none of a command with --no-secrets", async () => {
    const files = {
      "token.txt": "of a file\n",
      "xy.config.kdl": `action "b" {
  command "sh"
  env { E (env)"E"; F (file)"token.txt"; C (command)"print it"; }
}
`,
    };
    const found = await actionsIn(files, {
      env: { E: "of env" },
      runSecretCommand: async () => ({ kind: "value", value: "of a command" }),
    });
    expect(found.actions.b?.env).toMatchObject({
      E: { secret: { env: "E" }, hmac: "hmac of of env" },
      F: { secret: { file: join(found.folder, "token.txt") }, hmac: "hmac of of a file" },
      C: { secret: { command: "print it" }, hmac: "hmac of of a command" },
    });
    expect(found.actionSecrets).toEqual({ b: { E: "of env", F: "of a file", C: "of a command" } });
    const without = await actionsIn(files, { env: { E: "of env" } });
    expect(without.actions.b?.env.C).toEqual({ secret: { command: "print it" }, hmac: "" });
    expect(without.actionSecrets).toEqual({ b: { E: "of env", F: "of a file" } });
    expect(without.said).toEqual([]);
  });

  it("runs in a folder that is relative to the file that says so", async () => {
    const { actions, folder } = await actionsIn({
      "xy.config.kdl":
        'defaults {\n  action "far" { command "sh"; working-dir "work"; }\n}\naction "alone" { command "sh"; working-dir "work"; }\n',
      "servers.d/a.kdl": 'command "sh"; port "none"\naction "near" { command "sh"; working-dir "work"; }\n',
      "work/x": "",
      "servers.d/work/x": "",
    });
    const folders = Object.entries(actions).map(([key, spec]) => [key, spec.workingDir]);
    expect(Object.fromEntries(folders)).toEqual({
      alone: join(folder, "work"),
      "a:far": join(folder, "work"),
      "a:near": join(folder, "servers.d/work"),
    });
  });

  it("looks on the PATH that its server or itself declares first, and has that behind its own folder", async () => {
    const files = {
      "own/tool": "#!/bin/sh\n",
      "theirs/tool": "#!/bin/sh\n",
      "servers.d/a.kdl": `command "sh"; port "none"
env { PATH "HOME/theirs:/usr/bin"; }
action "of-server" { command "tool"; }
action "of-own" { command "tool"; env { PATH "HOME/own"; }; }
action "shell" { script "#!/bin/sh"; }
`,
    };
    const folder = folderWith(files);
    const text = files["servers.d/a.kdl"].replaceAll("HOME", folder);
    for (const tool of ["own/tool", "theirs/tool"]) chmodSync(join(folder, tool), 0o755);
    const { actions } = await actionsIn({ "servers.d/a.kdl": text });
    expect(actions["a:of-server"]).toMatchObject({
      program: join(folder, "theirs/tool"),
      env: { PATH: `${folder}/theirs:/usr/bin` },
    });
    expect(actions["a:of-own"]).toMatchObject({
      program: join(folder, "own/tool"),
      env: { PATH: `${folder}/own` },
    });
    expect(actions["a:shell"]?.env.PATH).toBe(`/bin:${folder}/theirs:/usr/bin`);
  });

  it("is what the defaults say of it, or all that its server says, never something of both", async () => {
    const { actions } = await actionsIn({
      "xy.config.kdl":
        'defaults {\n  action "b" { command "sh"; timeout "5m"; tags "a"; }\n  action "type" { command "sh"; }\n}\n',
      "servers.d/a.kdl": 'command "sh"; port "none"\naction "b" { script "#!/bin/sh"; }\n',
      "servers.d/c.kdl": 'command "sh"; port "none"\naction "type" { command "env"; }\n',
    });
    expect(Object.keys(actions).sort()).toEqual(["a:b", "a:type", "c:b", "c:type"]);
    expect(actions["a:b"]).toMatchObject({ command: null, timeout: 3_600_000, tags: [] });
    expect(actions["c:b"]).toMatchObject({ command: "sh", timeout: 300_000, tags: ["a"] });
    expect(actions["c:type"]).toMatchObject({ command: "env" });
  });

  it("of a server that is ignored can be run all the same", async () => {
    const { actions } = await actionsIn({
      "servers.d/a.kdl": 'command "sh"; port "none"; wanted "ignore"\naction "b" { command "sh"; }\n',
    });
    expect(actions["a:b"]).toMatchObject({ server: "a", command: "sh" });
  });

  it("comes from the defaults too, and not where its server or its root is not declared", async () => {
    const { actions } = await actionsIn({
      "xy.config.kdl": 'defaults {\n  action "all" { command "sh"; }\n}\n',
      "servers.d/a.kdl": 'command "sh"; port "none"\naction "own" { command "sh"; }\n',
      "servers.d/b.kdl": 'command "sh"; port "none"\nwhen { os "macos"; }\naction "own" { command "sh"; }\n',
    });
    expect(Object.keys(actions).sort()).toEqual(["a:all", "a:own"]);
    const elsewhere = { "xy.config.kdl": 'when { os "macos"; }\naction "b" { command "sh"; }\n' };
    expect((await actionsIn(elsewhere)).actions).toEqual({});
  });
});

it.each([
  ["#!/bin/sh\necho", ["/bin/sh"]],
  ["#! /bin/sh -e x \necho", ["/bin/sh", "-e x"]],
  ["#!/usr/bin/env python3\n", ["python3"]],
  ["#!/usr/bin/env python3", ["python3"]],
  ["#!/usr/bin/env -S node --x\n", ["/usr/bin/env", "-S node --x"]],
  ["#!/usr/bin/env A=b sh\n", ["/usr/bin/env", "A=b sh"]],
  ["#!/bin/sh\r\necho", ["/bin/sh"]],
  ["echo", undefined],
  ["#!\n/bin/sh", undefined],
  [" #!/bin/sh", undefined],
])("the first line of %j names %j", (script, found) => {
  expect(shebangOf(script)).toEqual(found);
});

it.each([
  ["backup", { server: null, name: "backup" }],
  ["web:backup", { server: "web", name: "backup" }],
  ["a:b:c", undefined],
  [":b", undefined],
  ["a:", undefined],
  ["", undefined],
])("people call an action %j", (text, found) => {
  expect(parseActionKey(text)).toEqual(found);
  if (found) expect(actionKey(found)).toBe(text);
});
