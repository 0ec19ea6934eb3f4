import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { refusals } from "../../../../src/config/check/powers.ts";
import { discover, type Search } from "../../../../src/config/find/discover.ts";
import { load } from "../../../../src/config/load.ts";
import { folderWith, formatted, machine, requestFor } from "../rig.ts";

const uid = machine.uid;
const searchIn = (cwd: string, home: string, changes: Partial<Search> = {}): Search => ({
  cwd,
  machine: { home, uid },
  env: {},
  ...changes,
});

/** What was found, relative to a folder, or what stood in the way. */
async function found(search: Search, folder: string) {
  const result = await discover(search);
  if (!result.ok) return formatted(result.problems, folder);
  const short = (path: string) => path.replace(`${folder}/`, "").replace(folder, ".");
  const { folder: root, how, main, servers } = result.value;
  return {
    root: short(root),
    how,
    main: main && short(main),
    servers: servers.map(({ name, file }) => [name, short(file)]),
  };
}

describe("walking", () => {
  it("takes the nearest folder at or above the working one", async () => {
    const home = folderWith({ "xy.config.kdl": "", "a/servers.d/web.kdl": "", "a/b/c/x": "" });
    expect(await found(searchIn(join(home, "a/b/c"), home), home)).toEqual({
      root: "a",
      how: "walked",
      main: undefined,
      servers: [["web", "a/servers.d/web.kdl"]],
    });
    expect(await found(searchIn(home, home), home)).toMatchObject({ root: ".", main: "xy.config.kdl" });
  });

  it("goes no higher than the home folder", async () => {
    const folder = folderWith({ "xy.config.kdl": "", "home/work/x": "" });
    const home = join(folder, "home");
    expect(await found(searchIn(join(home, "work"), home), folder)).toEqual([
      'cannot find a configuration: no xy.config.* or servers.d at or above home/work, nor in home/.config/xy; run "xy init", or name one with --config',
    ]);
  });

  it("points from the folder of an older supervisor to servers.d", async () => {
    const home = folderWith({ ".config/xy/servers/web.kdl": "", "work/x": "" });
    const cwd = join(home, "work");
    const hint = "folder: xy reads server files from servers.d, beside it; move them there";
    expect((await found(searchIn(cwd, home), home)) as string[]).toEqual([
      expect.stringContaining(
        `name one with --config; ignored .config/xy/servers ${hint}`.replace("servers folder", "servers"),
      ),
    ]);
    mkdirSync(join(home, ".config/xy/servers.d"));
    const result = await discover(searchIn(cwd, home));
    expect(result.ok && result.value.diagnostics).toMatchObject([
      { severity: "warning", file: join(home, ".config/xy/servers"), message: `ignored this ${hint}` },
    ]);
  });

  it("ends at the user's own folder, wherever XDG_CONFIG_HOME says", async () => {
    const home = folderWith({ ".config/xy/xy.config.kdl": "", "else/xy/servers.d/a.kdl": "", "work/x": "" });
    const cwd = join(home, "work");
    expect(await found(searchIn(cwd, home), home)).toMatchObject({ root: ".config/xy", how: "default" });
    const env = { XDG_CONFIG_HOME: join(home, "else") };
    expect(await found(searchIn(cwd, home, { env }), home)).toMatchObject({
      root: "else/xy",
      how: "default",
    });
    expect(await found(searchIn(cwd, home, { env: { XDG_CONFIG_HOME: "else" } }), home)).toMatchObject({
      root: ".config/xy",
    });
  });

  it.each([
    ["the folder", "a", 0o775, "chmod go-w a"],
    ["the folder, by anybody", "a", 0o757, "chmod go-w a"],
    ["its servers.d", "a/servers.d", 0o775, "chmod go-w a/servers.d"],
    ["its main file", "a/xy.config.ts", 0o666, "chmod go-w a/xy.config.ts"],
    ["a server", "a/servers.d/x.kdl", 0o664, "chmod -R go-w a/servers.d"],
  ])("ends at what others can write to, and takes nothing further up: %s", async (_, path, mode, command) => {
    const home = folderWith({
      "xy.config.kdl": "",
      "a/xy.config.ts": "",
      "a/servers.d/x.kdl": "",
      ".config/xy/xy.config.kdl": "",
    });
    chmodSync(join(home, path), mode);
    const refused = [`a: cannot use this configuration: others can write to ${path}; run: ${command}`];
    expect(await found(searchIn(join(home, "a"), home), home)).toEqual(refused);
    const explicit = { path: "a", from: "--config" } as const;
    expect(await found(searchIn(home, home, { explicit }), home)).toEqual(refused);
    expect(await discover(searchIn(join(home, "a"), home))).toMatchObject({ unsafe: true });
  });

  it("names one command for all that others can write to, which mends it", async () => {
    const home = folderWith({
      "a b/xy.config.kdl": "",
      "a b/servers.d/x.kdl": "",
      "a b/servers.d/y.kdl": "",
    });
    const folder = join(home, "a b");
    execFileSync("chmod", ["-R", "g+w", folder]);
    symlinkSync("../../linked.kdl", join(folder, "servers.d/z.kdl"));
    writeFileSync(join(home, "linked.kdl"), "");
    chmodSync(join(home, "linked.kdl"), 0o666);
    const result = await discover(searchIn(folder, home));
    const message = result.ok ? "" : (result.problems[0]?.message ?? "");
    expect(message).toMatch(/: others can write to \S+ b and 5 more; run: /);
    execFileSync("sh", ["-c", message.split("; run: ")[1] ?? "false"]);
    expect(await discover(searchIn(folder, home))).toMatchObject({ ok: true });
  });

  it("does not mind what a group may write that is the account's alone", async () => {
    const home = folderWith({ "a/xy.config.kdl": "", "a/servers.d/x.kdl": "" });
    execFileSync("chmod", ["-R", "g+w", join(home, "a")]);
    const isPrivateGroup = (gid: number) => gid === statSync(join(home, "a")).gid;
    const search = searchIn(join(home, "a"), home, { isPrivateGroup });
    expect(await found(search, home)).toMatchObject({ root: "a" });
    chmodSync(join(home, "a/xy.config.kdl"), 0o666);
    expect(await discover(search)).toMatchObject({ unsafe: true });
  });

  it("passes over a folder to which everyone may add files, such as /tmp", async () => {
    const home = folderWith({ "xy.config.kdl": "", "a/servers.d/x.kdl": "" });
    chmodSync(join(home, "a"), 0o1777);
    expect(await found(searchIn(join(home, "a"), home), home)).toMatchObject({ root: "." });
  });

  it("ends at the user's own folder when others can write to it", async () => {
    const home = folderWith({ ".config/xy/xy.config.kdl": "" });
    chmodSync(join(home, ".config/xy"), 0o777);
    expect(await discover(searchIn(home, home))).toMatchObject({ unsafe: true });
  });

  it.skipIf(uid !== 0)("takes what belongs to root, and asks root to mend it", async () => {
    const home = folderWith({ "a/xy.config.kdl": "", "a/servers.d/x.kdl": "" });
    const search = { ...searchIn(join(home, "a"), home), machine: { home, uid: 1000 } };
    expect(await found(search, home)).toMatchObject({ root: "a" });
    chmodSync(join(home, "a/servers.d"), 0o777);
    expect(await found(search, home)).toEqual([
      "a: cannot use this configuration: others can write to a/servers.d; run: sudo chmod go-w a/servers.d",
    ]);
    // One that a group shares is nobody's own.
    chmodSync(join(home, "a"), 0o775);
    expect(await found(search, home)).toEqual([expect.stringContaining("others can add files to a")]);
  });

  describe.skipIf(uid !== 0)("as an account that others have files beside", () => {
    const search = (home: string, changes: Partial<Search> = {}) => ({
      ...searchIn(join(home, "a"), home, changes),
      machine: { home, uid: 1000 },
    });

    it("passes over what belongs to someone else, and says so when nothing else is there", async () => {
      const home = folderWith({ "a/xy.config.kdl": "" });
      chownSync(join(home, "a"), 65534, 65534);
      expect(await found(search(home), home)).toEqual([
        `cannot find a configuration: no xy.config.* or servers.d at or above a, nor in .config/xy; run "xy init", or name one with --config; skipped a: a belongs to another account; to use it, copy it into a folder of your own`,
      ]);
    });

    it("refuses a folder of another account that is named", async () => {
      const home = folderWith({ "a/xy.config.kdl": "" });
      chownSync(join(home, "a"), 65534, 65534);
      const explicit = { path: join(home, "a"), from: "--config" } as const;
      expect(await found(search(home, { explicit }), home)).toEqual([
        "a: cannot use this configuration: a belongs to another account, which could change what runs here; copy it into a folder of your own",
      ]);
      expect(await discover(search(home, { explicit }))).toMatchObject({ unsafe: true });
    });
  });
});

