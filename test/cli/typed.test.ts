import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import type { Job } from "../../src/model/job.ts";
import { lockProject } from "../../src/operation/project.ts";
import { eventually } from "../rig/eventually.ts";
import { type Home, homesInTurn, newHome as ownHome } from "./cli.ts";

const newHome = homesInTurn();
let home: Home;
beforeEach(() => {
  home = newHome();
});

const jobs = async (...flags: string[]) => ((await home.json("jobs", ...flags)) as { jobs: Job[] }).jobs;
/** Begins one, and does not wait for it. */
const begun = async (of: Home, ...words: string[]) =>
  JSON.parse(await of.did("run", "--detach", "--json", ...words)) as Job;
const isAlive = (pid: number | undefined) => existsSync(`/proc/${pid}/cmdline`);

describe("a command that is typed", () => {
  test("runs as a job where the person is, in the environment of servers, and ends as it ends", async () => {
    const script = 'echo "$PWD $A $B [$MINE]"; echo bad >&2; exit 7';
    const outcome = await home.xyIn(
      { cwd: home.path, env: { MINE: "of a shell" } },
      ...["run", "--env", "A=1", "--env", "B=x=y z", "--", "sh", "-c", script],
    );
    expect(outcome).toMatchObject({ code: 7, stdout: `${home.path} 1 x=y z []\n` });
    expect(outcome.stderr).toMatch(/^bad\nxy: sh failed \(exit 7\): job \d+\n$/);
    const [job] = await jobs();
    expect(job).toMatchObject({ service_id: null, action_id: "sh", inline: true, phase: "failed" });
    expect(await home.did("jobs", "--action", "sh", "--phase", "failed")).toContain("exit 7");
    expect(await home.did("job", "logs", String(job?.id))).toContain("[err] bad\n");
    expect(await home.did("job", "show", String(job?.id))).toContain("none: the command was typed");
  });

  test.each([
    [["echo", "--json", "{port}", "{name}", "--", "-d"]],
    [["printf", "%s|", "", "a b", "$HOME", "*"]],
  ])("is handed its words as they are: %j", async (words) => {
    const expected = words[0] === "echo" ? "--json {port} {name} -- -d\n" : "|a b|$HOME|*|";
    expect(await home.did("run", "--", ...words)).toBe(words[0] === "echo" ? expected : `${expected}\n`);
  });

  test("has nothing to do with an action of its name", async () => {
    home.write(
      "xy.config.kdl",
      'project "tools"\naction "sleep" { command "sleep"; args "600"; env { WHOSE "action"; }; }\n',
    );
    await home.did("apply", "--yes");
    await home.did("run", "sleep", "--detach");
    // An action forbids itself a second job. Whoever types it twice wants it twice.
    for (const _ of [1, 2]) await home.did("run", "--detach", "--", "sleep", "600");
    expect((await jobs()).map(({ inline, phase }) => [inline, phase])).toEqual([
      [true, expect.stringMatching(/pending|running/)],
      [true, expect.stringMatching(/pending|running/)],
      [undefined, expect.stringMatching(/pending|running/)],
    ]);
    home.write("xy.config.kdl", 'project "tools"\n');
    await home.did("apply", "--yes");
    expect((await jobs()).map(({ inline }) => inline)).toEqual([true, true]);
  });

  test("is cancelled, retried and deleted like any job", async () => {
    const first = await begun(home, "--env", "A=1", "--", "sh", "-c", "echo $A; sleep 600");
    const id = String(first.id);
    await eventually(async () => expect(await home.did("job", "logs", id)).toBe("[out] 1\n"));
    await home.did("job", "cancel", id);
    const again = (await home.json("job", "retry", id)) as Job;
    expect(again).toMatchObject({ inline: true, action_id: "sh", retry_of: first.id, trigger: "retry" });
    await eventually(async () => expect(await home.did("job", "logs", String(again.id))).toBe("[out] 1\n"));
    await home.did("job", "cancel", String(again.id));
    await home.did("job", "delete", id);
    expect((await jobs()).map((job) => job.id)).toEqual([again.id]);
  });

  test("belongs to the project of its folder, and ends with that", async () => {
    home.declare("web");
    await home.did("apply", "--yes");
    const { id } = await begun(home, "--", "sleep", "600");
    const running = await eventually(async () => {
      const job = (await home.json("job", "show", String(id))) as Job;
      expect(job).toMatchObject({ project: "tools", phase: "running" });
      return job;
    });
    await home.did("destroy", "--yes");
    expect(isAlive(running.pid ?? undefined)).toBe(false);
    expect(await jobs()).toEqual([]);
    // What comes later is written down whole.
    const later = JSON.parse(await home.did("run", "--json", "--", "sleep", "0"));
    expect(later).toMatchObject({ project: "default", phase: "succeeded", spec: { command: "sleep" } });
  });

  test.each([
    [["--"], 64, "write a command"],
    [["--", ""], 1, "blank command"],
    [["--", "  "], 1, "blank command"],
    [["--", "no-such-program"], 1, 'cannot find the program "no-such-program"'],
    [["--", "--help"], 1, 'cannot find the program "--help"'],
    [["--", "echo hello"], 1, "sh -c"],
    [["--", "./nothing"], 1, "does not exist"],
    [["--", "/"], 1, "is a folder"],
    [["--env", "A", "--", "true"], 64, "write A=VALUE"],
    [["--env", "=x", "--", "true"], 64, "write KEY=VALUE"],
    [["--env", "1A=x", "--", "true"], 64, "write KEY=VALUE"],
    [["--env", "PWD=/", "--", "true"], 64, "the shell that starts the program uses that name"],
    [["--", "LEVEL=5", "env"], 1, "write --env LEVEL=VALUE before --"],
    [["../up:migrate"], 64, "write ACTION or SERVER:ACTION"],
    [["sh"], 1, "to run a command, write it after --"],
    [["--project", "../up", "--", "true"], 64, "as a project's name: write a-z"],
    [["--env", "A=1", "backup"], 64, "--env is for a command"],
    [["--keep", "web"], 64, "--keep is for a command"],
    [["--keep", "web", "backup", "--", "true"], 64, "--keep is for a command"],
    [["--keep", "web", "--"], 64, "write a command"],
    [["--keep", "No Name", "--", "sleep", "1"], 64, 'cannot use "No Name" as the name of a server'],
    [["--keep", "../up", "--", "sleep", "1"], 64, "as the name of a server"],
    [["--keep", "web", "--", "no-such-program"], 1, "cannot find the program"],
    [["--project", "nobodys", "--", "true"], 1, "cannot find project nobodys"],
  ] as const)("is refused, and nothing is done: xy run %j", async (words, code, text) => {
    const before = home.written();
    const outcome = await home.xy("run", ...words);
    expect(outcome).toMatchObject({ code, stdout: "" });
    expect(outcome.stderr).toContain(text);
    expect(home.written()).toEqual(before);
  });

  test("does not run in another folder where its own is gone", async () => {
    const gone = home.pathOf("gone");
    const outcome = await home.shell(`mkdir ${gone} && cd ${gone} && rmdir ${gone} && xy run -- touch here`);
    expect(outcome).toMatchObject({ code: 1 });
    expect(outcome.stderr).toContain("no longer exists");
    expect(readdirSync(home.path)).not.toContain("here");
  });

  test("is taken up by the next agent, with its exact end", async () => {
    const own = ownHome();
    const { id } = await begun(own, "--", "sh", "-c", "until test -e go; do sleep 0.05; done; exit 5");
    await eventually(async () =>
      expect(await own.json("job", "show", String(id))).toMatchObject({ phase: "running" }),
    );
    await own.did("agent", "stop", "--keep-servers");
    own.write("go", "");
    await own.did("agent", "start");
    await eventually(async () =>
      expect(await own.json("job", "show", String(id))).toMatchObject({ phase: "failed", exit_code: 5 }),
    );
  });
});

