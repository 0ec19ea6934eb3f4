import { mkdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Home, newHome } from "../cli/cli.ts";
import { eventually } from "../rig/eventually.ts";
import { SupervisordHome, whyNoSupervisord } from "../rig/supervisord.ts";
import { systemdHomesInTurn, whyNoSystemd } from "../rig/systemd.ts";

interface Shown {
  readonly name: string;
  readonly group: string;
  readonly state: string;
  readonly pid?: number;
  readonly server?: string;
  readonly started_at_unix_ms?: number;
  readonly last_exit?: number;
  readonly description: string;
}

const listed = async (home: Home): Promise<Record<string, Shown>> => {
  const all = JSON.parse(await home.did("list", "--backend", "supervisord", "--json")) as Shown[];
  return Object.fromEntries(all.map((one) => [one.name.replace("supervisord:", ""), one]));
};

/** What somebody has had for years: a program, a group, three of a kind, one that listens to events. */
const THEIRS = `[program:web]
command=sh -c "echo hello; echo bad >&2; exec sleep 600"
[program:once]
command=sh -c "echo done; exit 3"
startsecs=0
autorestart=false
exitcodes=3
[group:site]
programs=web,once
[program:worker]
command=sh -c "echo w%(process_num)d; exec sleep 600"
process_name=%(program_name)s_%(process_num)02d
numprocs=3
[program:broken]
command=false
startretries=0
autostart=false
[program:mute]
command=true
stdout_logfile=%(here)s/../gone/mute.log
autostart=false
[eventlistener:mem]
command=sh -c "printf 'READY\\n'; exec sleep 600"
events=TICK_3600
`;