describe("a named configuration", () => {
  const named = (path: string, from: "--config" | "XY_CONFIG" = "--config") => ({ explicit: { path, from } });

  it("is a folder, its main file with servers.d beside it, or another file alone", async () => {
    const home = folderWith({ "a/xy.config.kdl": "", "a/servers.d/x.yml": "", "a/other.yaml": "" });
    const whole = { root: "a", how: "named", main: "a/xy.config.kdl", servers: [["x", "a/servers.d/x.yml"]] };
    expect(await found(searchIn(home, home, named("a")), home)).toEqual(whole);
    expect(await found(searchIn(home, home, named("a/xy.config.kdl")), home)).toEqual(whole);
    expect(await found(searchIn(home, home, named("a/other.yaml")), home)).toEqual({
      ...whole,
      main: "a/other.yaml",
      servers: [],
    });
  });

  it.each([
    [
      "nope",
      "nope: cannot read the configuration that XY_CONFIG names: it does not exist, or is a broken link; correct the path or remove the link",
    ],
    ["empty", 'empty: cannot find xy.config.* or servers.d in this folder: run "xy init" there'],
    [
      "notes.txt",
      "notes.txt: cannot use this file as a configuration: name one that ends with .ts, .mts, .cts, .js, .mjs, .cjs, .kdl, .yaml, .yml, .json",
    ],
    [
      "notes.txt/x",
      "notes.txt/x: cannot read the configuration that XY_CONFIG names: part of its path is not a folder; correct the path",
    ],
  ])("must be there: %s", async (path, message) => {
    const home = folderWith({ "notes.txt": "", "empty/x": "" });
    expect(await found(searchIn(home, home, named(path, "XY_CONFIG")), home)).toEqual([message]);
  });
});

