import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

let home: Home;
beforeEach(() => {
  home = newHome();
});

describe("a project's name on the command line", () => {
  test.each(["", "..", "../..", "a/b", "A"])("%j is refused before it leads anywhere", async (name) => {
    home.declare("web");
    await home.did("apply", "--yes");
    for (const command of ["destroy", "history", "rollback", "list"]) {
      const yes = command === "destroy" || command === "rollback" ? ["--yes"] : [];
      expect(await home.xy(command, "--project", name, ...yes)).toMatchObject({ code: 64 });
    }
    expect(existsSync(join(home.state, "projects/tools/servers/web/spec.json"))).toBe(true);
    expect(await home.servers()).toMatchObject({ web: { state: "running" } });
  });

  test("that nobody applied is no project to destroy", async () => {
    const outcome = await home.xy("destroy", "--project", "nothing", "--yes");
    expect(outcome).toMatchObject({ code: 1 });
    expect(outcome.stderr).toContain("cannot find project nothing");
  });
});

test("two projects in one folder are told apart by the file that is named", async () => {
  const server = 'command: sh\nargs: ["-c", "exec sleep 600"]\nport: none\n';
  for (const name of ["alpha", "beta"]) {
    home.write(
      `${name}.yaml`,
      `project: ${name}\nservers:\n  on-${name}:\n    ${server.replaceAll("\n", "\n    ")}\n`,
    );
    await home.did("apply", "--yes", "--config", `${name}.yaml`);
  }
  await home.did("stop", "--all", "--config", "beta.yaml");
  expect(await home.servers()).toMatchObject({
    "on-alpha": { state: "running" },
    "on-beta": { state: "stopped" },
  });
  const unclear = await home.xy("destroy", "--yes");
  expect(unclear).toMatchObject({ code: 1 });
  expect(unclear.stderr).toContain("name one with --project: alpha, beta");
  await home.did("destroy", "--yes", "--config", "beta.yaml");
  expect(Object.keys(await home.servers())).toEqual(["on-alpha"]);
});

test("an agent of another state folder that took the socket is not talked to", async () => {
  const runtime = join(home.path, "run");
  mkdirSync(runtime, { mode: 0o700 });
  home.declare("web");
  const env = { XDG_RUNTIME_DIR: runtime };
  const as = (state: string, ...words: string[]) =>
    home.xyIn({ env: { ...env, XDG_STATE_HOME: join(home.path, state) } }, ...words);
  expect(await as("a", "apply", "--yes")).toMatchObject({ code: 0 });
  // The first agent's socket vanishes, and a second agent binds that path.
  rmSync(join(runtime, "xy.sock"));
  expect(await as("b", "agent", "start")).toMatchObject({ code: 0 });
  const list = await as("b", "list", "--json");
  expect(JSON.parse(list.stdout)).toEqual([]);
  expect((await as("a", "plan")).stdout).toContain("No changes. 1 server matches");
  expect(await as("a", "destroy", "--yes")).toMatchObject({ code: 0 });
  for (const state of ["a", "b"]) expect(await as(state, "agent", "stop")).toMatchObject({ code: 0 });
});

test("entries that others leave in the state folder harm nothing", async () => {
  home.declare("web");
  await home.did("apply", "--yes");
  await home.did("agent", "stop", "--keep-servers");
  const projects = join(home.state, "projects");
  writeFileSync(join(projects, ".DS_Store"), "x");
  writeFileSync(join(projects, "tools/servers/.DS_Store"), "x");
  mkdirSync(join(projects, "other"));
  writeFileSync(join(projects, "other/project.json"), '{"root": "/');
  mkdirSync(join(projects, "tools/servers/gone/log"), { recursive: true });
  expect(await home.did("plan")).toContain("No changes. 1 server matches");
  await home.did("stop", "--all");
  await home.did("start", "--all");
  expect(readdirSync(join(projects, "other"))).toEqual([expect.stringContaining("project.json.set-aside-")]);
});

test.each([
  ["timeout", '"600" "sleep" "600"'],
  ["setsid", '"--wait" "sleep" "600"'],
])("a server that leaves its group, as under %s, is stopped all the same", async (command, args) => {
  home.write("servers.d/web.kdl", `command "${command}"\nargs ${args}\nport "none"\nstop { grace "1s" }\n`);
  await home.did("apply", "--yes");
  await home.did("stop", "web");
  expect(await home.servers()).toMatchObject({ web: { state: "stopped" } });
});

test("a pattern that is none is refused on the wire, and the agent lives on", async () => {
  home.declare("web");
  await home.did("apply", "--yes");
  const { spec } = (await home.json("status", "web")) as { spec: object };
  const { pid } = (await home.json("agent", "status")) as { pid: number };
  const params = {
    project: "tools",
    server: "web",
    action: "restart",
    wait_ms: 0,
    spec: { ...spec, readiness: { ...timing, type: "log", pattern: "(?<a" } },
  };
  expect(await home.call("apply", params)).toMatchObject({ error: { code: -32602 } });
  expect(await home.json("agent", "status")).toMatchObject({ pid });
});

const timing = { interval: 1000, timeout: 1000, startPeriod: 1000, failureThreshold: 1, successThreshold: 1 };

test("without waiting, a program that cannot run is a failure all the same", async () => {
  home.write("tool", "echo no first line");
  await home.shell("chmod +x tool");
  home.write("servers.d/web.kdl", 'command "../tool"\nport "none"\n');
  const outcome = await home.xy("apply", "--yes", "--no-wait");
  expect(outcome).toMatchObject({ code: 1 });
  expect(outcome.stdout).toContain("neither a binary nor a script with a #! line");
});

test("a wait of more than an hour is refused before anything is done", async () => {
  home.declare("web");
  expect(await home.xy("apply", "--yes", "--wait-timeout", "2h")).toMatchObject({ code: 64 });
  expect(await home.servers()).toEqual({});
});
