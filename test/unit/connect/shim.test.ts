import type { IncomingMessage, ServerResponse } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { Door, NoWay } from "../../../src/connect/door.ts";
import { Shim } from "../../../src/connect/shim.ts";
import { eventually } from "../../rig/eventually.ts";
import { httpServer } from "../probes/rig.ts";

/** A message, whatever a test looks at in it. */
// biome-ignore lint/suspicious/noExplicitAny: tests look at anything.
type Any = any;

interface Heard {
  readonly verb: string;
  readonly headers: IncomingMessage["headers"];
  readonly message: Any;
  readonly response: ServerResponse;
  /** The client hung up before the answer was over. */
  isCut: boolean;
}

const json = (response: ServerResponse, value: unknown, headers = {}, status = 200) =>
  response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(value));
const result = (id: unknown, value: object) => ({ jsonrpc: "2.0", id, result: value });
const event = (value: unknown, id?: string) =>
  `${id === undefined ? "" : `id: ${id}\n`}data: ${value === "" ? "" : JSON.stringify(value)}\n\n`;

/** A server that lets the test answer what is not usual, and a shim in front of it. */
async function shimTo(unusual: (heard: Heard, world: World) => boolean | undefined): Promise<World> {
  const world: World = { heard: [], said: [], words: [], session: 1, shim: undefined as never };
  const port = await httpServer((request, response) => {
    let text = "";
    request.setEncoding("utf8").on("data", (piece) => (text += piece));
    request.once("end", () => {
      const message = text === "" ? undefined : JSON.parse(text);
      const { method: verb = "", headers } = request;
      const heard: Heard = { verb, headers, message, response, isCut: false };
      response.once("close", () => (heard.isCut = !response.writableFinished));
      world.heard.push(heard);
      if (!unusual(heard, world)) usual(heard, world);
    });
  });
  const place = { url: `http://127.0.0.1:${port}/mcp`, token: "t" };
  world.shim = new Shim("notes", new Door(async () => place), {
    write: (text) => void world.said.push(JSON.parse(text)),
    says: (text) => void world.words.push(text),
  });
  onTestFinished(() => world.shim.close());
  return world;
}

interface World {
  readonly heard: Heard[];
  /** What the client got. */
  readonly said: Any[];
  readonly words: string[];
  session: number;
  shim: Shim;
}

const RESULT = {
  protocolVersion: "2025-06-18",
  capabilities: { tools: { listChanged: true } },
  serverInfo: { name: "s", version: "1" },
};

function usual({ verb, headers, message, response }: Heard, { session }: World): unknown {
  if (verb !== "POST") return response.writeHead(405).end();
  if (message.method === "initialize")
    return json(response, result(message.id, RESULT), { "Mcp-Session-Id": `s${session}` });
  if (headers["mcp-session-id"] !== `s${session}`) return response.writeHead(404).end();
  if (message.id === undefined || message.method === undefined) return response.writeHead(202).end();
  return json(response, result(message.id, { did: message.method }));
}

