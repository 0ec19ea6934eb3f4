import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { LAUNCHER } from "../cli/cli.ts";
import { eventually } from "../rig/eventually.ts";
import { type SystemdHome, systemdHomesInTurn, whyNoSystemd } from "../rig/systemd.ts";

const unitFile = (name: string) => `~/.config/systemd/user/xy.tools.${name}.service`;
const SAME = (count: number) =>
  `No changes. ${count} ${count === 1 ? "server matches" : "servers match"} the configuration.`;

describe.skipIf(whyNoSystemd() !== undefined)("servers under systemd, while others have a hand in it", () => {
  const nextHome = systemdHomesInTurn();
  let home: SystemdHome;
  beforeEach(async () => {
    home = await nextHome();
    home.write("tools/xy.config.kdl", 'backend "systemd"\n');
  });

  const script = (name: string, text: string, more = "") =>
    home.write(
      `tools/servers.d/${name}.kdl`,
      `command "sh"\nargs "-c" ${JSON.stringify(text)}\nport "none"\n${more}\n`,
    );
  const declare = (name: string, more = "") =>
    script(name, "echo up; exec sleep 600", `readiness "log" pattern="^up$"\n${more}`);
  const pids = async () =>
    Object.fromEntries(
      ((await home.json("list")) as { name: string; pid?: number }[]).map(({ name, pid }) => [name, pid]),
    );
  const environment = (pid: number | undefined, name: string) =>
    home.did(`tr '\\0' '\\n' </proc/${pid}/environ | grep ^${name}= ; true`);

  it("do not start what is held, nor a task that is done", async () => {
    script("migrate", "echo run >>$HOME/runs", 'restart { policy "never"; }');
    declare("db");
    const needs = 'depends-on "migrate" condition="completed"\ndepends-on "db"';
    declare("web", `${needs}\nrestart { backoff-initial "10ms"; }`);
    await home.did("xy apply --yes");
    await home.did("xy stop db");
    const { web } = await pids();
    // systemd starts it again by itself.
    await home.did(`kill -9 ${web}`);
    await eventually(async () => {
      const now = (await pids()).web;
      expect(now).toEqual(expect.any(Number));
      expect(now).not.toBe(web);
    });
    expect(await home.did("xy restart web")).toBe("web: restarted");
    expect(await home.json("list")).toMatchObject([{ name: "db", state: "stopped", held: true }, {}, {}]);
    expect(await home.did("cat ~/runs")).toBe("run");
    // Several at once: what ran goes on to run, although what it depends on is held.
    declare("o");
    await home.did("xy apply --yes");
    expect(await home.did("xy restart web o")).toBe("o: restarted\nweb: restarted");
  });

  it("run on when the link to their configuration leads to another build, but for what changed", async () => {
    const put = async (version: string) => {
      const server =
        'command "sh"\nargs "-c" "echo up; exec sleep 600"\nport "none"\nreadiness "log" pattern="^up$"\n';
      home.write(`${version}/xy.config.kdl`, 'backend "systemd"\nproject "tools"\n');
      home.write(`${version}/servers.d/same.kdl`, `${server}working-dir ".."\n`);
      home.write(
        `${version}/servers.d/other.kdl`,
        `${server}working-dir "."\nenv {\n  VERSION "${version}"\n}\n`,
      );
      await home.did(
        `chmod -R a-w ~/${version}; ln -sfn ~/${version} ~/.config/xy; rm ~/tools/xy.config.kdl; true`,
      );
    };
    await put("one");
    await home.did("xy apply --yes --config ../one");
    let before = await pids();
    // As an earlier version has recorded it: by its real path. Units say today's name, and their processes run on.
    const record = join(home.path, ".local/state/xy/projects/tools/project.json");
    const { place: _, at: __, ...earlier } = JSON.parse(readFileSync(record, "utf8"));
    expect(earlier).toMatchObject({ root: `${home.path}/one` });
    writeFileSync(record, JSON.stringify(earlier));
    for (let times = 0; times < 2; times++) expect(await home.did("xy apply --yes")).toBe(SAME(2));
    expect(await home.did(`grep ^WorkingDirectory ${unitFile("same")}`)).toMatch(/=.*\/\.config\/xy$/);
    expect(await pids()).toEqual(before);
    for (const version of ["two", "three"]) {
      await put(version);
      await home.did("rm -rf ~/one");
      expect(await home.did("xy apply --yes")).toContain("1 changed");
      const now = await pids();
      expect(now.same).toBe(before.same);
      expect(now.other).not.toBe(before.other);
      expect(await home.did("xy plan")).toBe(SAME(2));
      before = now;
    }
    // Whatever it was started in: it starts again where the configuration is.
    await home.did(`xy restart same`);
    expect(await home.did(`readlink /proc/${(await pids()).same}/cwd`)).toBe(`${home.path}/three`);
  });

  it("ask for what they depend on under another backend, and stay held where they move", async () => {
    declare("g", 'backend "agent"');
    declare("v", 'depends-on "g"');
    await home.did("xy apply --yes");
    await home.did("xy stop g v");
    expect(await home.shell("xy start v")).toMatchObject({
      code: 1,
      stderr: "xy: cannot start v: it depends on g (held); run `xy start g`, or use --no-deps\n",
    });
    declare("v", 'backend "agent"');
    await home.did("xy apply --yes");
    expect((await home.json("list"))[1]).toMatchObject({ backend: "agent", state: "stopped", held: true });
    declare("v");
    await home.did("xy apply --yes");
    expect((await home.json("list"))[1]).toMatchObject({ backend: "systemd", state: "stopped", held: true });
    await home.did("xy destroy --yes");
    await home.did("xy agent stop");
  });

  it("stay stopped when they are told to stop during an apply", async () => {
    declare("a");
    await home.did("xy apply --yes");
    script("a", "echo waiting; exec sleep 600", 'readiness "log" pattern="^up$"');
    const stop = "until xy logs a | grep -q waiting; do :; done; xy stop a";
    const both = await home.shell(`xy apply --yes & { ${stop}; }; wait $!`);
    expect(both.code).toBe(1);
    expect(both.stdout).toContain("it was told to stop meanwhile");
    expect(await home.json("list")).toMatchObject([{ state: "stopped", held: true }]);
    expect((await home.shell("systemctl --user is-enabled xy.tools.a")).stdout).toBe("disabled\n");
  });

  it("are not started any more when they are told to stop while the old version still ends", async () => {
    const slow = "trap 'until test -e ~/go; do sleep 0.1; done; exit' TERM; echo up; sleep 600 & wait";
    script("a", slow, 'readiness "log" pattern="^up$"');
    await home.did("xy apply --yes");
    declare("a");
    const told =
      "until test $(systemctl --user is-active xy.tools.a) = deactivating; do :; done; xy stop a &";
    const ended = "until xy list --json | grep -Eq '\"held\": ?true'; do :; done; touch ~/go";
    const both = await home.shell(`xy apply --yes & APPLY=$!; ${told} ${ended}; wait $!; wait $APPLY`);
    expect(both.code).toBe(1);
    expect(both.stdout).toContain("it was told to stop meanwhile");
    expect(await home.json("list")).toMatchObject([{ state: "stopped", held: true }]);
    expect(await home.did("xy logs a | grep -c up")).toBe("1");
  });

  it("are ready by what the new process says, not by the last words of the old one", async () => {
    const ready = 'readiness "log" pattern="ready"';
    script("r", "trap 'echo no longer ready; exit 0' TERM; echo ready; while :; do sleep 0.1; done", ready);
    await home.did("xy apply --yes");
    script("r", "echo broken; exec sleep 600", ready);
    const changed = await home.shell("xy apply --yes --wait-timeout 1s");
    expect(changed.stdout).toContain(
      "not ready after 1s: no line matches ready; its previous version is put back",
    );
    expect(await home.did("xy probe r")).toContain("r is ready: printed: ready");
  });

  it("are restarted when they were started from an edit, whatever has become of the edit", async () => {
    declare("a");
    await home.did("xy apply --yes");
    const file = unitFile("a");
    const edit = `cp ${file} ~/original; sed -i 's/^UMask=.*/&\\nEnvironment=EVIL=1/' ${file}`;
    const restart = "systemctl --user daemon-reload; systemctl --user restart xy.tools.a";
    const undone = [`cp ~/original ${file}`, `echo '# more' >>${file}`, `rm ${file}`];
    for (const undo of undone) {
      const { a } = await pids();
      await home.did(`${edit}; ${restart}; ${undo}; systemctl --user daemon-reload`);
      // systemd answers once it has forked, which is before the program has its environment.
      await eventually(async () => expect(await environment((await pids()).a, "EVIL"), undo).toBe("EVIL=1"));
      expect(await home.did("xy plan"), undo).toContain("-/+ a will be restarted");
      await home.did("xy apply --yes");
      const now = (await pids()).a;
      expect(now).not.toBe(a);
      expect(await environment(now, "EVIL"), undo).toBe("");
      expect(await home.did("xy plan"), undo).toBe(SAME(1));
    }
  });

  it("are freed of settings that were laid over them for now, too", async () => {
    declare("a");
    await home.did("xy apply --yes");
    const { a } = await pids();
    const folder = "$XDG_RUNTIME_DIR/systemd/user/xy.tools.a.service.d";
    for (const line of [
      "systemctl --user set-property --runtime xy.tools.a CPUWeight=50",
      `mkdir -p ${folder}; printf '[Service]\\nNice=1\\n' >${folder}/n.conf; systemctl --user daemon-reload`,
      "systemctl --user disable -q xy.tools.a; systemctl --user enable -q --runtime xy.tools.a",
    ]) {
      await home.did(line);
      expect((await home.shell("xy plan --detailed-exitcode")).code, line).toBe(4);
      await home.did("xy apply --yes");
      expect(await home.did("xy plan"), line).toBe(SAME(1));
    }
    expect(await pids()).toEqual({ a });
  });

  it("get what is declared, also when the old version came up by itself meanwhile", async () => {
    const flaky = "test -e $HOME/flag || exit 1; exec sleep 600";
    const often = 'restart { backoff-initial "1s"; max-retries-per-minute 100; }';
    script("b", flaky, often);
    await home.shell("xy apply --yes --no-wait");
    script("b", flaky, `${often}\nenv { NEW "1"; }\ndepends-on "slow"`);
    script("slow", "sleep 3; echo up; exec sleep 600", 'readiness "log" pattern="^up$"');
    await home.did("touch ~/flag");
    await home.did("xy apply --yes");
    expect(await environment((await pids()).b, "NEW")).toBe("NEW=1");
    expect(await home.did("xy plan")).toBe(SAME(2));
  });

  it("are stopped whole over a Ctrl-C, and a stop rewrites nothing that somebody changed", async () => {
    const deaf = "trap : TERM; echo up; while :; do sleep 0.1; done";
    script("i", deaf, 'stop { grace "2s"; }\nreadiness "log" pattern="^up$"');
    await home.did("xy apply --yes");
    const isStopping = "systemctl --user is-active xy.tools.i | grep -q deactivating";
    const stop = `setsid '${process.execPath}' '${LAUNCHER}' stop i & p=$!`;
    const { stderr } = await home.shell(`${stop}; until ${isStopping}; do :; done; kill -INT -$p; wait $p`);
    expect(stderr).not.toContain("not installed");
    await eventually(async () =>
      expect(await home.json("list")).toMatchObject([{ state: "stopped", held: true }]),
    );
    const file = unitFile("i");
    await home.did(
      `mkdir ~/dot; mv ${file} ~/dot/; ln -s ~/dot/xy.tools.i.service ${file}; xy stop i; test -L ${file}`,
    );
    await home.did(`rm ${file}`);
    expect(await home.did("xy stop i")).toBe("i: was not running; it is held now");
    expect(await home.shell("xy restart i")).toMatchObject({
      code: 1,
      stderr: "xy: cannot start i: its unit file is gone; `xy apply` writes it again\n",
    });
    expect(await home.json("list")).toMatchObject([{ held: true }]);
    await home.did("xy apply --yes");
    await home.did("xy start i");
    expect(await home.did("xy plan")).toBe(SAME(1));
  });
});
