import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { SessionFolder } from "../../../src/bridge/session-file.ts";
import { startBridge } from "../../rig/bridge.ts";
import { ask, PlainClient } from "../../rig/bridge-client.ts";
import { eventually } from "../../rig/eventually.ts";
import { ours } from "../../rig/mcp/servers.ts";

const ODD = ours("odd");
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "sessions-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A bridge that keeps its sessions there, and ends before the test does. */
async function bridgeIn(path: string, options: Parameters<typeof startBridge>[1] = {}) {
  const told: string[] = [];
  const kept = new SessionFolder(path, (text) => told.push(text));
  return { ...(await startBridge([ODD], { folder: kept, ...options })), told };
}

/** The client, at another bridge. */
function moved({ session }: PlainClient, port: number): PlainClient {
  const client = new PlainClient(port);
  client.session = session;
  return client;
}

const alive = async (client: PlainClient) => (await client.post(PING)).status === 200;

describe("sessions in a folder", () => {
  it.for(["session", "all"] as const)(
    "are taken up by the next bridge, whose child (%s) is told what the one before was told",
    async (share) => {
      const path = folder();
      const first = await bridgeIn(path, { share });
      const before = await PlainClient.open(first.port);
      const gone = await PlainClient.open(first.port);
      await before.request("logging/setLevel", { level: "warning" });
      await before.request("resources/subscribe", { uri: "a:1" });
      await ask(first.port, { method: "DELETE", headers: gone.headers });
      await first.bridge.close();

      const { port, bridge, said } = await bridgeIn(path, { share });
      const client = moved(before, port);
      const stream = await client.listen();
      expect(bridge.children).toEqual([]);
      expect(JSON.parse(await client.do("facts"))).toMatchObject({
        ...{ level: "warning", initialized: 1, subscriptions: ["a:1"] },
      });
      await client.do("notify", { method: "notifications/resources/updated", params: { uri: "a:1" } });
      const heard = () => stream.messages.map(({ method }) => method);
      await eventually(() => expect(heard()).toContain("notifications/resources/updated"));
      expect(await alive(moved(gone, port))).toBe(false);
      stream.close();
      expect(said.join()).not.toContain(client.session);
    },
  );

  it("are private: nobody else can read them, and no name of a file tells an id", async () => {
    const path = folder();
    const { port } = await bridgeIn(path);
    const { session } = await PlainClient.open(port);
    const [name = "", ...others] = readdirSync(path);
    expect(others).toEqual([]);
    expect(readFileSync(join(path, name), "utf8")).toContain(session);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
    expect(session).not.toContain(name.slice(0, 8));
  });

  it("are as many as a bridge may have: those that were used last", async () => {
    const path = folder();
    const first = await bridgeIn(path, { maxSessions: 3 });
    const clients: PlainClient[] = [];
    for (const _ of [1, 2, 3]) clients.push(await PlainClient.open(first.port));
    const [one, two, three] = clients as [PlainClient, PlainClient, PlainClient];
    // Ids of times that differ, whatever the clock's grain.
    for (const [i, client] of [two, three, one].entries()) {
      const session = first.bridge.find(client.session);
      if (session) session.usedAt += 1000 * (i + 1);
    }
    await first.bridge.close();
    const { port } = await bridgeIn(path, { maxSessions: 2 });
    expect(await Promise.all([one, two, three].map((client) => alive(moved(client, port))))).toEqual([
      ...[true, false, true],
    ]);
    expect(readdirSync(path)).toHaveLength(2);
  });

  it("that are damaged are set aside and told of, and cost no other", async () => {
    const path = folder();
    const first = await bridgeIn(path);
    const good = await PlainClient.open(first.port);
    const damaged = [
      "",
      "{",
      "[]",
      '{"id":"x"}',
      readFileSync(join(path, readdirSync(path)[0] as string), "utf8"),
    ];
    await first.bridge.close();
    for (const [i, text] of damaged.entries())
      writeFileSync(join(path, `${String(i).repeat(32)}.json`), text);
    const { port, told } = await bridgeIn(path);
    expect(await alive(moved(good, port))).toBe(true);
    expect(told).toHaveLength(damaged.length);
    for (const text of told) expect(text).toMatch(/^a session was lost: .*was damaged \(.*set aside as /);
    expect(told.join()).not.toContain(good.session);
    expect(readdirSync(path).filter((name) => name.includes(".set-aside-"))).toHaveLength(damaged.length);
  });

  it("that cannot be written end with the bridge, which says so once and serves", async () => {
    const path = join(folder(), "taken");
    writeFileSync(path, "");
    const { port, told } = await bridgeIn(path);
    const clients = [await PlainClient.open(port), await PlainClient.open(port)];
    for (const client of clients) expect(await client.do("echo", { said: "here" })).toBe("here");
    expect(told).toEqual([expect.stringMatching(/^cannot read sessions in .*; they end with the bridge$/)]);
  });

  it("hold no more than a client may say of itself", async () => {
    const { port } = await bridgeIn(folder());
    const params = {
      protocolVersion: "2025-11-25",
      capabilities: {},
      clientInfo: { name: "x".repeat(70_000) },
    };
    const reply = await ask(port, { body: { jsonrpc: "2.0", id: 1, method: "initialize", params } });
    expect([reply.status, reply.text]).toEqual([400, expect.stringContaining("introduction of more than")]);
    const client = await PlainClient.open(port);
    const wanted = Array.from({ length: 257 }, (_, i) => `a:${i}`);
    const answers = [];
    for (const uri of wanted) answers.push(await client.request("resources/subscribe", { uri }));
    expect(answers.map(({ error }) => error?.code)).toEqual([
      ...wanted.slice(1).map(() => undefined),
      -32000,
    ]);
  });
});
