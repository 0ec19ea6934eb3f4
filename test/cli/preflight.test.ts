import { describe, expect, it } from "vitest";
import { freePort, homesInTurn, LISTENER, takenPort } from "./cli.ts";

const newHome = homesInTurn();

/** What would fail later is said by the plan, all of it at once, and nothing is begun. */
describe("before anything is done", () => {
  it.each([
    [
      "a program that is nowhere",
      'command "no-such-program"\nport "none"\n',
      'servers.d/web.kdl:1:9: cannot find the program "no-such-program": it is not in the service PATH; install it, add its folder to "path", or write its full path',
    ],
    [
      "a program that is not executable",
      'command "./web.kdl"\nport "none"\n',
      /^servers\.d\/web\.kdl:1:9: cannot run "\.\/web\.kdl": .*\/web\.kdl is not executable; run "chmod \+x .*"$/,
    ],
    [
      "a working folder that is not there",
      'command "sh"\nport "none"\nworking-dir "/no/such/folder"\n',
      "servers.d/web.kdl:3:13: cannot run in /no/such/folder: it does not exist; create it, or correct the path",
    ],
    [
      "a variable that is not set",
      'command "sh"\nport "none"\nenv {\n  TOKEN (env)"XY_NOT_SET"\n}\n',
      "servers.d/web.kdl:4:9: cannot get the secret for TOKEN: the variable XY_NOT_SET is not set; set it where you run xy",
    ],
    [
      "a secret's file that is not there",
      'command "sh"\nport "none"\nenv {\n  TOKEN (file)"/no/such/file"\n}\n',
      /^servers\.d\/web\.kdl:4:9: cannot get the secret for TOKEN: \/no\/such\/file: it does not exist/,
    ],
    [
      "a secret's command that fails",
      'command "sh"\nport "none"\nenv {\n  TOKEN (command)"exit 3"\n}\n',
      "servers.d/web.kdl:4:9: cannot get the secret for TOKEN: its command ended with 3: run it by hand to see why",
    ],
  ])("%s", async (_, text, message) => {
    const home = newHome();
    home.trusts();
    home.write("servers.d/web.kdl", text);
    home.declare("other");
    for (const words of [["plan"], ["apply", "--yes"]]) {
      const { code, stdout } = await home.xy(...words);
      const said = stdout.split("\n").filter((line) => line.startsWith("error: "));
      expect(said).toEqual([
        typeof message === "string"
          ? `error: ${message}`
          : expect.stringMatching(new RegExp(message.source.replace("^", "^error: "))),
      ]);
      expect(code).toBe(1);
    }
    expect(await home.servers()).toEqual({});
  });

  it("a line for a shell, which no machine would run, is an error of check too", async () => {
    const home = newHome();
    home.write("servers.d/web.kdl", 'command "npx -y some-server"\nport "none"\n');
    const said =
      'servers.d/web.kdl:1:9: cannot run "npx -y some-server": it must be one program, not a command line; put the words after the first into args';
    const check = await home.xy("check");
    expect(check).toMatchObject({ code: 3 });
    expect(check.stderr).toContain(said);
    expect(await home.xy("plan")).toMatchObject({
      code: 1,
      stdout: expect.stringContaining(`error: ${said}\n`),
    });
  });

  it("a missing program stops nothing where the server is not to start", async () => {
    const home = newHome();
    const missing = (wanted: string) => `command "no-such-program"\nport "none"\nwanted "${wanted}"\n`;
    home.write("servers.d/off.kdl", missing("ignore"));
    home.write("servers.d/later.kdl", missing("stop"));
    home.declare("web");
    const applied = await home.did("apply", "--yes");
    expect(applied).toContain('warning: servers.d/later.kdl:1:9: cannot find the program "no-such-program"');
    expect(applied).not.toContain("off.kdl");
    expect(await home.servers()).toMatchObject({ web: { state: "running" }, later: { state: "stopped" } });
    expect(await home.did("plan")).toContain("No changes.");
    const { stdout, stderr, code } = await home.xy("emit", "systemd");
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("no-such-program") });
    expect(stdout).toContain("no-such-program");
  });

  it("a secret that its service manager cannot carry, and an argument that the kernel does not take", async () => {
    const home = newHome();
    home.write("xy.config.kdl", 'backend "systemd"\n');
    home.write("token", "s3cr3t-\uFFFE");
    home.write("web.env", "B=s3cr3t-\uFFFF\n");
    const kdl = 'command "sh"\nport "none"\nenv-file "../web.env"\nenv {\n  A (file)"../token"\n}\n';
    home.write("servers.d/web.kdl", kdl);
    home.write(
      "servers.d/long.json",
      JSON.stringify({ command: "sh", port: "none", args: ["x".repeat(131_072)] }),
    );
    const why =
      "its value has a code point that is not a character, such as U+FFFE; change it, or run this server with the agent";
    const said = [
      "servers.d/long.json:1:39: cannot pass argument 1: it has 131072 bytes, and the system accepts at most 131071; shorten it, or move it to a file",
      `servers.d/web.kdl:5:5: cannot write env.A for systemd: ${why}`,
      `servers.d/web.kdl:3:10: cannot write env.B for systemd: ${why}`,
    ];
    const plan = await home.xy("plan");
    expect(plan.stdout.split("\n").filter((line) => line.startsWith("error: "))).toEqual(
      said.map((line) => `error: ${line}`),
    );
    expect(plan.code).toBe(1);
    const check = await home.xy("check");
    expect(check.code).toBe(3);
    // It opens no file with a secret.
    expect(check.stderr).toContain(said[0]);
    for (const line of said.slice(1)) expect(check.stderr).not.toContain(line);
  });

  it("a port that somebody else holds", async () => {
    const home = newHome();
    const port = await takenPort();
    home.write("servers.d/web.kdl", `command "sleep"\nargs "600"\nport ${port}\n`);
    const { code, stdout } = await home.xy("apply", "--yes");
    expect(stdout).toMatch(
      new RegExp(
        `^error: web: cannot listen: port ${port} is held by pid ${process.pid} \\(.*\\); stop that, or choose another port$`,
        "m",
      ),
    );
    expect(code).toBe(1);
    expect(await home.servers()).toEqual({});
  });

  it("but not a port that the server itself holds, nor one that is moved on to", async () => {
    const home = newHome();
    const [port, next] = [await freePort(), await freePort()];
    const declare = (number: number | string) =>
      home.write(
        "servers.d/web.yaml",
        `command: node\nargs: [-e, "${LISTENER}"]\nport: ${number}\nenv: { PORT: "{port}" }\n`,
      );
    declare(port);
    await home.did("apply", "--yes");
    declare(next);
    expect(await home.did("apply", "--yes")).toContain(`~ port: ${port} -> ${next}\n`);
    expect(await home.servers()).toMatchObject({ web: { port: next, ready: true } });
  });

  it("an automatic port moves on from a taken one, and is kept then", async () => {
    const home = newHome();
    home.write(
      "servers.d/web.yaml",
      `command: node\nargs: [-e, "${LISTENER}"]\nport: auto\nenv: { PORT: "{port}" }\n`,
    );
    await home.did("apply", "--yes");
    const port = (await home.servers()).web?.port;
    expect(port).toBeGreaterThanOrEqual(20_000);
    await home.did("destroy", "--yes");
    await home.did("apply", "--yes");
    expect((await home.servers()).web?.port).toBe(port);
    expect(await home.did("plan")).toBe("No changes. 1 server matches the configuration.\n");
  });

  it("says all of it at once, as JSON too", async () => {
    const home = newHome();
    home.write("servers.d/a.kdl", 'command "no-such-program"\nport "none"\nworking-dir "/no/such/folder"\n');
    home.write("servers.d/b.kdl", 'command "no-such-program"\nport "none"\n');
    const { code, stdout } = await home.xy("plan", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout).diagnostics).toMatchObject([
      { server: "a", line: 1 },
      { server: "a", line: 3 },
      { server: "b", line: 1 },
    ]);
  });

  it("a manager that would not be reached is told by the first plan, which shows all the same", async () => {
    const home = newHome();
    const port = await freePort();
    home.trusts();
    home.write(
      "xy.config.kdl",
      `backend "supervisord"\nsupervisord { url "http://127.0.0.1:${port}"; include-dir "units"; }\n`,
    );
    home.write("units/.keep", "");
    home.declare("web");
    home.declare("db", 'wanted "ignore"');
    const told = await home.did("plan");
    expect(told).toContain("+ web will be added and started");
    expect(told).toMatch(/warning: cannot reach supervisord at .*\(an apply of .*web would fail\)/);
  });
});
