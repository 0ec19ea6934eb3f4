import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ask, type Message, messagesIn, PlainClient } from "../../rig/bridge-client.ts";
import { ours, PROGRAMS, startServer } from "../../rig/mcp/servers.ts";
import { descendants } from "../../rig/processes.ts";

/** How bridges answer where clients differ from what is well-behaved, side by side. */

const XY = join(import.meta.dirname, "../../../bin/xy.js");
/** The servers behind them. */
const SERVERS = { memory: PROGRAMS.memory, odd: ours("odd"), modern: ours("eras/modern") } as const;
type Server = keyof typeof SERVERS;

const gateway = (...more: string[]) => ({
  args: (port: number, server: string) => [
    ...[PROGRAMS.supergateway, "--stdio", `${process.execPath} ${server}`, "--port", `${port}`],
    ...["--outputTransport", "streamableHttp", ...more],
  ],
});

const BRIDGES: Readonly<Record<string, { args: (port: number, server: string) => readonly string[] }>> = {
  "xy bridge": {
    args: (port, server) => [XY, "bridge", "--port", `${port}`, "--", process.execPath, server],
  },
  "xy bridge --share all": {
    args: (port, server) => [
      ...[XY, "bridge", "--port", `${port}`, "--share", "all", "--", process.execPath, server],
    ],
  },
  "mcp-proxy": {
    args: (port, server) => [
      ...[PROGRAMS.mcpProxy, "--host", "127.0.0.1", "--port", `${port}`, "--", process.execPath, server],
    ],
  },
  supergateway: gateway(),
  "supergateway --stateful": gateway("--stateful"),
};
const XYS = Object.keys(BRIDGES).filter((name) => name.startsWith("xy"));

const initialize = {
  ...{ jsonrpc: "2.0", id: 1, method: "initialize" },
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "t", version: "1" } },
};
const LIST = { jsonrpc: "2.0", id: 1, method: "tools/list", params: {} };

/** Where a bridge serves, and its process. */
interface Seen {
  readonly port: number;
  readonly bridge: ChildProcess;
}

interface Row {
  readonly what: string;
  /** Of a bridge that gives each client a process, and of one that shares one. */
  readonly right: string | readonly [session: string, all: string];
  readonly server: Server;
  readonly look: (seen: Seen) => Promise<string>;
}

type Asked = Parameters<typeof ask>[1];
const status = async ({ port }: Seen, asked: Asked) => `${(await inTime(ask(port, asked))).status}`;

/** Status of an answer, with the code of its error, or a word for a result. */
async function answer({ port }: Seen, asked: Asked): Promise<string> {
  const { status: code, text } = await inTime(ask(port, asked));
  const last = text.includes("{") ? messagesIn(text).at(-1) : undefined;
  if (last?.result !== undefined) return "answered";
  return last?.error === undefined ? `${code}` : `${code}, ${last.error.code}`;
}

const MODERN = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
};
const discover: Asked = {
  headers: { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "server/discover" },
  body: { jsonrpc: "2.0", id: 1, method: "server/discover", params: { _meta: MODERN } },
};

