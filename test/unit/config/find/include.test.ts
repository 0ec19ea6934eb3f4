import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Loaded, load } from "../../../../src/config/load.ts";
import type { Power } from "../../../../src/model/power.ts";
import { declaredBy, folderWith, formatted, machine, problemsOf, requestFor, resolvedFrom } from "../rig.ts";

/** A project in several files. */

const server = (name: string, more = "") => `server "${name}" { command "x"; port "none"; ${more} }\n`;
const namesOf = async (files: Record<string, string>) =>
  (await declaredBy(files)).servers.map(({ name }) => name);
describe("files that are included", () => {
  it.each<[string, Record<string, string>, string[]]>([
    ["a path", { "xy.config.kdl": 'include "work.kdl"', "work.kdl": server("a") }, ["a"]],
    [
      "several, of every format",
      {
        "xy.config.kdl": `include "a.kdl" "b.yaml"\n${server("m")}include "c.json"\n`,
        "a.kdl": server("a"),
        "b.yaml": "servers: { b: { command: x, port: none } }",
        "c.json": '{"servers":{"c":{"command":"x","port":"none"}}}',
        "servers.d/d.kdl": 'command "x"; port "none"',
      },
      ["a", "b", "c", "d", "m"],
    ],
    [
      "a pattern, in which the file itself and others are left out",
      {
        "xy.config.kdl": 'include "*" "w/[ab]?.kdl"',
        "other.kdl": server("o"),
        "notes.md": "# none",
        ".hidden.kdl": "junk {",
        "w/a1.kdl": server("a1"),
        "w/b1.kdl": server("b1"),
        "w/c1.kdl": server("c1"),
      },
      ["a1", "b1", "o"],
    ],
    [
      "one that two patterns mean, once",
      { "xy.config.yaml": 'include: ["a.kdl", "*.kdl", "./a.kdl"]', "a.kdl": server("a") },
      ["a"],
    ],
    [
      "files that include others, from where they are",
      {
        "xy.config.json": '{"include": "w/all.yaml"}',
        "w/all.yaml": "include: ['../p.kdl', 'x/*.kdl']",
        "p.kdl": server("p"),
        "w/x/q.kdl": server("q"),
      },
      ["p", "q"],
    ],
    [
      "a folder with a bracket in its name",
      { "xy.config.kdl": 'include "[w]/a.kdl"', "[w]/a.kdl": server("a") },
      ["a"],
    ],
    [
      "by the name of the machine",
      {
        "xy.config.kdl": 'include "{host}.kdl" "{os}/*.kdl"',
        "box.kdl": server("a"),
        "linux/b.kdl": server("b"),
      },
      ["a", "b"],
    ],
    [
      "by a program",
      {
        "xy.config.ts":
          'export default { include: ["a.kdl"], servers: { m: { command: "x", port: "none" } } }',
        "a.kdl": server("a"),
      },
      ["a", "m"],
    ],
  ])("%s", async (_, files, names) => expect(await namesOf(files)).toEqual(names));

  it("are read, told, and have places and folders of their own", async () => {
    const files = {
      "xy.config.kdl": 'include "w/work.kdl"\n',
      "w/work.kdl":
        'path "bin"\nserver "a" {\n  command "./run"\n  port "none"\n  working-dir "."\n  env { T (file)"t"; }\n}\naction "b" { command "./act"; }\n',
    };
    const declared = await declaredBy(files);
    const { root, servers, actions } = declared;
    expect(declared.files).toEqual([join(root, "xy.config.kdl"), join(root, "w/work.kdl")]);
    expect(declared.path).toEqual([join(root, "w/bin")]);
    expect(servers[0]?.place(["command"])).toEqual({ file: join(root, "w/work.kdl"), line: 3, column: 11 });
    expect(servers[0]?.folder(["workingDir"])).toBe(join(root, "w"));
    expect(actions[0]?.folder(["command"])).toBe(join(root, "w"));
    const { desired } = await resolvedFrom(files);
    expect(desired.servers[0]?.workingDir).toMatch(/\/w$/);
    expect(desired.servers[0]?.env.T).toMatchObject({ secret: { file: expect.stringMatching(/\/w\/t$/) } });
  });

  it("have the defaults of the files that lead to them, and their own; others have not", async () => {
    const files = {
      "xy.config.kdl": `defaults { umask "077"; tags "root"; }\nbackend "systemd"\ninclude "work.kdl" "private.kdl"\n${server("m")}`,
      "work.kdl": `defaults { tags "work"; }\non host="box" { defaults { start-timeout "1m"; }; }\n${server("w")}include "deep.kdl"`,
      "deep.kdl": `backend "agent"\n${server("d")}`,
      "private.kdl": server("p"),
      "servers.d/s.kdl": 'command "x"; port "none"',
    };
    const { servers } = await declaredBy(files);
    const short = servers.map(({ name, input: { umask, tags, startTimeout, backend } }) => [
      name,
      umask,
      tags[0],
      startTimeout,
      backend,
    ]);
    expect(short).toEqual([
      ["d", "077", "work", "1m", "agent"],
      ["m", "077", "root", undefined, "systemd"],
      ["p", "077", "root", undefined, "systemd"],
      ["s", "077", "root", undefined, "systemd"],
      ["w", "077", "work", "1m", "systemd"],
    ]);
  });

  it("may be for some machines, with all that they declare", async () => {
    const files = {
      "xy.config.kdl": 'include "work.kdl"',
      "work.kdl": `when host="work"\npath "bin"\n${server("a")}action "b" { command "x"; }\ninclude "more.kdl"`,
      "more.kdl": server("c"),
    };
    const here = await declaredBy(files);
    expect(here).toMatchObject({ path: [], servers: [], actions: [], elsewhere: ["a", "c"] });
    expect(here.elsewhereBecause.c).toBe("host work; this is box");
    const work = await declaredBy(files, { machine: { ...machine, host: "work" } });
    expect(work.servers.map(({ name }) => name)).toEqual(["a", "c"]);
    expect(work.actions.map(({ name }) => name)).toEqual(["b"]);
  });

  it("may set up supervisord", async () => {
    const { backends, root } = await declaredBy({
      "xy.config.kdl": 'include "w/s.kdl"',
      "w/s.kdl": 'supervisord include-dir="units"',
    });
    expect(backends.supervisord?.includeDir).toBe(join(root, "w/units"));
  });
});

