import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Home, newHome, QUICK } from "./cli.ts";

/** What it is, the files of the root, and every line that is said about them. */
type Case = [what: string, files: Record<string, string>, said: string[]];

const TAIL = "xy: the configuration is invalid, nothing was done";
const NONE = "xy: no configuration found, nothing was done";

/** Whatever is wrong is said with its place, and nothing is touched: neither what runs nor what is recorded. */
describe("a broken configuration", () => {
  const home = new Home();
  let pid: number | undefined;
  beforeAll(async () => {
    home.declare("kept");
    await home.did("apply", "--yes");
    pid = (await home.servers()).kept?.pid;
  });
  afterAll(() => home.close());

  const cases: Case[] = [
    [
      "a key that does not exist",
      { "servers.d/web.kdl": 'command "sh"\nport "none"\nrestrat { policy "always"; }\n' },
      ['servers.d/web.kdl:3:1: cannot use unknown key "restrat": did you mean "restart"?'],
    ],
    [
      "two settings on one line of KDL",
      {
        "servers.d/web.kdl":
          'command "sh"\nport "none"\nrestart { policy "always" backoff-initial "10ms"; }\n',
      },
      [
        'servers.d/web.kdl:3:27: cannot give policy several values: in KDL a line is one node; put ";" or a line break before backoff-initial',
      ],
    ],
    [
      "no port",
      { "servers.d/web.yaml": "command: sh\n" },
      [
        'servers.d/web.yaml:1:1: cannot leave out port: write a number from 1 to 65535, "auto" (one is chosen and kept) or "none"',
      ],
    ],
    [
      "a value of the wrong kind",
      { "servers.d/web.json": '{\n  "command": "sh",\n  "port": "eighty"\n}\n' },
      [
        'servers.d/web.json:3:11: cannot use "eighty" for port: write a number from 1 to 65535, "auto" (one is chosen and kept) or "none"',
      ],
    ],
    [
      "files that cannot be parsed",
      {
        "servers.d/a.kdl": 'command "sh\n',
        "servers.d/b.yaml": "command: [\n",
        "servers.d/c.json": '{ "command" }\n',
      },
      ["servers.d/a.kdl:1:12: *", "servers.d/b.yaml:2:1: *", "servers.d/c.json:1:13: *"],
    ],
    [
      "problems in several files at once",
      {
        "servers.d/a.kdl": 'comand "sh"\nport 80\n',
        "servers.d/b.yaml": "command: sh\nport: 81\nstop:\n  grace: soon\n",
      },
      [
        'servers.d/a.kdl:1:1: cannot use unknown key "comand": did you mean "command"?',
        'servers.d/b.yaml:4:10: cannot use "soon" for stop.grace: write a duration such as "250ms", "2s" or "1m30s"',
      ],
    ],
    [
      "one port for two servers",
      {
        "servers.d/a.kdl": 'command "sh"\nport 8421\n',
        "servers.d/b.yaml": "command: sh\nport: 8421\n",
      },
      [
        'servers.d/b.yaml:2:7: cannot give port 8421 to b: a already uses it (*/servers.d/a.kdl:2:6); choose another, or "auto"',
      ],
    ],
    [
      "one name for two servers",
      {
        "xy.config.kdl": 'server "web" {\n  command "sh"\n  port "none"\n}\n',
        "servers.d/web.yaml": "command: sh\nport: none\n",
      },
      [
        "servers.d/web.yaml:1:1: cannot declare the server web twice: it is already declared at */xy.config.kdl:1:8; keep one of them",
      ],
    ],
    [
      "servers that wait for each other",
      {
        "servers.d/a.kdl": 'command "sh"\nport "none"\ndepends-on "b"\n',
        "servers.d/b.kdl": 'command "sh"\nport "none"\ndepends-on "a"\n',
      },
      [
        "servers.d/b.kdl:3:12: cannot start servers that wait for each other: a -> b -> a; remove one of these dependencies",
      ],
    ],
    [
      "a dependency that is not declared",
      { "servers.d/web.kdl": 'command "sh"\nport "none"\ndepends-on "db"\n' },
      ["servers.d/web.kdl:3:12: *"],
    ],
    [
      "the file of an MCP client, pasted",
      {
        "xy.config.json":
          '{"mcpServers":\n{"a": {"command": "npx", "args": ["-y", "x"]}, "b": {"url": "https://x"}}}\n',
      },
      [
        "xy.config.json:1:2: cannot use this as an xy configuration: it is an MCP client's list of servers; *",
      ],
    ],
    [
      "a file of docker compose, pasted",
      {
        "servers.d/web.yaml":
          "services:\n  web:\n    image: nginx\n    ports: ['80:80']\n    restart: always\n",
      },
      ["servers.d/web.yaml:1:1: cannot use this as an xy configuration: it is a docker compose file; *"],
    ],
    [
      "a Procfile, pasted",
      { "xy.config.yaml": "web: npm start\nworker: npm run work\n" },
      ["xy.config.yaml:1:1: cannot use this as an xy configuration: it is a Procfile; *"],
    ],
    [
      "a file of supervisord, pasted",
      { "xy.config.yaml": "[program:web]\ncommand=node x\n" },
      ["xy.config.yaml:1:1: cannot use this as an xy configuration: it is a supervisord configuration; *"],
    ],
    [
      "a name that a shell owns",
      { "servers.d/web.kdl": 'command "sh"\nport "none"\nenv {\n  IFS "x"\n}\n' },
      [
        "servers.d/web.kdl:4:7: cannot set IFS in env: the shell that starts the program uses that name; use another one",
      ],
    ],
    [
      "a secret among the arguments",
      { "servers.d/web.kdl": 'command "sh"\nargs "{env.TOKEN}"\nport "none"\nenv {\n  TOKEN (env)"X"\n}\n' },
      ["servers.d/web.kdl:2:6: cannot fill in the secret {env.TOKEN}: it would show in the process list; *"],
    ],
    [
      "a program that throws",
      { "xy.config.ts": 'throw new Error("not today");\n' },
      ["xy.config.ts:1:*: cannot evaluate this file: Error: not today; *"],
    ],
    [
      "a program with a value of the wrong kind",
      { "xy.config.ts": 'export default { servers: { web: { command: "sh", port: "eighty" } } };\n' },
      ["xy.config.ts: servers.web.port: *"],
    ],
    [
      "two roots in one folder",
      { "xy.config.kdl": "", "xy.config.yaml": "" },
      ["*: cannot choose between * and *: keep one of them"],
    ],
  ];

  it.each(cases)("%s", async (_, files, said) => {
    rmSync(home.project, { recursive: true });
    mkdirSync(home.project);
    for (const [file, text] of Object.entries(files)) home.write(file, text);
    home.trusts();
    const recorded = home.written();
    for (const words of [["check"], ["apply", "--yes"]]) {
      const { code, stdout, stderr } = await home.xy(...words);
      const lines = stderr
        .trimEnd()
        .split("\n")
        .filter((line) => !line.startsWith("warning: "));
      expect(lines).toEqual([...said.map(pattern), TAIL]);
      expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    }
    expect(home.written()).toEqual(recorded);
    expect((await home.servers()).kept?.pid).toBe(pid);
  });
});