const ROWS: readonly Row[] = [
  {
    what: "a page of a stranger asks (`Origin: http://evil.example`)",
    ...{ right: "403", server: "odd" },
    look: (seen) => status(seen, { headers: { Origin: "http://evil.example" }, body: initialize }),
  },
  {
    what: "a page of no origin asks (`Origin: null`)",
    ...{ right: "403", server: "odd" },
    look: (seen) => status(seen, { headers: { Origin: "null" }, body: initialize }),
  },
  {
    what: "a browser looks whether a page of a stranger may ask (`OPTIONS`)",
    ...{ right: "403", server: "odd" },
    look: (seen) => status(seen, { method: "OPTIONS", headers: { Origin: "http://evil.example" } }),
  },
  {
    what: "a name that was made to point here is asked (`Host: evil.example`)",
    ...{ right: "403", server: "odd" },
    look: (seen) => status(seen, { headers: { Host: "evil.example" }, body: initialize }),
  },
  {
    what: "a session that nobody has",
    ...{ right: "404", server: "odd" },
    look: (seen) => status(seen, { headers: { "Mcp-Session-Id": "0-1" }, body: LIST }),
  },
  {
    what: "a request without a session",
    ...{ right: "400", server: "odd" },
    look: (seen) => status(seen, { body: LIST }),
  },
  {
    what: "processes of the server, with two clients",
    ...{ right: ["2", "1"], server: "memory" },
    look: async (seen) => {
      const clients = [await connected(seen), await connected(seen)];
      await Promise.all(clients.map((client) => client?.request("tools/list")));
      // How many are left of those that end with their request depends on the moment.
      if (clients.every((client) => client === undefined)) return "one for each request";
      const count = serversBelow(seen, "memory").length;
      return count > 2 ? "more" : `${count}`;
    },
  },
  {
    what: "a version that nobody knows (`MCP-Protocol-Version: 1999-01-01`)",
    ...{ right: "400", server: "odd" },
    look: async (seen) => {
      const client = await connected(seen);
      const headers = { ...client?.headers, "MCP-Protocol-Version": "1999-01-01" };
      return status(seen, { headers, body: LIST });
    },
  },
  {
    what: "`server/discover`, to a server that knows sessions alone",
    ...{ right: ["400, -32022", "answered"], server: "odd" },
    look: (seen) => answer(seen, discover),
  },
  {
    what: "`server/discover`, to a server that knows none",
    ...{ right: "answered", server: "modern" },
    look: (seen) => answer(seen, discover),
  },
  {
    what: "a client with a session, to a server that knows none",
    ...{ right: "answered", server: "modern" },
    look: async (seen) => {
      // Whether a bridge refuses it, or leaves it without an answer, is up to its luck.
      const said = await connected(seen)
        .then((client) => client && inTime(client.request("tools/list")))
        .catch(() => undefined);
      return said?.result?.tools?.length > 0 ? "answered" : "not answered";
    },
  },
  {
    what: "a call after its server was killed, in the same session",
    ...{ right: "answered", server: "memory" },
    look: async (seen) => {
      const client = await connected(seen);
      if (client === undefined) return "no session";
      const before = await client.request("tools/list");
      for (const server of serversBelow(seen, "memory")) kill(server.pid);
      // One that was sent to the dying one may fail.
      const answers: Message[] = [];
      for (const _ of [1, 2, 3])
        answers.push(await inTime(client.request("tools/list")).catch((): Message => ({})));
      return before.result && answers.some(({ result }) => result) ? "answered" : "not answered";
    },
  },
  {
    what: "the answer to a call that was cancelled, and that the server says no more about",
    ...{ right: "ends", server: "odd" },
    look: async (seen) => {
      const client = await connected(seen);
      if (client === undefined) return "no session";
      const call = client.post({
        ...{ jsonrpc: "2.0", id: "mine", method: "tools/call" },
        params: { name: "do", arguments: { deed: "silence" } },
      });
      const over = call.then(
        () => "ends",
        () => "ends",
      );
      await inTime(client.do("echo", { said: "1" }));
      const params = { requestId: "mine" };
      await inTime(client.post({ jsonrpc: "2.0", method: "notifications/cancelled", params }));
      return inTime(over).catch(() => "stays open");
    },
  },
  {
    what: "two requests of one client with the same id",
    ...{ right: "one is refused", server: "odd" },
    look: async (seen) => {
      const client = await connected(seen);
      if (client === undefined) return "no session";
      const call = (deed: string) =>
        client.request("tools/call", { name: "do", arguments: { deed, said: "1" } }, "mine");
      void call("silence").catch(() => {});
      await inTime(client.do("echo", { said: "1" }));
      const { error } = await inTime(call("echo")).catch((): Message => ({}));
      return error === undefined ? "both are taken" : "one is refused";
    },
  },
  {
    what: "a second stream of a client (`GET`)",
    ...{ right: "200", server: "odd" },
    look: async (seen) => {
      const client = await connected(seen);
      if (client === undefined) return "no session";
      const streams = [await opened(seen, client), await opened(seen, client)];
      for (const stream of streams) stream.socket.destroy();
      return `${streams[1]?.status}`;
    },
  },
  {
    what: "what a bridge keeps of 48 MB for a client that does not read",
    ...{ right: "little", server: "odd" },
    look: async (seen) => {
      const client = await connected(seen);
      if (client === undefined) return "no session";
      const stream = await opened(seen, client);
      stream.socket.pause();
      const before = await keptMib(seen);
      await inTime(client.do("flood", { count: 480, size: 100_000 }), 120_000);
      const kept = (await keptMib(seen)) - before;
      stream.socket.destroy();
      return kept < 16 ? "little" : "all";
    },
  },
];

async function connected({ port }: Seen): Promise<PlainClient | undefined> {
  return inTime(PlainClient.open(port)).catch(() => undefined);
}