describe("what looks like a configuration, and is none", () => {
  const server = "command: sh\nport: none\n";

  it("is named as not read", async () => {
    const folder = folderWith({
      "xy.config.yaml": "",
      "xy.config.toml": "",
      "servers.d/a.yaml": server,
      "servers.d/b.toml": "",
      "servers.d/c.json5": "",
      "servers.d/d.jsonc": "",
      "servers.d/e.ini": "",
      "servers.d/f.YAML": "",
      "servers.d/g.ymal": "",
      "servers.d/h.ts": "",
      "servers.d/team/i.yaml": server,
    });
    const file =
      "file: a server in servers.d is written in KDL, YAML or JSON, in a file that ends with .kdl, .yaml, .yml, .json";
    const result = await load(requestFor(folder));
    expect(result.ok && result.value.servers.map(({ name }) => name)).toEqual(["a"]);
    expect(result.ok ? formatted(result.warnings, folder) : []).toEqual([
      ...["b.toml", "c.json5", "d.jsonc", "e.ini", "f.YAML", "g.ymal"].map(
        (name) => `servers.d/${name}: ignored this ${file}`,
      ),
      "servers.d/h.ts: ignored this file: a server in servers.d is written in KDL, YAML or JSON; TypeScript goes into xy.config.ts",
      "servers.d/team: ignored this folder: server files must be directly in servers.d; move them there",
      expect.stringMatching(
        /^xy\.config\.toml: ignored this file: a configuration is named xy\.config\.ts, .*\.json$/,
      ),
    ]);
  });

  it("but not what editors and people leave beside it", async () => {
    const folder = folderWith({
      ...{
        "servers.d/a.yaml": server,
        "servers.d/a.yaml~": "",
        "servers.d/.a.yaml.swp": "",
        "servers.d/a.swp": "",
      },
      ...{
        "servers.d/a.yaml.bak": "",
        "servers.d/#a.yaml#": "",
        "servers.d/b.yaml.disabled": "",
        "xy.config.kdl~": "",
      },
      ...{ "servers.d/README.md": "", "servers.d/run": "", "servers.d/run.sh": "", "servers.d/web.env": "" },
      ...{
        "servers.d/token": "",
        "servers.d/web/index.html": "",
        "servers.d/web/package.json": "",
        "xy.config.kdl": "",
      },
    });
    const result = await load(requestFor(folder));
    expect(result.ok ? formatted(result.warnings, folder) : ["failed"]).toEqual([]);
  });

  it("is named where nothing else is found", async () => {
    const home = folderWith({ "a/xy.config.toml": "" });
    const said = await found(searchIn(join(home, "a"), home), home);
    expect(said).toEqual([
      expect.stringMatching(
        /^cannot find a configuration: .*; ignored a\/xy\.config\.toml: a configuration is named xy\.config\.ts, /,
      ),
    ]);
  });
});

