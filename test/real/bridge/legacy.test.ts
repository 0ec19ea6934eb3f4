import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, it, onTestFinished } from "vitest";
import { startBridge } from "../../rig/bridge.ts";
import { eventually } from "../../rig/eventually.ts";
import { PROGRAMS } from "../../rig/mcp/servers.ts";
import { isAlive } from "../../rig/processes.ts";

async function connected(url: URL): Promise<Client> {
  const client = new Client({ name: "test", version: "1" });
  await client.connect(new StreamableHTTPClientTransport(url) as never);
  onTestFinished(() => client.close());
  return client;
}

describe("a bridge to a server that speaks over stdin and stdout", () => {
  it("lets a client do what it does directly", async () => {
    const { url } = await startBridge([PROGRAMS.everything, "stdio"]);
    const client = await connected(url);
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain("echo");
    expect(
      await client.callTool({ name: "echo", arguments: { message: "hi 12345678901234567890" } }),
    ).toMatchObject({
      content: [{ type: "text", text: "Echo: hi 12345678901234567890" }],
    });
    const steps: number[] = [];
    await client.callTool(
      { name: "trigger-long-running-operation", arguments: { duration: 1, steps: 4 } },
      undefined,
      { onprogress: ({ progress }) => steps.push(progress) },
    );
    expect(steps).toEqual([1, 2, 3, 4]);
  });

  it("starts a child that died again for the next call, in the same session", async () => {
    const { url, bridge, said } = await startBridge([PROGRAMS.memory]);
    const client = await connected(url);
    await client.listTools();
    const [pid = 0] = bridge.children.map((child) => child.pid ?? 0);
    process.kill(pid, "SIGKILL");
    await eventually(() => expect(said.join()).toContain("the server ended: it was ended by SIGKILL"));
    expect((await client.listTools()).tools.length).toBeGreaterThan(3);
    expect(isAlive(pid)).toBe(false);
  });
});
