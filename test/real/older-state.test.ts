import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { type FirstAgent, firstAgentLeft } from "../rig/first-agent.ts";
import type { Home } from "../rig/home.ts";
import { isAlive } from "../rig/processes.ts";
import { test as plain } from "../rig/test.ts";

const LAUNCHER = join(import.meta.dirname, "../../bin/xy.js");

interface World {
  readonly first: FirstAgent;
  /** Runs `xy`, which must succeed, where the first agent's configuration is; answers with what it printed. */
  readonly xy: (...args: string[]) => Promise<string>;
}

const test = plain.extend<World>({
  first: async ({ home }, use) => use(await firstAgentLeft(home)),
  xy: async ({ first }, use) => {
    const { env, project: cwd } = first;
    await use(async (...args) => {
      const { stdout } = await promisify(execFile)(process.execPath, [LAUNCHER, ...args], { env, cwd });
      return stdout;
    });
  },
});

const list = async (xy: World["xy"]) => JSON.parse(await xy("list", "--json"));
/** What could not be read. */
const setAside = (home: Home) =>
  readdirSync(home.state, { recursive: true, encoding: "utf8" }).filter((file) => file.includes("set-aside"));

describe("what the first agent left", () => {
  test("is read, and its servers keep running", async ({ home, first, xy }) => {
    const { pid } = first;
    // Nobody reads that yet.
    process.kill(pid, "SIGUSR1");
    const asLeft = [
      {
        name: "broken",
        state: "stopped",
        held: false,
        last_exit: 7,
      },
      { name: "held", state: "stopped", held: true, last_end: { signal: "SIGTERM" } },
      { name: "web", state: "running", pid, held: false, ready: true, restart_count: 0 },
    ];
    expect(await list(xy)).toMatchObject(asLeft);
    expect(await xy("plan", "--detailed-exitcode")).toMatch(
      /^held: held, stopped .*\n\nNo changes\. 3 servers match the configuration\.\n$/,
    );
    await xy("apply", "--yes");
    expect(await list(xy)).toMatchObject(asLeft);
    expect(await xy("history")).toMatch(/^1 {2}\S+ \S+ {2}complete +\+broken \+held \+web \(3 files\)\n$/);
    expect(await xy("logs", "broken")).toBe("[err] no table\n");
    await eventually(async () => expect(await xy("logs", "web")).toBe("[out] up\n[out] told\n"));
    process.kill(pid, "SIGUSR1");
    await eventually(async () => expect(await xy("logs", "web")).toBe("[out] up\n[out] told\n[out] told\n"));
    expect(isAlive(pid)).toBe(true);

    process.kill(pid, "SIGUSR2");
    const again = await eventually(async () => {
      const [, , web] = await list(xy);
      expect(web).toMatchObject({
        state: "running",
        ready: true,
        restart_count: 1,
        last_exit: 7,
      });
      return web;
    });
    expect(again.pid).not.toBe(pid);
    expect(await xy("start", "held")).toBe("held: started\n");
    expect(setAside(home)).toEqual([]);
  });

  test("tells how a server ended that no agent saw end", async ({ first, xy }) => {
    process.kill(first.pid, "SIGUSR2");
    await eventually(() => expect(isAlive(first.pid)).toBe(false));
    await eventually(async () => {
      const [, , web] = await list(xy);
      expect(web).toMatchObject({ restart_count: 1, last_exit: 7 });
    });
    expect(await xy("status", "web")).toContain("exit 7");
  });

  test("is forgotten like all else that was applied", async ({ home, first, xy }) => {
    expect(await xy("destroy", "--yes")).toContain("Destroy complete: 0 added, 0 changed, 3 removed.");
    expect(isAlive(first.pid)).toBe(false);
    expect(readdirSync(join(home.state, "projects"))).toEqual([]);
  });
});
