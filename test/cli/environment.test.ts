import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newHome } from "./cli.ts";

describe("where xy is called from", () => {
  it("keeps its state in $XDG_STATE_HOME, and its socket in $XDG_RUNTIME_DIR", async () => {
    const home = newHome();
    home.declare("web");
    await home.shell("mkdir -m 700 ~/state ~/run");
    const env = { XDG_STATE_HOME: join(home.path, "state"), XDG_RUNTIME_DIR: join(home.path, "run") };
    expect(await home.xyIn({ env }, "apply", "--yes")).toMatchObject({ code: 0 });
    const { stdout } = await home.xyIn(
      { env: { XDG_STATE_HOME: env.XDG_STATE_HOME } },
      "agent",
      "status",
      "--json",
    );
    expect(JSON.parse(stdout)).toMatchObject({
      running: true,
      socket: join(home.path, "run/xy.sock"),
      state_dir: join(home.path, "state/xy"),
    });
    expect(existsSync(home.state)).toBe(false);
    await home.xyIn({ env }, "agent", "stop");
  });

  it("ignores relative XDG folders", async () => {
    const home = newHome();
    home.declare("web");
    const env = { XDG_STATE_HOME: "state", XDG_CONFIG_HOME: "config" };
    expect(await home.xyIn({ env }, "plan")).toMatchObject({ code: 0, stderr: "" });
    expect(existsSync(join(home.project, "state"))).toBe(false);
  });

  it("has its socket in the state folder where the runtime folder is not there, and says so", async () => {
    const home = newHome();
    home.declare("web");
    const env = { XDG_RUNTIME_DIR: join(home.path, "nowhere") };
    expect(await home.xyIn({ env }, "apply", "--yes")).toMatchObject({ code: 0 });
    const { stdout, stderr } = await home.xyIn({ env }, "agent", "status");
    expect(stdout).toContain(join(home.state, "xy.sock"));
    expect(stderr).toBe(
      `XDG_RUNTIME_DIR (${env.XDG_RUNTIME_DIR}) does not exist: the socket is in the state folder instead.\n`,
    );
  });

  it("goes to the home folder from one that was deleted, and says so", async () => {
    const home = newHome();
    home.write(join(home.path, ".config/xy/servers.d/web.kdl"), 'command "sh"\nport "none"\n');
    const gone = join(home.path, "gone");
    const line = (words: string) => `mkdir '${gone}' && cd '${gone}' && rmdir '${gone}' && xy ${words}`;
    const said = `xy: the working folder no longer exists: working in ${home.path} instead\n`;
    expect(await home.shell(line("check"))).toMatchObject({
      stdout: "The configuration is valid: project default, 1 server.\n",
      stderr: expect.stringContaining(said),
    });
    for (const words of ["--version", "--help", "help plan"])
      expect((await home.shell(line(words))).stderr).not.toContain("xy: ");
  });

  it("knows the account's home where HOME is not set", async () => {
    const home = newHome();
    home.declare("web");
    expect(await home.xyIn({ env: { HOME: undefined } }, "check")).toEqual({
      code: 0,
      stdout: "The configuration is valid: project tools, 1 server.\n",
      stderr: "",
    });
  });

  // Root writes wherever it wants, except where the system makes the files.
  it.runIf(process.platform === "linux")(
    "plans in a home that cannot be written, and says why it cannot apply",
    async () => {
      const home = newHome();
      home.declare("web");
      const env = { HOME: "/sys" };
      expect(await home.xyIn({ env }, "plan")).toMatchObject({ code: 0, stderr: "" });
      const { code, stderr } = await home.xyIn({ env }, "apply", "--yes");
      expect(stderr).toMatch(
        /^xy: cannot make the folder \/sys\/.*; see that HOME, or XDG_STATE_HOME, is a folder that you can write\n/,
      );
      expect(code).toBe(1);
    },
  );

  it("goes up to the nearest configuration, and no higher than home", async () => {
    const home = newHome();
    home.declare("web");
    await home.shell("mkdir -p a/b");
    const { stdout } = await home.xyIn({ cwd: join(home.project, "a/b") }, "check");
    expect(stdout).toBe("The configuration is valid: project tools, 1 server.\n");
    expect((await home.xyIn({ cwd: home.path }, "check")).code).toBe(3);
    home.write(join(home.path, ".config/xy/servers.d/web.kdl"), 'command "sh"\nport "none"\n');
    expect((await home.xyIn({ cwd: home.path }, "check")).stdout).toBe(
      "The configuration is valid: project default, 1 server.\n",
    );
  });

  it("reads its flags from XY_ variables", async () => {
    const home = newHome();
    home.declare("web");
    const env = { XY_CONFIG: home.project, XY_WAIT_TIMEOUT: "soon" };
    expect((await home.xyIn({ cwd: "/", env }, "check")).code).toBe(0);
    expect((await home.xyIn({ cwd: "/", env }, "apply", "--yes")).stderr).toContain(
      "cannot read --wait-timeout soon",
    );
  });
});

describe("a server's environment", () => {
  it("is the same from every shell", async () => {
    const home = newHome();
    home.write(
      "servers.d/web.kdl",
      'command "sh"\nargs "-c" "env; echo up; exec sleep 600"\nport "none"\nreadiness "log" pattern="^up$"\nenv {\n  OWN "{name} {env.LANG}"\n}\n',
    );
    const first = await home.xyIn(
      { env: { LANG: "tlh", EDITOR: "ed", TMPDIR: "/nowhere" } },
      "apply",
      "--yes",
    );
    expect(first.code).toBe(0);
    const lines = (await home.did("logs", "web"))
      .trimEnd()
      .split("\n")
      .map((line) => line.replace("[out] ", ""));
    expect(lines).toContain("OWN=web C.UTF-8");
    const names = lines.filter((line) => line.includes("=")).map((line) => line.replace(/=.*/, ""));
    const given = ["HOME", "LANG", "LOGNAME", "OWN", "PATH", "SHELL", "TMPDIR", "USER", "XDG_RUNTIME_DIR"];
    // A shell sets these for itself.
    expect(
      names.filter((name) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(name) && !given.includes(name)),
    ).toEqual([]);
    const plan = await home.xyIn(
      { env: { LANG: "other", EDITOR: "vi", PATH: `/nowhere:${process.env.PATH}` } },
      "plan",
    );
    expect(plan.stdout).toBe("No changes. 1 server matches the configuration.\n");
  });
});
