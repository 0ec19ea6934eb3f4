import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { BUSY, homesInTurn, NEVER_READY, type Outcome, ROOT } from "./cli.ts";
import { sharedOnTerminal } from "./transcript.ts";

const newHome = homesInTurn();

const linux = process.platform === "linux";

/** Lines as they end up on paper: each redrawing of a task list is there again. */
const lines = ({ stdout }: Pick<Outcome, "stdout">) =>
  stripVTControlCharacters(stdout.replace(BUSY, "")).split(/\r*\n/);

describe.skipIf(!linux)("questions on a terminal", () => {
  it("applies after a yes", async () => {
    const home = newHome();
    home.declare("web");
    const apply = home.terminal("xy apply");
    await apply.prints("Apply these changes? [y/N] ");
    expect((await home.xy("list")).stdout).toBe(
      "No servers. `xy apply` brings up what the configuration declares.\n",
    );
    apply.types("yes\r");
    const { code, stdout } = await apply.ended;
    expect(stdout).toContain("Apply complete:");
    expect(code).toBe(0);
    expect(await home.servers()).toMatchObject({ web: { state: "running" } });
  });

  it.each(["n", "", "yeah", "\u0004"])("takes %j for a no", async (answer) => {
    const home = newHome();
    home.declare("web");
    const apply = home.terminal("xy apply");
    await apply.prints("Apply these changes? [y/N] ");
    apply.types(answer === "\u0004" ? answer : `${answer}\r`);
    const { code, stdout } = await apply.ended;
    expect(stdout).toContain("xy: nothing was applied\r\n");
    expect(code).toBe(1);
    expect(await home.servers()).toEqual({});
  });

  it("no question is answered by what was typed before it was shown", async () => {
    const home = newHome();
    home.declare("web");
    const apply = home.terminal("xy apply");
    apply.types("y\ry");
    await apply.prints("Apply these changes? [y/N] ");
    apply.types("n\r");
    const { code, stdout } = await apply.ended;
    expect(stdout).toContain("xy: nothing was applied\r\n");
    expect(code).toBe(1);
    expect(await home.servers()).toEqual({});
  });

  it("ends with 130 at Ctrl-C", async () => {
    const home = newHome();
    home.declare("web");
    const apply = home.terminal("xy apply");
    await apply.prints("Apply these changes? [y/N] ");
    apply.types("\u0003");
    expect((await apply.ended).code).toBe(130);
    expect(await home.servers()).toEqual({});
  });
});

describe.skipIf(!linux)("a command that takes more than a second", () => {
  it("says so in a line that goes away", async () => {
    const home = newHome();
    home.write(
      "servers.d/stubborn.kdl",
      'command "sh"\nargs "-c" "trap \'\' TERM; echo up; while :; do sleep 1; done"\nport "none"\nreadiness "log" pattern="^up$"\nstop { grace "2s"; }\n',
    );
    await home.did("apply", "--yes");
    const stop = home.terminal("xy stop stubborn");
    await stop.prints("\r\u001b[Kstopping ... 1s");
    const { code, stdout } = await stop.ended;
    expect(code).toBe(0);
    expect(stdout.endsWith("\r\u001b[Kstubborn: stopped\r\n")).toBe(true);
  });

  it("says nothing of it in a pipe, nor on a terminal that cannot take a line away", async () => {
    const home = newHome();
    home.write(
      "servers.d/web.kdl",
      'command "sh"\nargs "-c" "trap \'\' TERM; echo up; while :; do sleep 1; done"\nport "none"\nreadiness "log" pattern="^up$"\nstop { grace "1500ms"; }\n',
    );
    await home.did("apply", "--yes");
    expect(await home.xy("stop", "web")).toEqual({ code: 0, stdout: "web: stopped\n", stderr: "" });
    await home.did("start", "web");
    const dumb = await home.terminal("xy stop web", { env: { TERM: "dumb" } }).ended;
    expect(dumb.stdout).toBe("web: stopped\r\n");
  });
});

