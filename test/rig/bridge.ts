import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { BOUNDS, type Bounds } from "../../src/bridge/bodies.ts";
import { Bridge, type BridgeOptions } from "../../src/bridge/bridge.ts";
import type { Guard } from "../../src/bridge/guard.ts";
import { httpServer } from "../../src/bridge/http.ts";
import type { Restart } from "../../src/bridge/starts.ts";

const RESTART: Restart = {
  ...{ policy: "on-failure", backoffInitial: 500, backoffMax: 30_000, resetAfter: 10_000 },
};

/** A bridge of this process, until the test is over. */
export async function startBridge(
  args: readonly string[],
  options: Partial<BridgeOptions> = {},
  guard: Partial<Guard> = {},
  bounds: Partial<Bounds> = {},
): Promise<{ port: number; url: URL; bridge: Bridge; said: string[] }> {
  const said: string[] = [];
  const bridge = new Bridge({
    command: { program: process.execPath, args },
    ...{ share: "session", start: "eager", capabilities: [], version: "0" },
    ...{ maxSessions: 100, maxChildren: 50, maxStarts: 1000 },
    restart: RESTART,
    says: (stream, who, text) => said.push(`[${stream}] ${who ?? ""} ${text}`),
    ...options,
  });
  const allowed = { host: "127.0.0.1", allowHosts: [], allowOrigins: [], ...guard };
  const server = httpServer(bridge, "/mcp", allowed, { ...BOUNDS, ...bounds });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  bridge.resume();
  const { port } = server.address() as AddressInfo;
  onTestFinished(async () => {
    server.close();
    await bridge.close();
    server.closeAllConnections();
  });
  return { port, url: new URL(`http://127.0.0.1:${port}/mcp`), bridge, said };
}