/** A stream of a client, and with which status it was opened; what comes on it is read by nobody. */
async function opened({ port }: Seen, { headers }: PlainClient) {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  onTestFinished(() => void socket.destroy());
  const own = Object.entries({ Host: `127.0.0.1:${port}`, Accept: "text/event-stream", ...headers });
  socket.write(`GET /mcp HTTP/1.1\r\n${own.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
  const [head] = await inTime(once(socket, "data"));
  return { socket, status: /^HTTP\/1.1 (\d+)/.exec(String(head))?.[1] };
}

/** Without shells that guard them, or have started them. */
const serversBelow = ({ bridge }: Seen, server: Server) =>
  descendants(bridge.pid as number).filter(
    ({ command }) => command.includes(SERVERS[server]) && !/^(\/bin\/)?sh /.test(command),
  );

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}

/** In this time each of them serves, if it does, ms. */
const START_BOUND = 20_000;

/** What it would not let go: how much garbage lies about beside that is up to the moment. */
async function keptMib({ bridge }: Seen): Promise<number> {
  bridge.send("how much?");
  const [{ heapUsed, external }] = await inTime(once(bridge, "message"));
  return (heapUsed + external) / 1024 / 1024;
}

/** Nothing is answered by one that takes longer than any of them does. */
function inTime<T>(done: Promise<T>, ms = 10_000): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(Object.assign(new Error("late"), { code: "silence" })), ms);
    void done.then(resolve, reject).finally(() => clearTimeout(late));
  });
}

const INTRODUCTION = `# What bridges do

One row for each situation, with what is right and what each bridge does: \`xy bridge\`, [mcp-proxy](https://www.npmjs.com/package/mcp-proxy) and [supergateway](https://www.npmjs.com/package/supergateway), in front of server-memory and of servers that the tests have. Where two things are right, the first is for a bridge that gives each client a process of its own, the second for one that shares a process. Written by \`test/real/bridge/conformance.test.ts\`, which runs them, and fails when a column of xy is not what is right or this table is not what was seen.
`;

/** The rows of one server are looked at one after another, those of different ones at once. */
async function column(args: (port: number, server: string) => readonly string[]): Promise<string[]> {
  const seen = new Map<Row, string>();
  await Promise.all(
    (Object.keys(SERVERS) as Server[]).map(async (server) => {
      const node = ["--expose-gc", "--import", ours("heap")];
      const started = startServer((port) => [...node, ...args(port, SERVERS[server])]);
      // There are bridges that end, or wait for ever, in front of a server that they cannot speak to.
      const bridge = await inTime(started, START_BOUND).catch(() => undefined);
      const stand = bridge && { port: bridge.port, bridge: bridge.process };
      for (const row of ROWS.filter((one) => one.server === server))
        seen.set(
          row,
          stand
            ? await row.look(stand).catch((error) => `fails (${error.code ?? error.message})`)
            : "does not serve",
        );
    }),
  );
  return ROWS.map((row) => seen.get(row) ?? "");
}

const PAGE = join(import.meta.dirname, "../../../docs/reference/bridges.md");

/** What the page says of each bridge, by the head of its column. */
function written(): Map<string, string[]> {
  const table = readFileSync(PAGE, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| "));
  const [heads = [], , ...rows] = table.map((line) => line.slice(2, -2).split(" | "));
  return new Map(heads.map((head, i) => [head, rows.map((row) => row[i] ?? "")]));
}

/** One of others that answers too late for once, on a busy machine, is looked at once more. */
async function columnOf(name: string, args: Parameters<typeof column>[0]): Promise<string[]> {
  const seen = await column(args);
  const isAsWritten = seen.join("\n") === written().get(`\`${name}\``)?.join("\n");
  return isAsWritten || XYS.includes(name) ? seen : column(args);
}

describe("bridges", () => {
  it("answer as this table says, xy as is right", { timeout: 240_000 }, async () => {
    const columns = await Promise.all(
      Object.entries(BRIDGES).map(async ([name, { args }]) => [name, await columnOf(name, args)] as const),
    );
    const right = (all: number) => ROWS.map((row) => [row.right].flat()[all] ?? [row.right].flat()[0]);
    const own = columns.filter(([name]) => XYS.includes(name)).map(([, column]) => column);
    expect(own).toEqual([right(0), right(1)]);
    const head = ["situation", "right", ...columns.map(([name]) => `\`${name}\``)];
    const lines = ROWS.map((row, i) => [
      row.what,
      [row.right].flat().join("; "),
      ...columns.map(([, column]) => column[i] ?? ""),
    ]);
    const table = [head, head.map(() => "---"), ...lines].map((row) => `| ${row.join(" | ")} |`).join("\n");
    await expect(`${INTRODUCTION}\n${table}\n`).toMatchFileSnapshot(PAGE);
  });
});
