import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PROGRAMS, SERVER_ENV } from "../rig/mcp/servers.ts";
import { freePort, type Home, homesInTurn, newHome as newHomeAlone } from "./cli.ts";

/** The files of editors and assistants, as `xy` keeps them for a person. */

const newHome = homesInTurn();
const NODE = JSON.stringify(process.execPath);
const words = (...all: string[]) => all.map((word) => JSON.stringify(word)).join(" ");

/** Ready at once; nobody connects to it. */
const quick = (port: number) =>
  `command "sh"\nargs "-c" "echo up; exec sleep 600"\nport ${port}\nmcp\nreadiness "log" pattern="^up$"\nliveness "none"\n`;

interface ClientPlan {
  readonly client: string;
  readonly change: string;
  readonly entries: readonly { readonly name: string; readonly change: string; readonly drift?: string }[];
}
const clientsIn = async (home: Home, ...args: string[]) => {
  const { clients = [] } = (await home.json("plan", ...args)) as { clients?: ClientPlan[] };
  return Object.fromEntries(
    clients.map(({ client, change, entries }) => [
      client,
      [change, ...entries.map((entry) => `${entry.name} ${entry.drift ?? entry.change}`)].join(", "),
    ]),
  );
};
const read = (home: Home, file: string) => readFileSync(join(home.path, file), "utf8");

test("three servers are in the files of three clients, follow them, and leave as if they had never been there", async () => {
  const home = newHome();
  home.trusts();
  // A person's own, each with what an editor of text would lose.
  const before = {
    ".cursor/mcp.json":
      '\ufeff{\r\n  "mcpServers": {\r\n    "gh": { "url": "https://gh.example/mcp" }\r\n  }\r\n}\r\n',
    ".config/zed/settings.json": '// Zed\n{\n  "theme": "One", // dark\n  "vim_mode": true,\n}\n',
    ".codex/config.toml":
      '# mine\nmodel = "o5"\n\n[mcp_servers.gh] # theirs\nurl = "https://gh.example/mcp"\n',
    ".config/goose/config.yaml":
      "# goose\nGOOSE_MODEL: x   # two spaces\nextensions:\n  dev: {enabled: true}\n",
  };
  for (const [file, text] of Object.entries(before)) home.write(join(home.path, file), text);
  const [everything, memory, files, moved] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const quiet = Object.entries(SERVER_ENV).map(([name, value]) => `${name} ${words(value)}; `);
  const env = `env { ${quiet.join("")} }\n`;
  home.write(
    "xy.config.kdl",
    'clients { cursor; zed { except "tag:local"; }; codex; goose only="notes"; }\n',
  );
  const everythingAt = (port: number) =>
    home.write(
      "servers.d/all.kdl",
      `command ${NODE}\nargs ${words(PROGRAMS.everything, "streamableHttp")}\nport ${port}\nmcp\nenv { ${quiet.join("")} PORT "{port}"; }\n`,
    );
  everythingAt(everything);
  home.write(
    "servers.d/notes.kdl",
    `command ${NODE}\nargs ${words(PROGRAMS.memory)}\nport ${memory}\nmcp { transport "stdio"; }\n${env}`,
  );
  home.write(
    "servers.d/files.kdl",
    `command ${NODE}\nargs ${words(PROGRAMS.filesystem, home.project)}\nport ${files}\ntags "local"\nmcp { transport "stdio"; }\n${env}`,
  );

  await home.did("plan", "-o", "first.plan");
  expect(await home.did("apply", "first.plan")).toContain("Apply complete: 7 added");
  const url = (port: number) => `http://127.0.0.1:${port}/mcp`;
  for (const file of Object.keys(before)) expect(read(home, file), file).toContain(url(memory));
  expect(read(home, ".config/zed/settings.json")).not.toContain(url(files));
  expect(read(home, ".cursor/mcp.json")).toContain(url(files));
  expect(await home.did("plan")).toContain("No changes. 3 servers and 4 clients match");
  expect(await home.xy("apply", "first.plan")).toMatchObject({ code: 1 });

  everythingAt(moved);
  const shown = await home.did("plan");
  expect(shown).toContain(`~ port: ${everything} -> ${moved}`);
  expect(shown).toContain(`~ client cursor will be changed`);
  expect(shown).toContain(`~ all: url ${url(everything)} -> ${url(moved)}`);
  // What is left out stays as it is, in the files, too.
  expect(await clientsIn(home, "--only", "notes")).toMatchObject({ cursor: "none, notes none" });
  expect(await home.did("apply", "--yes")).toContain("Apply complete: 0 added, 4 changed");
  expect(read(home, ".codex/config.toml")).toContain(`url = "${url(moved)}"`);

  home.write(
    join(home.path, ".cursor/mcp.json"),
    read(home, ".cursor/mcp.json").replace(url(memory), "http://x/"),
  );
  expect(await home.did("plan")).toContain("drifted: client cursor: notes was changed outside xy");
  expect(await clientsIn(home)).toMatchObject({
    cursor: expect.stringContaining("notes changed"),
    zed: expect.stringMatching(/^none/),
  });
  await home.did("apply", "--yes");
  expect(read(home, ".cursor/mcp.json")).toContain(url(memory));

  expect(await home.did("rollback", "--yes", "1")).toContain("Rollback complete");
  for (const file of [".cursor/mcp.json", ".config/zed/settings.json", ".codex/config.toml"])
    expect(read(home, file), file).toContain(url(everything));
  const gone = (await home.json("destroy", "--yes")) as { outcome: { server: string; type: string }[] };
  expect(gone.outcome.filter(({ type }) => type === "done")).toHaveLength(7);
  for (const [file, text] of Object.entries(before)) expect(read(home, file), file).toBe(text);
}, 120_000);

