import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { Runner } from "../rig/runner.ts";
import { SweptFolder } from "../rig/secret-scan.ts";
import { releasedVersion } from "../rig/versions.ts";
import { freePort, newHome as freshHome, type Home, homesInTurn, LISTENER, QUICK } from "./cli.ts";

const newHome = homesInTurn();

/** Has everything that is relative to a file: a folder, an env file, a secret, a program, one of a probe. */
const SAME = `command "../run.sh"
port "none"
working-dir ".."
env-file "../more.env"
env {
  TOKEN (file)"../token"
  OTHER (command)"cat ../token"
}
readiness "command" {
  command "../look.sh"
}
action "look" {
  command "../look.sh"
  working-dir "."
}
`;

/** What a home manager would build: a configuration that nobody writes to, at a path of its own. */
function build(home: Home, folder: string, version: string): string {
  const write = (file: string, text: string, mode: number) => {
    home.write(join(folder, file), text);
    chmodSync(join(folder, file), mode);
  };
  write("xy.config.kdl", 'path "."\n', 0o444);
  write("servers.d/same.kdl", SAME, 0o444);
  write("servers.d/other.kdl", `${QUICK}working-dir "."\nenv {\n  VERSION "${version}"\n}\n`, 0o444);
  write("more.env", "MORE=s3cr3t-more\n", 0o444);
  write("token", "s3cr3t-token\n", 0o444);
  for (const program of ["run.sh", "look.sh"])
    write(program, program === "run.sh" ? "#!/bin/sh\nexec sleep 600\n" : "#!/bin/sh\n", 0o555);
  for (const part of ["servers.d", "."]) chmodSync(join(folder, part), 0o555);
  return folder;
}

/** Puts a link in the place of whatever link is there. */
function turn(link: string, target: string): void {
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(target, link);
}

/** A folder of its own, in which every file is a link into the store. */
function linkFiles(folder: string, store: string): void {
  for (const part of ["", "servers.d"]) {
    mkdirSync(join(folder, part), { recursive: true });
    for (const entry of readdirSync(join(store, part)))
      if (entry !== "servers.d") turn(join(folder, part, entry), join(store, part, entry));
  }
}

const CONFIG = ".config/xy";
const storeOf = (home: Home, version: string) => join(home.path, "store", `${version}-xy`);

/** How a version of the configuration is put in its place. */
const LAYOUTS: Record<string, (home: Home, version: string) => void> = {
  "a link into a store": (home, version) => {
    turn(join(home.path, CONFIG), build(home, storeOf(home, version), version));
  },
  "a folder of links into a store": (home, version) => {
    linkFiles(join(home.path, CONFIG), build(home, storeOf(home, version), version));
  },
  "in a folder that is a link into a store": (home, version) => {
    const store = storeOf(home, version);
    build(home, join(store, "xy"), version);
    turn(join(home.path, ".config"), store);
  },
};

const NOTHING = "No changes. 2 servers match the configuration.\n";
const pids = async (home: Home) => {
  const { same, other } = await home.servers();
  return { same: same?.pid, other: other?.pid };
};

describe.each(Object.entries(LAYOUTS))("a root that is %s", (_, put) => {
  it("is the same project after each switch, which restarts only what changed", async () => {
    const home = newHome();
    put(home, "one");
    await home.did("apply", "--yes");
    let before = await pids(home);
    for (const version of ["two", "three"]) {
      put(home, version);
      rmSync(storeOf(home, version === "two" ? "one" : "two"), { recursive: true });
      expect(await home.did("plan")).toContain(", 1 to change (other), ");
      await home.did("apply", "--yes");
      const now = await pids(home);
      expect(now.same).toBe(before.same);
      expect(now.other).not.toBe(before.other);
      expect(await home.did("plan")).toBe(NOTHING);
      before = now;
    }
    expect(await home.json("status", "same")).toMatchObject({
      spec: {
        workingDir: join(home.path, CONFIG),
        program: join(home.path, CONFIG, "run.sh"),
        readiness: { program: join(home.path, CONFIG, "look.sh") },
        env: {
          TOKEN: { secret: { file: join(home.path, CONFIG, "token") } },
          MORE: { secret: { envFile: join(home.path, CONFIG, "more.env") } },
        },
      },
    });
    // What is brought back is started where the configuration is now.
    await home.did("rollback", "1", "--yes");
    expect((await pids(home)).same).toBe(before.same);
    expect(await home.call("reload", { project: "default" })).toMatchObject({
      result: { changed: ["other"], unchanged: ["same"] },
    });
    expect((await pids(home)).same).toBe(before.same);
  });
});

