import { describe, expect, it } from "vitest";
import { startBridge } from "../../rig/bridge.ts";
import { ask, PlainClient } from "../../rig/bridge-client.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours } from "../../rig/mcp/servers.ts";
import { groupMembers, isAlive } from "../../rig/processes.ts";

const ODD = ours("odd");

describe("a bridge", () => {
  it("passes messages on as they were written", async () => {
    const { port } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    const body =
      '{"jsonrpc":"2.0",\n "id":"a\\u0062", "method":"tools/call","params":{"arguments":{"deed":"big"}}}';
    const { text } = await client.post(body);
    expect(text).toBe(
      '{"jsonrpc":"2.0","id":"ab","result":{"n":12345678901234567890,"e":1e400,"a":1,"a":2}}',
    );
  });

  it("takes one answer to each request, from whoever was asked", async () => {
    const { port, said } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    expect(await client.do("twice")).toBe("once");
    expect(await client.do("stranger")).toBe("mine");
    expect(await client.do("garbage")).toBe("after garbage");
    const own = client.session.slice(0, 8);
    await eventually(() =>
      expect(said).toEqual(
        expect.arrayContaining([
          `[out] ${own} hello {"a":1}`,
          `[out] ${own} {torn`,
          `[out] ${own} [1]`,
          `[err] ${own} up`,
        ]),
      ),
    );
  });

  it("fails what is under way when the child ends, with its last words, and goes on", async () => {
    const { port } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    const silent = Array.from({ length: 50 }, () => client.do("silence"));
    expect(await client.do("exit", { code: 3, said: "no more disk" })).toBe(
      "the server ended before it answered: it exited with 3: no more disk",
    );
    expect(new Set(await Promise.all(silent))).toEqual(
      new Set(["the server ended before it answered: it exited with 3: no more disk"]),
    );
    expect(await client.do("echo", { said: "here" })).toBe("here");
    expect(JSON.parse(await client.do("facts"))).toMatchObject({ initialized: 1 });
  });

  it("starts no child again that ended, where the server's restart policy is never, and says so", async () => {
    const never = { policy: "never", backoffInitial: 1, backoffMax: 1, resetAfter: 1 } as const;
    for (const share of ["session", "all"] as const) {
      const { port, bridge } = await startBridge([ODD], { share, restart: never });
      expect(await bridge.prove()).toBeUndefined();
      const [client, other] = [await PlainClient.open(port), await PlainClient.open(port)];
      expect(await other.do("echo", { said: "up" })).toBe("up");
      expect(await client.do("exit", { code: 3, said: "no more disk" })).toContain("it exited with 3");
      const why =
        "cannot start the server: it exited with 3: no more disk; its restart policy is never: to start it again, run `xy restart`";
      expect(await client.do("echo", { said: "x" })).toBe(why);
      expect(await other.do("echo", { said: "y" })).toBe(share === "session" ? "y" : why);
      const { works, reason, next_start_at_unix_ms: next } = bridge.status;
      expect([works, reason, next]).toEqual([false, "it exited with 3: no more disk", undefined]);
      expect(bridge.children).toHaveLength(share === "session" ? 1 : 0);
    }
  });

  it("takes a child that closes its output for one that has ended, and one that leaves something behind", async () => {
    const { port, said } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    const { pid } = JSON.parse(await client.do("facts"));
    expect(await client.do("mute")).toContain("it closed its output");
    expect(await client.do("echo", { said: "here" })).toBe("here");
    await eventually(() => expect(groupMembers(pid)).toEqual([]));
    // What it forked holds its output open.
    const forked = Number(await client.do("fork"));
    expect(await client.do("exit", { code: 0, said: "bye" })).toBe(
      "the server ended before it answered: it exited with 0: bye",
    );
    await eventually(() => expect(isAlive(forked)).toBe(false));
    expect(await client.do("echo", { said: "again" })).toBe("again");
    expect(said.join("\n")).toContain("(the server ended: it closed its output");
  });

  it("ends a call whose session its client ends", async () => {
    const { port } = await startBridge([ODD]);
    const [client, other] = [await PlainClient.open(port), await PlainClient.open(port)];
    const call = client.do("silence");
    // Once this is answered, that is under way.
    expect(await client.do("echo", { said: "1" })).toBe("1");
    expect((await ask(port, { method: "DELETE", headers: client.headers })).status).toBe(204);
    expect(await call).toBe("the session is over");
    expect(await other.do("echo", { said: "2" })).toBe("2");
  });

  it("takes no word of one client for that of another", async () => {
    for (const share of ["session", "all"] as const) {
      const { port } = await startBridge([ODD], { share });
      const [client, other] = [await PlainClient.open(port), await PlainClient.open(port)];
      const stream = await client.listen();
      const call = client.request("tools/call", { arguments: { deed: "ask" } }, 7);
      const question = await eventually(() => {
        const [found] = stream.messages.filter(({ id }) => id !== undefined);
        if (!found) throw new Error("nothing asked");
        return found;
      });
      await other.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: 7 } });
      await other.post({ jsonrpc: "2.0", id: question.id, result: { by: "another" } });
      // Nor are these of any use: an object, a list, nothing at all.
      for (const requestId of [{}, [7], null, undefined])
        await client.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } });
      await client.post({ jsonrpc: "2.0", id: question.id, result: { by: "me" } });
      expect((await call).result.content[0].text).toBe('{"by":"me"}');
      stream.close();
    }
  });

  it("never starts more children at once than it may, and lets a client wait for one that is at work", async () => {
    const { port, bridge } = await startBridge([ODD], { maxChildren: 2 });
    const most: number[] = [];
    const clients = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const client = await PlainClient.open(port);
        most.push(bridge.children.length);
        return client;
      }),
    );
    const said = await Promise.all(clients.map((client, i) => client.do("echo", { said: `${i}` })));
    expect(said).toEqual(clients.map((_, i) => `${i}`));
    expect(Math.max(...most)).toBe(2);
  });

  it("takes a message that is longer than any should be for lost, and says so", async () => {
    const { port } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    expect(await client.do("endless", { bytes: 100 * 2 ** 20 })).toBe(
      "the server sent a message of more than 32 MiB",
    );
    expect(await client.do("long", { bytes: 5e6 })).toHaveLength(5e6);
  });

  it("ends a call that was cancelled, also when the child does not answer", async () => {
    const { port, said } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    const call = client.request("tools/call", { arguments: { deed: "silence" } }, "mine");
    const other = client.request("tools/call", { arguments: { deed: "silence" } }, "mine");
    expect((await other).error?.message).toContain("a request with this id is under way");
    await client.post({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId: "mine" } });
    expect(await call).toEqual({});
    await eventually(() => expect(said.join("\n")).toMatch(/cancelled \d+/));
  });

  it("asks the client what the child asks, where it listens or where its call waits", async () => {
    const { port } = await startBridge([ODD]);
    const client = await PlainClient.open(port, { sampling: {} });
    const stream = await client.listen();
    const call = client.do("ask");
    const question = await eventually(() => {
      const [found] = stream.messages.filter(({ method }) => method === "sampling/createMessage");
      if (!found) throw new Error("nothing asked");
      return found;
    });
    await client.post({ jsonrpc: "2.0", id: question.id, result: { said: 1 } });
    expect(await call).toBe('{"said":1}');
    // Of another client, and a second time: nobody's.
    expect((await client.post({ jsonrpc: "2.0", id: question.id, result: {} })).status).toBe(202);
    stream.close();
  });

  it("opens as many streams as a client wants, and each message comes once", async () => {
    const { port } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    const streams = [await client.listen(), await client.listen(), await client.listen()];
    await client.do("notify", { method: "notifications/message", params: { level: "info", data: "x" } });
    const all = () =>
      streams.flatMap(({ messages }) => messages).filter(({ method }) => method === "notifications/message");
    await eventually(() => expect(all()).toHaveLength(1));
    for (const stream of streams) stream.close();
  });

  it("does not wait for a client that does not read, nor keep everything for it", async () => {
    const { port } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    expect(await client.do("flood", { count: 200, size: 100_000 })).toBe("flooded");
    expect(await client.do("echo", { said: "still" })).toBe("still");
  });

  it("ends all of a child with its session: what it forked, and what ignores every signal", async () => {
    const { port, bridge } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    const forked = Number(await client.do("fork"));
    await client.do("stubborn");
    const [child] = bridge.children;
    expect(isAlive(forked)).toBe(true);
    expect((await ask(port, { method: "DELETE", headers: client.headers })).status).toBe(204);
    expect((await client.post({ jsonrpc: "2.0", id: 1, method: "ping" })).status).toBe(404);
    await eventually(() => expect(groupMembers(child?.pid as number)).toEqual([]));
    expect(isAlive(forked)).toBe(false);
    expect(bridge.children).toEqual([]);
  });
});
