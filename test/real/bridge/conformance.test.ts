import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ask, type Message, messagesIn, PlainClient } from "../../rig/bridge-client.ts";
import { PROGRAMS, startServer } from "../../rig/mcp/servers.ts";
import { descendants } from "../../rig/processes.ts";

/** How bridges answer where clients differ from what is well-behaved, side by side. */

const XY = join(import.meta.dirname, "../../../bin/xy.js");
const CHILD = [process.execPath, PROGRAMS.memory];

const BRIDGES: readonly (readonly [name: string, args: (port: number) => readonly string[]])[] = [
  ["xy bridge", (port) => [XY, "bridge", "--port", `${port}`, "--", ...CHILD]],
  ["mcp-proxy", (port) => [PROGRAMS.mcpProxy, "--host", "127.0.0.1", "--port", `${port}`, "--", ...CHILD]],
  [
    "supergateway",
    (port) => [
      ...[PROGRAMS.supergateway, "--stdio", CHILD.join(" "), "--port", `${port}`],
      ...["--outputTransport", "streamableHttp"],
    ],
  ],
  [
    "supergateway --stateful",
    (port) => [
      ...[PROGRAMS.supergateway, "--stdio", CHILD.join(" "), "--port", `${port}`],
      ...["--outputTransport", "streamableHttp", "--stateful"],
    ],
  ],
];

const initialize = {
  ...{ jsonrpc: "2.0", id: 1, method: "initialize" },
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
};

interface Row {
  readonly what: string;
  readonly right: string;
  readonly look: (port: number, pid: number) => Promise<string>;
}

const status = async (port: number, asked: Parameters<typeof ask>[1]) => `${(await ask(port, asked)).status}`;

const ROWS: readonly Row[] = [
  {
    what: "a page of a stranger (`Origin: http://evil.example`)",
    right: "403",
    look: (port) => status(port, { headers: { Origin: "http://evil.example" }, body: initialize }),
  },
  {
    what: "a name that was made to point here (`Host: evil.example`)",
    right: "403",
    look: (port) => status(port, { headers: { Host: "evil.example" }, body: initialize }),
  },
  {
    what: "a session that nobody has",
    right: "404",
    look: (port) =>
      status(port, {
        headers: { "Mcp-Session-Id": "0-1" },
        body: { jsonrpc: "2.0", id: 1, method: "tools/list" },
      }),
  },
  {
    what: "a client of the version without sessions (`server/discover`)",
    right: "400, -32022",
    look: async (port) => {
      const body = { jsonrpc: "2.0", id: 1, method: "server/discover", params: {} };
      const headers = { "MCP-Protocol-Version": "2026-07-28" };
      const { status: code, text } = await ask(port, { headers, body });
      const error = text.includes("{") ? messagesIn(text)[0]?.error?.code : undefined;
      return error === undefined ? `${code}` : `${code}, ${error}`;
    },
  },
  {
    what: "further processes of the server, for two clients",
    right: "2",
    look: async (port, pid) => {
      const before = new Set(serversBelow(pid).map((one) => one.pid));
      const clients = [await connected(port), await connected(port)];
      await Promise.all(clients.map((client) => client?.request("tools/list")));
      return `${serversBelow(pid).filter((one) => !before.has(one.pid)).length}`;
    },
  },
  {
    what: "a call after its server was killed, in the same session",
    right: "answered",
    look: async (port, pid) => {
      const client = await connected(port);
      if (client === undefined) return "no session";
      const before = await client.request("tools/list");
      for (const server of serversBelow(pid)) kill(server.pid);
      // One that was sent to the dying one may fail.
      const answers = [await inTime(client), await inTime(client)];
      return before.result && answers.some(({ result }) => result) ? "answered" : "not answered";
    },
  },
];

async function connected(port: number): Promise<PlainClient | undefined> {
  return PlainClient.open(port).catch(() => undefined);
}

/** Shells that guard them, or have started them, left out. */
const serversBelow = (pid: number) =>
  descendants(pid).filter(
    ({ command }) => command.includes(PROGRAMS.memory) && !/^(\/bin\/)?sh /.test(command),
  );

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

/** Nothing is answered by one that takes longer than any of them does. */
const inTime = (client: PlainClient): Promise<Message> =>
  Promise.race([
    client.request("tools/list").catch(() => ({})),
    new Promise<Message>((resolve) => setTimeout(resolve, 10_000, {}).unref()),
  ]);

const INTRODUCTION = `# What bridges do

One row for each situation, with what is right and what each bridge does: server-memory behind \`xy bridge\`, [mcp-proxy](https://www.npmjs.com/package/mcp-proxy) and [supergateway](https://www.npmjs.com/package/supergateway). Written by \`test/real/bridge/conformance.test.ts\`, which runs them, and fails when xy's column is not what is right or this table is not what was seen.
`;

describe("bridges", () => {
  it("answer as this table says, xy as is right", { timeout: 120_000 }, async () => {
    const columns = await Promise.all(
      BRIDGES.map(async ([, args]) => {
        const { port, process: bridge } = await startServer(args);
        const seen: string[] = [];
        for (const { look } of ROWS)
          seen.push(await look(port, bridge.pid as number).catch((error) => `fails (${error.code})`));
        return seen;
      }),
    );
    expect(columns[0]).toEqual(ROWS.map(({ right }) => right));
    const head = ["situation", "right", ...BRIDGES.map(([name]) => `\`${name}\``)];
    const lines = ROWS.map(({ what, right }, i) => [
      what,
      right,
      ...columns.map((column) => column[i] ?? ""),
    ]);
    const table = [head, head.map(() => "---"), ...lines].map((row) => `| ${row.join(" | ")} |`).join("\n");
    await expect(`${INTRODUCTION}\n${table}\n`).toMatchFileSnapshot("../../../docs/reference/bridges.md");
  });
});
