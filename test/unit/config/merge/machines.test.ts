import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { load } from "../../../../src/config/load.ts";
import type { Machine } from "../../../../src/model/machine.ts";
import { declaredBy, folderWith, formatted, machine, problemsOf, requestFor } from "../rig.ts";

/** What differs by machine: `on`, `when`, and one name for several of them. */

const HERE = { machine: { ...machine, host: "work" } };
const on = (settings: object) => ({
  "servers.d/a.json": JSON.stringify({ command: "x", port: 1, ...settings }),
});
const inputOf = async (files: Record<string, string>, changes: Partial<Machine> = {}) =>
  (await declaredBy(files, { machine: { ...HERE.machine, ...changes } })).servers[0]?.input;

describe("a block for some machines", () => {
  it.each<[string, object, object]>([
    ["replaces a setting", { on: [{ when: { host: "work" }, port: 2 }] }, { port: 2 }],
    ["does nothing elsewhere", { on: [{ when: { host: "home" }, port: 2 }] }, { port: 1 }],
    ["holds by any name of a list", { on: [{ when: { host: ["home", "work"] }, port: 2 }] }, { port: 2 }],
    [
      "holds by all of its conditions",
      { on: [{ when: { host: "work", os: "macos" }, port: 2 }] },
      { port: 1 },
    ],
    [
      "counts more the later it stands",
      {
        on: [
          { when: { host: "work" }, port: 2, umask: "077" },
          { when: { os: "linux" }, port: 3 },
        ],
      },
      { port: 3, umask: "077" },
    ],
    [
      "is merged block by block, and replaces lists",
      {
        args: ["a", "b"],
        env: { A: "1", B: "1" },
        restart: { policy: "always", resetAfter: "5s" },
        on: [{ when: { arch: "x64" }, args: ["c"], env: { B: "2" }, restart: { policy: "never" } }],
      },
      { args: ["c"], env: { A: "1", B: "2" }, restart: { policy: "never", resetAfter: "5s" } },
    ],
    [
      "takes the place of a probe of another kind",
      {
        readiness: { type: "log", pattern: "up" },
        on: [{ when: { user: "ann" }, readiness: { type: "tcp" } }],
      },
      { readiness: { type: "tcp" } },
    ],
  ])("%s", async (_, settings, input) => {
    expect(await inputOf(on(settings))).toMatchObject(input);
  });

  it("counts more than the defaults, and those of a machine more than the others", async () => {
    const root = {
      defaults: { port: 1, umask: "022", tags: ["all"] },
      on: [
        { when: { host: "work" }, defaults: { port: 2, umask: "077" }, path: ["w"], backend: "systemd" },
        { when: { host: "home" }, defaults: { port: 9 }, path: ["h"] },
        { when: { os: "linux" }, defaults: { port: 3 }, systemd: { scope: "system" } },
      ],
      servers: {
        a: { command: "x" },
        b: { command: "x", port: 4, on: [{ when: { host: "work" }, umask: "002" }] },
      },
    };
    const declared = await declaredBy({ "xy.config.json": JSON.stringify(root) }, HERE);
    expect(declared.servers.map(({ input }) => input)).toMatchObject([
      { port: 3, umask: "077", tags: ["all"], backend: "systemd", class: "system" },
      { port: 4, umask: "002" },
    ]);
    expect(declared.path).toEqual([join(declared.root, "w")]);
  });

  it("of the root also sets up supervisord", async () => {
    const root = `supervisord include-dir="a" url="http://localhost:1/RPC2"
      on host="work" { supervisord include-dir="b"; }`;
    const { backends, root: folder } = await declaredBy({ "xy.config.kdl": root }, HERE);
    expect(backends.supervisord).toMatchObject({
      url: "http://localhost:1/RPC2",
      includeDir: join(folder, "b"),
    });
  });

  it("takes each setting of a server, and has its own place", async () => {
    const text = 'command "x"\nport 1\non host="work" {\n  host "0.0.0.0"\n  working-dir "d"\n}\n';
    const { servers, root } = await declaredBy({ "servers.d/a.kdl": text }, HERE);
    expect(servers[0]?.input).toMatchObject({ host: "0.0.0.0", workingDir: "d" });
    expect(servers[0]?.place(["workingDir"])).toEqual({
      file: join(root, "servers.d/a.kdl"),
      line: 5,
      column: 15,
    });
    expect(servers[0]?.isSaid(["host"])).toBe(true);
  });

  it("is written in KDL with properties, with a node, or with both", async () => {
    const text = (block: string) => ({ "servers.d/a.kdl": `command "x"; port 1\n${block}\n` });
    for (const block of [
      'on host="work" { port 2; }',
      'on { when host="work"; port 2; }',
      'on os="linux" { when { host "home" "work"; }; port 2; }',
      'on host="home" { port 3; }\non host="work" { port 2; }',
    ])
      expect(await inputOf(text(block)), block).toMatchObject({ port: 2 });
  });

  it.each<[string, Record<string, string>, string[]]>([
    [
      "that does not hold here",
      { "servers.d/a.kdl": 'command "x"; port 1\non host="home" {\n  prot 2\n  umask 5\n}\n' },
      [
        'servers.d/a.kdl:3:3: cannot use unknown key "on[0].prot": did you mean "port"?',
        'servers.d/a.kdl:4:9: cannot use 5 for on[0].umask: write octal digits in quotes, such as "022"',
      ],
    ],
    [
      "without conditions",
      {
        "servers.d/a.kdl": 'command "x"; port 1\non { port 2; }\n',
        "servers.d/b.yaml": "command: x\nport: 2\non: [{ when: {}, port: 3 }]\n",
      },
      [
        "servers.d/a.kdl:2:1: cannot leave out on[0].when: write a block with os, arch, host or user",
        "servers.d/b.yaml:3:14: cannot use a block for on[0].when: name at least one of os, arch, host and user",
      ],
    ],
    [
      "in a block",
      { "servers.d/a.json": '{"command":"x","port":1,"on":[{"when":{"os":"linux"},\n"on":[],\n"port":3}]}' },
      ['servers.d/a.json:2:1: cannot use unknown key "on[0].on": *'],
    ],
    [
      "that is no list",
      { "servers.d/a.yaml": "command: x\nport: 1\non:\n  host: work\n  port: 2\n" },
      [
        "servers.d/a.yaml:3:1: cannot use a block for on: write a list of blocks, each with when and settings",
      ],
    ],
    [
      "with a setting among its conditions",
      { "servers.d/a.kdl": 'command "x"; port 1\non host="work" port=2\n' },
      [
        'servers.d/a.kdl:2:16: cannot use port as a condition: put it inside the braces, as in on host="…" { port …; }',
      ],
    ],
    [
      "with a name alone",
      { "servers.d/a.kdl": 'command "x"; port 1\non "work" { port 2; }\n' },
      [
        'servers.d/a.kdl:2:4: cannot use "work" here: on is a block; write on host="…" { … }',
        "servers.d/a.kdl:2:1: cannot leave out *",
      ],
    ],
    [
      "with a condition that there is not",
      { "servers.d/a.kdl": 'command "x"; port 1\non hots="work" { port 2; }\n' },
      ['servers.d/a.kdl:2:4: cannot use unknown key "on[0].when.hots": did you mean "host"?', "*"],
    ],
    [
      "with one twice",
      { "servers.d/a.kdl": 'command "x"; port 1\non host="work" { when host="home"; port 2; }\n' },
      ['servers.d/a.kdl:2:23: cannot set "host" twice: it is already set at 2:4; keep one of them'],
    ],
    [
      "of a root, with what is no setting of machines",
      { "xy.config.kdl": 'on os="linux" {\n  project "p"\n  port 2\n}\n' },
      [
        'xy.config.kdl:2:3: cannot use unknown key "on[0].project": write one of backend, clients, defaults, path, supervisord, systemd, when',
        'xy.config.kdl:3:3: cannot use unknown key "on[0].port": *',
      ],
    ],
    [
      "in the defaults",
      { "xy.config.kdl": 'defaults {\n  on os="linux" { port 2; }\n}\n' },
      [
        'xy.config.kdl:2:3: cannot use unknown key "defaults.on": move it out of defaults and give it a defaults block of its own, or use on in the server',
      ],
    ],
    [
      "nothing, or text, where a block is to stand",
      { "servers.d/a.json": '{"command": "x", "port": 1,\n"on": [null,\n"work"]}\n' },
      [
        "servers.d/a.json:2:8: cannot use nothing for on[0]: write a block",
        'servers.d/a.json:3:1: cannot use "work" for on[1]: write a block',
      ],
    ],
  ])("is wrong: %s", async (_, files, problems) => {
    const found = await problemsOf(files, HERE);
    const like = (text: string) =>
      new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll("\\*", ".*")}$`);
    expect(found.toSorted()).toEqual(problems.toSorted().map((text) => expect.stringMatching(like(text))));
  });
});

describe("one name for several machines", () => {
  const both =
    'server "web" { command "x"; port 1; when host="work"; }\nserver "web" { command "x"; port 2; when host="home"; }\n';
  it("is declared twice where no machine is meant by both", async () => {
    const declared = await declaredBy({ "xy.config.kdl": both }, HERE);
    expect(declared.servers.map(({ input }) => input.port)).toEqual([1]);
    expect(declared.elsewhere).toEqual([]);
    const home = await declaredBy({ "xy.config.kdl": both }, { machine: { ...machine, host: "home" } });
    expect(home.servers.map(({ input }) => input.port)).toEqual([2]);
    expect(home.servers[0]?.place(["port"])).toMatchObject({ line: 2, column: 34 });
  });

  it("is of another machine where neither is meant", async () => {
    const { elsewhere, elsewhereBecause } = await declaredBy(
      { "xy.config.kdl": both },
      { machine: { ...machine, host: "Lab.lan" } },
    );
    expect(elsewhere).toEqual(["web"]);
    expect(elsewhereBecause).toEqual({ web: "host work, or host home; this is lab" });
  });

  it("may be said in files of its own", async () => {
    const files = {
      "servers.d/web.kdl": 'command "x"; port 1; when os="macos"',
      "servers.d/web.yaml": "command: x\nport: 2\nwhen: { os: linux }\n",
    };
    expect((await declaredBy(files)).servers.map(({ input }) => input.port)).toEqual([2]);
  });

  it("names both places where both hold, or no machine can tell them apart", async () => {
    const text = (first: string, second: string) => ({
      "xy.config.kdl": `server "web" { command "x"; port 1; ${first}; }\n`,
      "servers.d/web.kdl": `command "x"; port 2; ${second}\n`,
    });
    const told = (files: Record<string, string>) => problemsOf(files, HERE);
    const wayOut = `give each a "when" that excludes the other's machines, or keep one of them`;
    const twice = `servers.d/web.kdl:1:1: cannot declare the server web twice for one machine: it is already declared at xy.config.kdl:1:8; ${wayOut}`;
    expect(await told(text('when host="work"', 'when os="linux"'))).toEqual([twice]);
    expect(await told(text('when host="home"', 'when host="home"'))).toEqual([twice]);
    expect(await told(text('when host="home"', 'when os="macos"'))).toEqual([]);
    expect(await told(text('umask "022"', 'umask "022"'))).toEqual([
      "servers.d/web.kdl:1:1: cannot declare the server web twice: it is already declared at xy.config.kdl:1:8; keep one of them",
    ]);
  });

  it("has every mistake told, wherever it is meant", async () => {
    const files = { "xy.config.kdl": `${both}server "web" { command "x"; prot 3; when host="lab"; }\n` };
    expect(await problemsOf(files, HERE)).toEqual([
      'xy.config.kdl:3:29: cannot use unknown key "servers.web.prot": did you mean "port"?',
    ]);
  });
});