let counter = 0;
function says(world: World, method: string, params: object = {}): number {
  const id = ++counter;
  void world.shim.take(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
  return id;
}
const tells = (world: World, method: string, params: object = {}) =>
  void world.shim.take(JSON.stringify({ jsonrpc: "2.0", method, params }));
const answerTo = (world: World, id: number): Promise<Any> =>
  eventually(() => {
    const found = world.said.find((message) => message.id === id);
    if (found === undefined) throw new Error(`no answer to ${id}`);
    return found;
  });

async function introduced(world: World): Promise<void> {
  await answerTo(world, says(world, "initialize", { protocolVersion: "2025-06-18", capabilities: { a: 1 } }));
  tells(world, "notifications/initialized");
}

it("sends what belongs to the session, in order, with the token", async () => {
  const world = await shimTo(() => undefined);
  await introduced(world);
  expect(await answerTo(world, says(world, "ping"))).toMatchObject({ result: { did: "ping" } });
  const posts = world.heard.filter(({ verb }) => verb === "POST");
  expect(posts.map(({ message }) => message.method)).toEqual([
    "initialize",
    "notifications/initialized",
    "ping",
  ]);
  expect(posts.map(({ headers }) => headers["mcp-session-id"])).toEqual([undefined, "s1", "s1"]);
  expect(posts.map(({ headers }) => headers["mcp-protocol-version"])).toEqual([
    undefined,
    "2025-06-18",
    "2025-06-18",
  ]);
  expect(posts.every(({ headers }) => headers.authorization === "Bearer t")).toBe(true);
});

it("introduces the client once more to a server that lost its session, and sends the call again", async () => {
  const world = await shimTo(() => undefined);
  await introduced(world);
  await answerTo(world, says(world, "logging/setLevel", { level: "debug" }));
  await answerTo(world, says(world, "resources/subscribe", { uri: "a:b" }));
  await answerTo(world, says(world, "resources/subscribe", { uri: "c:d" }));
  await answerTo(world, says(world, "resources/unsubscribe", { uri: "a:b" }));
  world.session = 2;
  world.heard.length = 0;
  const calls = [says(world, "tools/call", { name: "x" }), says(world, "tools/list")];
  for (const id of calls) expect(await answerTo(world, id)).toHaveProperty("result");
  const again = world.heard.filter(
    ({ headers, verb }) => verb === "POST" && headers["mcp-session-id"] !== "s1",
  );
  expect(again.map(({ message }) => message.method).slice(0, 4)).toEqual([
    "initialize",
    "notifications/initialized",
    "logging/setLevel",
    "resources/subscribe",
  ]);
  expect(again[0]?.message.params).toMatchObject({ capabilities: { a: 1 } });
  expect(again[3]?.message.params).toEqual({ uri: "c:d" });
  expect(again.slice(4).map(({ message }) => message.id)).toEqual(expect.arrayContaining(calls));
  expect(again).toHaveLength(6);
  expect(world.said.filter(({ method }) => method !== undefined)).toEqual([
    { jsonrpc: "2.0", method: "notifications/tools/list_changed" },
  ]);
});

it("gives up on a server that never knows a session", async () => {
  const world = await shimTo(({ message, response }) => {
    if (message?.method !== "tools/list") return false;
    response.writeHead(404).end("no such thing");
    return true;
  });
  await introduced(world);
  const { error } = await answerTo(world, says(world, "tools/list"));
  expect(error).toEqual({ code: -32000, message: "notes refuses the call (status 404): no such thing" });
  expect(world.heard.filter(({ message }) => message?.method === "tools/list")).toHaveLength(2);
});

it.each([
  [401, "", "notes refuses the call (401): it wants a token, or another one than xy knows"],
  [500, "<html>oh</html>", "notes refuses the call (status 500)"],
  [503, "busy\n now", "notes refuses the call (status 503): busy now"],
  [202, "", "notes ended its answer without answering"],
])("says in words what status %i means", async (status, body, words) => {
  const world = await shimTo(({ message, response }) => {
    if (message?.method !== "tools/call") return false;
    response.writeHead(status).end(body);
    return true;
  });
  await introduced(world);
  const { error } = await answerTo(world, says(world, "tools/call"));
  expect(error.message).toContain(words);
});

it("passes on an error of JSON-RPC as it is, whatever the status", async () => {
  const error = { code: -32022, message: "no such version", data: { supported: ["x"] } };
  const world = await shimTo(({ message, response }) => {
    if (message?.method !== "server/discover") return false;
    json(response, { jsonrpc: "2.0", id: null, error }, {}, 400);
    return true;
  });
  expect((await answerTo(world, says(world, "server/discover"))).error).toEqual(error);
});

it("sends again what only asks when the connection breaks, and nothing else", async () => {
  const world = await shimTo(({ message, response }, { heard }) => {
    const { method } = message ?? {};
    const isFirst = heard.filter((one) => one.message?.method === method).length === 1;
    if (!/^tools/.test(method) || !isFirst) return false;
    response.destroy();
    return true;
  });
  await introduced(world);
  expect(await answerTo(world, says(world, "tools/list"))).toHaveProperty("result");
  const { error } = await answerTo(world, says(world, "tools/call"));
  expect(error.message).toBe(
    "lost the answer of notes: it closed the connection; `xy logs notes` shows its last words",
  );
  expect(world.heard.filter(({ message }) => message?.method === "tools/call")).toHaveLength(1);
});

it("goes on with an answer that broke off, where the server numbers what it sends", async () => {
  const world = await shimTo(({ verb, message, headers, response }, { heard }) => {
    if (message?.method === "tools/call") {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write(`retry: 1\n${event("", "e0")}${event({ jsonrpc: "2.0", method: "a" }, "e1")}`);
      setImmediate(() => response.destroy());
      return true;
    }
    if (verb !== "GET" || headers["last-event-id"] !== "e1") return false;
    const call = heard.find((one) => one.message?.method === "tools/call");
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.end(event(result(call?.message.id, { late: true }), "e2"));
    return true;
  });
  await introduced(world);
  expect(await answerTo(world, says(world, "tools/call"))).toMatchObject({ result: { late: true } });
  expect(world.said.filter(({ method }) => method === "a")).toHaveLength(1);
});

it("hears what the server says by itself, on a stream that is opened again", async () => {
  let opened = 0;
  const world = await shimTo(({ verb, response }) => {
    if (verb !== "GET") return false;
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(event({ jsonrpc: "2.0", id: 7, method: "roots/list", params: { opened: ++opened } }));
    if (opened < 3) response.end();
    return true;
  });
  await introduced(world);
  await eventually(() => expect(world.said.map(({ params }) => params?.opened)).toContain(3));
  void world.shim.take(JSON.stringify(result(7, { roots: [] })));
  await eventually(() => expect(world.heard.at(-1)?.message).toEqual(result(7, { roots: [] })));
});

it("ends a call that is cancelled, in the way of its version", async () => {
  const world = await shimTo(({ message }) => message?.method === "tools/call");
  await introduced(world);
  const legacy = says(world, "tools/call");
  const modern = says(world, "tools/call", {
    _meta: { "io.modelcontextprotocol/protocolVersion": "2026-07-28" },
  });
  const calls = () => world.heard.filter(({ message }) => message?.method === "tools/call");
  await eventually(() => expect(calls()).toHaveLength(2));
  for (const requestId of [legacy, modern]) tells(world, "notifications/cancelled", { requestId });
  await eventually(() => expect(calls().map(({ isCut }) => isCut)).toEqual([true, true]));
  const told = world.heard.filter(({ message }) => message?.method === "notifications/cancelled");
  expect(told.map(({ message }) => message.params.requestId)).toEqual([legacy]);
  await world.shim.idle();
  expect(world.said.map(({ id }) => id)).not.toContain(legacy);
});

it("answers what is no message, and an id that is in use, without asking the server", async () => {
  const world = await shimTo(({ message }) => message?.method === "tools/call");
  await introduced(world);
  world.heard.length = 0;
  for (const line of ["", "  ", "{torn", "[]", '{"id":1}', '{"jsonrpc":"2.0","id":{},"method":"x"}'])
    void world.shim.take(line);
  expect(world.said.slice(1).map(({ error }) => error.code)).toEqual([-32700, -32600, -32600, -32600]);
  const id = says(world, "tools/call");
  void world.shim.take(JSON.stringify({ jsonrpc: "2.0", id, method: "tools/list" }));
  expect(world.said.at(-1)).toMatchObject({ id: null, error: { message: `the id ${id} is in use` } });
});

it("takes 1,000 calls at once, and no more", async () => {
  const world = await shimTo(({ message }) => message?.method === "tools/call");
  await introduced(world);
  for (let i = 0; i < 1000; i++) says(world, "tools/call");
  const { error } = await answerTo(world, says(world, "tools/call"));
  expect(error.message).toBe("1000 calls are under way: wait for their answers");
});

it("passes on messages as they were written, each as one line", async () => {
  const lines: string[] = [];
  const text = '{"jsonrpc":"2.0",\n "id":"x",\r\n "result":{"n":12345678901234567890,"a":1,"a":2}}';
  const port = await httpServer((_, response) => {
    response.writeHead(200, { "Content-Type": "application/json" }).end(text);
  });
  const place = { url: `http://127.0.0.1:${port}/` };
  const shim = new Shim("notes", new Door(async () => place), {
    write: (line) => void lines.push(line),
    says: () => {},
  });
  onTestFinished(() => shim.close());
  void shim.take('{"jsonrpc":"2.0","id":"x","method":"tools/list"}');
  await shim.idle();
  expect(lines.map((line) => line.replaceAll(/\s+/g, ""))).toEqual([text.replaceAll(/\s+/g, "")]);
  expect(lines[0]).not.toMatch(/[\r\n]/);
});

it("looks for a server that is not there, once for all who ask, and tells them why it is nowhere", async () => {
  let looks = 0;
  const said: Any[] = [];
  const port = await httpServer((_, response) => json(response, result("a", {})));
  const places = ["http://127.0.0.1:1/", `http://127.0.0.1:${port}/`];
  const door = new Door(async () => {
    const url = places[looks++];
    if (url === undefined) throw new NoWay("cannot use notes: it is held", 1);
    return { url };
  });
  const shim = new Shim("notes", door, { write: (text) => void said.push(JSON.parse(text)), says: () => {} });
  onTestFinished(() => shim.close());
  void shim.take('{"jsonrpc":"2.0","id":"a","method":"tools/list"}');
  await shim.idle();
  expect(looks).toBe(2);
  expect(said).toEqual([result("a", {})]);
  const held = new Shim(
    "notes",
    new Door(async () => {
      looks++;
      throw new NoWay("cannot use notes: it is held", 1);
    }),
    { write: (text) => void said.push(JSON.parse(text)), says: () => {} },
  );
  onTestFinished(() => held.close());
  for (const id of [1, 2, 3]) void held.take(JSON.stringify({ jsonrpc: "2.0", id, method: "ping" }));
  await held.idle();
  expect(looks).toBe(3);
  expect(said.slice(1).map(({ error }) => error.message)).toEqual(
    Array(3).fill("cannot use notes: it is held"),
  );
});

it("gives up what has no answer, and is looked for until its server has started", async () => {
  const said: Any[] = [];
  const port = await httpServer(() => {});
  let started: (url: string) => void = () => {};
  const url = new Promise<string>((resolve) => {
    started = resolve;
  });
  const door = new Door(async () => ({ url: await url }));
  const shim = new Shim("notes", door, { write: (text) => void said.push(JSON.parse(text)), says: () => {} });
  onTestFinished(() => shim.close());
  void door.place();
  void shim.take('{"jsonrpc":"2.0","id":"a","method":"tools/list"}');
  const order: string[] = [];
  const settled = door.settled.then(() => order.push("settled"));
  await new Promise((resolve) => setImmediate(resolve));
  order.push("started");
  started(`http://127.0.0.1:${port}/`);
  await settled;
  expect(order).toEqual(["started", "settled"]);
  shim.giveUp("did not answer");
  await shim.idle();
  expect(said).toMatchObject([{ id: "a", error: { message: "notes did not answer" } }]);
});

it("ends the session at its end", async () => {
  const world = await shimTo(() => undefined);
  await introduced(world);
  await world.shim.idle();
  await world.shim.close();
  const last = world.heard.at(-1);
  expect(last).toMatchObject({ verb: "DELETE", headers: { "mcp-session-id": "s1" } });
});
