import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { agentLogPath } from "../../src/system/paths.ts";
import { eventually } from "../rig/eventually.ts";
import { type Home, homesInTurn, newHome as homeWithoutAgent, type Running } from "./cli.ts";

const newHome = homesInTurn();

/** Prints a word, then what is appended to NAME.txt; ends with 3 once there is NAME.end. */
function talking(home: Home, name: string, more = ""): void {
  home.write(`${name}.txt`, "");
  const script = `tail -f ${name}.txt & echo up; until [ -e ${name}.end ]; do sleep 0.05; done; exit 3`;
  home.write(
    `servers.d/${name}.kdl`,
    `command "sh"\nargs "-c" "${script}"\nworking-dir ".."\nport "none"\nreadiness "log" pattern="^up$"\n${more}`,
  );
}

const states = async (home: Home) =>
  Object.fromEntries(Object.values(await home.servers()).map(({ name, state }) => [name, state]));

/** Follows, and has shown output of each. */
async function follows(up: Running, ...names: string[]): Promise<void> {
  for (const name of names)
    await up.prints(new RegExp(`^(\\u001b\\[\\d+m)?${name} *(\\u001b\\[\\d+m)? \\| up`, "m"));
}

describe("xy up", () => {
  it.runIf(process.platform === "linux")(
    "stops at Ctrl-C what it started and nothing else, and holds nothing",
    async () => {
      const home = newHome();
      home.declare("old");
      await home.did("apply", "--yes");
      const { pid } = (await home.servers()).old ?? {};
      home.declare("web");
      home.declare("longer-name");
      const up = home.terminal("NO_COLOR=1 xy up --yes");
      await follows(up, "web", "longer-name");
      expect(await home.did("status", "web")).toMatch(/^ {2}started by: +xy up \(pid \d+\)$/m);
      expect(await home.did("why", "web")).toMatch(
        /It runs because `xy up` \(pid \d+\) started it, and stops when that ends, unless you run `xy start web`/,
      );
      up.types("\u0003");
      const { code, stdout } = await up.ended;
      expect(code).toBe(0);
      expect(stdout).toContain("web         | up\r\n");
      expect(stdout).toContain("web         | stopped\r\n");
      expect(stdout).toContain(
        "Stopped longer-name, web. Left running, because this session did not start them: old.\r\n",
      );
      expect(await home.servers()).toMatchObject({
        old: { state: "running", pid },
        web: { state: "stopped", held: false },
      });
      expect(await home.did("plan")).toContain(
        "Plan: 0 to add, 2 to change (longer-name, web), 0 to remove.\n",
      );
      expect(await home.did("why", "web")).toMatch(
        /^web stopped .*: the `xy up` that started it has ended\./,
      );
    },
  );

  it("leaves a server that ran before, also when it restarts it, and one that is started by hand meanwhile", async () => {
    const home = newHome();
    home.declare("old");
    await home.did("apply", "--yes");
    home.declare("old", 'env { LEVEL "debug"; }');
    home.declare("mine");
    home.declare("taken");
    expect(await home.xy("up")).toMatchObject({
      code: 1,
      stderr: "xy: nothing was applied: there is no terminal to ask on; say --yes to go ahead\n",
    });
    const up = home.xyRunning("up", "--yes");
    await follows(up, "old", "mine", "taken");
    await home.did("start", "taken");
    up.child.kill("SIGINT");
    expect(await up.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(
        "Stopped mine. Left running, because this session did not start them: old, taken.\n",
      ),
    });
    expect(await states(home)).toEqual({ old: "running", mine: "stopped", taken: "running" });
  });

  it("that is killed is noticed by the agent", async () => {
    const home = newHome();
    home.declare("old");
    await home.did("apply", "--yes");
    home.declare("web");
    const up = home.xyRunning("up", "--yes");
    await follows(up, "web");
    up.child.kill("SIGKILL");
    await eventually(async () => expect(await states(home)).toEqual({ old: "running", web: "stopped" }));
    expect(await home.servers()).toMatchObject({ web: { held: false } });
  });

  it("that is killed is noticed also by an agent that knew the server before", async () => {
    const home = newHome();
    home.declare("web");
    for (let time = 0; time < 2; time++) {
      const up = home.xyRunning("up", "--yes");
      await follows(up, "web");
      up.child.kill("SIGKILL");
      await eventually(async () => expect(await states(home)).toEqual({ web: "stopped" }));
      await home.did("agent", "stop");
    }
  });

  it("follows many servers, and Node has nothing to warn the agent of", async () => {
    const home = newHome();
    const names = ["a", "b", "c", "d", "e", "f"];
    for (const name of names) home.declare(name);
    const up = home.xyRunning("up", "--yes");
    await follows(up, ...names);
    up.child.kill("SIGINT");
    await up.ended;
    expect(readFileSync(agentLogPath(home.state), "utf8")).not.toContain("Warning");
  });

  it.runIf(process.platform === "linux")("ends with its terminal", async () => {
    const home = newHome();
    home.declare("web");
    const up = home.terminal("xy up --yes");
    await follows(up, "web");
    up.child.kill("SIGKILL");
    await eventually(async () => expect(await states(home)).toEqual({ web: "stopped" }));
  });

  it("goes on when the agent dies or is upgraded, and shows each line once", async () => {
    const home = newHome();
    talking(home, "web");
    const up = home.xyRunning("up", "--yes");
    await follows(up, "web");
    await home.shell("echo before >> web.txt");
    await up.prints("web | before\n");
    const { pid } = (await home.json("agent", "status")) as { pid: number };
    process.kill(pid, "SIGKILL");
    await home.shell("echo after >> web.txt");
    await up.prints("web | after\n");
    await home.did("agent", "upgrade", "--force");
    await home.shell("echo upgraded >> web.txt");
    await up.prints("web | upgraded\n");
    up.child.kill("SIGINT");
    const { code, stdout, stderr } = await up.ended;
    expect([code, stderr]).toEqual([0, "xy: the agent died; waiting for the next one\n"]);
    const lines = stdout.split("\n").filter((line) => line.startsWith("web | "));
    expect(lines.filter((line) => /up|before|after/.test(line))).toEqual([
      "web | up",
      "web | before",
      "web | after",
      "web | upgraded",
    ]);
    expect(await states(home)).toEqual({ web: "stopped" });
  });

  it("owns what it starts, whoever else has a session", async () => {
    const home = newHome();
    home.declare("a");
    const first = home.xyRunning("up", "--yes");
    await follows(first, "a");
    home.declare("b");
    const second = home.xyRunning("up", "--yes");
    await follows(second, "b");
    first.child.kill("SIGINT");
    expect((await first.ended).stdout).toContain("Stopped a.");
    expect(await states(home)).toEqual({ a: "stopped", b: "running" });
    await second.prints("a | stopped");
    second.child.kill("SIGINT");
    expect((await second.ended).stdout).toContain("Stopped b.");
    expect(await states(home)).toEqual({ a: "stopped", b: "stopped" });
  });

  it("says what becomes of its servers, and ends when nothing runs any more", async () => {
    const home = newHome();
    talking(home, "web", 'restart { backoff-initial "1s"; max-retries-per-minute 1; }\n');
    const up = home.xyRunning("up", "--yes");
    await follows(up, "web");
    home.write("web.end", "");
    await up.prints("web | restarting: exit 3; starts again after 1s\n");
    const { code, stdout, stderr } = await up.ended;
    expect(stdout).toContain("web | failed: exit 3; 1 restart in the last minute\n");
    expect([code, stderr]).toEqual([1, "xy: no server is running any more; failed: web\n"]);
  });

  it("ends well when all it has are done", async () => {
    const home = newHome();
    home.write("servers.d/job.kdl", 'command "sh"\nargs "-c" "echo done"\nport "none"\n');
    const { code, stdout } = await home.xy("up", "--yes");
    expect(stdout).toMatch(/job \| done\nNo server is running any more\.\n$/);
    expect(code).toBe(0);
  });

  it("follows the others when one does not come up, and ends with 1 then", async () => {
    const home = newHome();
    home.declare("good");
    home.write(
      "servers.d/bad.kdl",
      'command "sh"\nargs "-c" "echo no luck; exit 7"\nport "none"\nrestart { policy "never"; }\n',
    );
    const up = home.xyRunning("up", "--yes");
    await follows(up, "good");
    expect(up.stdout).toContain("bad: cannot add: ended: exit 7\n  | no luck\n");
    up.child.kill("SIGINT");
    expect(await up.ended).toMatchObject({ code: 1, stdout: expect.stringContaining("Stopped good.\n") });
  });

  it("stops what it has begun when it is interrupted before all are ready", async () => {
    const home = newHome();
    home.declare("web");
    home.write(
      "servers.d/slow.kdl",
      'command "sleep"\nargs "600"\nport "none"\nreadiness "log" pattern="never"\n',
    );
    const up = home.xyRunning("up", "--yes");
    await up.prints("web: added");
    up.child.kill("SIGINT");
    expect(await up.ended).toMatchObject({ code: 130 });
    expect(await states(home)).toEqual({ slow: "stopped", web: "stopped" });
  });

  it("does not wait at a second Ctrl-C, and the agent goes on with the stop", async () => {
    const home = newHome();
    home.write(
      "servers.d/greedy.kdl",
      `command "sh"\nargs "-c" "trap '' TERM; echo up; while :; do sleep 0.1; done"\nport "none"\nreadiness "log" pattern="^up$"\nstop { grace "3s"; }\n`,
    );
    const up = home.xyRunning("up", "--yes");
    await follows(up, "greedy");
    up.child.kill("SIGINT");
    await up.prints("greedy | stopping\n");
    up.child.kill("SIGINT");
    expect((await up.ended).code).toBe(130);
    expect(await states(home)).toEqual({ greedy: "stopping" });
    await eventually(async () => expect(await states(home)).toEqual({ greedy: "stopped" }));
  });

  it("ends when the agent is told to, and the next agent stops what was left running", async () => {
    const home = newHome();
    home.declare("web");
    const up = home.xyRunning("up", "--yes");
    await follows(up, "web");
    await home.did("agent", "stop", "--keep-servers");
    expect(await up.ended).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("the next one stops what this session started\n"),
    });
    await eventually(async () => expect(await states(home)).toEqual({ web: "stopped" }));
  });

  it("has nothing to do, and starts no agent, where nothing is declared", async () => {
    const home = homeWithoutAgent();
    home.write("xy.config.kdl", "");
    expect(await home.did("up")).toBe("No changes. 0 servers match the configuration.\n");
    expect(await home.json("agent", "status")).toMatchObject({ running: false });
  });

  it("leaves a held server held, and says so", async () => {
    const home = newHome();
    home.declare("held");
    await home.did("apply", "--yes");
    await home.did("stop", "held");
    const up = await home.xy("up", "--yes");
    expect(up.stdout).toMatch(/^held: held, stopped .*; it stays stopped until `xy start held`$/m);
    expect(up.stdout).toContain("No server is running any more.\n");
    expect(await home.servers()).toMatchObject({ held: { state: "stopped", held: true } });
  });

  it("prints a document a line with --json", async () => {
    const home = newHome();
    home.declare("web");
    const up = home.xyRunning("up", "--yes", "--json");
    await up.prints('"line":"up"');
    up.child.kill("SIGINT");
    const { code, stdout } = await up.ended;
    expect(code).toBe(0);
    const documents = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(documents[0]).toMatchObject({ name: "web", stream: "stdout", line: "up" });
    expect(documents.at(-1)).toMatchObject({ type: "state", name: "web", state: "stopped" });
  });

  it("goes on for what starts once a task has completed", async () => {
    const home = newHome();
    talking(home, "web", 'depends-on "seed" condition="completed"');
    const script = "echo seeding; until [ -e seeded ]; do sleep 0.05; done";
    home.write(
      "servers.d/seed.kdl",
      `command "sh"\nargs "-c" "${script}"\nworking-dir ".."\nport "none"\nrestart policy="never"`,
    );
    const up = home.xyRunning("up", "--yes", "--no-wait");
    await up.prints(/seed +\| seeding/);
    home.write("seeded", "");
    await up.prints(/web +\| up/);
    up.child.kill("SIGINT");
    expect((await up.ended).stdout).toContain("Stopped web.");
  });
});