describe("check", () => {
  it("tells everything at once, what is missing here as warnings, and a slip once", async () => {
    const home = newHome();
    home.write(
      "servers.d/a.kdl",
      'comand "sh"\nport 8421\ndepends-on "databse" "broken"\nworking-dir "/no/such"\n',
    );
    home.write(
      "servers.d/b.yaml",
      "command: no-such-program\nport: 8421\nworking-dir: /no/such\nwanted: maybe\n",
    );
    home.write("servers.d/broken.json", "{");
    home.write("servers.d/c.json", '{"command": "npx -y x",\n"prt": 1}');
    home.write(
      "servers.d/database.kdl",
      `${QUICK}\ndepends-on "a"\naction "go" { command "no-such-action"; }\n`,
    );
    const said = [
      'servers.d/a.kdl:1:1: cannot use unknown key "comand": did you mean "command"?',
      'servers.d/a.kdl:3:12: cannot depend on "databse": no such server; did you mean "database"?',
      'servers.d/b.yaml:2:7: cannot give port 8421 to b: a already uses it (*); choose another, or "auto"',
      'servers.d/b.yaml:4:9: cannot use "maybe" for wanted: write "start", "stop" or "ignore"',
      "servers.d/broken.json:1:2: cannot read this as JSON: *",
      'servers.d/c.json:2:1: cannot use unknown key "prt": did you mean "port"?',
      'servers.d/c.json:1:13: cannot run "npx -y x": it must be one program, not a command line; *',
      "warning: servers.d/a.kdl:4:13: cannot run in /no/such: it does not exist; *",
      'warning: servers.d/b.yaml:1:10: cannot find the program "no-such-program": *',
      "warning: servers.d/b.yaml:3:14: cannot run in /no/such: it does not exist; *",
      'warning: servers.d/database.kdl:*: action database:go: cannot find the program "no-such-action": *',
    ];
    const { code, stdout, stderr } = await home.xy("check");
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr.trimEnd().split("\n")).toEqual([...said.map(pattern), TAIL]);
    const { problems } = JSON.parse((await home.xy("check", "--json")).stdout).error;
    expect(problems.map(({ severity }: { severity: string }) => severity)).toEqual([
      ...Array(7).fill("error"),
      ...Array(4).fill("warning"),
    ]);
  });

  it("is no failure where a program is only missing here", async () => {
    const home = newHome();
    home.write("servers.d/a.kdl", 'command "no-such-program"\nport "none"\n');
    expect(await home.xy("check")).toEqual({
      code: 0,
      stdout: "The configuration is valid: project tools, 1 server.\n",
      stderr: expect.stringMatching(
        /^warning: servers\.d\/a\.kdl:1:9: cannot find the program "no-such-program": .*\n$/,
      ),
    });
    expect(await home.json("check")).toMatchObject({
      valid: true,
      warnings: [{ severity: "warning", server: "a" }],
    });
  });
});

