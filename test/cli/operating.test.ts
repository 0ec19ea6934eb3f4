import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { lockProject } from "../../src/operation/project.ts";
import { type Home, homesInTurn } from "./cli.ts";

const newHome = homesInTurn();
/** Ends at once, and is not to be started again. */
const ENDS = `command "sh"
args "-c" "exit 3"
port "none"
readiness "log" pattern="^up$"
restart { policy "never"; }
`;
const unchanged = (...names: string[]) => ({ removed: [], changed: [], unchanged: names });
const reload = (home: Home) => home.call("reload", { project: "tools" });

describe("the operator's word", () => {
  it("holds a server over applies and new agents, until it is started", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    expect(await home.did("stop", "web")).toBe("web: stopped\n");
    expect(await home.did("stop", "web")).toBe("web: was not running; it is held now\n");
    const nothing = await home.did("apply", "--yes");
    expect(nothing).toMatch(
      /^held: web, stopped .*; it stays stopped until `xy start web`\n\nNo changes\. 1 server matches the configuration\.\n$/,
    );
    await home.did("agent", "stop");
    expect(await home.servers()).toMatchObject({ web: { state: "stopped", held: true } });
    expect(await home.did("why", "web")).toMatch(/^web is held: you stopped it/);

    home.declare("web", 'umask "077"');
    expect(await home.did("apply", "--yes")).toContain("Apply complete: 0 added, 1 changed, 0 removed.\n");
    expect(await home.servers()).toMatchObject({ web: { state: "stopped", held: true } });
    expect(await home.did("start", "web")).toBe("web: started\n");
    expect(await home.did("start", "web")).toBe("web: is already running\n");
    expect(await home.did("plan")).toBe("No changes. 1 server matches the configuration.\n");
  });

  it("stops, restarts and kills many at once", async () => {
    const home = newHome();
    for (const name of ["a", "b", "c"]) home.declare(name);
    await home.did("apply", "--yes");
    const before = await home.servers();
    expect(await home.did("restart", "a", "b")).toBe("a: restarted\nb: restarted\n");
    const after = await home.servers();
    expect(after.a?.pid).not.toBe(before.a?.pid);
    expect(after.c?.pid).toBe(before.c?.pid);
    expect(await home.did("kill", "c")).toBe("c: killed\n");
    expect(await home.did("restart", "--all")).toBe("a: restarted\nb: restarted\nc: started\n");
    expect(await home.did("stop", "--all")).toBe("a: stopped\nb: stopped\nc: stopped\n");
  });

  it("ends servers without waiting for that", async () => {
    const home = newHome();
    const deaf = 'command "sh"\nargs "-c" "trap \'\' TERM; echo up; exec sleep 600"\nport "none"\n';
    home.write("servers.d/a.kdl", `${deaf}readiness "log" pattern="^up$"\nstop { grace "10m"; }\n`);
    home.declare("b", 'depends-on "a"');
    await home.did("apply", "--yes");
    expect(await home.xy("stop", "a", "--no-wait", "--remove-jobs")).toMatchObject({
      code: 64,
      stderr: expect.stringContaining("cannot remove jobs with --no-wait"),
    });
    expect(await home.call("stop", { name: "a", wait: false, remove_jobs: true })).toMatchObject({
      error: { code: -32602 },
    });
    expect(await home.servers()).toMatchObject({ a: { state: "running", held: false } });
    expect(await home.did("stop", "--all", "--no-wait")).toBe("a: stopping\nb: stopping\n");
    expect(await home.servers()).toMatchObject({ a: { state: "stopping", held: true }, b: { held: true } });
    expect(await home.call("stop", { name: "a", wait: false })).toMatchObject({
      result: { stopped: ["a"], not_running: [], failed: [] },
    });
    expect(await home.json("kill", "a", "--no-wait")).toEqual({ killed: ["a"], not_running: [], failed: [] });
    await home.did("stop", "--all");
    expect(await home.did("kill", "--all", "--no-wait")).toBe(
      "a: was not running; it is held now\nb: was not running; it is held now\n",
    );
  });

  it("names the server that is not there", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    expect(await home.xy("stop", "wbe")).toEqual({
      code: 1,
      stdout: "",
      stderr: "xy: cannot find server wbe: did you mean web?\n",
    });
    expect(await home.servers()).toMatchObject({ web: { state: "running" } });
  });

  it.each([
    ["tools/wbe", "cannot find server tools/wbe: did you mean tools/web?"],
    ["other/web", "cannot find server other/web: did you mean tools/web?"],
    ["../web", "cannot find server ../web: did you mean tools/web?"],
    ["a/b/c", "cannot find server a/b/c: `xy list` shows all"],
    ["TOOLS/x", "cannot find server TOOLS/x: `xy list` shows all"],
    ["/", "cannot find server /: `xy list` shows all"],
    ["", 'cannot find server "": `xy list` shows all'],
  ])("says of %j what may be meant, whatever it is made of", async (text, said) => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes", "--no-wait");
    for (const words of [["status"], ["stop"], ["logs"], ["forget"], ["jobs", "--server"]]) {
      const { code, stderr } = await home.xy(...words, text);
      expect({ words, code, stderr }).toEqual({ words, code: 1, stderr: expect.stringContaining(said) });
      expect(stderr).not.toContain("XY_DEBUG");
    }
    expect(await home.xy("jobs", "--project", "tools", "--server", text)).toMatchObject({ code: 64 });
  });
});

