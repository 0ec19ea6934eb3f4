import { describe, expect } from "vitest";
import { shellSpec } from "../rig/spec.ts";
import { testInTurn } from "../rig/test.ts";
import { Wire } from "../rig/wire.ts";

const test = testInTurn();

const MEBIBYTE = 1024 * 1024;
const failure = (id: unknown, code: number) => ({
  jsonrpc: "2.0",
  id,
  error: { code, message: expect.any(String) },
});

/** Frames that are answered with an error, on a connection that goes on. */
const ANSWERED: [string, string, object][] = [
  ["no JSON", "hello\n", failure(null, -32700)],
  ["bytes that are no text", "\xff\xfe\0\n", failure(null, -32700)],
  ["an empty frame", "\n", failure(null, -32700)],
  ["half a document", '{"jsonrpc":"2.0","id":1,"met\n', failure(null, -32700)],
  ["JSON that is no request", "42\n", failure(null, -32600)],
  ["null", "null\n", failure(null, -32600)],
  ["a list", "[]\n", failure(null, -32600)],
  ["no method", '{"jsonrpc":"2.0","id":7}\n', failure(null, -32600)],
  ["an unknown method", '{"jsonrpc":"2.0","id":7,"method":"nonsense"}\n', failure(7, -32601)],
  ["a method that every object has", '{"jsonrpc":"2.0","id":7,"method":"toString"}\n', failure(7, -32601)],
  ["params that are missing", '{"jsonrpc":"2.0","id":7,"method":"status"}\n', failure(7, -32602)],
  [
    "params of a wrong type",
    '{"jsonrpc":"2.0","id":7,"method":"status","params":{"name":3}}\n',
    failure(7, -32602),
  ],
  [
    "a slip where something would be changed",
    '{"jsonrpc":"2.0","id":7,"method":"stop","params":{"all":true,"projekt":"p"}}\n',
    failure(7, -32602),
  ],
  ["params as a list", '{"jsonrpc":"2.0","id":7,"method":"list","params":[1]}\n', failure(7, -32602)],
  [
    "a name that is a path",
    '{"jsonrpc":"2.0","id":7,"method":"logs","params":{"name":"../x"}}\n',
    failure(7, -32602),
  ],
];

describe("the agent", () => {
  test.for(ANSWERED)("answers %s with an error, and goes on", async ([, bytes, expected], { agent }) => {
    await agent.client();
    const wire = await Wire.open(agent.record.socket);
    expect(await wire.send(Buffer.from(bytes, "latin1")).next()).toEqual(expected);
    expect(await wire.ask(8, "list").next()).toEqual({ jsonrpc: "2.0", id: 8, result: [] });
    wire.close();
  });

  test("ends a connection with a frame over 4 MiB, and no other", async ({ agent }) => {
    await agent.client();
    const [bad, good] = [await Wire.open(agent.record.socket), await Wire.open(agent.record.socket)];
    const chunk = Buffer.alloc(MEBIBYTE, "x");
    for (let sent = 0; sent < 5; sent++) bad.send(chunk);
    const answer = await bad.next();
    if (answer !== undefined) expect(answer).toEqual(failure(null, -32600));
    await bad.closed;
    expect(await good.ask(1, "list").next()).toEqual({ jsonrpc: "2.0", id: 1, result: [] });
    good.close();
  });

  test("takes a frame of nearly 4 MiB", async ({ agent }) => {
    await agent.client();
    const wire = await Wire.open(agent.record.socket);
    wire.ask(1, "status", { name: "x".repeat(4 * MEBIBYTE - 200) });
    expect(await wire.next()).toEqual(failure(1, -32602));
    wire.close();
  });

  test("lives on when a connection ends in the middle of a frame or of a call", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a", { stop: { grace: 60_000 } }), "add", 0);
    const puppet = await stage.next("a");
    await puppet.do({ deed: "ignore", signal: "SIGTERM" });
    (await Wire.open(agent.record.socket)).send('{"jsonrpc":"2.0","id":1,"method":"li').close();
    const impatient = (await Wire.open(agent.record.socket)).ask(1, "stop", { name: "a" });
    await puppet.ignores();
    impatient.close();
    expect(await agent.call("list", {})).toMatchObject([{ name: "a", state: "stopping", held: true }]);
    expect(await agent.call("kill", { name: "a" })).toMatchObject({ killed: ["a"] });
  });

  test("answers two requests that came in one write, and one that came byte by byte", async ({ agent }) => {
    await agent.client();
    const wire = await Wire.open(agent.record.socket);
    const request = (id: number) => `${JSON.stringify({ jsonrpc: "2.0", id, method: "list" })}\n`;
    wire.send(request(1) + request(2));
    expect([(await wire.next()).id, (await wire.next()).id].sort()).toEqual([1, 2]);
    for (const byte of request(3)) {
      wire.send(byte);
      await new Promise(setImmediate);
    }
    expect(await wire.next()).toMatchObject({ id: 3, result: [] });
    wire.close();
  });

  test("gives a notification no answer, also when it is wrong", async ({ agent }) => {
    await agent.client();
    const wire = await Wire.open(agent.record.socket);
    wire.send('{"jsonrpc":"2.0","method":"list"}\n{"jsonrpc":"2.0","method":"nonsense"}\n');
    expect(await wire.ask(1, "list").next()).toMatchObject({ id: 1 });
    wire.close();
  });

  test("answers many calls of many connections at once, each its own", async ({ agent }) => {
    await agent.apply(shellSpec("a", "exec sleep 600"), "add", 0);
    const clients = await Promise.all([...Array(20)].map(() => agent.connect()));
    const answers = await Promise.all(
      clients.flatMap((client) => [...Array(50)].map(() => client.call("status", { name: "a" }))),
    );
    expect(new Set(answers.map(({ name }) => name))).toEqual(new Set(["a"]));
    for (const client of clients) client.close();
  });

  test("goes on after thousands of wrong calls", async ({ agent }) => {
    await agent.client();
    const wire = await Wire.open(agent.record.socket);
    for (let id = 0; id < 3000; id++) wire.ask(id, id % 2 === 0 ? "nonsense" : "status");
    for (let id = 0; id < 3000; id++) expect(await wire.next()).toHaveProperty("error");
    expect(await wire.ask("last", "list").next()).toEqual({ jsonrpc: "2.0", id: "last", result: [] });
    wire.close();
  });

  test("gives one process to many who start, stop and restart it at once", async ({ agent, stage }) => {
    await agent.apply(stage.spec("a"), "add", 0);
    const clients = await Promise.all([...Array(8)].map(() => agent.connect()));
    const words = ["start", "stop", "restart", "kill"] as const;
    for (let round = 0; round < 6; round++) {
      await Promise.allSettled(
        clients.map((client, n) => client.call(words[(n + round) % 4] as "start", { name: "a" })),
      );
    }
    await agent.call("start", { name: "a" });
    expect(stage.doubles).toEqual([]);
    expect(await agent.observed("a")).toMatchObject({ state: "running" });
    for (const client of clients) client.close();
  });
});