describe("an entry", () => {
  test("of a server that does not come up stays as it was, and the others are written", async () => {
    const home = newHomeAlone();
    home.trusts();
    home.write("xy.config.kdl", "clients { cursor; }\n");
    home.write("servers.d/good.kdl", quick(1));
    const bad = quick(2).replace("echo up; exec sleep 600", "exit 7");
    home.write("servers.d/bad.kdl", `${bad}restart { policy "never"; }\n`);
    const { code, stdout } = await home.xy("apply", "--yes");
    expect(code).toBe(1);
    expect(stdout).toContain("client cursor: changed in part: bad failed; the other entries are written");
    expect(JSON.parse(read(home, ".cursor/mcp.json"))).toEqual({
      mcpServers: { good: { url: "http://127.0.0.1:1/mcp" } },
    });
    home.write("servers.d/bad.kdl", quick(2));
    await home.did("apply", "--yes");
    expect(await clientsIn(home)).toEqual({ cursor: "none, bad none, good none" });
    // What the client adds to it is the client's.
    const added = read(home, ".cursor/mcp.json").replace('"url"', '"disabled": true, "url"');
    home.write(join(home.path, ".cursor/mcp.json"), added);
    expect(await home.did("plan")).toContain("No changes.");
  });

  test("of somebody else is left alone, until a person has it taken over", async () => {
    const home = newHome();
    home.trusts();
    home.write("xy.config.kdl", "clients { cursor; }\n");
    home.write("servers.d/web.kdl", quick(1));
    const theirs = '{ "mcpServers": { "web": { "url": "https://web.example" } } }\n';
    home.write(join(home.path, ".cursor/mcp.json"), theirs);
    const refused = await home.xy("apply", "--yes");
    expect(refused.code).toBe(1);
    expect(`${refused.stdout}${refused.stderr}`).toContain(
      "there is an entry of that name which xy did not write",
    );
    expect(read(home, ".cursor/mcp.json")).toBe(theirs);
    expect(await home.servers()).toEqual({});
    expect(await home.did("apply", "--yes", "--adopt")).toContain("web: url https://web.example/ ->");
    expect(read(home, ".cursor/mcp.json")).toContain("http://127.0.0.1:1/mcp");
  });

  test("of another project by that name is in the way, and a prefix is the way out", async () => {
    const home = newHome();
    const other = join(home.path, "other");
    for (const [folder, port] of [
      [home.project, 1],
      [other, 2],
    ] as const) {
      home.write(join(folder, "xy.config.kdl"), "clients { cursor; }\n");
      home.write(join(folder, "servers.d/web.kdl"), quick(port));
      home.trusts(folder);
    }
    await home.did("apply", "--yes");
    const refused = await home.xyIn({ cwd: other }, "apply", "--yes", "--adopt");
    expect(refused.code).toBe(1);
    expect(refused.stdout).toContain("project tools has an entry of that name there; give cursor a prefix");
    home.write(join(other, "xy.config.kdl"), 'clients { cursor prefix="other-"; }\n');
    expect((await home.xyIn({ cwd: other }, "apply", "--yes")).code).toBe(0);
    expect(Object.keys(JSON.parse(read(home, ".cursor/mcp.json")).mcpServers)).toEqual(["web", "other-web"]);
    await home.did("destroy", "--yes");
    // The file was made for the one, and is needed by the other.
    expect(Object.keys(JSON.parse(read(home, ".cursor/mcp.json")).mcpServers)).toEqual(["other-web"]);
    expect((await home.xyIn({ cwd: other }, "destroy", "--yes")).code).toBe(0);
    expect(existsSync(join(home.path, ".cursor"))).toBe(false);
  });
});