const keep = (name: string, ...words: string[]) =>
  home.did("run", "--detach", "--keep", name, "--", ...words);

describe("a server that is kept", () => {
  beforeEach(async () => {
    home.declare("web");
    await home.did("apply", "--yes");
  });

  test("is told as undeclared, and no apply, rollback or reload touches it", async () => {
    expect(await home.did("run", "--keep", "docs", "--env", "LEVEL=5", "--", "sleep", "600")).toBe(
      "docs: ready: up for 1s\n",
    );
    const { docs } = await home.servers();
    expect(docs).toMatchObject({ state: "running", project: "tools", kept: true, port: null });
    expect(await home.did("list")).toContain("Not in any configuration: docs; `xy forget NAME` removes one.");
    expect(await home.did("status", "docs")).toMatch(
      /declared: +no[\s\S]*LEVEL: +"5"[\s\S]*working-dir: +\/.*tools/,
    );
    expect(await home.did("why", "docs")).toContain("`xy forget docs` removes it");
    const plan = await home.did("plan");
    expect(plan).toContain("undeclared: docs is running, and left as it is; `xy forget docs` removes it");
    expect(plan).toContain("No changes. 1 server matches");
    expect(await home.json("plan")).toMatchObject({
      changes: [{ server: "web" }],
      kept: [{ server: "docs" }],
    });

    home.declare("api");
    await home.did("plan", "-o", "saved");
    await home.did("stop", "docs");
    await home.did("start", "docs");
    expect(await home.did("apply", "saved")).toContain("1 added");
    await home.did("apply", "--yes", "--only", "web");
    expect(await home.did("plan", "--only", "docs")).toContain("No changes");
    await home.did("rollback", "1", "--yes");
    rmSync(home.pathOf("servers.d"), { recursive: true });
    home.declare("other");
    expect(await home.json("reload")).toMatchObject({ added: ["other"], removed: ["web"] });
    expect(Object.keys(await home.servers())).toEqual(["docs", "other"]);
    expect((await home.servers()).docs?.state).toBe("running");
  });

  test("is forgotten with all that is of it, and nothing else is", async () => {
    await keep("docs", "sleep", "600");
    const { docs, web } = await home.servers();
    const refused = await home.xy("forget", "docs", "web");
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("cannot forget web: a configuration has declared it; remove it there");
    expect((await home.servers()).docs?.pid).toBe(docs?.pid);
    expect(await home.xy("forget", "web")).toMatchObject({ code: 1, stderr: refused.stderr });
    expect(await home.xy("forget", "dcos")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("mean docs"),
    });
    expect(await home.xy("forget")).toMatchObject({ code: 64 });

    const locked = lockProject(home.state, "tools");
    expect(await home.xy("forget", "docs")).toMatchObject({
      code: 75,
      stderr: expect.stringContaining("cannot forget docs"),
    });
    expect(await home.xy("run", "--keep", "more", "--", "sleep", "1")).toMatchObject({ code: 75 });
    if (locked.ok) locked.lock.release();

    expect(await home.json("forget", "docs")).toEqual({ forgotten: ["docs"] });
    expect(isAlive(docs?.pid)).toBe(false);
    expect(await home.servers()).toMatchObject({ web: { pid: web?.pid } });
    expect(Object.keys(home.written()).filter((file) => file.includes("/docs"))).toEqual([]);
  });

  test("is not replaced by another, and only started when it is typed again", async () => {
    await keep("docs", "sleep", "600");
    const { docs } = await home.servers();
    for (const words of [
      ["docs", "--", "sleep", "601"],
      ["docs", "--env", "A=1", "--", "sleep", "600"],
    ]) {
      const other = await home.xy("run", "--keep", ...words);
      expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("`xy forget docs`") });
    }
    const declared = await home.xy("run", "--keep", "web", "--", "sleep", "600");
    expect(declared).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("servers.d/web.kdl declares"),
    });
    rmSync(home.pathOf("servers.d/web.kdl"));
    const applied = await home.xy("run", "--keep", "web", "--", "sleep", "600");
    expect(applied).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("a configuration has declared"),
    });
    await keep("docs", "sleep", "600");
    expect((await home.servers()).docs?.pid).toBe(docs?.pid);
    await home.did("stop", "docs");
    await keep("docs", "sleep", "600");
    expect((await home.servers()).docs).toMatchObject({ state: "running", held: false });
  });

  test("stays, stopped, when it does not come up, and says what to do", async () => {
    const keeping = home.xyRunning("run", "--keep", "bad", "--", "sh", "-c", "echo oops; exit 3");
    await eventually(async () => expect((await home.servers()).bad?.state).toBe("restarting"));
    // It would be given up after its sixth end.
    await home.did("stop", "bad");
    const outcome = await keeping.ended;
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toMatch(
      /^xy: bad: cannot start: .*\n {2}\| oops\n[\s\S]*`xy start bad` tries again, `xy forget bad` removes it\n$/,
    );
    expect(await home.did("forget", "bad")).toBe("bad: removed\n");
  });

  test("is taken over by a declaration of its name, also by one that says the same", async () => {
    await keep("same", "sleep", "600");
    await keep("other", "sleep", "600");
    const before = await home.servers();
    home.write("servers.d/same.kdl", 'command "sleep"\nargs "600"\nport "none"\nworking-dir ".."\n');
    home.write("servers.d/other.kdl", 'command "sleep"\nargs "601"\nport "none"\n');
    const plan = await home.did("plan");
    expect(plan).toMatch(
      /~ same will be changed in place\n +because it was added by `xy run --keep`, and is declared/,
    );
    expect(plan).toContain("-/+ other");
    expect(plan).not.toContain("undeclared");
    await home.did("apply", "--yes");
    const after = await home.servers();
    expect(after.same).toMatchObject({ pid: before.same?.pid });
    expect(Object.values(after).filter((server) => "kept" in server)).toEqual([]);
    expect(await home.did("plan")).toContain("No changes. 3 servers match");
    rmSync(home.pathOf("servers.d/same.kdl"));
    expect(await home.json("reload")).toMatchObject({ removed: ["same"] });
  });

  test("is put back as it was when what declares it does not come up", async () => {
    await keep("docs", "sleep", "600");
    const ends = 'command "sh"\nargs "-c" "exit 3"\nport "none"\nreadiness "log" pattern="^up$"\n';
    home.write("servers.d/docs.kdl", `${ends}restart { policy "never"; }\n`);
    const outcome = await home.xy("apply", "--yes");
    expect(outcome).toMatchObject({ code: 1 });
    expect(outcome.stdout).toContain("its previous version is back");
    rmSync(home.pathOf("servers.d/docs.kdl"));
    expect(await home.did("plan")).toContain("undeclared: docs is running");
  });

  test("goes with its project when all of that is destroyed", async () => {
    await keep("docs", "sleep", "600");
    const { docs } = await home.servers();
    expect(await home.did("destroy", "--yes")).toMatch(/- docs will be stopped and removed[\s\S]*2 removed/);
    expect(isAlive(docs?.pid)).toBe(false);
    expect(await home.did("list")).toContain("No servers");
  });

  test("moves with its project to another name, and stays held there", async () => {
    await keep("docs", "sleep", "600");
    await keep("rests", "sleep", "600");
    await home.did("stop", "rests");
    home.write("xy.config.kdl", 'project "renamed"\n');
    const told = await home.did("apply", "--yes", "--adopt-project");
    expect(told).toContain("started here as declared, or as `xy run --keep` added them");
    expect(told).toMatch(/docs: moved to project renamed\nrests: moved to project renamed\n/);
    expect(await home.servers()).toMatchObject({
      docs: { project: "renamed", kept: true, state: expect.stringMatching(/^(starting|running)$/) },
      rests: { project: "renamed", kept: true, state: "stopped", held: true },
      web: { project: "renamed" },
    });
    expect(readdirSync(join(home.state, "projects"))).toEqual(["renamed"]);
    expect(await home.did("plan")).toContain("undeclared: docs");
  });
});