describe("a configuration that cannot be used", () => {
  it("is said as JSON with its places", async () => {
    const home = newHome();
    const file = home.write("servers.d/web.kdl", 'command "sh"\nport 0\n');
    const { code, stdout, stderr } = await home.xy("check", "--json");
    expect({ code, stderr }).toEqual({ code: 3, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 3,
        problems: [{ severity: "error", line: 2, column: 6, message: expect.stringContaining("port") }],
      },
    });
    expect(JSON.parse(stdout).error.problems[0].file).toBe(file);
  });

  it.each([
    ["nothing there", [], "cannot find a configuration: no xy.config.* or servers.d at or above *", NONE],
    [
      "a missing file named",
      ["--config", "nope.kdl"],
      "*nope.kdl: cannot read the configuration that --config names: *",
      NONE,
    ],
    [
      "a file of another kind named",
      ["--config", "notes.txt"],
      "notes.txt: cannot use this file as a configuration: *",
      TAIL,
    ],
  ])("%s", async (_, flags, said, tail) => {
    const home = newHome();
    home.write("notes.txt", "");
    const { code, stderr } = await home.xy("plan", ...flags);
    expect(stderr.trimEnd().split("\n")).toEqual([pattern(said), tail]);
    expect(code).toBe(3);
  });

  it("ends every command when others can write it, and no other project is taken", async () => {
    const home = newHome();
    const action = 'action "tidy" { command "true"; }';
    home.write(join(home.path, ".config/xy/servers.d/web.kdl"), `${QUICK}${action}\n`);
    expect(await home.xyIn({ cwd: home.path }, "apply", "--yes")).toMatchObject({ code: 0 });
    const { web } = await home.servers();
    home.declare("other");
    await home.shell("chmod go+w . servers.d");
    const mend = `chmod go-w ${home.project} ${home.project}/servers.d`;
    for (const line of [
      "plan",
      "check",
      "apply --yes",
      "up",
      "reload",
      "emit systemd",
      "destroy --yes",
      "rollback --yes",
      "history",
      "stop --all",
      "stop web",
      "logs web",
      "run web:tidy",
    ]) {
      const { code, stdout, stderr } = await home.xy(...line.split(" "));
      expect(stderr, line).toContain(`others can write to ${home.project} and 1 more; run: ${mend}\n`);
      expect({ line, code, stdout }).toEqual({ line, code: 3, stdout: "" });
    }
    expect(await home.servers()).toEqual({
      web: expect.objectContaining({ pid: web?.pid, state: "running" }),
    });
    await home.shell(mend);
    expect(await home.did("plan")).toContain("Plan: 1 to add (other)");
  });
});

/** A text in which `*` stands for anything. */
function pattern(text: string): unknown {
  if (!text.includes("*")) return text;
  const parts = text.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return expect.stringMatching(new RegExp(`^${parts.join(".*")}$`));
}