describe("files that cannot be read", () => {
  const good = 'command "x"; port "none"';

  it("are named with the reason, and the others are looked at all the same", async () => {
    const folder = folderWith({
      "servers.d/ok.kdl": `${good}\nx 1\n`,
      "servers.d/latin.kdl": "",
      "servers.d/folder.yaml/x": "",
    });
    const at = (name: string) => join(folder, "servers.d", name);
    symlinkSync("nowhere", at("dangling.kdl"));
    symlinkSync("loop.json", at("loop.json"));
    symlinkSync("/dev/zero", at("endless.kdl"));
    symlinkSync("ok.kdl/x", at("inside.kdl"));
    writeFileSync(at("latin.kdl"), Buffer.from([0x63, 0xff, 0xfe]));
    writeFileSync(at("huge.json"), Buffer.alloc(50 * 1024 * 1024, "["));
    const result = await load(requestFor(folder));
    expect(result.ok ? [] : formatted(result.problems, folder)).toEqual([
      "servers.d/dangling.kdl: cannot read this file: it does not exist, or is a broken link; correct the path or remove the link",
      "servers.d/endless.kdl: cannot read this file: it is not a regular file; rename or remove it",
      "servers.d/folder.yaml: cannot read this file: it is a folder; rename or remove it",
      "servers.d/huge.json: cannot read this file: it has more than 1 MiB; rename or remove it",
      "servers.d/inside.kdl: cannot read this file: part of its path is not a folder; correct the path",
      "servers.d/latin.kdl: cannot read this file: it is not UTF-8 text; save it as UTF-8",
      "servers.d/loop.json: cannot read this file: it is a link to itself; remove the link",
      expect.stringMatching(/^servers.d\/ok.kdl:2:1: cannot use unknown key "x"/),
    ]);
  });

  it("include servers.d itself", async () => {
    const folder = folderWith({ "servers.d": "" });
    const result = await load(requestFor(folder));
    expect(result.ok ? [] : formatted(result.problems, folder)).toEqual([
      "servers.d: cannot list this folder: part of its path is not a folder; correct the path",
    ]);
  });

  it("may be links to files elsewhere, which is how dotfiles are managed", async () => {
    const folder = folderWith({ "dotfiles/web.kdl": good });
    mkdirSync(join(folder, "root/servers.d"), { recursive: true });
    symlinkSync("../../dotfiles/web.kdl", join(folder, "root/servers.d/web.kdl"));
    const result = await load(requestFor(join(folder, "root")));
    expect(result.ok && result.value.servers.map(({ name }) => name)).toEqual(["web"]);
  });
});

