import { mkdtemp, readFile, rename, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { LOST } from "../../../src/bridge/eras/lost.ts";
import { startBridge } from "../../rig/bridge.ts";
import { ask, PlainClient } from "../../rig/bridge-client.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours } from "../../rig/mcp/servers.ts";
import { begin, modernly } from "../../rig/modern-client.ts";

const ODD = ours("odd");
const LEGACY = ours("eras/legacy");
const MODERN = ours("eras/modern");
const MODERN_VERSION = "2026-07-28";

const tool = (name: string, args: object = {}) => ({ name, arguments: args });
const said = (message: { result?: { content?: { text: string }[] } }) => message.result?.content?.[0]?.text;
const ups = (lines: readonly string[]) => lines.filter((line) => /^\[err\].* up$/.test(line)).length;
const ASKABLE = { capabilities: { elicitation: {}, sampling: {} } };

describe("a bridge finds out which era its server speaks", () => {
  it("with a process that is then the first client's", async () => {
    const { port, bridge, said: lines } = await startBridge([ODD]);
    const refused = await begin(port, "server/discover");
    expect(refused.status).toBe(400);
    expect((await refused.done).error).toMatchObject({
      code: -32022,
      data: { supported: expect.arrayContaining(["2025-11-25"]), requested: MODERN_VERSION },
    });
    const clients = [await PlainClient.open(port), await PlainClient.open(port)];
    for (const client of clients) await client.do("echo", { said: "hi" });
    await eventually(() => expect(ups(lines)).toBe(2));
    expect(bridge.children).toHaveLength(2);
  });

  it("also with one that ends when it is asked such a thing, and does not ask again", async () => {
    const { port, said: lines } = await startBridge([ours("eras/picky")]);
    const clients = [await PlainClient.open(port), await PlainClient.open(port)];
    expect((await clients[1]?.request("tools/list"))?.result.tools).toHaveLength(1);
    await eventually(() => expect(ups(lines)).toBe(3));
  });

  it("again when another program has taken its place, at no cost of a session", async () => {
    const folder = await mkdtemp(join(tmpdir(), "xy-eras-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const program = join(folder, "server.mjs");
    const become = async (what: string) => {
      await symlink(what, `${program}.new`);
      await rename(`${program}.new`, program);
    };
    await become(LEGACY);
    const { port, bridge } = await startBridge([program]);
    const client = await PlainClient.open(port);
    const pid = async () => Number(said(await client.request("tools/call", tool("pid"))));
    const seen = [];
    for (const what of [MODERN, LEGACY]) {
      const before = await pid();
      await become(what);
      process.kill(before, "SIGKILL");
      await eventually(() => expect(bridge.children.map((child) => child.pid)).not.toContain(before));
      const after = await pid();
      expect(after).not.toBe(before);
      seen.push((await begin(port, "server/discover")).status);
    }
    expect(seen).toEqual([200, 400]);
  });
});

describe("a client of the version without sessions", () => {
  it("is refused when its headers, its version or its envelope are not right", async () => {
    const { port } = await startBridge([MODERN]);
    const wrong = [
      [{ headers: { "Mcp-Method": undefined } }, -32020],
      [{ headers: { "Mcp-Method": "tools/list" } }, -32020],
      [{ headers: { "Mcp-Name": undefined } }, -32020],
      [{ headers: { "Mcp-Name": "other" } }, -32020],
      [{ headers: { "MCP-Protocol-Version": undefined } }, -32020],
      [{ headers: { "MCP-Protocol-Version": "2025-11-25" } }, -32020],
      [{ meta: {} }, -32602],
      [{ meta: { "io.modelcontextprotocol/protocolVersion": MODERN_VERSION } }, -32602],
      [
        {
          meta: { "io.modelcontextprotocol/protocolVersion": "2027-01-01" },
          headers: { "MCP-Protocol-Version": "2027-01-01" },
        },
        -32022,
      ],
    ] as const;
    for (const [sent, code] of wrong) {
      const coming = await begin(port, "tools/call", tool("echo", { said: "hi" }), sent);
      const { error } = await coming.done;
      expect.soft([sent, coming.status, error?.code]).toEqual([sent, 400, code]);
    }
    const encoded = `=?base64?${Buffer.from("note://one").toString("base64")}?=`;
    const read = await modernly(
      port,
      "resources/read",
      { uri: "note://one" },
      { headers: { "Mcp-Name": encoded } },
    );
    expect(read.result.contents[0].text).toBe("first");
    const headers = { "MCP-Protocol-Version": MODERN_VERSION };
    const answer = await ask(port, { headers, body: { jsonrpc: "2.0", id: 1, result: {} } });
    const notice = await ask(port, { headers, body: { jsonrpc: "2.0", method: "notifications/cancelled" } });
    expect([answer.status, notice.status]).toEqual([400, 202]);
  });

  it("shares a server of its era with all others, who have the same ids and tokens", async () => {
    const { port, bridge } = await startBridge([MODERN]);
    const clients = Array.from({ length: 20 }, (_, i) => i);
    const answers = await Promise.all(
      clients.map(async (i) => {
        const coming = await begin(port, "tools/call", tool("steps", { count: 1 + (i % 3) }), { token: "t" });
        const { id } = await coming.done;
        return [id, said(await coming.done), coming.messages.flatMap(({ params }) => params ?? [])];
      }),
    );
    const steps = (total: number) =>
      Array.from({ length: total }, (_, i) => ({ progressToken: "t", progress: i + 1, total }));
    expect(answers).toEqual(clients.map((i) => [1, `done ${1 + (i % 3)}`, steps(1 + (i % 3))]));
    expect(bridge.children).toHaveLength(1);
  });

  it("takes a call back by going away", async () => {
    for (const [args, share] of [
      [[MODERN], "session"],
      [[LEGACY], "all"],
    ] as const) {
      const { port, said: lines } = await startBridge(args, { share });
      const coming = await begin(port, "tools/call", tool("hang"), { token: "t" });
      await eventually(() => expect(coming.messages).toHaveLength(1));
      coming.close();
      await eventually(() => expect(lines.join()).toContain("cancelled"));
      expect(said(await modernly(port, "tools/call", tool("echo", { said: "on" })))).toBe("on");
    }
  });

  it("hears the news that it asked for, whatever becomes of the process", async () => {
    const { port, bridge } = await startBridge([MODERN]);
    const listen = (notifications: object, id: number | string) =>
      begin(port, "subscriptions/listen", { notifications }, { id });
    const lists = await listen({ toolsListChanged: true }, 7);
    const notes = await listen({ resourceSubscriptions: ["note://one"] }, 7);
    const heard = (coming: typeof lists) =>
      coming.messages.map(({ method, params }) => [
        method?.replace("notifications/", ""),
        (params?._meta as Record<string, unknown> | undefined)?.["io.modelcontextprotocol/subscriptionId"],
      ]);
    const change = () => modernly(port, "tools/call", tool("change"));
    const touch = () => modernly(port, "tools/call", tool("touch"));
    await Promise.all([change(), touch()]);
    await eventually(() => {
      expect(heard(lists)).toEqual([
        ["subscriptions/acknowledged", 7],
        ["tools/list_changed", 7],
      ]);
      expect(heard(notes)).toEqual([
        ["subscriptions/acknowledged", 7],
        ["resources/updated", 7],
      ]);
    });
    const [{ pid = 0 } = {}] = bridge.children;
    process.kill(pid, "SIGKILL");
    await eventually(() => expect(bridge.children).toEqual([]));
    await change();
    await eventually(() => expect(heard(lists).slice(2)).toEqual([["tools/list_changed", 7]]));
    expect(heard(notes)).toHaveLength(2);
    for (const one of [lists, notes]) one.close();
  });

  it("hears of the log what only it can have caused", async () => {
    const { port, said: lines } = await startBridge([MODERN]);
    const log = (level: string) => begin(port, "tools/call", tool("log"), { level });
    const heard = async (coming: ReturnType<typeof log>) => {
      const all = await coming;
      await all.done;
      return all.messages.flatMap(({ params }) => (params === undefined ? [] : [params.data]));
    };
    expect(await heard(log("debug"))).toEqual(["little", "much"]);
    expect(await heard(log("error"))).toEqual(["much"]);
    const waiting = await begin(port, "tools/call", tool("hang"), { level: "debug", token: "t" });
    await eventually(() => expect(waiting.messages).toHaveLength(1));
    expect(await heard(log("error"))).toEqual([]);
    expect(lines.join()).toContain("much");
    waiting.close();
  });
});

describe("a client without sessions, and a server with them that all share", () => {
  it("is asked by the answer to its call, and comes back with what it says", async () => {
    const { port } = await startBridge([LEGACY], { share: "all" });
    const first = await modernly(port, "tools/call", tool("elicit"), ASKABLE);
    const { resultType, inputRequests, requestState } = first.result;
    expect(resultType).toBe("input_required");
    const [[key, question]] = Object.entries(inputRequests) as [[string, { method: string }]];
    expect(question.method).toBe("elicitation/create");
    const inputResponses = { [key]: { action: "accept", content: { name: "Ada" } } };
    const back = (state: string, name = "elicit") =>
      modernly(
        port,
        "tools/call",
        { ...tool(name), inputResponses, requestState: state },
        { ...ASKABLE, id: "b" },
      );
    expect((await back("guessed")).error).toMatchObject({
      code: -32602,
      message: expect.stringContaining("nothing was asked"),
    });
    expect((await back(requestState, "sample")).error?.message).toMatch(/another request/);
    // Another's call under way: whose question it is cannot be told.
    expect((await modernly(port, "tools/call", tool("sample"), ASKABLE)).result).toMatchObject({
      isError: true,
    });
    expect(await back(requestState)).toMatchObject({
      id: "b",
      result: { resultType: "complete", content: [{ text: "accept Ada" }] },
    });
    expect((await back(requestState)).error?.code).toBe(-32602);
  });

  it("is not asked what it cannot answer, nor when it has gone", async () => {
    const { port, bridge } = await startBridge([LEGACY], { share: "all" });
    expect((await modernly(port, "tools/call", tool("elicit"))).result.isError).toBe(true);
    const first = await modernly(port, "tools/call", tool("elicit"), ASKABLE);
    const [{ pid = 0 } = {}] = bridge.children;
    process.kill(pid, "SIGKILL");
    await eventually(() => expect(bridge.children).toEqual([]));
    const { requestState } = first.result;
    const back = await modernly(port, "tools/call", { ...tool("elicit"), requestState }, ASKABLE);
    expect(back.error?.message).toContain("SIGKILL");
    expect(said(await modernly(port, "tools/call", tool("echo", { said: "on" })))).toBe("on");
  });

  it("gets what both eras have, and the reason where one lacks it", async () => {
    const { port } = await startBridge([LEGACY], { share: "all" });
    const { result } = await modernly(port, "server/discover");
    expect(result).toMatchObject({
      ...{ resultType: "complete", supportedVersions: [MODERN_VERSION], ttlMs: 0, cacheScope: "private" },
      capabilities: { tools: { listChanged: true } },
      _meta: { "io.modelcontextprotocol/serverInfo": { name: "legacy" } },
    });
    expect((await modernly(port, "tools/list")).result).toMatchObject({ resultType: "complete", ttlMs: 0 });
    for (const { method, why } of LOST.filter(({ client }) => client === "without"))
      expect((await modernly(port, method)).error).toEqual({
        code: -32601,
        message: `cannot answer ${method}: ${why}`,
      });
  });
});

describe("a client with a session, and a server without", () => {
  it("is asked what the server needs to know", async () => {
    const { port } = await startBridge([MODERN]);
    const client = await PlainClient.open(port, ASKABLE.capabilities);
    const stream = await client.listen();
    const question = (count: number) =>
      eventually(() => {
        const asked = stream.messages.filter(({ id }) => id !== undefined);
        expect(asked).toHaveLength(count);
        return asked.at(-1);
      });
    const call = client.request("tools/call", tool("elicit"));
    const asked = await question(1);
    expect(asked).toMatchObject({ method: "elicitation/create", params: { message: "Who are you?" } });
    await client.post({ jsonrpc: "2.0", id: asked?.id, result: { action: "decline" } });
    expect(await call).toEqual({
      ...{ jsonrpc: "2.0", id: 1 },
      result: { content: [{ type: "text", text: "decline undefined state 1" }] },
    });
    const other = client.request("tools/call", tool("sample"));
    const { id } = (await question(2)) ?? {};
    await client.post({ jsonrpc: "2.0", id, error: { code: -1, message: "not today" } });
    expect((await other).error?.message).toContain("not today");
    // It cannot answer this, and is not asked.
    expect((await client.request("tools/call", tool("roots"))).error?.message).toMatch(/roots/i);
    void client.request("tools/call", tool("elicit"), "gone");
    const last = await question(3);
    await client.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "gone" } });
    await eventually(() =>
      expect(stream.messages.at(-1)).toMatchObject({
        method: "notifications/cancelled",
        params: { requestId: last?.id },
      }),
    );
    stream.close();
  });

  it("gets what both eras have, and the reason where one lacks it", async () => {
    const { port } = await startBridge([MODERN]);
    const client = await PlainClient.open(port);
    const list = await client.request("tools/list");
    expect(Object.keys(list.result)).toEqual(["tools"]);
    expect((await client.request("logging/setLevel", { level: "debug" })).result).toEqual({});
    expect((await client.request("ping")).result).toEqual({});
    for (const { method, why } of LOST.filter(({ client: who }) => who === "with sessions"))
      expect((await client.request(method)).error).toEqual({
        code: -32601,
        message: `cannot answer ${method}: ${why}`,
      });
  });
});

describe("the page of the bridge", () => {
  it("says what the one era lacks", async () => {
    const page = await readFile(join(import.meta.dirname, "../../../docs/bridge.md"), "utf8");
    for (const { method, client, why } of LOST)
      expect(page).toContain(`| \`${method}\` | ${client} | ${why} |`);
  });
});