it("a pattern leads out of a root that is a link as a path does, and servers.d is that of the root", async () => {
  const folder = folderWith({
    "dots/xy/xy.config.kdl": 'include "../w/*.kdl" "../p.kdl"',
    "dots/xy/servers.d/s.kdl": 'command "x"; port "none"',
    "dots/w/a.kdl": server("a"),
    "dots/p.kdl": server("p"),
  });
  mkdirSync(join(folder, "conf"));
  symlinkSync("../dots/xy", join(folder, "conf/xy"));
  const explicit = { path: join(folder, "conf/xy"), from: "--config" } as const;
  const loaded = async () => load(requestFor(folder, { explicit }));
  const found = await loaded();
  expect(found.ok && found.value.servers.map(({ name }) => name)).toEqual(["a", "p", "s"]);
  writeFileSync(join(folder, "dots/xy/xy.config.kdl"), 'include "servers.d/*.kdl"');
  const refused = await loaded();
  expect(formatted(refused.ok ? [] : refused.problems, folder)).toEqual([
    "conf/xy/xy.config.kdl:1:9: cannot include conf/xy/servers.d/s.kdl: files in servers.d are read anyway; remove it here",
  ]);
});

describe("what is wrong with them", () => {
  const deep = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}.kdl`, `include "f${i + 1}.kdl"`]));
  const many = Object.fromEntries(
    Array.from({ length: 201 }, (_, i) => [`m/${String(i).padStart(3, "0")}.kdl`, ""]),
  );
  it.each<[string, Record<string, string>, string[]]>([
    [
      "is told under their own names",
      { "xy.config.kdl": 'include "w/a.kdl"', "w/a.kdl": 'server "a" {\n  command 5\n  prot 1\n}\n' },
      [
        "w/a.kdl:2:11: cannot use 5 for command: *",
        'w/a.kdl:3:3: cannot use unknown key "servers.a.prot": *',
      ],
    ],
    [
      "that one is not there",
      { "xy.config.kdl": '\ninclude "a.kdl" "b.kdl"', "a.kdl": "" },
      ["xy.config.kdl:2:17: cannot include ./b.kdl: it does not exist, *; correct the path *"],
    ],
    [
      "that a pattern means none, which is only told",
      { "xy.config.yaml": "include: work/*.kdl" },
      [
        'xy.config.yaml:1:10: nothing is included: no file matches "work/*.kdl"; correct the pattern if one should',
      ],
    ],
    [
      "that another machine has it, which is only told",
      { "xy.config.kdl": 'include "{host}.kdl"', "other.kdl": server("a") },
      ['xy.config.kdl:1:9: nothing is included: no file matches "{host}.kdl"; *'],
    ],
    [
      "a cycle",
      { "xy.config.kdl": 'include "a.kdl"', "a.kdl": 'include "w/b.kdl"', "w/b.kdl": '\ninclude "../a.kdl"' },
      [
        "w/b.kdl:2:9: cannot include ./a.kdl: it includes itself: ./a.kdl -> ./w/b.kdl -> ./a.kdl; remove one of these includes",
      ],
    ],
    [
      "itself",
      { "xy.config.kdl": 'include "xy.config.kdl"' },
      [
        "xy.config.kdl:1:9: cannot include ./xy.config.kdl: it includes itself: ./xy.config.kdl -> ./xy.config.kdl; *",
      ],
    ],
    [
      "one by two ways",
      {
        "xy.config.kdl": 'include "a.kdl" "b.kdl"',
        "a.kdl": 'include "c.kdl"',
        "b.kdl": 'include "c.kdl"',
        "c.kdl": "",
      },
      ["b.kdl:1:9: cannot include ./c.kdl: it is already included at ./a.kdl:1:9; keep one of them"],
    ],
    [
      "more than may stand behind each other",
      { "xy.config.kdl": 'include "f0.kdl"', ...deep(20) },
      ["f9.kdl:1:9: cannot include ./f10.kdl: it is nested more than 10 includes deep; *"],
    ],
    [
      "more than may be",
      { "xy.config.kdl": 'include "m/*.kdl"', ...many },
      ["xy.config.kdl:1:9: cannot include ./m/200.kdl: more than 200 files are included; *"],
    ],
    [
      "a folder",
      { "xy.config.kdl": 'include "w"', "w/a.kdl": "" },
      ["xy.config.kdl:1:9: cannot include ./w: it is a folder; name its files, as in ./w/*.kdl"],
    ],
    [
      "a program",
      { "xy.config.kdl": 'include "a.ts"', "a.ts": "" },
      ["xy.config.kdl:1:9: cannot include ./a.ts: it is a program; import it in xy.config.ts, *"],
    ],
    [
      "another format",
      { "xy.config.kdl": 'include "a.toml"', "a.toml": "" },
      ["xy.config.kdl:1:9: cannot include ./a.toml: name a file that ends with .kdl, .yaml, .yml, .json"],
    ],
    [
      "a file of servers.d",
      { "xy.config.kdl": 'include "servers.d/*.kdl"', "servers.d/a.kdl": 'command "x"; port "none"' },
      ["xy.config.kdl:1:9: cannot include ./servers.d/a.kdl: files in servers.d are read anyway; *"],
    ],
    [
      "a project of its own",
      { "xy.config.kdl": 'include "a.kdl"', "a.kdl": '\nproject "b"' },
      ["a.kdl:2:9: cannot name the project in an included file: *"],
    ],
    [
      "a name that is taken",
      {
        "xy.config.kdl": `include "a.kdl"\n${server("x")}action "y" { command "x"; }`,
        "a.kdl": `${server("x")}action "y" { command "x"; }`,
      },
      [
        "a.kdl:1:8: cannot declare the server x twice: it is already declared at ./xy.config.kdl:2:8; keep one of them",
        "a.kdl:2:8: cannot declare the action y twice: it is already declared at ./xy.config.kdl:3:8; keep one of them",
      ],
    ],
    [
      "a second supervisord",
      {
        "xy.config.kdl": 'supervisord include-dir="a"\ninclude "a.kdl"',
        "a.kdl": 'supervisord include-dir="b"',
      },
      [
        "a.kdl:1:1: cannot set up supervisord twice: it is already set up at ./xy.config.kdl:1:1; keep one of them",
      ],
    ],
    [
      "no path",
      { "xy.config.yaml": "include: [5]\n" },
      ["xy.config.yaml:1:11: cannot use 5 for include[0]: *"],
    ],
    [
      "no value",
      { "xy.config.kdl": "include\n" },
      ["xy.config.kdl:1:1: cannot leave include without a value: *"],
    ],
    [
      "in a server",
      { "servers.d/a.kdl": 'command "x"; port "none"\ninclude "b.kdl"' },
      ['servers.d/a.kdl:2:1: cannot use unknown key "include": *'],
    ],
    [
      "a part that cannot be read, and nothing that follows from it",
      { "xy.config.kdl": `include "a.kdl"\n${server("x", 'depends-on "y";')}`, "a.kdl": 'server "y" {' },
      ["a.kdl:1:12: cannot find the end of the block *"],
    ],
  ])("%s", async (_, files, problems) => {
    const like = (text: string) =>
      new RegExp(`^${text.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*")}$`);
    const found = await problemsOf(files);
    expect(found).toEqual(problems.map((text) => expect.stringMatching(like(text.replaceAll("./", "")))));
  });
});