describe("what a configuration can execute and send", () => {
  const KDL = `
    supervisord { url "http://10.0.0.1:9001/RPC2"; user "u"; password "secret-word"; allow-remote #true; include-dir "units"; }
    defaults { env { A (command)"in the defaults"; } }
    server "db" { command "x"; port "none"; readiness "command" { command "pg_isready"; args "-h" "a b"; }; }
  `;
  const data = {
    "xy.config.kdl": KDL,
    "servers.d/a.kdl": 'command "x"\nport "none"\nenv { TOKEN (command)"op read a"; }\n',
    "servers.d/b.yaml": "command: x\nport: none\nenv: { TOKEN: { secret: { command: op read b } } }\n",
    "servers.d/c.json": '{"command":"x","port":"none","env":{"T":{"secret":{"command":"op read c"}}}}',
  };

  /** What was asked about, and the outcome. */
  async function asked(files: Readonly<Record<string, string>>, answer: boolean, home = "/home/ann") {
    const folder = folderWith(files);
    const questions: string[][] = [];
    const printed: string[] = [];
    const request = requestFor(folder, {
      print: (text) => printed.push(text),
      machine: { ...machine, home: home === "" ? folder : home },
      agree: async ({ named }, powers) => {
        questions.push([named, ...formatted(refusals(powers), folder)]);
        return answer;
      },
    });
    return { questions, folder, printed, result: await load(request) };
  }

  it("is asked about once, in every format, with each place", async () => {
    const { questions, folder, result } = await asked(data, true);
    expect(questions).toEqual([
      [
        folder,
        "xy.config.kdl:3:24: cannot run this secret command without your consent: in the defaults",
        "xy.config.kdl:2:5: cannot connect to supervisord without your consent: http://10.0.0.1:9001/RPC2, with the password that is written there, with units in units",
        "servers.d/a.kdl:3:13: cannot run this secret command without your consent: op read a",
        "servers.d/b.yaml:3:15: cannot run this secret command without your consent: op read b",
        "servers.d/c.json:1:41: cannot run this secret command without your consent: op read c",
        "xy.config.kdl:4:55: cannot run this probe command without your consent: pg_isready -h 'a b'",
      ],
    ]);
    expect(result).toMatchObject({ ok: true });
  });

  it("when refused is refused place by place, and a program does not run", async () => {
    const { "xy.config.kdl": _, ...servers } = data;
    const files = { ...servers, "xy.config.ts": 'console.log("ran"); export default {}' };
    const { folder, printed, questions, result } = await asked(files, false);
    expect(result).toMatchObject({ ok: false, refused: true });
    expect(questions).toHaveLength(1);
    expect(result.ok ? [] : formatted(result.problems, folder)).toEqual([
      expect.stringMatching(/^servers.d\/a.kdl:3:13: cannot run this secret command/),
      expect.stringMatching(/^servers.d\/b.yaml:3:15: cannot run this secret command/),
      expect.stringMatching(/^servers.d\/c.json:1:41: cannot run this secret command/),
      "xy.config.ts: cannot run this program without your consent: it can do anything that you can do",
    ]);
    expect(printed).toEqual([]);
  });

  it("is asked about with nothing in it where nothing can be run or sent", async () => {
    const { questions, folder } = await asked(
      { "xy.config.kdl": 'server "a" { command "x"; port 1; }' },
      true,
    );
    expect(questions).toEqual([[folder]]);
  });

  it("is not asked about in the account's own root", async () => {
    const files = {
      ".config/xy/xy.config.ts": "export default {}",
      ".config/xy/servers.d/a.kdl": data["servers.d/a.kdl"],
    };
    const { questions, result } = await asked(files, false, "");
    expect(result).toMatchObject({ ok: true });
    expect(questions).toEqual([]);
  });

  it("is asked about what is named, too", async () => {
    const home = folderWith({ "b/xy.config.ts": "export default {}" });
    const explicit = { path: join(home, "b"), from: "XY_CONFIG" } as const;
    const result = await load(requestFor(home, { explicit, agree: async () => false }));
    expect(result).toMatchObject({ ok: false, refused: true });
  });

  it("is not asked about as long as the files are wrong", async () => {
    const { questions } = await asked({ "servers.d/a.kdl": `${data["servers.d/a.kdl"]}x 1\n` }, true);
    expect(questions).toEqual([]);
  });
});
