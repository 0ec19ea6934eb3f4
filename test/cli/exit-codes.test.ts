import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { homesInTurn, NEVER_READY, newHome as ownHome } from "./cli.ts";

const newHome = homesInTurn();

/** Each exit code that the README lists, reached for real. */
describe("exit codes", () => {
  it("0: it went well", async () => {
    const home = newHome();
    home.declare("web");
    expect(await home.xy("check")).toEqual({
      code: 0,
      stdout: "The configuration is valid: project tools, 1 server.\n",
      stderr: "",
    });
  });

  it("1: it was tried, and failed", async () => {
    const home = newHome();
    home.write(
      "servers.d/web.kdl",
      'command "sh"\nargs "-c" "echo no luck >&2; exit 7"\nport "none"\nrestart { policy "never"; }\n',
    );
    const { code, stdout } = await home.xy("apply", "--yes");
    expect(code).toBe(1);
    expect(stdout).toContain("web: cannot add: ended: exit 7\n  | no luck\n");
    expect(stdout).toContain("Apply failed: 1 failed (web); nothing else was done.\n");
  });

  it("2: the agent cannot be reached", async () => {
    const home = ownHome();
    home.declare("web");
    const env = { XDG_STATE_HOME: join(home.path, "x".repeat(110)) };
    for (const words of [
      ["apply", "--yes"],
      ["agent", "start"],
    ]) {
      const { code, stderr } = await home.xyIn({ env }, ...words);
      expect(stderr).toMatch(
        /^xy: cannot start the agent: .* at most: set XDG_RUNTIME_DIR to a shorter folder\n$/,
      );
      expect(code).toBe(2);
    }
  });

  it("3: the configuration is invalid", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", 'comand "sh"\nport "none"\n');
    expect(await home.xy("plan")).toMatchObject({ code: 3, stdout: "" });
  });

  it("4: there is something to change, for who asks", async () => {
    const home = newHome();
    home.declare("web");
    expect((await home.xy("plan")).code).toBe(0);
    expect((await home.xy("plan", "--detailed-exitcode")).code).toBe(4);
    await home.did("apply", "--yes");
    expect((await home.xy("plan", "--detailed-exitcode")).code).toBe(0);
  });

  it.each([
    [["plan", "--bogus"], "xy: Unknown flag: --bogus\nRun `xy plan --help` to see how it is used.\n"],
    [
      ["plan", "--jsn"],
      "xy: Unknown flag: --jsn (did you mean --json?)\nRun `xy plan --help` to see how it is used.\n",
    ],
    [["aply"], 'xy: there is no command "aply": did you mean `xy apply`?\n'],
    [["stop"], "xy: cannot tell which servers are meant: give either names or --all\n"],
    [["stop", "web", "--all"], "xy: cannot tell which servers are meant: give either names or --all\n"],
    [["logs"], "xy: cannot show logs without a name: use `xy logs NAME…`\n"],
    [
      ["apply", "--wait-timeout", "soon"],
      "xy: cannot read --wait-timeout soon: write a duration such as 30s or 2m\n",
    ],
  ])("64: wrong usage: %j", async (words, stderr) => {
    expect(await newHome().xy(...words)).toEqual({ code: 64, stdout: "", stderr });
  });

  it("75: another apply is under way", async () => {
    const home = newHome();
    home.write("servers.d/slow.kdl", NEVER_READY);
    const first = home.xyRunning("apply", "--yes");
    await first.prints("slow: adding");
    for (const words of [["apply", "--yes"], ["reload"], ["destroy", "--yes"]]) {
      expect(await home.xy(...words)).toMatchObject({
        code: 75,
        stderr: `xy: cannot apply: another apply of project tools is under way (pid ${first.child.pid})\n`,
      });
    }
    expect((await home.xy("plan")).code).toBe(0);
    first.child.kill("SIGINT");
    await first.ended;
  });

  it("130: interrupted", async () => {
    const home = newHome();
    home.write("servers.d/slow.kdl", NEVER_READY);
    const apply = home.xyRunning("apply", "--yes");
    await apply.prints("slow: adding");
    apply.child.kill("SIGINT");
    expect(await apply.ended).toMatchObject({ code: 130 });
  });
});
