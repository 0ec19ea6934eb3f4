import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { freePort, homesInTurn } from "./cli.ts";

/** Import from the files that a client has where its row says. */

const newHome = homesInTurn();
const json = (value: unknown) => JSON.stringify(value, null, 2);

interface Report {
  readonly sources: readonly {
    readonly file: string;
    readonly servers: readonly { readonly name: string; readonly state: string }[];
    readonly others: readonly { readonly name: string; readonly why: string }[];
  }[];
}

it("what a client has for the account and for this folder is imported, and what xy wrote there is left out", async () => {
  const home = newHome();
  home.trusts();
  const cursor = join(home.path, ".cursor/mcp.json");
  home.write(cursor, json({ mcpServers: { mine: { command: "sh", args: ["-c", "exec cat"] } } }));
  home.write(".cursor/mcp.json", json({ mcpServers: { here: { command: "cat" } } }));
  home.write("xy.config.kdl", 'project "tools"\nclients { cursor; claude-desktop; zed prefix="xy-"; }\n');
  const port = await freePort();
  home.write(
    "servers.d/notes.kdl",
    `command "sh"\nargs "-c" "echo up; exec sleep 600"\nport ${port}\nmcp\nreadiness "log" pattern="^up$"\nliveness "none"\n`,
  );
  await home.did("apply", "--yes");
  // A person has copied the address, and the shim, under names of their own.
  const byHand = {
    copy: { url: `http://localhost:${port}/mcp` },
    shim: { command: "xy", args: ["connect", "tools/notes"] },
    far: { url: "https://far.example/mcp" },
  };
  home.write(join(home.path, ".kiro/settings/mcp.json"), json({ mcpServers: byHand }));
  const from = (...clients: string[]) => clients.flatMap((client) => ["--from", client]);

  home.write("Procfile", "web: sh x.sh\n");
  const report = (await home.json(
    "import",
    ...["Procfile", ...from("cursor", "claude-desktop", "zed", "kiro")],
  )) as Report;
  expect(report.sources.map(({ servers }) => servers.map(({ name, state }) => `${name} ${state}`))).toEqual([
    ["web new"],
    ["mine new"],
    ["here new"],
    [],
    [],
    [],
  ]);
  const own = "it is xy's own: it leads to tools/notes";
  const others = report.sources.map((source) => source.others.map(({ name, why }) => [name, why]));
  expect(others).toEqual([
    [],
    [["notes", own]],
    [],
    [["notes", own]],
    [["xy-notes", own]],
    [
      ["copy", own],
      ["shim", own],
      ["far", expect.stringContaining("it runs on another machine")],
    ],
  ]);
  expect(readdirSync(home.pathOf("servers.d")).sort()).toEqual([
    "here.kdl",
    "mine.kdl",
    "notes.kdl",
    "web.kdl",
  ]);
  await home.did("check");
});

it("a client's own settings are told in one line, also where it keeps much else", async () => {
  const home = newHome();
  home.write("xy.config.kdl", 'project "tools"\n');
  const settings = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`setting${i}`, { a: [i] }]));
  const servers = { command: "cat", odd: 1 };
  const history = Array.from({ length: 20_000 }, () => "x".repeat(100));
  home.write(
    join(home.path, ".claude.json"),
    json({
      ...settings,
      history,
      mcpServers: { a: servers },
      projects: { "/x": { mcpServers: { b: servers }, cost: 1 } },
    }),
  );
  const said = await home.did("import", "--from", "claude-code");
  expect(said).toMatch(
    /lines 2 to \d+ {2}setting0, setting1, setting2, and 49 more: it is a setting of the client\n/,
  );
  expect(said).toMatch(/line \d+ {2}mcpServers\.a\.odd: xy has no such setting\n/);
  expect(readdirSync(home.pathOf("servers.d")).sort()).toEqual(["a.kdl", "b.kdl"]);
  const { sources } = (await home.json("import", "--from", "claude-code")) as {
    sources: { lost: unknown[] }[];
  };
  expect(sources[0]?.lost.length).toBe(54);
});

it("a client that has nothing here, or a file that cannot be read, is told with the places, and nothing is written", async () => {
  const home = newHome();
  home.write("xy.config.kdl", 'project "tools"\n');
  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await home.xy("import", ...args);
    return [code, stdout, stderr.split("\n")[0]];
  };
  const at = join(home.path, ".cursor/mcp.json");
  expect(await said("--from", "cursor")).toEqual([1, "", expect.stringContaining("no servers here")]);
  for (const text of ["", "{}\n", '{ "theme": "dark" }\n', '{ "mcpServers": {} }\n']) {
    home.write(at, text);
    expect((await said("--from", "cursor"))[2], text).toContain("cannot import from Cursor");
  }
  for (const [text, why] of [
    ["[1", ""],
    ['{ "mcpServers": { "a": 1, }', "close brace expected"],
  ] as const) {
    home.write(at, text);
    expect((await said("--from", "cursor"))[2], text).toContain(why);
  }
  rmSync(at);
  symlinkSync("nowhere", at);
  expect((await said("--from", "cursor"))[2]).toContain("it is a link that leads nowhere");
  // The folder of a project may be somebody else's: nothing outside is read for it.
  rmSync(at);
  mkdirSync(home.pathOf(".cursor"), { recursive: true });
  const elsewhere = join(home.path, "else.json");
  writeFileSync(elsewhere, json({ mcpServers: { a: { command: "sh" } } }));
  symlinkSync(elsewhere, home.pathOf(".cursor/mcp.json"));
  expect((await said("--from", "cursor"))[2]).toContain("it leads out of its project");
  expect(await said("--from", "nobody")).toEqual([
    64,
    "",
    expect.stringContaining("cannot use --from nobody"),
  ]);
  expect(await said()).toEqual([64, "", expect.stringContaining("name a file, or a client with --from")]);
  expect(readdirSync(home.project)).not.toContain("servers.d");
});
