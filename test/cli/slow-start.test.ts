import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openRegistry } from "../rig/registry.ts";
import { newHome } from "./cli.ts";

/** The least that an MCP server over HTTP has to say. */
const MCP_SERVER = `
require("slow-library");
const http = require("node:http");
const results = {
  initialize: { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "slow", version: "1" } },
  "tools/list": { tools: [] },
};
http.createServer((request, response) => {
  let body = "";
  request.on("data", (chunk) => (body += chunk)).on("end", () => {
    const { id, method } = body === "" ? {} : JSON.parse(body);
    if (id === undefined) return response.writeHead(202).end();
    const result = results[method];
    const answer = result ? { result } : { error: { code: -32601, message: "Method not found" } };
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ jsonrpc: "2.0", id, ...answer }));
  });
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

/** Liveness that would end whatever is not there at once, if it began with the process. */
const config = (registry: string, delayed: readonly string[]) => `
${delayed
  .map(
    (name) => `server "${name}" {
  command "npx"
  args "-y" "${name}"
  port "auto"
  mcp
  env { PORT "{port}"; npm_config_registry "${registry}"; npm_config_update_notifier "false"; }
  liveness "tcp" interval="100ms" start-period="0ms" failure-threshold=1
}`,
  )
  .join("\n")}
`;

/** Ms for each tarball; by hand as long as a bad line takes. */
const DELAY = Number(process.env.SLOW_START_DELAY ?? 1500);

test("servers that npx installs first come up by one apply, however slow their registry", async () => {
  const home = newHome();
  const names = ["slow-a", "slow-b", "slow-c", "slow-d"];
  const packages = names.map((name) => ({
    name,
    program: MCP_SERVER,
    dependencies: { "slow-library": "1.0.0" },
  }));
  const library = { name: "slow-library" };
  const registry = await openRegistry(join(home.path, "registry"), [...packages, library], DELAY);
  onTestFinished(() => void registry.close());
  home.write("xy.config.kdl", config(registry.url, names));

  const { code, stdout: told, stderr } = await home.xyRunning("apply", "--yes").ended;
  expect(code, told + stderr).toBe(0);
  for (const name of names) expect(told).toMatch(new RegExp(`${name}: added, ready`));
  const servers = await home.servers();
  for (const name of names)
    expect(servers[name]).toMatchObject({ state: "running", ready: true, restart_count: 0 });
  expect(await home.did("plan")).toContain("No changes.");
});