describe("files of others", () => {
  async function loaded(
    prepare: (folder: string) => void,
    text = 'include "w/a.kdl"',
  ): Promise<[Loaded, string]> {
    const folder = folderWith({ "xy.config.kdl": text, "w/a.kdl": server("a") });
    prepare(folder);
    return [await load(requestFor(folder)), folder];
  }
  const told = ([result, folder]: [Loaded, string]) =>
    formatted(result.ok ? result.warnings : result.problems, folder);

  it("are refused: those that others can write to, and those of other accounts", async () => {
    expect(told(await loaded((folder) => chmodSync(join(folder, "w/a.kdl"), 0o666)))).toEqual([
      "xy.config.kdl:1:9: cannot include w/a.kdl: others can write to w/a.kdl; run: chmod go-w w/a.kdl",
    ]);
    expect(told(await loaded((folder) => chmodSync(join(folder, "w"), 0o777)))).toEqual([
      "xy.config.kdl:1:9: cannot include w/a.kdl: others can write to w; run: chmod go-w w",
    ]);
  });

  it("are asked about when they lie outside of the root, with all that they can run", async () => {
    const outside = folderWith({ "b.kdl": `${server("b", 'env { T (command)"echo x"; };')}` });
    const folder = folderWith({
      "repo/xy.config.kdl": `include "${outside}/b.kdl" "l.kdl"`,
      "in.kdl": server("c"),
    });
    mkdirSync(join(folder, "x"));
    symlinkSync("../in.kdl", join(folder, "repo/l.kdl"));
    const asked: Power[] = [];
    const agree = async (_: unknown, powers: readonly Power[]) => {
      asked.push(...powers);
      return false;
    };
    const result = await load(requestFor(join(folder, "repo"), { agree }));
    expect(result).toMatchObject({ ok: false, refused: true });
    expect(asked).toEqual([
      expect.objectContaining({ can: "include", included: join(outside, "b.kdl") }),
      expect.objectContaining({ can: "secret", command: "echo x" }),
      expect.objectContaining({ can: "include", included: join(folder, "repo/l.kdl") }),
    ]);
    expect(asked[1]?.place.file).toBe(join(outside, "b.kdl"));
    // One of its own folder needs no question.
    const [own] = await loaded(() => {});
    expect(own.ok).toBe(true);
  });
});
