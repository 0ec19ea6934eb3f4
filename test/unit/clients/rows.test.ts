import { describe, expect, it } from "vitest";
import { shapeFor } from "../../../src/clients/content.ts";
import { entryFor } from "../../../src/clients/entry.ts";
import { CLIENT_ROWS } from "../../../src/clients/rows/rows.ts";
import { targetOf, targetsOf } from "../../../src/clients/targets.ts";
import type { ClientRow, ServerOfClients, Shape } from "../../../src/clients/types.ts";
import { CLIENT_NAMES, CLIENT_SCOPES, type ClientName, type Scope } from "../../../src/model/clients.ts";

const rows = CLIENT_NAMES.map((name) => ({ name, row: CLIENT_ROWS[name] as ClientRow<Scope> }));
const plain: ServerOfClients = { project: "tools", server: "notes", url: "http://127.0.0.1:8421/mcp" };
const CONNECT = { command: "/usr/bin/node", args: ["/opt/xy.js", "connect"] };
const lastShape = (name: ClientName): Shape => CLIENT_ROWS[name].shapes.at(-1) as Shape;
const entryOf = (name: ClientName, server: ServerOfClients) =>
  entryFor(lastShape(name), "notes", server, CONNECT);

describe("the rows of clients", () => {
  it("have files for just the scopes that a configuration can name", () => {
    for (const { name, row } of rows)
      expect([name, Object.keys(row.files)]).toEqual([name, [...CLIENT_SCOPES[name]]]);
  });

  it("lead to one file each on both systems", () => {
    for (const os of ["linux", "macos"] as const) {
      const files = targetsOf({ os, home: "/home/me", env: {}, folder: "/work" }).map(({ file }) => file);
      expect(files.filter((file) => !/^\/(home\/me|work)\/[^{}$~]+$/.test(file))).toEqual([]);
      expect(new Set(files).size).toBe(files.length);
    }
  });

  it.each([
    ["a variable that is set", { CODEX_HOME: "/elsewhere" }, "/elsewhere/config.toml"],
    ["no relative path", { CODEX_HOME: "here" }, "/home/me/.codex/config.toml"],
  ])("follow %s", (_, env, file) => {
    expect(targetOf("codex", "user", { os: "linux", home: "/home/me", env })).toEqual({
      client: "codex",
      scope: "user",
      file,
    });
  });

  it("have opencode's file stay in the shape that it has", () => {
    const { shapes } = CLIENT_ROWS.opencode;
    const path = (content: unknown) => shapeFor(shapes, content).path.join(".");
    expect(path({ mcp: { servers: { a: { type: "remote" } } } })).toBe("mcp.servers");
    expect(path({ mcp: { servers: { type: "local" } } })).toBe("mcp");
    expect([path({ mcp: {} }), path({}), path(undefined), path(7)]).toEqual(["mcp", "mcp", "mcp", "mcp"]);
  });
});

describe("an entry", () => {
  it("is what each client takes", () => {
    const entries = CLIENT_NAMES.map((name) => [name, entryOf(name, plain).value]);
    const url = plain.url;
    const shim = { command: "/usr/bin/node", args: ["/opt/xy.js", "connect", "tools/notes"] };
    expect(Object.fromEntries(entries)).toEqual({
      "claude-code": { type: "http", url },
      "claude-desktop": shim,
      vscode: { type: "http", url },
      "copilot-cli": { type: "http", url, tools: ["*"] },
      cursor: { url },
      codex: { url },
      "gemini-cli": { type: "http", url },
      antigravity: { serverUrl: url },
      windsurf: { serverUrl: url },
      zed: { source: "custom", type: "http", url },
      cline: { type: "streamableHttp", url },
      continue: { name: "notes", type: "streamable-http", url },
      goose: { name: "notes", type: "streamable_http", uri: url, enabled: true, timeout: 300 },
      opencode: { type: "remote", url },
      junie: shim,
      "lm-studio": { url },
      kiro: { url },
      amp: { url },
      crush: { type: "http", url },
    });
  });

  it("names a variable for a token where the client can, and else leaves the token to xy", () => {
    const named = { ...plain, token: { variable: "TOKEN" } };
    const ways = CLIENT_NAMES.map((name) => [name, entryOf(name, named).via]);
    expect(ways.filter(([, via]) => via === "http").map(([name]) => name)).toEqual([
      "claude-code",
      "cursor",
      "codex",
      "gemini-cli",
      "opencode",
    ]);
    expect(entryOf("codex", named).value).toEqual({ url: plain.url, bearer_token_env_var: "TOKEN" });
    expect(entryOf("cursor", named).value).toEqual({
      url: plain.url,
      headers: { Authorization: ["Bearer $", "{env:TOKEN}"].join("") },
    });
    for (const name of CLIENT_NAMES) expect(entryOf(name, { ...plain, token: {} }).via).toBe("connect");
  });

  it("starts xy as each client says it", () => {
    const secret = { ...plain, token: {} };
    const words = ["/opt/xy.js", "connect", "tools/notes"];
    const command = "/usr/bin/node";
    expect(entryOf("opencode", secret).value).toEqual({ type: "local", command: [command, ...words] });
    expect(entryOf("zed", secret).value).toEqual({ source: "custom", command, args: words });
    expect(entryOf("vscode", secret).value).toEqual({ type: "stdio", command, args: words });
    expect(entryOf("copilot-cli", secret).value).toEqual({
      type: "stdio",
      command,
      args: words,
      tools: ["*"],
    });
    expect(entryOf("goose", secret).value).toMatchObject({
      name: "notes",
      type: "stdio",
      cmd: command,
      args: words,
    });
  });
});