/** A configuration of one server that is ready at once, in a folder of its own. */
function declareIn(home: Home, folder: string, more = ""): void {
  home.write(join(folder, "servers.d/web.kdl"), `${QUICK}working-dir ".."\n${more}`);
}

const ONE = "No changes. 1 server matches the configuration.\n";

/** What a command of the home did, somewhere in it; it has to succeed. */
async function did(home: Home, { cwd = ".", pwd = cwd }: { cwd?: string; pwd?: string }, ...words: string[]) {
  const where = { cwd: join(home.path, cwd), env: { PWD: join(home.path, pwd) } };
  const { code, stdout, stderr } = await home.xyIn(where, ...words);
  expect(code, `${words.join(" ")}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

const web = async (home: Home) => (await home.servers()).web;
const folderOf = async (home: Home) =>
  ((await home.json("status", "web")) as { spec: { workingDir: string } }).spec.workingDir;

it("what a person has agreed to stays agreed to after a switch, by the link and by the file in it", async () => {
  const home = newHome();
  const link = join(home.path, "conf");
  turn(link, build(home, storeOf(home, "one"), "one"));
  await home.did("apply", "--yes", "--trust", "--config", link);
  const { same } = await pids(home);
  turn(link, build(home, storeOf(home, "two"), "two"));
  rmSync(storeOf(home, "one"), { recursive: true });
  expect(await home.did("plan", "--config", join(link, "xy.config.kdl"))).toContain(
    ", 1 to change (other), ",
  );
  const inside = { cwd: join(storeOf(home, "two"), "servers.d"), env: { PWD: join(link, "servers.d") } };
  expect(await home.xyIn(inside, "apply", "--yes")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("1 changed"),
  });
  expect((await pids(home)).same).toBe(same);
  expect((await home.servers()).same).toMatchObject({ project: "conf" });
});

describe("one folder has one project", () => {
  it("by whatever name it is reached, and goes by the first", async () => {
    const home = newHome();
    declareIn(home, join(home.path, "real/proj"));
    mkdirSync(join(home.path, "real/proj/sub"));
    home.trusts(join(home.path, "real/proj"));
    turn(join(home.path, "first"), join(home.path, "real/proj"));
    turn(join(home.path, "second"), "first");
    turn(join(home.path, "above"), "real");
    await did(home, { cwd: "real/proj/sub", pwd: "first/sub" }, "apply", "--yes");
    const { pid, project } = (await web(home)) ?? {};
    expect(project).toBe("first");
    expect(await folderOf(home)).toBe(join(home.path, "first"));
    const ways: [{ cwd?: string; pwd?: string }, ...string[]][] = [
      [{ cwd: "real/proj" }],
      [{ cwd: "real/proj", pwd: "second" }],
      [{ cwd: "real/proj", pwd: "above/proj" }],
      [{}, "--config", "first"],
      [{}, "--config", "first/"],
      [{}, "--config", "second/servers.d/.."],
      [{}, "--config", "above/proj"],
      [{}, "--config", "first/../proj"],
      [{ cwd: "real/proj/sub", pwd: "first/sub" }, "--config", ".."],
      [{}, "--config", join(home.path, "real/proj")],
      // A PWD that leads elsewhere says nothing.
      [{ cwd: "real/proj", pwd: "real" }],
    ];
    for (const [where, ...words] of ways)
      expect(await did(home, where, "apply", "--yes", ...words)).toBe(ONE);
    expect(await did(home, { cwd: "real/proj" }, "stop", "--all")).toBe("web: stopped\n");
    expect(await did(home, { cwd: "real/proj", pwd: "second" }, "start", "--all")).toBe("web: started\n");
    expect((await web(home))?.pid).not.toBe(pid);
    expect(await folderOf(home)).toBe(join(home.path, "first"));
    expect(Object.keys(await home.servers())).toEqual(["web"]);
  });

  it("also when stow makes a folder of a link, and a link of a folder", async () => {
    const home = newHome();
    const [real, named] = [join(home.path, "dots/xy"), join(home.path, CONFIG)];
    declareIn(home, real);
    turn(named, real);
    await did(home, {}, "apply", "--yes");
    const before = await web(home);
    unlinkSync(named);
    mkdirSync(join(named, "servers.d"), { recursive: true });
    symlinkSync(join(real, "servers.d/web.kdl"), join(named, "servers.d/web.kdl"));
    expect(await did(home, {}, "apply", "--yes")).toBe(ONE);
    rmSync(named, { recursive: true });
    turn(named, real);
    expect(await did(home, {}, "apply", "--yes")).toBe(ONE);
    // Without the link it is what the link led to, by its own name.
    unlinkSync(named);
    expect(await did(home, {}, "apply", "--yes", "--config", "dots/xy")).toBe(ONE);
    expect(await did(home, {}, "apply", "--yes", "--config", "dots/xy")).toBe(ONE);
    turn(named, real);
    expect(await did(home, {}, "apply", "--yes")).toBe(ONE);
    expect(await web(home)).toMatchObject({ pid: before?.pid, project: "default" });
  });

  it("also when stow links the folders in it, and `..` out of them leads to what it links to", async () => {
    const home = newHome();
    const [real, named] = [join(home.path, "dots/xy"), join(home.path, CONFIG)];
    home.write(join(real, "run.sh"), "#!/bin/sh\nexec sleep 600\n");
    home.write(join(real, "token"), "s3cr3t-token\n");
    chmodSync(join(real, "run.sh"), 0o755);
    home.write(
      join(real, "servers.d/web.kdl"),
      `command "../run.sh"
port "none"
working-dir ".."
env {
  TOKEN (file)"../token"
}
`,
    );
    turn(named, real);
    await did(home, {}, "apply", "--yes");
    const before = await web(home);
    for (const folder of [real, named, real]) {
      rmSync(named, { recursive: true });
      mkdirSync(named);
      for (const entry of readdirSync(real)) turn(join(named, entry), join(real, entry));
      expect(await did(home, {}, "plan")).toBe(ONE);
      // Nothing depends on an apply in between.
      if (folder === real) expect(await did(home, {}, "apply", "--yes")).toBe(ONE);
      if (folder === real) expect(await folderOf(home)).toBe(real);
      rmSync(named, { recursive: true });
      turn(named, real);
      expect(await did(home, {}, "plan")).toBe(ONE);
      expect(await did(home, {}, "apply", "--yes")).toBe(ONE);
      expect(await folderOf(home)).toBe(named);
    }
    expect((await web(home))?.pid).toBe(before?.pid);
  });

  it("is not that of whoever can turn a link on the way", async () => {
    const home = newHome();
    const [mine, open] = [join(home.path, "mine/proj"), join(home.path, "open")];
    declareIn(home, mine);
    mkdirSync(open);
    chmodSync(open, 0o777);
    turn(join(open, "link"), mine);
    home.trusts(mine);
    await did(home, {}, "apply", "--yes", "--config", "open/link");
    expect(await folderOf(home)).toBe(mine);
    declareIn(home, join(home.path, "theirs/proj"), 'tags "other"\n');
    home.trusts(join(home.path, "theirs/proj"));
    turn(join(open, "link"), join(home.path, "theirs/proj"));
    const { code, stderr } = await home.xyIn({ cwd: home.path }, "plan", "--config", "open/link");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(`it belongs to ${mine}, and this is ${home.path}/theirs/proj.`),
    });
  });

  it("is not where a folder was moved to, until it is told to be", async () => {
    const home = newHome();
    declareIn(home, join(home.path, "one/proj"));
    home.trusts(join(home.path, "one/proj"));
    await did(home, {}, "apply", "--yes", "--config", "one/proj");
    const before = await web(home);
    renameSync(join(home.path, "one"), join(home.path, "two"));
    home.trusts(join(home.path, "two/proj"));
    // What reloads it finds nothing, and says so.
    expect(await home.call("reload", { project: "proj" })).toMatchObject({
      error: { code: -32003, message: expect.stringContaining("cannot read the configuration") },
    });
    const plan = await home.xyIn({ cwd: home.path }, "plan", "--config", "two/proj");
    expect(plan).toMatchObject({ code: 1, stderr: expect.stringContaining("this folder was") });
    expect((await web(home))?.pid).toBe(before?.pid);
    await did(home, {}, "apply", "--yes", "--adopt-project", "--config", "two/proj");
    expect(await folderOf(home)).toBe(join(home.path, "two/proj"));
  });
});

describe("what an earlier version has applied", () => {
  let [folder, released]: [SweptFolder?, Runner?] = [];
  beforeAll(() => {
    folder = new SweptFolder();
    released = new Runner({ root: releasedVersion(join(folder.path, "xy")) });
  });
  afterAll(() => folder?.remove());
  const before = async (home: Home, ...args: string[]) => {
    const env = Object.fromEntries(Object.entries(home.env).map(([name, value]) => [name, value ?? ""]));
    // It had commands of secrets run wherever it was called.
    const cwd = join(home.path, CONFIG, "servers.d");
    expect(await released?.run({ args, cwd, env })).toMatchObject({ code: 0, stderr: "" });
  };

  it.each(Object.entries(LAYOUTS))(
    "stays as it is, where its root is %s, and follows switches",
    async (_, put) => {
      const home = freshHome();
      put(home, "one");
      await before(home, "apply", "--yes");
      const first = await pids(home);
      expect(await home.did("plan")).toBe(NOTHING);
      expect(await home.did("apply", "--yes")).toBe(NOTHING);
      expect(await pids(home)).toEqual(first);
      // Records of today's agent say today's names, and nothing differs for that.
      await home.did("agent", "stop", "--keep-servers");
      expect(await home.did("apply", "--yes")).toBe(NOTHING);
      expect(await pids(home)).toEqual(first);
      expect(await home.json("status", "same")).toMatchObject({
        spec: { workingDir: join(home.path, CONFIG), program: join(home.path, CONFIG, "run.sh") },
      });
      expect(await home.did("plan")).toBe(NOTHING);
      put(home, "two");
      rmSync(storeOf(home, "one"), { recursive: true });
      expect(await home.did("apply", "--yes")).toContain("1 changed");
      const second = await pids(home);
      expect(second.same).toBe(first.same);
      expect(second.other).not.toBe(first.other);
      expect(await home.did("plan")).toBe(NOTHING);
      // So it comes back, though what it was started in is not there any more.
      process.kill(second.same ?? 0, "SIGKILL");
      await eventually(async () => {
        const { state, pid } = (await home.servers()).same ?? {};
        expect({ state, isNew: pid !== second.same }).toEqual({ state: "running", isNew: true });
      });
      expect((await home.xy("run", "same:look")).code).toBe(0);
      await home.did("rollback", "1", "--yes");
      expect((await pids(home)).other).not.toBe(second.other);
    },
  );
});

describe("what an earlier version has applied, and what nobody has looked at before its root was turned", () => {
  it("is refused, as nothing proves it, and is moved without a restart of what did not change", async () => {
    const home = newHome();
    const put = LAYOUTS["a link into a store"] as (home: Home, version: string) => void;
    put(home, "one");
    const real = storeOf(home, "one");
    await home.did("apply", "--yes", "--config", real);
    const first = await pids(home);
    // As such a version has it.
    const record = join(home.state, "projects/default/project.json");
    const { ports, asked } = JSON.parse(readFileSync(record, "utf8"));
    writeFileSync(record, JSON.stringify({ version: 1, root: real, config: real, ports, asked }));
    put(home, "two");
    expect(await home.xy("plan")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`it belongs to ${real}, and this is ${join(home.path, CONFIG)}.`),
    });
    expect(await home.did("plan", "--adopt-project")).toContain(", 2 to change (other, action same:look), ");
    await home.did("apply", "--yes", "--adopt-project");
    const second = await pids(home);
    expect(second.same).toBe(first.same);
    expect(second.other).not.toBe(first.other);
    expect(await home.did("plan")).toBe(NOTHING);
  });
});

describe("two files in one folder", () => {
  it("are a project each, and each goes on when the other is applied", async () => {
    const home = newHome();
    home.trusts();
    for (const name of ["work", "private"])
      home.write(`${name}.yaml`, `servers: { ${name}: { command: sleep, args: ["600"], port: none } }\n`);
    await home.did("apply", "--yes", "--config", "work.yaml");
    const before = await home.servers();
    await home.did("apply", "--yes", "--config", "private.yaml");
    expect(await home.servers()).toMatchObject({
      work: { project: "work", pid: before.work?.pid },
      private: { project: "private" },
    });
    expect(await home.did("stop", "--all", "--config", "private.yaml")).toBe("private: stopped\n");
    // Neither of them is that of the folder, and what is said of it is true.
    for (const [command, told] of [
      ["stop --all", "name one with --config, or write servers as PROJECT/NAME"],
      ["rollback --yes", "name it with --project, or its configuration with --config"],
      ["destroy --yes", "name one with --project: private, work"],
    ] as const) {
      const { code, stdout, stderr } = await home.xy(...command.split(" "));
      expect({ code, text: stdout + stderr }).toEqual({ code: 1, text: expect.stringContaining(told) });
    }
    expect(await home.did("history")).toContain("to see its history: private, work\n");
    expect(await home.did("history", "--config", "work.yaml")).toContain("+work (1 file)");
    // By one name they would be one project.
    home.write("private.yaml", `project: work\nservers: { private: { command: sleep, port: none } }\n`);
    expect(await home.xy("apply", "--yes", "--config", "private.yaml")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `it belongs to ${home.project}/work.yaml, and this is ${home.project}/private.yaml. Give this one a \`project\` name of its own`,
      ),
    });
    // In another format it is the same file.
    await home.shell("rm work.yaml");
    home.write("work.json", '{"servers":{"work":{"command":"sleep","args":["600"],"port":"none"}}}');
    expect(await home.did("plan", "--config", "work.json")).toBe(ONE);
    expect((await home.servers()).work?.pid).toBe(before.work?.pid);
  });

  it("may both be xy.config, and are then one project of which one counts", async () => {
    const home = newHome();
    home.trusts();
    home.write("xy.config.kdl", `server "one" {\n${QUICK}}\n`);
    home.write("xy.config.yaml", `servers: { two: { command: sleep, args: ["600"], port: none } }\n`);
    await home.did("apply", "--yes", "--config", "xy.config.kdl");
    expect(await home.xy("apply", "--yes", "--config", "xy.config.yaml")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot use project tools here: it belongs to"),
    });
    expect(Object.keys(await home.servers())).toEqual(["one"]);
    expect(await home.did("reload", "--config", "xy.config.kdl")).toBe(ONE);
  });
});

