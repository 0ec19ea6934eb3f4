import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { homesInTurn, NEVER_READY } from "./cli.ts";

const newHome = homesInTurn();

const GATED =
  'command "sh"\nargs "-c" "until [ -e go ]; do sleep 0.05; done; echo up; exec sleep 600"\nworking-dir ".."\nport "none"\nreadiness "log" pattern="^up$"\n';

/** Wherever an apply is cut off: the next plan says what is left to do, and the next apply does it. */
describe("an apply that is cut off", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "by %s says so, and leaves the rest for the next",
    async (signal) => {
      const home = newHome();
      home.write("servers.d/first.kdl", GATED);
      home.declare("second", 'depends-on "first"');
      const apply = home.xyRunning("apply", "--yes");
      await apply.prints("first: adding");
      apply.child.kill(signal);
      const { code, stdout } = await apply.ended;
      expect(code).toBe(signal === "SIGINT" ? 130 : 143);
      expect(stdout).toContain("second: not added: interrupted before it began\n");
      const history = await home.did("history");
      expect(history).toMatch(/^1 {2}\S+ \S+ {2}interrupted {2}/);
      await eventually(async () =>
        expect(await home.servers()).toMatchObject({ first: { state: "running" } }),
      );

      home.write("go", "");
      expect(await home.did("plan")).toContain("Plan: 1 to add (second), 0 to change, 0 to remove.\n");
      await home.did("apply", "--yes");
      expect(await home.did("plan")).toBe("No changes. 2 servers match the configuration.\n");
    },
  );

  it("listens for that once for each server, and Node has nothing to warn of", async () => {
    const home = newHome();
    for (let i = 0; i < 12; i++) home.declare(`s${i}`);
    expect(await home.xy("apply", "--yes")).toMatchObject({ code: 0, stderr: "" });
  });

  it("by SIGKILL leaves a lock that proves to be nobody's", async () => {
    const home = newHome();
    home.write("servers.d/slow.kdl", NEVER_READY);
    const apply = home.xyRunning("apply", "--yes");
    await apply.prints("slow: adding");
    apply.child.kill("SIGKILL");
    await apply.ended;
    expect(readdirSync(join(home.state, "locks/tools"))).not.toEqual([]);
    home.declare("next");
    expect((await home.xy("apply", "--yes", "--no-wait")).code).toBe(0);
    expect(Object.keys(await home.servers())).toEqual(["next", "slow"]);
  });

  it("in a change leaves a process that the next plan knows to be of before", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    const { pid } = (await home.servers()).web ?? {};
    home.write("servers.d/web.kdl", NEVER_READY);
    const apply = home.xyRunning("apply", "--yes");
    await apply.prints("web: restarting");
    apply.child.kill("SIGKILL");
    await apply.ended;
    const plan = await home.xy("plan", "--detailed-exitcode");
    const now = (await home.servers()).web?.pid;
    // Killed before the agent heard of it, or after: either way the plan tells what is.
    if (plan.code === 4) expect(now).toBe(pid);
    else expect(now).not.toBe(pid);
    expect((await home.xy("apply", "--yes", "--no-wait")).code).toBe(0);
    expect((await home.servers()).web?.pid).not.toBe(pid);
    expect((await home.xy("plan", "--detailed-exitcode")).code).toBe(0);
  });
});

describe("an apply that does not wait long enough", () => {
  it("fails, says what the server said last, and goes on with the others", async () => {
    const home = newHome();
    home.write(
      "servers.d/slow.kdl",
      'command "sh"\nargs "-c" "echo warming up; sleep 600"\nport "none"\nreadiness "log" pattern="never"\n',
    );
    home.declare("good");
    home.declare("after", 'depends-on "slow"');
    const { code, stdout } = await home.xy("apply", "--yes", "--wait-timeout", "500ms");
    expect(stdout).toMatch(
      /^slow: cannot add: not ready after 500ms: .*\n {2}if it needs longer to start, .*\n {2}\| warming up$/m,
    );
    expect(stdout).toContain("good: added, ready: printed: up\n");
    expect(stdout).toContain(
      "after: waits for slow to be ready: stopped: an apply left it stopped: not ready after 500ms",
    );
    expect(stdout).toContain("Apply failed: 1 failed (slow); 1 waiting (after); 1 done (good).\n");
    expect(code).toBe(1);
  });
});