describe.skipIf(whyNoSupervisord() !== undefined)("programs of a supervisord that are not xy's", () => {
  it("are listed and operated, and neither their files nor a plan touch them", async () => {
    const supervisord = new SupervisordHome();
    onTestFinished(() => supervisord.close());
    supervisord.write("theirs.conf", THEIRS);
    mkdirSync(join(supervisord.path, "gone"));
    await supervisord.open();
    const file = join(supervisord.path, "units/theirs.conf");
    const theirs = () => [readFileSync(file, "utf8"), statSync(file).mtimeMs, statSync(file).ino];
    // Where its output should go is gone since supervisord has read that.
    rmSync(join(supervisord.path, "gone"), { recursive: true });
    const before = theirs();
    const home = newHome();
    home.trusts();
    // Without a folder for units: to look and to operate.
    home.write("xy.config.kdl", `supervisord { url ${JSON.stringify(supervisord.site.url)}; }\n`);
    await eventually(async () =>
      expect((await listed(home))["site:once"]).toMatchObject({ state: "stopped", last_exit: 3 }),
    );
    const running = { state: "running", pid: expect.any(Number), started_at_unix_ms: expect.any(Number) };
    const names = ["mem:mem", "site:web", "worker:worker_00", "worker:worker_01", "worker:worker_02"];
    await eventually(async () => {
      const all = await listed(home);
      for (const name of names)
        expect(all[name], name).toMatchObject({ ...running, group: name.split(":")[0] });
    });
    expect(Object.keys(await listed(home)).sort()).toEqual(
      [...names, "broken:broken", "mute:mute", "site:once"].sort(),
    );
    expect(await home.did("list", "--backend", "supervisord", "worker_0[12]")).toContain("no such program");
    const table = await home.did("list", "--backend", "supervisord", "worker*");
    expect(table).toMatch(
      /^NAME +STATE +PID +SINCE +DESCRIPTION\n(supervisord:worker:worker_0\d +running +\d+ +\S+ +pid \d+, .*\n){3}$/,
    );

    const operated = async (...words: string[]) => {
      const { code, stdout, stderr } = await home.xy(...words);
      return { code, stdout, stderr };
    };
    expect(await operated("stop", "supervisord:worker:worker_01", "supervisord:site:once")).toEqual({
      code: 0,
      stdout: "supervisord:worker:worker_01: stopped\nsupervisord:site:once: was not running\n",
      stderr: "",
    });
    const stopped = await listed(home);
    expect(stopped["worker:worker_01"]).toMatchObject({ state: "stopped" });
    expect((await operated("start", "supervisord:worker")).stdout).toBe(
      "supervisord:worker:worker_01: started\nsupervisord:worker:worker_00: is already running\nsupervisord:worker:worker_02: is already running\n",
    );
    const first = await listed(home);
    await operated("restart", "supervisord:site:web");
    const second = await listed(home);
    expect(second["site:web"]?.pid).not.toBe(first["site:web"]?.pid);
    for (const name of names.filter((one) => one !== "site:web"))
      expect(second[name]?.pid, name).toBe(first[name]?.pid);
    expect(await operated("start", "supervisord:broken")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^xy: cannot start supervisord:broken:broken: Exited too quickly/),
    });
    // It refuses that at once, as it does for a program that has ended before it could answer.
    expect(await operated("start", "supervisord:mute")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^xy: cannot start supervisord:mute:mute: unknown error .*ENOENT/),
    });
    mkdirSync(join(supervisord.path, "gone"));
    expect(await operated("start", "supervisord:site:nope")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("cannot find supervisord:site:nope: `xy list --backend supervisord`"),
    });
    expect(await operated("kill", "supervisord:site:web")).toMatchObject({ code: 1 });
    const status = await home.did("status", "supervisord:site:once");
    expect(status).toMatch(/^supervisord:site:once \(not xy's\)\n +state +stopped \(supervisord: exited\)\n/);
    expect(status).toMatch(/exit code +3\n/);
    const logs = await home.did("logs", "supervisord:worker", "supervisord:site:web");
    for (const line of [
      "site:web | bad",
      "site:web | hello",
      "worker:worker_00 | w0",
      "worker:worker_02 | w2",
    ])
      expect(logs.split("\n")).toContain(`supervisord:${line}`);

    // An apply of servers beside them, and everything taken back.
    const pids = await listed(home);
    const { url, includeDir } = supervisord.site;
    home.write(
      "xy.config.kdl",
      `backend "supervisord"\nsupervisord { url ${JSON.stringify(url)}; include-dir ${JSON.stringify(includeDir)}; }\n`,
    );
    home.declare("mine");
    expect(await home.did("apply", "--yes")).toContain("1 added, 0 changed, 0 removed.");
    const beside = await listed(home);
    expect(beside["xy.tools.mine:xy.tools.mine"]).toMatchObject({ state: "running", server: "tools/mine" });
    expect(await operated("stop", "supervisord:xy.tools.mine")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("it is the server tools/mine; use that name"),
    });
    // Also from anywhere: what was applied says where it is.
    expect((await home.xyIn({ cwd: "/" }, "list", "--backend", "supervisord")).stdout).toContain(
      "xy's own tools/mine",
    );
    await home.did("destroy", "--yes");
    const after = await listed(home);
    for (const name of names) expect(after[name]?.pid, name).toBe(pids[name]?.pid);
    expect(theirs()).toEqual(before);
  });

  it("are asked of nobody before a person has agreed to a configuration that says where they are", async () => {
    const home = newHome();
    home.write("xy.config.kdl", 'supervisord { url "http://localhost:9/RPC2"; }\n');
    expect(await home.xy("list", "--backend", "supervisord")).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("agree with `xy check --trust`"),
    });
    await home.did("check", "--trust");
    expect(await home.xy("list", "--backend", "supervisord")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot reach supervisord at"),
    });
    const none = newHome();
    expect(await none.xy("list", "--backend", "supervisord")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("add `supervisord` with its `url` to xy.config"),
    });
    expect(await none.xy("status", "supervisord:a:b")).toMatchObject({ code: 2 });
  });
});

describe.skipIf(whyNoSystemd() !== undefined)("units of a systemd that are not xy's", () => {
  const nextHome = systemdHomesInTurn();

  it("are shown by a pattern only", async () => {
    const home = await nextHome();
    const unit = (exec: string) => `[Unit]\nDescription=Sync of ${exec}\n[Service]\nExecStart=${exec}\n`;
    home.write(".config/systemd/user/syncer.service", unit("/bin/sleep 600"));
    home.write(".config/systemd/user/syncer-off.service", unit("/bin/true"));
    home.write(".config/systemd/user/other.service", unit("/bin/true"));
    await home.shell("systemctl --user daemon-reload && systemctl --user start syncer");
    const found = JSON.parse(await home.did("xy list --backend systemd 'sync*' --json"));
    expect(found).toMatchObject([
      { manager: "systemd", name: "syncer-off.service", state: "stopped", word: "inactive (dead)" },
      { manager: "systemd", name: "syncer.service", state: "running", pid: expect.any(Number) },
    ]);
    expect(found[1].description).toBe("Sync of /bin/sleep 600");
    expect((await home.shell("xy list --backend systemd")).code).toBe(64);
    expect(await home.did("xy list --backend systemd none*")).toBe("systemd has no such unit: none*.");
  });
});