test("a file that cannot be used is told, and stops neither servers nor other clients", async () => {
  const home = newHome();
  home.trusts();
  const at = (file: string) => join(home.path, file);
  home.write(
    "xy.config.kdl",
    "clients { cursor; zed; windsurf; kiro; lm-studio; gemini-cli; copilot-cli; junie; goose; amp; continue; }\n",
  );
  home.write("servers.d/web.kdl", quick(1));
  home.write(at(".cursor/mcp.json"), "{ not JSON");
  mkdirSync(at(".config/zed"), { recursive: true });
  symlinkSync("nowhere", at(".config/zed/settings.json"));
  home.write(at(".codeium/windsurf/mcp_config.json"), `{ "x": "${"x".repeat(10 * 2 ** 20)}" }`);
  chmodSync(home.write(at(".kiro/settings/mcp.json"), "{}\n"), 0o400);
  home.write(at(".lmstudio/mcp.json"), "");
  home.write(at("dotfiles/gemini.json"), "{}\n");
  mkdirSync(at(".gemini"));
  symlinkSync("../dotfiles/gemini.json", at(".gemini/settings.json"));
  mkdirSync(at(".copilot/mcp-config.json"), { recursive: true });
  home.write(at(".config/amp/settings.json"), '{ "amp.mcpServers": null }\n');
  home.write(at(".continue/config.yaml"), "mcpServers: { a: { url: x } }\n");
  const { code, stdout } = await home.xy("apply", "--yes");
  const told = stdout.replace(/\s+/g, " ");
  expect(told).toContain("cannot use the file of Cursor:");
  expect(told).toContain("it is a link that leads nowhere");
  expect(told).toContain("it is larger than 10 MB");
  expect(told).toContain("it is a folder; move it away");
  expect(told).toContain("it is read-only; run: chmod u+w");
  expect(told).toContain("amp.mcpServers is null, where an object belongs");
  expect(told).toContain("cannot use the file of Continue:");
  // The plan knew all of them.
  expect(code).toBe(0);
  expect(await home.servers()).toMatchObject({ web: { state: "running" } });
  const url = "http://127.0.0.1:1/mcp";
  for (const file of [
    ".lmstudio/mcp.json",
    "dotfiles/gemini.json",
    ".junie/mcp/mcp.json",
    ".config/goose/config.yaml",
  ])
    expect(read(home, file), file).toMatch(file.includes("junie") ? "connect" : url);
  expect(readlinkSync(at(".gemini/settings.json"))).toBe("../dotfiles/gemini.json");
  expect(lstatSync(at(".config/zed/settings.json")).isSymbolicLink()).toBe(true);
  expect(read(home, ".cursor/mcp.json")).toBe("{ not JSON");
  expect(read(home, ".kiro/settings/mcp.json")).toBe("{}\n");

  // One that breaks later keeps its entry, and the project its record of it.
  home.write(at(".lmstudio/mcp.json"), "{ not JSON");
  const left = await home.xy("destroy", "--yes");
  expect(left.code).not.toBe(0);
  expect(left.stderr).toContain("not everything could be removed: client lm-studio");
  home.write(at(".lmstudio/mcp.json"), `{ "mcpServers": { "web": { "url": "${url}" } } }`);
  await home.did("destroy", "--yes");
  expect(read(home, ".lmstudio/mcp.json")).not.toContain(url);
  expect(read(home, "dotfiles/gemini.json")).toBe("{}\n");
  expect(existsSync(at(".junie"))).toBe(false);
});

test("files outside the folder of a stranger's configuration are part of what is asked", async () => {
  const home = newHome();
  home.write("xy.config.kdl", 'clients { cursor; vscode scope="project"; }\n');
  home.write("servers.d/web.kdl", quick(1));
  const { code, stderr } = await home.xy("apply", "--yes");
  expect(code).toBe(3);
  expect(stderr).toContain("cannot write into your file of cursor without your consent");
  expect(stderr).not.toContain("vscode");
  expect(existsSync(join(home.path, ".cursor"))).toBe(false);
  await home.did("apply", "--yes", "--trust");
  expect(read(home, ".cursor/mcp.json")).toContain("http://127.0.0.1:1/mcp");
  expect(read(home, "tools/.vscode/mcp.json")).toContain("http://127.0.0.1:1/mcp");
});

test("entries follow a project that gets another name", async () => {
  const home = newHome();
  home.trusts();
  home.write("xy.config.kdl", "clients { cursor; }\n");
  home.write("servers.d/web.kdl", quick(1));
  await home.did("apply", "--yes");
  const before = read(home, ".cursor/mcp.json");
  home.write("xy.config.kdl", 'project "other"\nclients { cursor; }\n');
  await home.did("apply", "--yes", "--adopt-project");
  expect(read(home, ".cursor/mcp.json")).toBe(before);
  expect(await home.did("plan")).toContain("No changes. 1 server and 1 client match");
  await home.did("destroy", "--yes");
  expect(existsSync(join(home.path, ".cursor"))).toBe(false);
});
