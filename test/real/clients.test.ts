import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { changeEntries } from "../../src/clients/change.ts";
import { entryFor } from "../../src/clients/entry.ts";
import { look } from "../../src/clients/look.ts";
import { targetOf } from "../../src/clients/targets.ts";
import type { ClientLook, ClientTarget } from "../../src/clients/types.ts";
import type { ClientName } from "../../src/model/clients.ts";
import { SweptFolder } from "../rig/secret-scan.ts";

/** Reads the files of these clients as they do, to find the servers of all of them. */
const MCPORTER = join(import.meta.dirname, "../../node_modules/mcporter/dist/cli.js");

/** What a person has there already. */
const FILES = {
  "claude-code": ["~/.claude.json", '{"numStartups": 3, "mcpServers": {}}'],
  cursor: ["~/.cursor/mcp.json", '{\n\t"mcpServers": {\n\t\t"files": { "command": "true" }\n\t}\n}\n'],
  codex: ["~/.codex/config.toml", 'model = "x" # mine\n\n[tui]\nnotifications = true'],
  windsurf: ["~/.codeium/windsurf/mcp_config.json", ""],
  vscode: ["~/.config/Code/User/mcp.json", '{\r\n  "inputs": [],\r\n}\r\n'],
  opencode: ["~/.config/opencode/opencode.json", undefined],
} as const satisfies Partial<Record<ClientName, readonly [file: string, text: string | undefined]>>;
type Tried = keyof typeof FILES;

const CONNECT = { command: process.execPath, args: ["/opt/xy.js", "connect"] };
const PORTS = { notes: 8421, secret: 8422, vault: 8423 };

function serverOf(server: keyof typeof PORTS) {
  const token = { notes: {}, secret: { token: { variable: "NOTES_TOKEN" } }, vault: { token: {} } }[server];
  return { project: "tools", server, url: `http://127.0.0.1:${PORTS[server]}/mcp`, ...token };
}

interface Found {
  readonly name: string;
  readonly source: { readonly path: string };
  readonly transport: string;
  readonly baseUrl?: string;
  readonly headers?: { readonly Authorization?: string };
  readonly command?: string;
  readonly args?: readonly string[];
}

it("another program finds in clients' files what was written there", async () => {
  const folder = new SweptFolder();
  const home = folder.path;
  onTestFinished(() => folder.remove());
  const state = join(home, "state");
  const env = { HOME: home, PATH: process.env.PATH };
  const targets = {} as Record<Tried, ClientTarget>;
  for (const client of Object.keys(FILES) as Tried[]) {
    const [path, text] = FILES[client];
    const target = targetOf(client, "user", { os: "linux", home, env });
    expect(target?.file).toBe(path.replace("~", home));
    targets[client] = target as ClientTarget;
    if (text === undefined) continue;
    mkdirSync(dirname(targets[client].file), { recursive: true });
    writeFileSync(targets[client].file, text);
  }
  const seen = async (client: Tried): Promise<ClientLook> => {
    const found = await look(targets[client]);
    if (!found.ok) throw new Error(found.problems[0]?.message);
    return found.value;
  };

  for (const client of Object.keys(FILES) as Tried[]) {
    const now = await seen(client);
    const set = (Object.keys(PORTS) as (keyof typeof PORTS)[]).map((server) => {
      // One list for all of them: a name counts only in the first file.
      const name = `${client}-${server}`;
      return { name, server, value: entryFor(now.shape, name, serverOf(server), CONNECT).value };
    });
    expect(await changeEntries(state, now, "tools", { set, remove: [] })).toEqual({ is: "written" });
  }
  const said = execFileSync(process.execPath, [MCPORTER, "config", "list", "--json", "--source", "import"], {
    cwd: home,
    env,
    encoding: "utf8",
  });
  const { servers } = JSON.parse(said) as { servers: readonly Found[] };
  const found = (name: string) => servers.find((server) => server.name === name);
  const shim = { transport: "stdio", command: process.execPath };
  for (const client of Object.keys(FILES) as Tried[]) {
    const source = { path: targets[client].file };
    expect(found(`${client}-notes`)).toMatchObject({
      source,
      transport: "http",
      baseUrl: "http://127.0.0.1:8421/mcp",
    });
    expect(found(`${client}-vault`)).toMatchObject({
      source,
      ...shim,
      args: ["/opt/xy.js", "connect", "tools/vault"],
    });
  }
  const header = (client: Tried) => found(`${client}-secret`)?.headers?.Authorization;
  expect({
    "claude-code": header("claude-code"),
    cursor: header("cursor"),
    opencode: header("opencode"),
  }).toEqual({
    "claude-code": ["Bearer $", "{NOTES_TOKEN}"].join(""),
    cursor: ["Bearer $", "{env:NOTES_TOKEN}"].join(""),
    opencode: expect.stringContaining("NOTES_TOKEN"),
  });
  for (const client of ["vscode", "windsurf"] as const) expect(found(`${client}-secret`)).toMatchObject(shim);

  for (const client of Object.keys(FILES) as Tried[]) {
    const remove = Object.keys(PORTS).map((server) => `${client}-${server}`);
    await changeEntries(state, await seen(client), "tools", { set: [], remove });
    const now = await seen(client);
    expect(now.text).toBe(FILES[client][1]);
    if (now.text !== undefined) expect(readFileSync(now.target.file, "utf8")).toBe(FILES[client][1]);
  }
});