test("a server that is kept without a project is of that of the account's own root", async () => {
  const outcome = await home.xyIn(
    { cwd: home.path },
    "run",
    "--keep",
    "docs",
    "--json",
    "--",
    "sleep",
    "600",
  );
  expect(JSON.parse(outcome.stdout)).toMatchObject({ name: "docs", project: "default", kept: true });
  home.write("../.config/xy/servers.d/own.kdl", 'command "sleep"\nargs "600"\nport "none"\n');
  const applied = await home.xyIn({ cwd: home.path }, "apply", "--yes");
  expect(applied.stdout).toContain("undeclared: docs is running");
  expect(await home.servers()).toMatchObject({ docs: { project: "default" }, own: { project: "default" } });
});

test("a server that is kept outlives its agent, and starts again with the next one", async () => {
  const own = ownHome();
  await own.did("run", "--keep", "docs", "--", "sleep", "600");
  const { docs } = await own.servers();
  const { pid } = (await own.json("agent", "status")) as { pid: number };
  process.kill(pid, "SIGKILL");
  await eventually(async () =>
    expect((await own.servers()).docs).toMatchObject({ pid: docs?.pid, kept: true }),
  );
  await own.did("agent", "stop");
  await own.did("agent", "start");
  await eventually(async () =>
    expect((await own.servers()).docs).toMatchObject({ state: "running", kept: true }),
  );
  // What it is can be told from its record alone, which another version reads too.
  const record = join(own.state, "projects/default/servers/docs/spec.json");
  expect(JSON.parse(readFileSync(record, "utf8"))).toMatchObject({ version: 1, kept: true });
});
