import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { identify } from "../../src/system/processes.ts";
import { newHome as aloneHome, homesInTurn } from "../cli/cli.ts";
import { eventually } from "../rig/eventually.ts";

const newHome = homesInTurn();

/** What a server can do to whoever keeps it. Every other server, and every command, goes on meanwhile. */

/** A line on which a matcher that goes back takes hours: each word may be the one that the next part begins after. */
const TRAP = `const line = "ready listening ".repeat(4096); setInterval(() => console.log(line), 100);`;

test("a line that a pattern could be slow on keeps nobody waiting", async () => {
  const home = newHome();
  home.write(
    "servers.d/trap.kdl",
    `command "node"\nargs "-e" ${JSON.stringify(TRAP)}\nport "none"\nreadiness "log" pattern="ready.*listening.*port"\n`,
  );
  home.declare("web");
  await home.did("apply", "--yes", "--no-wait");
  const printed = home.xyRunning("logs", "trap", "--follow");
  await printed.prints("ready listening ready");
  expect(await home.servers()).toMatchObject({
    web: { state: "running" },
    trap: { state: "running" },
  });
  expect(await home.did("stop", "web")).toContain("web");
  const probe = await home.xy("probe", "trap");
  expect(probe).toMatchObject({ code: 1, stdout: expect.stringContaining("matches ready.*listening.*port") });
});

test("a flood of output before readiness keeps nobody waiting, and its line is found", async () => {
  const home = newHome();
  const flood =
    "i=0; while [ $i -lt 20000 ]; do echo $i of a flood of lines that nobody waits for; i=$((i+1)); done; echo now it is ready; exec sleep 600";
  home.write(
    "servers.d/loud.kdl",
    `command "sh"\nargs "-c" ${JSON.stringify(flood)}\nport "none"\nreadiness "log" pattern="is (ready|up)$"\n`,
  );
  home.declare("web");
  expect(await home.did("apply", "--yes")).toContain("loud: added, ready: printed: now it is ready");
});

describe("a server that writes into its run folder", () => {
  /** A server that runs without an agent, with its run folder, and somebody who has nothing to do with it. */
  async function unattended() {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    const pid = (await home.servers()).web?.pid as number;
    await home.did("agent", "stop", "--keep-servers");
    const bystander = spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
    onTestFinished(() => void bystander.kill("SIGKILL"));
    await once(bystander, "spawn");
    return { home, pid, dir: join(home.state, "projects/tools/servers/web/run/1"), bystander };
  }
  const lives = (pid: number | undefined) => pid !== undefined && identify(pid) !== undefined;

  test("has no bystander ended for it", async () => {
    const { home, pid, dir, bystander } = await unattended();
    writeFileSync(join(dir, "keeper"), `${bystander.pid}\n`);
    expect(await home.servers()).toMatchObject({ web: { state: "running", pid } });
    await home.did("stop", "web");
    expect(lives(pid)).toBe(false);
    expect(lives(bystander.pid)).toBe(true);
  });

  test("has no bystander taken for its program, when xy's record of it is lost, too", async () => {
    const { home, pid, dir, bystander } = await unattended();
    rmSync(join(home.state, "projects/tools/servers/web/state.json"));
    writeFileSync(join(dir, "pid"), `${bystander.pid}\n`);
    await home.xy("restart", "web");
    await home.did("destroy", "--yes");
    expect(lives(pid)).toBe(false);
    expect(lives(bystander.pid)).toBe(true);
  });

  test.each(["status", "keeper", "pid"])("keeps nobody waiting with a fifo in place of %s", async (name) => {
    const { home, dir } = await unattended();
    rmSync(join(dir, name), { force: true });
    await home.shell(`mkfifo ${join(dir, name)}`);
    expect(await home.servers()).toMatchObject({ web: { state: "running" } });
    await home.did("stop", "web");
    await home.did("start", "web");
  });

  test.each(["out", "alive", "release"])("keeps its keeper with a file in place of %s", async (name) => {
    const { home, pid, dir } = await unattended();
    rmSync(join(dir, name));
    writeFileSync(join(dir, name), "x");
    expect(await home.servers()).toMatchObject({ web: { state: "running", pid } });
    await home.did("restart", "web");
    expect(lives(pid)).toBe(false);
    await home.did("destroy", "--yes");
  });

  test("gathers nothing of what it writes to its keeper's fifo", async () => {
    // Its agent has held nothing else.
    const home = aloneHome();
    const flood =
      "cd $(dirname $(readlink /proc/$$/fd/1)); yes xxxxxxxxxxxxxxxx | tr -d '\\n' | head -c 50000000 >alive; echo done; exec sleep 600";
    home.write(
      "servers.d/web.kdl",
      `command "sh"\nargs "-c" ${JSON.stringify(flood)}\nport "none"\nreadiness "log" pattern="^done$"\n`,
    );
    await home.did("apply", "--yes");
    const { pid } = (await home.json("agent", "status")) as { pid: number };
    const resident = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
    expect(resident).toBeLessThan(250_000);
    await home.did("stop", "web");
  });
});

test("nothing that xy writes can be written by others, whatever the umask", async () => {
  const home = aloneHome();
  home.declare("web", 'umask "000"\naction "say" { script "#!/bin/sh\\ntrue"; }');
  const line = "umask 000; xy apply --yes && xy run web:say && xy stop web && xy start web";
  expect(await home.shell(line)).toMatchObject({ code: 0 });
  const open = await home.shell("find ~/.local ~/.cache -perm /022 ! -type l 2>/dev/null");
  expect(open.stdout).toBe("");
  // The server itself has the umask that it was given.
  home.write(
    "servers.d/loose.kdl",
    'command "sh"\nargs "-c" "echo >loose; exec sleep 600"\nport "none"\numask "000"\nworking-dir ".."\n',
  );
  await home.did("apply", "--yes");
  await eventually(() => expect(statSync(join(home.project, "loose")).mode & 0o777).toBe(0o666));
});
