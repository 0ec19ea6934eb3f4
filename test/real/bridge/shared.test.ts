import { describe, expect, it } from "vitest";
import { startBridge } from "../../rig/bridge.ts";
import { PlainClient } from "../../rig/bridge-client.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours } from "../../rig/mcp/servers.ts";

const ODD = ours("odd");

describe("a child that all clients share", () => {
  it("is one for fifty of them, who have the same ids", async () => {
    const { port, bridge } = await startBridge([ODD], { share: "all" });
    const clients = await Promise.all(Array.from({ length: 50 }, () => PlainClient.open(port)));
    const said = await Promise.all(clients.map((client, i) => client.do("echo", { said: `${i}` })));
    expect(said).toEqual(clients.map((_, i) => `${i}`));
    expect(bridge.children).toHaveLength(1);
    expect(JSON.parse(await (clients[0] as PlainClient).do("facts"))).toMatchObject({ initialized: 1 });
  });

  it("asks whoever's call is alone under way, and nobody when there are two", async () => {
    const { port } = await startBridge([ODD], { share: "all" });
    const [one, other] = [await PlainClient.open(port), await PlainClient.open(port)];
    const streams = [await one.listen(), await other.listen()];
    const call = one.do("ask");
    const question = await eventually(() => {
      const [found] = streams[0]?.messages.filter(({ id }) => id !== undefined) ?? [];
      if (!found) throw new Error("nothing asked");
      return found;
    });
    // The other one cannot answer in its place.
    await other.post({ jsonrpc: "2.0", id: question.id, result: { by: "another" } });
    await one.post({ jsonrpc: "2.0", id: question.id, result: { by: "me" } });
    expect(await call).toBe('{"by":"me"}');
    void other.do("silence");
    expect(await eventually(async () => one.do("ask"))).toContain(
      "no client, or more than one, could have caused it",
    );
    for (const stream of streams) stream.close();
  });

  it("tells news to all, of a resource to those who want it, and of its log as much as each wants", async () => {
    const { port } = await startBridge([ODD], { share: "all" });
    const [one, other] = [await PlainClient.open(port), await PlainClient.open(port)];
    const streams = [await one.listen(), await other.listen()];
    const heard = () =>
      streams.map(({ messages }) =>
        messages.map(({ method, params }) => params?.uri ?? params?.data ?? method),
      );
    await one.request("resources/subscribe", { uri: "a:1" });
    await one.request("logging/setLevel", { level: "debug" });
    await other.request("logging/setLevel", { level: "error" });
    expect(JSON.parse(await one.do("facts")).level).toBe("debug");
    const notify = (method: string, params: object) => one.do("notify", { method, params });
    await notify("notifications/resources/updated", { uri: "a:1" });
    await notify("notifications/message", { level: "info", data: "little" });
    await notify("notifications/message", { level: "alert", data: "much" });
    await notify("notifications/prompts/list_changed", {});
    await eventually(() =>
      expect(heard()).toEqual([
        expect.arrayContaining(["a:1", "little", "much", "notifications/prompts/list_changed"]),
        expect.arrayContaining(["much", "notifications/prompts/list_changed"]),
      ]),
    );
    expect(heard()[1]).not.toContain("a:1");
    expect(heard()[1]).not.toContain("little");
    for (const stream of streams) stream.close();
  });
});

describe("a child that is not needed", () => {
  it("sleeps, and is told again what it was told before when it is", async () => {
    const { port, bridge } = await startBridge([ODD], { idleStop: 200 });
    const client = await PlainClient.open(port);
    await client.request("logging/setLevel", { level: "warning" });
    const { pid } = JSON.parse(await client.do("facts"));
    await eventually(() => expect(bridge.children).toEqual([]));
    const calls = await Promise.all(Array.from({ length: 5 }, () => client.do("facts")));
    const facts = calls.map((one) => JSON.parse(one));
    expect(new Set(facts.map((one) => one.pid)).size).toBe(1);
    expect(facts[0]).toMatchObject({ level: "warning", initialized: 1 });
    expect(facts[0].pid).not.toBe(pid);
  });

  it("is ended when its client has gone without a word", async () => {
    const { port, bridge } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    const stream = await client.listen();
    expect(bridge.children).toHaveLength(1);
    stream.close();
    await eventually(() => expect(bridge.children).toEqual([]), 15_000);
    expect(await client.do("echo", { said: "back" })).toBe("back");
  });
});
