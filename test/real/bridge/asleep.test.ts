import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BridgeStatus, bridgeStatus } from "../../../src/model/bridge-status.ts";
import { startBridge } from "../../rig/bridge.ts";
import { ask, PlainClient } from "../../rig/bridge-client.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours } from "../../rig/mcp/servers.ts";

const ODD = ours("odd");
let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "xy-asleep-"));
});
afterAll(() => rmSync(dir, { recursive: true }));

async function statusAt(port: number): Promise<BridgeStatus> {
  const { status, text } = await ask(port, { method: "GET", path: "/.well-known/xy-bridge" });
  expect(status).toBe(200);
  return bridgeStatus.parse(JSON.parse(text));
}

const whenProven = (port: number) =>
  eventually(async () => {
    const status = await statusAt(port);
    if (!status.works) throw new Error(status.reason);
    return status;
  });

const asleep = (port: number) =>
  eventually(async () => expect((await statusAt(port)).bridge.sleeping).toBe(true));

const names = async (client: PlainClient) =>
  (await client.request("tools/list")).result.tools.map(({ name }: { name: string }) => name);

for (const share of ["session", "all"] as const)
  describe(`a server on demand, shared as ${share}`, () => {
    it("proves itself, sleeps, and is not woken to introduce itself or to list what it has", async () => {
      const { port, bridge, said } = await startBridge([ODD], { share, start: "on-demand" });
      void bridge.prove();
      expect(await whenProven(port)).toMatchObject({ mcp: { serverName: "odd", tools: ["do"] } });
      await asleep(port);
      expect(bridge.children).toEqual([]);
      const first = await PlainClient.open(port, {}, "2025-11-25");
      expect(await names(first)).toEqual(["do"]);
      expect(bridge.children).toEqual([]);
      expect(said.filter((line) => line.endsWith(" up"))).toHaveLength(1);
      // What only a server can do wakes it, and it was told who asks.
      expect(JSON.parse(await first.do("facts"))).toMatchObject({ initialized: 1 });
      await eventually(async () =>
        expect((await statusAt(port)).bridge).toMatchObject({
          sleeping: false,
          sessions: [{ client: "test 1", calls: 0 }],
          children: [{ pid: bridge.children[0]?.pid, busy: false }],
        }),
      );
    });
  });

it("a server without sessions proves itself in its own words", async () => {
  const { port, bridge } = await startBridge([ours("eras/modern")], { start: "on-demand" });
  void bridge.prove();
  const { mcp } = await whenProven(port);
  expect(mcp).toMatchObject({
    era: "modern",
    protocolVersion: "2026-07-28",
    tools: expect.arrayContaining(["echo"]),
  });
  await asleep(port);
  expect(bridge.children).toEqual([]);
});

describe("what a sleeping server is asked", () => {
  it("is not answered from what was told to clients that can do other things", async () => {
    const { port, bridge } = await startBridge([ODD], { start: "on-demand" });
    void bridge.prove();
    await whenProven(port);
    await asleep(port);
    const able = await PlainClient.open(port, { sampling: {} }, "2025-11-25");
    expect(bridge.children).toHaveLength(1);
    expect(await names(able)).toEqual(["do"]);
  });

  it("is asked of itself where a part of a list is wanted", async () => {
    const { port, bridge } = await startBridge([ODD], { start: "on-demand" });
    void bridge.prove();
    await whenProven(port);
    await asleep(port);
    const client = await PlainClient.open(port, {}, "2025-11-25");
    await client.request("tools/list", { cursor: "2" });
    expect(bridge.children).toHaveLength(1);
  });

  it("is told anew when the server has other things after it slept, and only then", async () => {
    const tools = join(dir, "tools");
    writeFileSync(tools, "one\n");
    const { port, bridge } = await startBridge([ODD, "--tools", tools], { idleStop: 100 });
    const client = await PlainClient.open(port);
    const stream = await client.listen();
    const news = () => stream.messages.filter(({ method }) => method?.endsWith("list_changed")).length;
    expect(await names(client)).toEqual(["do", "one"]);
    await eventually(() => expect(bridge.children).toEqual([]));
    const before = news();
    // It says at each start that its list has changed.
    await client.do("echo", { said: "awake" });
    await client.do("notify", { method: "notifications/message", params: { level: "info", data: "heard" } });
    await eventually(() => expect(stream.raw()).toContain("heard"));
    expect(news()).toBe(before);
    await eventually(() => expect(bridge.children).toEqual([]));
    writeFileSync(tools, "one\ntwo\n");
    expect(await names(client)).toEqual(["do", "one"]);
    await client.do("echo", { said: "awake" });
    await eventually(() => expect(news()).toBe(before + 1));
    expect(await names(client)).toEqual(["do", "one", "two"]);
    stream.close();
  });
});