describe("without a terminal", () => {
  it("applies nothing that was not agreed to", async () => {
    const home = newHome();
    home.declare("web");
    expect(await home.xy("apply")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("Plan: 1 to add (web)"),
      stderr: "xy: nothing was applied: there is no terminal to ask on; say --yes to go ahead\n",
    });
    expect(await home.servers()).toEqual({});
  });
});

describe.skipIf(!linux)("a terminal of 80 columns", () => {
  it("shows an apply as a list of tasks, and no line that is broken", async () => {
    const home = newHome();
    home.write(
      "servers.d/talker.kdl",
      'command "sh"\nargs "-c" "echo up $(seq 1 100); exec sleep 600"\nport "none"\nreadiness "log" pattern="^up"\n',
    );
    for (const name of ["a", "a-longer-name"]) {
      home.declare(name, `description "${"long words ".repeat(20)}"\ntags "${"x".repeat(200)}"`);
    }
    const { code, stdout } = await home.terminal("xy apply --yes").ended;
    expect(code).toBe(0);
    expect(stdout).toContain("\u001b[?25l");
    expect(lines({ stdout })).toContain("✔ a: added, ready: printed: up");
    expect(lines({ stdout }).filter((line) => line.length > 80)).toEqual([]);
    // The cursor is given back.
    expect(stdout.lastIndexOf("\u001b[?25h")).toBeGreaterThan(stdout.lastIndexOf("\u001b[?25l"));
    for (const command of ["plan", "list", "status a", "destroy --yes"]) {
      const stdout = await home.typed(`xy ${command}`);
      expect(stdout, command).not.toBe("");
      expect(lines({ stdout }).filter((line) => line.length > 80)).toEqual([]);
    }
  });

  it("says in the list what failed, with its last words", async () => {
    const home = newHome();
    home.write(
      "servers.d/bad.kdl",
      'command "sh"\nargs "-c" "echo no luck; exit 7"\nport "none"\nrestart { policy "never"; }\n',
    );
    home.write("servers.d/slow.kdl", NEVER_READY);
    const apply = home.terminal("xy apply --yes");
    await apply.prints("bad: cannot add");
    apply.types("\u0003");
    const { code, stdout } = await apply.ended;
    expect(lines({ stdout })).toContain("✖ bad: cannot add: ended: exit 7");
    expect(stripVTControlCharacters(stdout)).toContain("| no luck");
    expect(code).toBe(130);
  });

  it("goes line by line when the list would not fit", async () => {
    const home = newHome();
    for (let i = 10; i < 35; i++)
      home.write(`servers.d/s${i}.kdl`, 'command "true"\nport "none"\nwanted "stop"\n');
    const { code, stdout } = await home.terminal("xy apply --yes").ended;
    expect(code).toBe(0);
    expect(stdout).not.toContain("\u001b[?25l");
    expect(lines({ stdout }).filter((line) => /^s\d\d: added/.test(line))).toHaveLength(25);
  });
});

describe("colours", () => {
  const ESC = "\u001b";
  const isColoured = (text: string) => new RegExp(`${ESC}\\[\\d+m`).test(text);

  it.each([
    [{ FORCE_COLOR: "1" }, true],
    [{ FORCE_COLOR: "0" }, false],
    [{ NO_COLOR: "1", FORCE_COLOR: "1" }, false],
    [{}, false],
  ])("into a file with %j: %s", async (env, expected) => {
    const home = newHome();
    home.declare("web");
    expect(isColoured((await home.xyIn({ env }, "plan")).stdout)).toBe(expected);
  });

  it.runIf(linux).each([
    [{}, true],
    [{ NO_COLOR: "1" }, false],
    [{ TERM: "dumb" }, false],
  ])("on a terminal with %j: %s", async (env, expected) => {
    const home = newHome();
    home.declare("web");
    const shared = sharedOnTerminal(process.execPath, ROOT);
    const { stdout } = await home.terminal(`${shared}\nxy plan; xy apply --yes`, { env }).ended;
    expect(stdout).toContain("Apply complete:");
    expect(isColoured(stdout)).toBe(expected);
    if ("TERM" in env) expect(stdout).not.toContain("\u001b");
  });
});
