import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { eventually } from "../eventually.ts";
import { freePort } from "../port.ts";
import { killGroup } from "../processes.ts";
import { bundled } from "./bundled.ts";

const MODULES = join(import.meta.dirname, "../../../node_modules");

/** Programs of packages, by path: started with node itself, so that no wrapper is between. */
export const PACKAGES = {
  everything: join(MODULES, "@modelcontextprotocol/server-everything/dist/index.js"),
  memory: join(MODULES, "@modelcontextprotocol/server-memory/dist/index.js"),
  filesystem: join(MODULES, "@modelcontextprotocol/server-filesystem/dist/index.js"),
  mcpRemote: join(MODULES, "mcp-remote/dist/proxy.js"),
  mcpProxy: join(MODULES, "mcp-proxy/dist/bin/mcp-proxy.mjs"),
  supergateway: join(MODULES, "supergateway/dist/index.js"),
  /** The official package's example of HTTP+SSE. It listens on port 3000. */
  sseExample: join(MODULES, "@modelcontextprotocol/sdk/dist/esm/examples/server/simpleSseServer.js"),
  context7: join(MODULES, "@upstash/context7-mcp/dist/index.js"),
} as const;

/**
 * The same, each in one file with all that it imports, as it starts in half of the time: for tests that start many, and
 * are not about these programs.
 */
export const PROGRAMS = inOneFile(PACKAGES);

function inOneFile<T extends Readonly<Record<string, string>>>(
  programs: T,
): Readonly<Record<keyof T, string>> {
  const bundles = {} as Record<keyof T, string>;
  for (const name of Object.keys(programs))
    Object.defineProperty(bundles, name, { enumerable: true, get: () => bundled(programs[name] as string) });
  return bundles;
}

/** Arguments of node, with which a program listens on the port that PORT says in place of 3000. */
export const AT_PORT = [
  "--import",
  `data:text/javascript,${encodeURIComponent(`import { Server } from "node:net";
    const { listen } = Server.prototype;
    Server.prototype.listen = function (port, ...rest) {
      return listen.call(this, port === 3000 ? Number(process.env.PORT) : port, ...rest);
    };`)}`,
];

/** A program beside this file. */
export function ours(name: string): string {
  const file = join(import.meta.dirname, `${name}.mjs`);
  return readFileSync(file, "utf8").includes('from "@modelcontextprotocol/') ? bundled(file) : file;
}

/** For every MCP server that a test starts: it says nothing of it to anybody, and opens no second port. */
export const SERVER_ENV = { OTEL_SDK_DISABLED: "true" };

export interface RealServer {
  readonly port: number;
  readonly process: ChildProcess;
}

/** Starts `node ARGS…` in a process group of its own, until the test is over; it is there when it listens. */
export async function startServer(
  args: (port: number) => readonly string[],
  env: (port: number) => NodeJS.ProcessEnv = () => ({}),
  given?: number,
): Promise<RealServer> {
  const port = given ?? (await freePort());
  const child = spawn(process.execPath, args(port), {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    env: { ...process.env, ...SERVER_ENV, ...env(port) },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`cannot start ${args(port).join(" ")}`);
  onTestFinished(() => killGroup(pid));
  await eventually(() => accepts(port));
  return { port, process: child };
}

async function accepts(port: number): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