describe("what the configuration wants", () => {
  it("stop: it is recorded and does not run; started by hand it runs on, over applies too", async () => {
    const home = newHome();
    home.declare("web", 'wanted "stop"');
    expect(await home.did("apply", "--yes")).toContain("web: added, not started: it is wanted stopped\n");
    expect(await home.servers()).toMatchObject({ web: { state: "stopped", held: false } });
    await home.did("start", "web");
    expect(await home.did("apply", "--yes")).toBe("No changes. 1 server matches the configuration.\n");
    expect(await home.servers()).toMatchObject({ web: { state: "running" } });
  });

  it("ignore: whatever runs is left alone", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    const { pid } = (await home.servers()).web ?? {};
    home.declare("web", 'wanted "ignore"\numask "077"');
    home.declare("new", 'wanted "ignore"');
    expect(await home.did("apply", "--yes")).toBe(
      "No changes. 0 servers match the configuration. Ignored: new, web.\n",
    );
    expect(await home.servers()).toMatchObject({ web: { pid } });
  });
});

describe("reload", () => {
  it("asks for nothing but a first look, and says what it did", async () => {
    const home = newHome();
    home.declare("kept");
    home.declare("gone");
    home.declare("changed");
    expect((await home.xy("reload")).stderr).toContain("this configuration was never applied here");
    expect(await home.json("reload", "--trust")).toEqual({
      added: ["changed", "gone", "kept"],
      removed: [],
      changed: [],
      unchanged: [],
      failed: [],
    });
    await home.shell("rm servers.d/gone.kdl");
    home.declare("changed", 'description "other"');
    home.declare("new");
    expect(await home.json("reload")).toEqual({
      added: ["new"],
      removed: ["gone"],
      changed: ["changed"],
      unchanged: ["kept"],
      failed: [],
    });
    expect(await home.did("reload")).toContain("No changes. 3 servers match the configuration.\n");
  });

  it("says what it did when a part of it failed", async () => {
    const home = newHome();
    for (const name of ["kept", "gone", "broken"]) home.declare(name);
    await home.did("apply", "--yes");
    await home.shell("rm servers.d/gone.kdl");
    home.declare("new");
    home.write("servers.d/broken.kdl", ENDS);
    home.write("servers.d/hopeless.kdl", ENDS);
    home.declare("waits", 'depends-on "hopeless"');
    const failed = [
      { name: "broken", code: -32006, message: expect.stringContaining("exit 3") },
      { name: "hopeless", code: -32006, message: expect.stringContaining("exit 3") },
      { name: "waits", code: -32005, message: expect.stringContaining("hopeless") },
    ];
    const { code, stdout, stderr } = await home.xy("reload", "--json");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: "xy: not everything could be reloaded: broken, hopeless, waits\n",
    });
    expect(JSON.parse(stdout)).toEqual({
      added: ["new"],
      removed: ["gone"],
      changed: [],
      unchanged: ["kept"],
      failed,
    });

    home.declare("newer");
    expect(await reload(home)).toMatchObject({
      // It was taken over, and waits by itself.
      result: { ...unchanged("kept", "new", "waits"), added: ["newer"], failed: failed.slice(0, 2) },
    });
  });

  it("answers with an error only when nothing was done", async () => {
    const home = newHome();
    const listener = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void listener.close());
    await once(listener, "listening");
    home.declare("web");
    await home.did("apply", "--yes");
    const before = await home.servers();
    home.declare("new");
    const refused = async (code: number, message: string) =>
      expect(await reload(home)).toMatchObject({
        error: { code, message: expect.stringContaining(message) },
      });

    const { port } = listener.address() as AddressInfo;
    home.write("servers.d/wrong.kdl", `command "sleep"\nargs "600"\nport ${port}\n`);
    await refused(-32002, `port ${port} is held by pid ${process.pid}`);
    home.write("servers.d/wrong.kdl", 'command "/nowhere/program"\nport "none"\n');
    await refused(-32003, "/nowhere/program");
    home.write("servers.d/wrong.kdl", 'command "sleep"\nprot "none"\n');
    await refused(-32003, 'unknown key "prot"');
    await home.shell("rm servers.d/wrong.kdl");
    const attempt = lockProject(home.state, "tools");
    await refused(-32007, "another apply of project tools is under way");
    if (attempt.ok) attempt.lock.release();
    expect(await home.servers()).toEqual({ web: { ...before.web, uptime_secs: expect.any(Number) } });
    expect(await reload(home)).toMatchObject({ result: { added: ["new"], failed: [] } });
  });
});