describe("why something is of another machine", () => {
  it.each([
    ['when host="work"', "host work; this is box"],
    ['when { host "work" "lab"; }', "host work or lab; this is box"],
    ['when os="macos" host="mbp" user="ann"', "os macos, host mbp; this is linux, box"],
    ['when arch="arm64"', "arch arm64; this is x64"],
  ])("%s: %s", async (when, why) => {
    const files = { "xy.config.kdl": `server "a" { command "x"; port 1; ${when}; }` };
    expect((await declaredBy(files)).elsewhereBecause).toEqual({ a: why });
  });

  it("is the root, where that is of another", async () => {
    const root = 'when os="macos"\nserver "a" { command "x"; port 1; when host="box"; }';
    expect((await declaredBy({ "xy.config.kdl": root })).elsewhereBecause).toEqual({
      a: "os macos; this is linux",
    });
  });
});

/** What people and other programs call a machine. */
describe("a word that no machine answers to", () => {
  const words: [string, string, string][] = [
    ["host", "work.example.com", 'write "work", '],
    ["host", "Work", 'write "work", '],
    ["host", "Adas-MBP.local", 'write "adas-mbp", '],
    ["host", "work-*", "write the whole name: "],
    ["host", "my mac", "write the short name "],
    ["host", "x".repeat(65), `write "${"x".repeat(64)}", `],
    ["arch", "amd64", 'write "x64"'],
    ["arch", "x86_64", 'write "x64"'],
    ["arch", "aarch64", 'write "arm64"'],
    ["arch", "ARM64", 'write "arm64"'],
    ["arch", "armv7l", 'write "arm"'],
    ["arch", "i686", 'write "ia32"'],
    ["arch", "m1", 'write one of "arm", '],
    ["os", "darwin", 'write "macos"'],
    ["os", "mac", 'write "macos"'],
    ["os", "OSX", 'write "macos"'],
    ["os", "Linux", 'write "linux"'],
    ["os", "windows", 'write "linux", "macos" or a list of them'],
  ];
  it.each(words)("%s %s: %s", async (key, word, advice) => {
    const block = (value: unknown) => ({ [key]: value });
    const problems = await problemsOf({
      "xy.config.json": JSON.stringify({ when: block(word), on: [{ when: block([word]) }] }),
      ...on({ when: block(word), on: [{ when: block(["linux", word].slice(key === "os" ? 0 : 1)) }] }),
    });
    expect(problems).toHaveLength(4);
    for (const problem of problems) expect(problem).toContain(advice);
    expect(problems.at(-1)).toMatch(/^xy\.config\.json:1:\d+: cannot use ".*" for (on\[0\]\.)?when\./);
  });

  it("is none where it is right", async () => {
    const right = { os: ["linux", "macos"], arch: ["x64", "riscv64"], host: ["box", "büro-2", "my_pc"] };
    expect(await problemsOf(on({ when: right, on: [{ when: right, umask: "077" }] }))).toEqual([]);
  });

  it("is found for a host that calls itself otherwise", async () => {
    const files = on({ when: { host: "adas-mbp" } });
    const { servers } = await declaredBy(files, { machine: { ...machine, host: "Adas-MBP.local" } });
    expect(servers).toHaveLength(1);
  });
});

it("a program says the same as data", async () => {
  const root = {
    on: [{ when: { host: "work" }, defaults: { umask: "077" } }],
    servers: { a: { command: "x", port: 1, on: [{ when: { host: "work" }, port: 2, umaks: "1" }] } },
  };
  const folder = folderWith({ "xy.config.ts": `export default ${JSON.stringify(root)}` });
  const result = await load(requestFor(folder, HERE));
  expect(formatted(result.ok ? [] : result.problems, folder)).toEqual([
    'xy.config.ts: servers.a.on[0].umaks: cannot use unknown key "servers.a.on[0].umaks": did you mean "umask"?',
  ]);
});