describe("a project that is given another name", () => {
  const LISTENS = `command "node"\nargs "-e" "${LISTENER}"\nport "auto"\nenv {\n  PORT "{port}"\n}\n`;
  const named = (home: Home, project: string) => home.write("xy.config.kdl", `project "${project}"\n`);

  it("is told what still runs by the old one, and by which command it goes", async () => {
    const home = newHome();
    named(home, "one");
    home.declare("web");
    home.declare("api");
    await home.did("apply", "--yes");
    const before = await home.servers();
    named(home, "two");
    const told =
      "warning: this configuration was applied as project one before, and its 2 servers (api, web) are still there; move everything to the new name with `xy apply --adopt-project`, or remove what is left with `xy destroy --project one`";
    expect(await home.did("plan")).toContain(told);
    await home.did("apply", "--yes");
    const list = (await home.json("list")) as { name: string; project: string; pid: number }[];
    expect(list.map(({ project, name }) => `${project}/${name}`)).toEqual([
      "one/api",
      "one/web",
      "two/api",
      "two/web",
    ]);
    expect(list[0]?.pid).toBe(before.api?.pid);
    // The declared one is meant here.
    expect(await home.did("stop", "--all")).toBe("api: stopped\nweb: stopped\n");
    expect(await home.did("status", "web")).toContain("project two");
    expect(await home.did("history", "--json")).toContain("two");
    await home.did("destroy", "--yes");
    expect((await home.servers()).web).toMatchObject({ project: "one", pid: before.web?.pid });
    named(home, "one");
    expect(await home.did("plan")).toBe("No changes. 2 servers match the configuration.\n");
  });

  it("moves when it is told to, after a plan that says so", async () => {
    const home = newHome();
    named(home, "one");
    home.write("servers.d/web.kdl", LISTENS);
    await home.did("apply", "--yes");
    const before = (await home.servers()).web;
    named(home, "two");
    const plan = await home.xy("plan");
    expect(plan).toMatchObject({ code: 0 });
    expect(await home.did("plan", "--adopt-project")).toContain(
      "warning: project one moves here: its server (web) is removed there first",
    );
    expect((await home.servers()).web?.pid).toBe(before?.pid);
    expect(await home.xy("apply", "--yes", "--adopt-project", "--only", "web")).toMatchObject({
      code: 64,
      stderr: expect.stringContaining("project one moves whole"),
    });
    await home.did("apply", "--yes", "--adopt-project");
    const after = await home.servers();
    expect(after.web).toMatchObject({ project: "two", port: before?.port, state: "running" });
    expect(Object.keys(home.written()).filter((file) => file.startsWith("projects/one"))).toEqual([]);
    expect(await home.did("plan", "--adopt-project")).toBe(ONE);
  });

  it("has ports that are its own, which nobody is told to take from a stranger", async () => {
    const home = newHome();
    const port = await freePort();
    named(home, "one");
    home.write("servers.d/web.kdl", LISTENS.replace('"auto"', String(port)));
    await home.did("apply", "--yes");
    named(home, "two");
    const { code, stdout } = await home.xy("plan");
    expect(code).toBe(1);
    expect(stdout).toContain(`port ${port} is held by xy's own one/web: pid`);
    expect(stdout).toContain(
      "move its servers with `xy apply --adopt-project`, or remove them with `xy destroy --project one`",
    );
    expect(stdout).not.toContain("stop that");
    await home.did("apply", "--yes", "--adopt-project");
    expect((await home.servers()).web).toMatchObject({ project: "two", port, state: "running" });
  });
});

describe("the same files elsewhere", () => {
  it("are the same project, since init has written its name", async () => {
    const home = newHome();
    await home.did("init", "--format", "kdl", join(home.path, CONFIG));
    expect(await home.did("apply", "--yes", "--config", join(home.path, CONFIG))).toContain("1 added");
    await home.shell(`cp -r ${join(home.path, CONFIG)} ${join(home.path, "clone")}`);
    home.trusts(join(home.path, "clone"));
    const clone = await home.xyIn({ cwd: join(home.path, "clone") }, "plan");
    expect(clone).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot use project default here"),
    });
  });

  it("have units with other names, which is told where they are written", async () => {
    const home = newHome();
    home.declare("web");
    const told = 'write project "tools" in xy.config to fix the name';
    expect((await home.xy("emit", "systemd", "--out", "units")).stderr).toContain(told);
    expect((await home.xy("emit", "systemd")).stderr).not.toContain(told);
    named(home);
    expect((await home.xy("emit", "systemd", "--out", "units")).stderr).not.toContain(told);
  });
  const named = (home: Home) => home.write("xy.config.kdl", 'project "tools"\n');
});
