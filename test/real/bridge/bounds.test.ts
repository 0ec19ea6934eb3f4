import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { startBridge } from "../../rig/bridge.ts";
import { PlainClient } from "../../rig/bridge-client.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours } from "../../rig/mcp/servers.ts";

const ODD = ours("odd");
const MIB = 2 ** 20;

/** A client that writes what no library would, and reads when it is told to. */
class Raw {
  readonly socket: Socket;
  text = "";

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1").on("error", () => {});
    onTestFinished(() => void this.socket.destroy());
  }

  begin(head: Record<string, string | number>, method = "POST"): this {
    const lines = Object.entries({ Host: "127.0.0.1", "Content-Type": "application/json", ...head });
    this.socket.write(
      `${method} /mcp HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
    );
    return this;
  }

  send(body: string): this {
    this.socket.write(body);
    return this;
  }

  /** All that comes, until the other side has closed. */
  async read(): Promise<string> {
    this.socket.on("data", (piece) => (this.text += piece));
    // Not `once`, which an error ends: a connection that is cut may have something to say first.
    if (!this.socket.destroyed)
      await new Promise<void>((closed) => this.socket.once("close", () => closed()));
    return this.text;
  }
}

const call = (deed: string, more: object = {}) =>
  JSON.stringify({
    ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
    params: { name: "do", arguments: { deed, ...more } },
  });

describe("a bridge", () => {
  it("refuses a hundred megabytes before they are sent, and when their length was not said", async () => {
    const { port } = await startBridge([ODD]);
    const said = await new Raw(port).begin({ "Content-Length": 100 * MIB }).read();
    expect(said).toMatch(/^HTTP\/1.1 413 [\s\S]*Connection: close/);
    const unsaid = new Raw(port).begin({ "Transfer-Encoding": "chunked" });
    const read = unsaid.read();
    const chunk = `${MIB.toString(16)}\r\n${"x".repeat(MIB)}\r\n`;
    for (let i = 0; i < 100 && unsaid.socket.writable; i++) {
      if (!unsaid.socket.write(chunk))
        await Promise.race([once(unsaid.socket, "drain").catch(() => {}), read]);
    }
    expect(await read).toMatch(/^HTTP\/1.1 413 [\s\S]*Connection: close/);
    await PlainClient.open(port);
  });

  it("does not wait for the other half of a message", async () => {
    const { port } = await startBridge([ODD], {}, {}, { request: 200 });
    const half = new Raw(port).begin({ "Content-Length": 100 }).send("{");
    expect(await half.read()).toMatch(/^HTTP\/1.1 408 /);
    const head = new Raw(port);
    head.socket.write("POST /mcp HTTP/1.1\r\nHost: ");
    expect(await head.read()).toMatch(/^HTTP\/1.1 408 /);
    await PlainClient.open(port);
  });

  it("has room for so much of all messages together, and for more when those are gone", async () => {
    const { port } = await startBridge([ODD], {}, {}, { messages: MIB });
    const halves = [1, 2, 3].map(() =>
      new Raw(port).begin({ "Content-Length": MIB }).send("x".repeat(450_000)),
    );
    const first = await Promise.race(halves.map((half) => half.read()));
    expect(first).toMatch(/^HTTP\/1.1 503 [\s\S]*Connection: close[\s\S]*too many are on their way/);
    for (const { socket } of halves) socket.destroy();
    await eventually(async () => {
      const client = await PlainClient.open(port);
      expect(await client.do("echo", { said: "y".repeat(900_000) })).toHaveLength(900_000);
    });
  });

  it("keeps so much of answers that nobody reads: those that wait longest are given up", async () => {
    const { port } = await startBridge([ODD], {}, {}, { unread: 20 * MIB });
    const { headers } = await PlainClient.open(port);
    const body = call("long", { bytes: 10 * MIB });
    const lazy: Raw[] = [];
    for (let i = 0; i < 6; i++) {
      const client = new Raw(port).begin({
        ...{ ...headers, Accept: "application/json", "Content-Length": body.length },
      });
      client.socket.once("data", () => client.socket.pause());
      lazy.push(client.send(body.replace('"id":1', `"id":${i}`)));
      await once(client.socket, "data");
    }
    const reads = await Promise.all(
      lazy.map(async (client) => {
        const read = client.read();
        client.socket.end().resume();
        return (await read).length;
      }),
    );
    // The system keeps some megabytes of each for itself.
    expect(reads[0]).toBeLessThan(10 * MIB);
    expect(reads.at(-1)).toBeGreaterThan(9 * MIB);
  });

  it("cuts off a client that has a stream and never reads it, and serves others meanwhile", async () => {
    const { port } = await startBridge([ODD], { share: "all" });
    const [lazy, other] = [await PlainClient.open(port), await PlainClient.open(port)];
    const stream = new Raw(port).begin({ ...lazy.headers, Accept: "text/event-stream" }, "GET");
    await once(stream.socket, "data");
    stream.socket.pause();
    const listening = new Raw(port).begin({ ...other.headers, Accept: "text/event-stream" }, "GET");
    void listening.read();
    await once(listening.socket, "data");
    expect(await other.do("flood", { count: 300, size: 100_000 })).toBe("flooded");
    await eventually(() => expect(listening.text.split("notifications/message")).toHaveLength(301));
    const read = stream.read();
    stream.socket.resume();
    expect((await read).length).toBeLessThan(300 * 100_000);
    expect(await lazy.do("echo", { said: "still" })).toBe("still");
  });

  it("gives up a call whose client has gone, and lets its child sleep then; others go on", async () => {
    const { port, bridge, said } = await startBridge([ODD], { leftAfter: 50, idleStop: 1, share: "all" });
    const { headers, session } = await PlainClient.open(port);
    const [stays, goes] = [2, 3].map((id) => {
      const body = call("silence").replace('"id":1', `"id":${id}`);
      return new Raw(port).begin({ ...headers, "Content-Length": body.length }).send(body);
    }) as [Raw, Raw];
    const open = () => [...(bridge.find(session)?.calls.keys() ?? [])];
    await eventually(() => expect(said.filter((line) => line.includes("silent"))).toHaveLength(2));
    goes.socket.destroy();
    await eventually(() => expect(open()).toEqual([2]));
    await eventually(() => expect(said.join()).toContain("cancelled "));
    expect(bridge.children).toMatchObject([{ isBusy: true }]);
    stays.socket.destroy();
    await eventually(() => expect(bridge.children).toEqual([]));
    expect(open()).toEqual([]);
    expect(bridge.find(session)).toBeDefined();
  });

  it("breaks the silence on every stream, so that nobody takes it for dead", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    onTestFinished(() => void vi.useRealTimers());
    const { port } = await startBridge([ODD]);
    const client = await PlainClient.open(port);
    const body = call("silence");
    const streams = [
      new Raw(port).begin({ ...client.headers, Accept: "text/event-stream" }, "GET"),
      ...["application/json, text/event-stream", "text/event-stream"].map((Accept) =>
        new Raw(port)
          .begin({ ...client.headers, Accept, "Content-Length": body.length })
          .send(body.replace('"id":1', `"id":${Accept.length % 10}`)),
      ),
    ];
    for (const stream of streams) void stream.read();
    await eventually(() => {
      for (const { text } of streams) expect(text).toContain("text/event-stream");
    });
    for (const { text } of streams) expect(text).not.toContain(": \n\n");
    vi.advanceTimersByTime(15_000);
    await eventually(() => {
      for (const { text } of streams) expect(text).toContain(": \n\n");
    });
  });

  it("remembers as many of a thousand clients as it may, the last ones", async () => {
    const { port, bridge } = await startBridge([ODD], { share: "all", maxSessions: 100 });
    const clients: PlainClient[] = [];
    for (let i = 0; i < 50; i++)
      clients.push(...(await Promise.all(Array.from({ length: 20 }, () => PlainClient.open(port)))));
    const known = clients.map(({ session }) => bridge.find(session) !== undefined);
    expect(known.filter(Boolean)).toHaveLength(100);
    expect(known.slice(-60)).not.toContain(false);
    expect(bridge.children).toHaveLength(1);
  });
});
