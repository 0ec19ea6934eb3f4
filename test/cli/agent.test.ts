import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { eventually } from "../rig/eventually.ts";
import { otherVersion } from "../rig/package.ts";
import { LAUNCHER, newHome } from "./cli.ts";

interface AgentStatus {
  readonly running: boolean;
  readonly pid?: number;
}

it("starts by itself when it is needed, and not before", async () => {
  const home = newHome();
  home.declare("web");
  for (const words of [["check"], ["plan"], ["list"], ["agent", "status"]]) {
    expect((await home.xy(...words)).code).toBe(0);
    expect(await home.json("agent", "status")).toEqual({ running: false });
  }
  await home.did("apply", "--yes");
  expect(await home.json("agent", "status")).toMatchObject({ running: true, servers: 1 });
  expect(await home.did("agent", "status")).toMatch(/, 1 server\.\n/);
});

it("says in the foreground that nothing has been applied yet, and evaluates nothing", async () => {
  const home = newHome();
  home.write("../.config/xy/xy.config.ts", "throw new Error('evaluated');\n");
  home.write("../.config/xy/servers.d/web.kdl", 'command "sleep"\n');
  const agent = home.start({}, process.execPath, LAUNCHER, "agent", "run");
  await eventually(async () =>
    expect(JSON.parse(await home.did("agent", "status", "--json"))).toMatchObject({ running: true }),
  );
  await home.did("agent", "stop");
  const { stderr } = await agent.ended;
  expect(stderr).toMatch(
    /^xy: nothing has been applied yet; \S+xy has 2 files of a configuration: `xy apply` starts the declared servers\n/,
  );
  expect(stderr).not.toContain("evaluated");
});

it("stops the servers with it, and brings them back when it starts", async () => {
  const home = newHome();
  home.declare("web");
  home.declare("held");
  await home.did("apply", "--yes");
  await home.did("stop", "held");
  expect(await home.did("agent", "stop")).toBe("The agent has stopped, and with it web.\n");
  expect(await home.did("agent", "stop")).toBe("No agent is running.\n");
  expect(await home.did("agent", "start")).toMatch(/^The agent is running \(pid \d+\)\.\n$/);
  expect(await home.did("agent", "start")).toMatch(/^The agent is already running \(pid \d+\)\.\n$/);
  await eventually(async () => {
    expect(await home.servers()).toMatchObject({
      web: { state: "running" },
      held: { state: "stopped", held: true },
    });
  });
});

it("leaves the servers when it is told to, and finds them again", async () => {
  const home = newHome();
  home.declare("web");
  await home.did("apply", "--yes");
  const { pid } = (await home.servers()).web ?? {};
  expect(await home.xy("agent", "stop", "--keep-servers")).toMatchObject({
    code: 0,
    stdout: "The agent has stopped.\n",
    stderr: expect.stringContaining("The servers keep running."),
  });
  expect(() => process.kill(pid as number, 0)).not.toThrow();
  expect(await home.servers()).toMatchObject({ web: { state: "running", pid, restart_count: 0 } });
});

it("comes back by itself when it is killed, and no server notices", async () => {
  const home = newHome();
  home.declare("web");
  await home.did("apply", "--yes");
  const before = await home.servers();
  const { pid } = (await home.json("agent", "status")) as AgentStatus;
  process.kill(pid as number, "SIGKILL");
  await eventually(async () => {
    const now = (await home.json("agent", "status")) as AgentStatus;
    expect(now).toMatchObject({ running: true });
    expect(now.pid).not.toBe(pid);
  });
  expect((await home.servers()).web?.pid).toBe(before.web?.pid);
  expect(await home.did("plan")).toBe("No changes. 1 server matches the configuration.\n");
});

it("runs in the foreground too, alone", async () => {
  const home = newHome();
  home.declare("web");
  const agent = home.xyRunning("agent", "run");
  await agent.prints("serves 0 servers on ");
  expect(await home.xy("daemon")).toMatchObject({
    code: 75,
    stderr: expect.stringContaining(
      "cannot run the agent: another one is already running; see `xy agent status`",
    ),
  });
  await home.did("apply", "--yes");
  const { pid } = (await home.servers()).web ?? {};
  agent.child.kill("SIGINT");
  await agent.ended;
  expect(() => process.kill(pid as number, 0)).toThrow();
});

it("is upgraded by an xy of another version, and says that there is one", async () => {
  const home = newHome();
  home.declare("web");
  await home.did("apply", "--yes");
  const before = await home.servers();
  expect(await home.did("agent", "upgrade")).toMatch(
    /^The agent has version \S+ already\. There is nothing to upgrade\.\n$/,
  );
  const other = otherVersion(home.pathOf("other"), "0.99.0");
  const run = (...words: string[]) => home.start({}, process.execPath, other, "agent", ...words).ended;
  expect((await run("status")).stderr).toBe(
    "This xy is version 0.99.0: `xy agent upgrade` switches to it.\n",
  );
  expect(await run("upgrade")).toEqual({
    code: 0,
    stdout: expect.stringMatching(
      /^Upgraded from \S+ to 0\.99\.0: 1 server kept, control socket away for \d+ ms\.\n$/,
    ),
    stderr: "",
  });
  expect((await run("status")).stderr).toBe("");
  expect((await home.servers()).web?.pid).toBe(before.web?.pid);
  await home.did("agent", "stop");
  expect(await run("upgrade")).toMatchObject({
    code: 0,
    stdout: "No agent is running. There is nothing to upgrade.\n",
  });
});

it("is not upgraded in the foreground, where nothing would restart it", async () => {
  const home = newHome();
  const agent = home.xyRunning("agent", "run");
  await agent.prints("serves 0 servers on ");
  expect(await home.xy("agent", "upgrade", "--force")).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^xy: cannot upgrade an agent that nothing restarts.*--keep-servers/),
  });
});

it.runIf(process.platform === "linux")("is not installed where there is no service manager", async () => {
  const home = newHome();
  const env = { XDG_RUNTIME_DIR: home.path };
  expect(await home.xyIn({ env }, "agent", "install")).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/^xy: cannot reach the systemd of this account: .*: log in to it directly/),
  });
  expect(existsSync(join(home.path, ".config"))).toBe(false);
});
