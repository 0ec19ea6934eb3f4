import { describe, expect, it } from "vitest";
import { declaredBy, machine, problemsOf, resolvedFrom } from "../rig.ts";
import { asJson, asTypeScript, asYaml } from "../writers.ts";

/** Which clients a project declares, for which servers, on which machines. */

const SERVERS = {
  "servers.d/notes.kdl": 'command "x"; port 8421; mcp; tags "work"',
  "servers.d/search.kdl": 'command "x"; port 8422; mcp path="/v2"; host "0.0.0.0"',
  "servers.d/db.kdl": 'command "x"; port 5432; tags "work"',
};
const clientsOf = async (root: string, more: Record<string, string> = {}, host = "box") => {
  const changes = { machine: { ...machine, host } };
  const { clients } = await declaredBy({ "xy.config.kdl": root, ...SERVERS, ...more }, changes);
  return clients.map(({ client, scope, prefix, servers }) =>
    [client, scope, ...(prefix === "" ? [] : [prefix]), ...servers].join(" "),
  );
};

it("are declared in the same way in every format", async () => {
  const input = {
    clients: {
      "claude-code": true,
      cursor: {},
      codex: { scope: "user", only: "tag:work" },
      vscode: { scope: "project", except: ["notes"], prefix: "my-" },
      zed: false,
    },
  };
  const kdl = `clients {
    claude-code
    cursor
    codex scope="user" only="tag:work"
    vscode scope="project" prefix="my-" { except "notes"; }
    zed #false
  }`;
  const files = {
    "xy.config.kdl": kdl,
    "xy.config.yaml": asYaml(input),
    "xy.config.json": asJson(input),
    "xy.config.ts": asTypeScript(input),
  };
  for (const [name, text] of Object.entries(files)) {
    const { clients } = await declaredBy({ [name]: text, ...SERVERS });
    expect(clients, name).toEqual([
      { client: "claude-code", scope: "user", prefix: "", servers: ["notes", "search"] },
      { client: "codex", scope: "user", prefix: "", servers: ["notes"] },
      { client: "cursor", scope: "user", prefix: "", servers: ["notes", "search"] },
      { client: "vscode", scope: "project", prefix: "my-", servers: ["search"] },
    ]);
  }
});

it("get the URLs at which servers are reached, by the names that they have there", async () => {
  const root = 'clients { cursor prefix="w-"; }';
  const { desired } = await resolvedFrom({ "xy.config.kdl": root, ...SERVERS });
  expect(desired.clients).toEqual([
    {
      client: "cursor",
      scope: "user",
      entries: [
        { server: "notes", name: "w-notes", url: "http://127.0.0.1:8421/mcp" },
        { server: "search", name: "w-search", url: "http://127.0.0.1:8422/v2" },
      ],
    },
  ]);
  const withToken = async (value: string) => {
    const server = `command "x"; port 1; mcp; env { XY_BRIDGE_TOKEN ${value}; }`;
    const files = { "xy.config.kdl": "clients { cursor; }", "servers.d/a.kdl": server };
    const resolved = await resolvedFrom(files, { env: { TOKEN: "of-a-person" } });
    return resolved.desired.clients?.[0]?.entries[0]?.token;
  };
  // A client can only be told the name of a variable.
  expect(await withToken('(env)"TOKEN"')).toEqual({ variable: "TOKEN" });
  expect(await withToken('"of-a-person"')).toEqual({});
  const without = await resolvedFrom(SERVERS);
  expect(without.desired).not.toHaveProperty("clients");
});

describe("on some machines", () => {
  const root = `clients { cursor; zed; }
    on host="work" { clients { cursor only="notes"; zed #false; codex; }; }`;

  it("are as their blocks say", async () => {
    expect(await clientsOf(root)).toEqual(["cursor user notes search", "zed user notes search"]);
    expect(await clientsOf(root, {}, "work")).toEqual(["codex user notes search", "cursor user notes"]);
  });

  it("may name servers of other machines", async () => {
    const more = { "servers.d/far.kdl": 'command "x"; port 1; mcp; when host="far"' };
    expect(await clientsOf('clients { cursor { only "far" "tag:far"; }; }', more)).toEqual(["cursor user"]);
  });

  it("are those of included files, too", async () => {
    const more = { "more.kdl": "clients { zed; }" };
    expect(await clientsOf('include "more.kdl"; clients { cursor only="notes"; }', more)).toEqual([
      "cursor user notes",
      "zed user notes search",
    ]);
  });
});

describe("are refused", () => {
  it.each<[string, string, string]>([
    [
      "by another name",
      "clients { cursr; }",
      'xy.config.kdl:1:11: cannot use the name "cursr": no such client is known; did you mean "cursor"?',
    ],
    [
      "with an unknown setting",
      "clients { cursor scop=1; }",
      'xy.config.kdl:1:18: cannot use unknown key "clients.cursor.scop": did you mean "scope"?',
    ],
    [
      "with a scope that they do not have",
      'clients { goose scope="project"; }',
      'xy.config.kdl:1:23: cannot use "project" for the scope of goose: it has no file for that; write "user", or leave scope out',
    ],
    [
      "for a server that is not there",
      'clients { cursor only="note"; }',
      'xy.config.kdl:1:23: cannot choose "note" for cursor: no such server; did you mean "notes"?',
    ],
    [
      "for a server that is none of MCP",
      'clients { cursor { only "notes" "db"; }; }',
      'xy.config.kdl:1:33: cannot write db into a file of cursor: it has no mcp block; add "mcp" to it, or remove it here',
    ],
    [
      "with a prefix that some client would refuse",
      'clients { cursor prefix="my "; }',
      'xy.config.kdl:1:25: cannot use "my " for clients.cursor.prefix: write at most 32 of a-z, 0-9, "-" and "_", beginning with a letter or digit',
    ],
  ])("%s", async (_, root, problem) => {
    expect(await problemsOf({ "xy.config.kdl": root, ...SERVERS })).toEqual([problem]);
  });

  it("twice, in two files", async () => {
    const files = {
      "xy.config.kdl": 'include "more.kdl"; clients { cursor; }',
      "more.kdl": "clients { cursor; }",
    };
    expect(await problemsOf({ ...files, ...SERVERS })).toEqual([
      "more.kdl:1:11: cannot set up cursor twice: it is already set up at xy.config.kdl:1:31; keep one of them",
    ]);
  });
});

it("are told of a tag that nobody has", async () => {
  expect(await problemsOf({ "xy.config.kdl": 'clients { cursor except="tag:wrk"; }', ...SERVERS })).toEqual([
    'xy.config.kdl:1:25: no server has the tag "wrk", which except of cursor names',
  ]);
});
