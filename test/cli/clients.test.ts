import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { changeEntries } from "../../src/clients/change.ts";
import { look } from "../../src/clients/look.ts";
import type { ClientTarget } from "../../src/clients/types.ts";
import { homesInTurn } from "./cli.ts";

const newHome = homesInTurn();

it("the clients of this machine are listed with their files, and nothing in these that may be a secret", async () => {
  const home = newHome();
  expect(await home.did("clients")).toBe(
    "No MCP clients were found. docs/clients.md lists those that xy knows.\n",
  );

  const cursor = join(home.path, ".cursor/mcp.json");
  const others = {
    github: {
      url: "https://api.example.com/mcp/s3cr3t-in-path",
      headers: { Authorization: "Bearer s3cr3t" },
    },
    files: { command: "/usr/bin/npx", args: ["-y", "--token", "s3cr3t"], env: { TOKEN: "s3cr3t" } },
  };
  home.write(cursor, JSON.stringify({ mcpServers: others }, null, 2));
  home.write(join(home.path, ".codex/config.toml"), "[mcp_servers.notes\n");
  mkdirSync(join(home.path, ".kiro/settings"), { recursive: true });
  home.write(
    home.pathOf(".vscode/mcp.json"),
    '{ "servers": { "time": { "type": "http", "url": "http://127.0.0.1:1/mcp" } } }',
  );

  const target: ClientTarget = { client: "cursor", scope: "user", file: cursor };
  const seen = await look(target);
  if (!seen.ok) throw new Error("cannot look");
  const set = ["notes", "memory"].map((name) => ({
    name,
    server: name,
    value: { url: "http://127.0.0.1:8421/x?y" },
  }));
  expect(await changeEntries(home.state, seen.value, "tools", { set, remove: [] })).toEqual({
    is: "written",
  });
  const text = readFileSync(cursor, "utf8");
  const [before = "", after = ""] = text.split('"memory"');
  writeFileSync(cursor, `${before}"memory"${after.replace("8421", "9999")}`);

  expect(await home.did("clients")).toBe(
    [
      "VS Code  .vscode/mcp.json (of the project)",
      "  time  http://127.0.0.1:1/mcp  not xy's",
      "",
      "Cursor  ~/.cursor/mcp.json",
      "  github  https://api.example.com/…  not xy's",
      "  files   npx                        not xy's",
      "  notes   http://127.0.0.1:8421/x?y  for tools/notes",
      "  memory  http://127.0.0.1:9999/…    for tools/memory, changed since xy wrote it",
      "  after a change: it reads the file again when it changes; a new server is switched on in its settings",
      "",
      "Codex  ~/.codex/config.toml",
      "  line 1, column 19: cannot use the file of Codex: this is not TOML: illegal character in key; nothing was changed",
      "",
      "Kiro  ~/.kiro/settings/mcp.json",
      "  there is no file yet",
      "",
    ].join("\n"),
  );
  expect(await home.json("clients")).toMatchObject([
    { client: "vscode", scope: "project" },
    {
      ...{ client: "cursor", scope: "user", file: cursor, exists: true, problem: null, missing: [] },
      backup: expect.stringContaining(`${home.state}/clients/`),
      entries: [
        { name: "github", to: "https://api.example.com/…", owner: null, changed: false, off: false },
        { name: "files", to: "npx", owner: null },
        { name: "notes", owner: { project: "tools", server: "notes" }, changed: false },
        { name: "memory", changed: true },
      ],
    },
    { client: "codex", problem: expect.stringContaining("line 1, column 19: "), entries: [] },
    { client: "kiro", exists: false, problem: null },
  ]);

  writeFileSync(cursor, "{}");
  expect(await home.did("clients")).toContain(
    "  it has no servers\n  notes is gone: xy wrote it for tools/notes\n",
  );
});