describe("a server that crashes", () => {
  it("at its start tells each client why, and is tried again for the next", async () => {
    const broken = join(dir, "always-broken");
    writeFileSync(broken, "");
    const { port } = await startBridge([ODD, "--broken", broken]);
    for (const _ of [1, 2])
      await expect(PlainClient.open(port)).rejects.toThrow(
        "cannot start the server: it exited with 3: no such database",
      );
  });

  it("does not work until it has proved itself again, and says why", async () => {
    const broken = join(dir, "broken");
    const { port, bridge } = await startBridge([ODD, "--broken", broken], { start: "on-demand" });
    void bridge.prove();
    await whenProven(port);
    const client = await PlainClient.open(port);
    writeFileSync(broken, "");
    await client.do("exit", { code: 7, said: "out of memory" });
    await eventually(async () =>
      expect(await statusAt(port)).toMatchObject({
        works: false,
        reason: "it exited with 3: no such database",
        bridge: { sleeping: false },
      }),
    );
    rmSync(broken);
    await whenProven(port);
    expect(await client.do("echo", { said: "again" })).toBe("again");
  });

  it("of all clients is started again at once", async () => {
    const { port, bridge } = await startBridge([ODD], { share: "all" });
    void bridge.prove();
    const client = await PlainClient.open(port);
    const [before] = bridge.children;
    await client.do("exit", { code: 1, said: "gone" });
    await eventually(() => {
      expect(bridge.children).toHaveLength(1);
      expect(bridge.children[0]?.pid).not.toBe(before?.pid);
    });
    await whenProven(port);
  });
});

describe("what a bridge tells xy", () => {
  it("is told to nobody who may not ask, and to no page", async () => {
    const { port } = await startBridge([ODD], {}, { token: "s3cr3t", allowOrigins: ["https://app.example"] });
    const at = (headers: Record<string, string>) =>
      ask(port, { method: "GET", path: "/.well-known/xy-bridge", headers }).then(({ status }) => status);
    const Authorization = "Bearer s3cr3t";
    expect(await at({})).toBe(401);
    expect(await at({ Authorization, Host: "evil.example" })).toBe(403);
    expect(await at({ Authorization, Origin: "http://evil.example" })).toBe(403);
    expect(await at({ Authorization, Origin: "https://app.example" })).toBe(404);
    expect(await at({ Authorization })).toBe(200);
  });

  it("names a hundred clients at most, in few words", async () => {
    const { port, bridge } = await startBridge([ODD], { share: "all", maxSessions: 200 });
    const long = { name: "n".repeat(5000), version: "v".repeat(5000) };
    for (let i = 0; i < 120; i++)
      await ask(port, {
        body: {
          ...{ jsonrpc: "2.0", id: 0, method: "initialize" },
          params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: long },
        },
      });
    const { bridge: facts } = await statusAt(port);
    expect(facts.session_count).toBe(120);
    expect(facts.sessions).toHaveLength(100);
    expect(facts.sessions[0]?.client?.length).toBeLessThan(250);
    expect(bridge.children).toHaveLength(1);
  });
});
