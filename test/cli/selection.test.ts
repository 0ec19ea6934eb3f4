import { stripVTControlCharacters } from "node:util";
import { expect, it } from "vitest";
import { homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

it("works on those that --only names, and says which were left out", async () => {
  const home = newHome();
  for (const name of ["a", "b", "c"]) home.declare(name);
  const said = await home.did("apply", "--yes", "--only", "a", "--only", "b");
  expect(said).toContain("left out: c\n");
  expect(said).toContain("Plan: 2 to add (a, b), 0 to change, 0 to remove.\n");
  expect(Object.keys(await home.servers())).toEqual(["a", "b"]);
  expect((await home.xy("plan", "--detailed-exitcode", "--only", "a")).code).toBe(0);
  expect((await home.xy("plan", "--detailed-exitcode")).code).toBe(4);
});

it("leaves out those that --except names, also when they are no longer declared", async () => {
  const home = newHome();
  for (const name of ["a", "b", "c"]) home.declare(name);
  await home.did("apply", "--yes");
  await home.shell("rm servers.d/a.kdl servers.d/b.kdl");
  expect(await home.did("apply", "--yes", "--except", "a")).toContain(
    "Plan: 0 to add, 0 to change, 1 to remove (b).\n",
  );
  expect(Object.keys(await home.servers())).toEqual(["a", "c"]);
});

it.each(["--only", "--except"])("refuses a name that %s does not find", async (flag) => {
  const home = newHome();
  home.declare("web");
  expect(await home.xy("plan", flag, "wbe")).toMatchObject({
    code: 64,
    stderr: `xy: cannot select "wbe" with ${flag}: no such server; did you mean "web"?\n`,
  });
});

it("leaves out what both name", async () => {
  const home = newHome();
  home.declare("a");
  home.declare("b");
  const said = await home.did("plan", "--only", "a", "--only", "b", "--except", "b");
  expect(said).toContain("left out: b\n\nPlan: 1 to add (a), 0 to change, 0 to remove.\n");
});

it("takes tags and patterns wherever servers are named", async () => {
  const home = newHome();
  home.declare("web-1", 'tags "front" "mcp"');
  home.declare("web-2", 'tags "front"');
  home.declare("db");
  expect(await home.did("plan", "--only", "tag:front", "--except", "web-2")).toContain(
    "left out: db, web-2\n\nPlan: 1 to add (web-1)",
  );
  expect(await home.xy("plan", "--only", "tag:fornt")).toMatchObject({
    code: 64,
    stderr: 'xy: cannot select "tag:fornt" with --only: no server has this tag; did you mean "tag:front"?\n',
  });
  await home.did("apply", "--yes");
  // The tag of what runs counts where it is no longer declared.
  await home.shell("rm servers.d/web-1.kdl");
  expect(await home.did("plan", "--only", "tag:mcp")).toContain("1 to remove (web-1)");
  expect(await home.did("stop", "web-*", "tag:front")).toBe("web-1: stopped\nweb-2: stopped\n");
  expect(await home.did("start", "tag:front", "db")).toBe(
    "web-1: started\nweb-2: started\ndb: is already running\n",
  );
  expect(await home.json("stats", "tools/web-?")).toMatchObject([{ name: "web-1" }, { name: "web-2" }]);
  expect(await home.did("why", "tag:mcp")).toMatch(/^web-1 /);
  expect(await home.xy("why", "web-*")).toMatchObject({
    code: 64,
    stderr:
      "xy: cannot choose one server with web-*: it matches tools/web-1, tools/web-2; name one of them\n",
  });
  expect(await home.xy("stop", "webx-*")).toMatchObject({
    code: 1,
    stderr: 'xy: cannot find servers with webx-*: no server has such a name; did you mean "web-1"?\n',
  });
  const elsewhere = { cwd: home.path };
  expect(await home.xyIn(elsewhere, "stop", "web-*")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("write PROJECT/web-*, or '*/web-*' for all projects"),
  });
  expect((await home.xyIn(elsewhere, "stop", "*/web-*")).stdout).toBe(
    "tools/web-1: stopped\ntools/web-2: stopped\n",
  );
});

it("lists some servers, in an order, as their names, tags and states say", async () => {
  const home = newHome();
  home.declare("web-1", 'tags "front"');
  home.declare("web-2");
  home.declare("db");
  await home.did("apply", "--yes");
  await home.did("stop", "web-2");
  const names = async (...args: string[]) =>
    ((await home.json("list", ...args)) as { name: string }[]).map(({ name }) => name);
  expect(await names("web-*", "tag:front")).toEqual(["web-1", "web-2"]);
  expect(await names("tools/db")).toEqual(["db"]);
  expect(await names("--state", "running,failed")).toEqual(["db", "web-1"]);
  expect(await names("--reverse")).toEqual(["web-2", "web-1", "db"]);
  expect(await names("--sort", "state", "-r")).toEqual(["web-2", "db", "web-1"]);
  expect(await home.json("list", "--sort", "memory", "db")).toMatchObject([
    { name: "db", memory_bytes: expect.any(Number), cpu_percent: expect.any(Number) },
  ]);
  expect(await home.did("list", "--sort", "cpu")).toMatch(/^NAME .* RESTARTS +CPU +MEMORY\n/);
  expect(await home.xy("list", "--state", "runing")).toMatchObject({
    code: 64,
    stderr: 'xy: cannot show servers in state "runing": no such state; did you mean running?\n',
  });
  expect(await home.xy("list", "tag:fron")).toMatchObject({
    code: 1,
    stderr: 'xy: cannot find servers with tag:fron: no server has this tag; did you mean "tag:front"?\n',
  });
  expect(await home.xy("list", "--watch")).toMatchObject({
    code: 64,
    stderr: expect.stringContaining("use --json with --watch"),
  });
});

it.runIf(process.platform === "linux")(
  "watches a list on a terminal, and gives the terminal back",
  async () => {
    const home = newHome();
    home.declare("web");
    await home.did("apply", "--yes");
    const list = home.terminal("xy list --watch; echo over; stty -a | grep -o ' -\\?echo '", {
      ...{ columns: 40, env: { NO_COLOR: "1" } },
    });
    await list.prints("web   running");
    await home.did("stop", "web");
    await list.prints("stopped (held)");
    list.types("\u0003");
    const { stdout } = await list.ended;
    const [shown = "", after = ""] = stdout.split("\u001b[?25h\u001b[?1049l");
    expect(shown).toContain("\u001b[?1049h\u001b[?25l");
    // What says that a command takes a while has no place in what is watched.
    expect(shown.split("\u001b[?1049h")[1]).not.toContain("asking");
    expect(after).toMatch(/over\r\n echo /);
    // Each drawing begins at home.
    const lines = stripVTControlCharacters(shown.replaceAll("\u001b[H", "\n")).split(/\r*\n/);
    expect(lines.filter((line) => line.length > 40)).toEqual([]);
  },
);

it("prints a watched list as a document for each change, and starts no agent that was stopped", async () => {
  const home = newHome();
  home.declare("web");
  await home.did("apply", "--yes");
  const list = home.xyRunning("list", "--watch", "--json");
  await list.prints('"state":"running"');
  await home.did("stop", "web");
  await list.prints('"held":true');
  await home.did("agent", "stop");
  await list.prints("[]");
  list.child.kill("SIGINT");
  const { code, stdout } = await list.ended;
  expect(code).toBe(0);
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line).length),
  ).toEqual([1, 1, 0]);
  expect(await home.json("agent", "status")).toMatchObject({ running: false });
});
