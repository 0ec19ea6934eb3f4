import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newHome } from "./cli.ts";

const MANAGERS = ["systemd", "launchd", "supervisord"] as const;

describe("xy emit", () => {
  it.each(MANAGERS)("%s: prints the same bytes each time, and leaves nothing behind", async (manager) => {
    const home = newHome();
    home.declare("web", 'env { A "it\'s 100% $HOME; # & <b>"; }');
    const first = await home.xy("emit", manager);
    expect(first.code).toBe(0);
    expect(first.stdout).toContain("xy");
    expect(first.stderr).toContain(`${manager} cannot express restart.backoff-max`);
    // Another session, and as good as another machine: only the home and where things lie are the same.
    const elsewhere = {
      TERM: "dumb",
      USER: "somebody",
      LOGNAME: "somebody",
      SHELL: "/bin/false",
      LANG: "de_DE",
      LC_ALL: "tr_TR.UTF-8",
      TZ: "Asia/Tokyo",
      TMPDIR: join(home.path, "t"),
      PATH: `/nonexistent:${process.env.PATH}`,
      XDG_STATE_HOME: join(home.path, "s"),
      XDG_RUNTIME_DIR: join(home.path, "r"),
    };
    expect(await home.xyIn({ env: elsewhere }, "emit", manager)).toEqual(first);
    expect(["s", "r", "t"].filter((name) => existsSync(join(home.path, name)))).toEqual([]);
    expect(existsSync(home.state)).toBe(false);
  });

  it("prints one unit as it is, and names several", async () => {
    const home = newHome();
    home.declare("a");
    home.declare("b");
    home.declare("c", 'wanted "ignore"');
    const both = await home.xy("emit", "systemd");
    expect(both.stdout.match(/^==> .*$/gm)).toEqual([
      "==> xy.tools.a.service <==",
      "==> xy.tools.b.service <==",
    ]);
    expect(both.stderr).toContain(
      "a, b: systemd cannot express readiness: it counts as started once its program runs\n",
    );
    expect(both.stderr).toContain('No unit for c: wanted is "ignore".\n');
    const one = await home.did("emit", "systemd", "--only", "a");
    expect(one).toMatch(/^# Written by xy .*tools\/a.*\n\n\[Unit\]\nDescription=tools\/a\n/);
    expect(both.stdout).toContain(one);
    expect(await home.did("emit", "systemd", "--except", "b")).toBe(one);
    expect(await home.xy("emit", "systemd", "--only", "bb")).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('cannot select "bb" with --only: no such server'),
    });
  });

  it("has nothing to do with actions, which are no units", async () => {
    const home = newHome();
    home.declare("a");
    const alone = await home.did("emit", "systemd");
    home.declare(
      "b",
      'wanted "ignore"\naction "x" { command "sh"; args "{env.MODE}"; }\nenv { MODE "fast"; }',
    );
    home.write("xy.config.kdl", 'project "tools"\naction "y" { command "no-such-program"; }\n');
    home.declare("a", 'action "z" { command "no-such-program"; }');
    expect(await home.did("emit", "systemd")).toBe(alone);
  });

  it("writes files, and leaves those alone that xy has not written", async () => {
    const home = newHome();
    home.declare("a");
    home.declare("b");
    const words = ["emit", "supervisord", "--out", "units"];
    expect(await home.did(...words)).toBe("wrote units/xy.tools.a.conf\nwrote units/xy.tools.b.conf\n");
    const file = join(home.project, "units/xy.tools.a.conf");
    expect(statSync(file).mode & 0o777).toBe(0o644);
    home.declare("b", 'umask "077"');
    expect(await home.did(...words)).toBe(
      "wrote units/xy.tools.b.conf\nkept  units/xy.tools.a.conf (it was the same)\n",
    );
    home.write("units/xy.tools.a.conf", "[program:mine]\n");
    home.declare("b");
    const before = readFileSync(join(home.project, "units/xy.tools.b.conf"), "utf8");
    expect(await home.xy(...words)).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "units/xy.tools.a.conf: cannot overwrite this file: xy has not written it; move it away, or use --force\n" +
        "xy: nothing was written\n",
    });
    expect(readFileSync(join(home.project, "units/xy.tools.b.conf"), "utf8")).toBe(before);
    expect(await home.did(...words, "--force")).toContain("wrote units/xy.tools.a.conf\n");
    expect(await home.xy("emit", "supervisord", "--out", "units/xy.tools.a.conf")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^xy: cannot write the units to units\/xy.tools.a.conf: /),
    });
  });

  it("refuses a port that only this machine would know, and looks at nothing else then", async () => {
    const home = newHome();
    home.declare("a");
    home.write("servers.d/web.kdl", 'command "sh"\nport "auto"\n');
    await home.did("check");
    const { code, stdout, stderr } = await home.xy("emit", "systemd");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe(
      'servers.d/web.kdl:2:6: cannot write a unit with port "auto": each machine chooses and keeps a number of its ' +
        "own; write the number\nxy: nothing was written\n",
    );
    expect(await home.did("emit", "systemd", "--except", "web")).toContain("tools/a");
  });

  it("looks up no secret, and refers to it where that can be", async () => {
    const home = newHome();
    home.trusts();
    home.declare(
      "web",
      'env-file "missing.env"\nenv { A (file)"~/missing"; B (env)"MISSING"; C (command)"touch ran; echo hush"; }',
    );
    const { code, stdout, stderr } = await home.xy("emit", "systemd");
    expect(code).toBe(0);
    expect(stdout).toContain(
      [
        "# Yours to fill, mode 0600, one NAME=value a line. It is to have:",
        `#   A: the file "${home.path}/missing"`,
        '#   B: the variable "MISSING"',
        '#   C: the output of "touch ran; echo hush"',
        `#   what is in "${home.project}/servers.d/missing.env" and is not set above`,
        "EnvironmentFile=%E/xy/secrets/xy.tools.web.env",
      ].join("\n"),
    );
    expect(stderr).toContain("web has secrets: fill the file that xy.tools.web.service names");
    for (const manager of ["launchd", "supervisord"]) {
      const refused = await home.xy("emit", manager);
      expect(refused).toMatchObject({ code: 1, stdout: "" });
      const lines = refused.stderr.split("\n");
      expect(lines).toHaveLength(6);
      expect(lines[0]).toMatch(/^servers\.d\/web\.kdl:\d+:\d+: cannot write .* the agent or with systemd$/);
    }
    expect(existsSync(join(home.project, "ran"))).toBe(false);
    expect(existsSync(join(home.project, "servers.d/ran"))).toBe(false);
  });

  it("names what a format cannot carry, where the configuration says it", async () => {
    const home = newHome();
    home.write("servers.d/web.yaml", 'command: sh\nport: none\nargs: ["a", "\\e[1m\\r"]\n');
    await home.did("emit", "systemd");
    for (const [manager, what] of [
      ["launchd", "a control character, U+FFFE or U+FFFF"],
      ["supervisord", "a carriage return"],
    ] as const)
      expect(await home.xy("emit", manager)).toMatchObject({
        code: 1,
        stderr:
          `servers.d/web.yaml:3:13: cannot write argument 2 for ${manager}: it has ${what}, ` +
          "which its format cannot carry; remove it, or run this server with the agent\nxy: nothing was written\n",
      });
  });

  it("takes a loss for an error with --strict", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", 'command "sh"\nport "none"\nrestart { policy "never"; }\n');
    expect(await home.xy("emit", "systemd", "--strict")).toMatchObject({ code: 0, stderr: "" });
    expect(await home.xy("emit", "launchd", "--strict", "--out", "units")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "web: launchd cannot express logs.max-size: its file in ~/Library/Logs grows without end\n" +
        "web: launchd cannot express logs.keep: its file in ~/Library/Logs is never rotated\n" +
        "xy: something would be lost, nothing was written\n",
    });
    expect(existsSync(join(home.project, "units"))).toBe(false);
  });

  it("ends with the codes of every command", async () => {
    const home = newHome();
    expect((await home.xy("emit", "upstart")).code).toBe(64);
    expect((await home.xy("emit")).code).toBe(64);
    expect((await home.xy("emit", "systemd")).code).toBe(3);
    home.write("servers.d/web.kdl", 'command "no-such-program"\nport "none"\n');
    expect(await home.xy("emit", "systemd")).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^servers\.d\/web\.kdl:1:9: cannot find the program "no-such-program"/),
    });
    home.write("servers.d/web.kdl", 'command "sh"\n');
    expect((await home.xy("emit", "systemd")).code).toBe(3);
  });
});