describe("what a change does", () => {
  it("leaves the process alone where it can", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    const { pid } = (await home.servers()).web ?? {};
    home.declare("web", 'description "A description"\nstop { grace "3s"; }');
    const said = await home.did("apply", "--yes");
    expect(said).toContain(
      "  ~ web will be changed in place\n      because stop.grace and description changed\n",
    );
    expect(said).toContain("      ~ stop.grace: 10s -> 3s\n");
    expect((await home.servers()).web?.pid).toBe(pid);
  });

  it("restarts it where it must; without a port, no session can break", async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    const { pid } = (await home.servers()).web ?? {};
    home.declare("web", 'env {\n  LEVEL "debug"\n}');
    const said = await home.did("apply", "--yes");
    expect(said).toContain("-/+ web will be changed and restarted\n      because env.LEVEL changed\n");
    expect((await home.servers()).web?.pid).not.toBe(pid);
  });

  it("brings back what has failed", async () => {
    const home = newHome();
    home.write(
      "servers.d/web.kdl",
      'command "sh"\nargs "-c" "[ -e ok ] || exit 7; echo up; exec sleep 600"\nworking-dir ".."\nport "none"\nreadiness "log" pattern="^up$"\nrestart { max-retries-per-minute 0; }\n',
    );
    home.write("ok", "");
    await home.did("apply", "--yes");
    await home.shell("rm ok");
    await home.xy("restart", "web");
    const said = await home.did("plan");
    expect(said).toMatch(/^ {2}~ web will be started\n {6}because it failed .* \(exit 7\)$/m);
    home.write("ok", "");
    await home.did("apply", "--yes");
    expect(await home.servers()).toMatchObject({ web: { state: "running" } });
  });
});
