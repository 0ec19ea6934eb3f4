import { describe, expect, it } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { newHome } from "./cli.ts";

/** One that sleeps in its group, one that has left it, and one with a secret among its arguments. */
const FAMILY = `command "sh"
args "-c" "sleep 601 & setsid sleep 602 & sh -c 'sleep 603; :' $TOKEN & echo up; exec sleep 600"
port "none"
readiness "log" pattern="^up$"
env { TOKEN (env)"XY_TOKEN"; }
`;

describe("xy children", () => {
  it("shows all that runs of a server, as a tree, without its secrets", async () => {
    const home = newHome();
    const env = { XY_TOKEN: "hush-hush", LANG: "C.UTF-8" };
    home.write("servers.d/web.kdl", FAMILY);
    expect(await home.xyIn({ env }, "apply", "--yes")).toMatchObject({ code: 0 });
    const shown = await eventually(async () => {
      const { stdout } = await home.xyIn({ env }, "children", "web");
      for (const command of ["sleep 601", "sleep 602", "sleep 603"]) expect(stdout).toContain(command);
      return stdout;
    });
    expect(shown).toMatch(/^ *PID +CPU +MEMORY +UP +COMMAND\n/);
    expect(shown).toMatch(/% +\d\S+ +\d+s +sleep 600\n/);
    expect(shown).toMatch(/├─ sleep 601\n/);
    expect(shown).toMatch(/ sh -c sleep 603; : \(secret TOKEN\)\n.+ (│ {2}| {3})└─ sleep 603\n/);
    expect(shown).toMatch(/ 5 processes\n$/);
    expect(shown).not.toContain("hush");
    for (const line of shown.split("\n")) expect(line.length).toBeLessThanOrEqual(80);

    const { stdout } = await home.xyIn({ env }, "children", "web", "--json");
    const { pid } = (await home.servers()).web ?? {};
    expect(JSON.parse(stdout)).toMatchObject({
      name: "web",
      project: "tools",
      processes: expect.arrayContaining([
        expect.objectContaining({ pid, command: "sleep 600" }),
        expect.objectContaining({ ppid: pid, command: "sleep 601", threads: 1 }),
      ]),
    });
    expect(stdout).not.toContain("hush");
    await home.did("stop", "web");
    expect(await home.xy("children", "web")).toEqual({
      code: 1,
      stdout: "",
      stderr: "xy: cannot show the processes of web: it is stopped; `xy start web` starts it\n",
    });
    await home.shell("pkill -f 'sleep 602'");
  });
});

describe("xy stats", () => {
  it("counts restarts, failures and the time that was lost, also over the death of the agent", async () => {
    const home = newHome();
    home.declare("web", 'restart { backoff-initial "10ms"; }\n');
    home.declare("still");
    await home.did("apply", "--yes");
    const first = (await home.servers()).web?.pid ?? 0;
    process.kill(first, "SIGKILL");
    await eventually(async () => {
      const { web } = await home.servers();
      expect(web?.state).toBe("running");
      expect(web?.pid).not.toBe(first);
    });
    const counted = { starts: 2, restarts: 1, failures: 1, runs: { count: 1 } };
    const [still, web] = (await home.json("stats")) as { counted: { availability: number } }[];
    expect(still).toMatchObject({
      name: "still",
      state: "running",
      counted: { starts: 1, restarts: 0, runs: null },
    });
    expect(web).toMatchObject({ name: "web", counted });
    expect(web?.counted.availability).toBeGreaterThan(0);
    expect(web?.counted.availability).toBeLessThan(1);
    await home.did("agent", "stop", "--keep-servers");
    expect(await home.json("stats", "web")).toMatchObject([{ name: "web", backend: "agent", counted }]);
    const shown = await home.did("stats");
    expect(shown).toMatch(/^NAME +STATE +AVAILABLE +UPTIME +MEAN RUN +RESTARTS +FAILURES +CPU +MEMORY\n/);
    expect(shown).toMatch(/\nweb +running +\d\S*% +\d+s +\S+ +1 +1 +\d+\.\d% +\d\S+iB\n/);
    await home.did("stop", "--all");
    expect(await home.did("stats", "web")).toMatch(/\nweb +stopped +\S+% +- +\S+ +1 +1 +- +-\n/);
  });
});
