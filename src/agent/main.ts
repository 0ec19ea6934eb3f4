import * as fs from "node:fs";
import type { Server } from "node:net";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { isCode, writeAtomic } from "../system/files.ts";
import { tryLock } from "../system/lock.ts";
import { packageVersion } from "../system/package.ts";
import { agentLockPath, agentRecordPath, ensurePrivateDir, pathsOf } from "../system/paths.ts";
import { identify } from "../system/processes.ts";
import { createHandlers } from "./methods.ts";
import { Registry } from "./registry.ts";
import { createRpcServer } from "./rpc-server.ts";

/**
 * The agent process. One per state folder: the lock decides. It ends with 0 when it was told to, with 75 when
 * another agent has the lock, with 1 when it cannot run; whoever keeps it alive starts it again after anything else.
 */

/** Longest stop of all servers at a shutdown, ms. */
const SHUTDOWN_BOUND = 60_000;
/** Between two looks at whether the socket is still there, ms. */
const SOCKET_LOOK = 2000;
/** Longest path of a Unix socket, bytes, the terminating NUL left out. */
const LONGEST_SOCKET_PATH = process.platform === "darwin" ? 103 : 107;

const report = (message: string) => console.error(`${new Date().toISOString()} ${message}`);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { state: { type: "string" } } });
  const paths = pathsOf(process.env);
  const state = values.state ?? paths.state;
  ensurePrivateDir(state);
  const attempt = tryLock(agentLockPath(state));
  if (!attempt.held) {
    report(`another agent (pid ${attempt.by.pid}) runs for ${state}`);
    return 75;
  }
  try {
    return await serve(state, paths.runtime);
  } finally {
    attempt.lock.release();
  }
}

async function serve(state: string, runtime: string | undefined): Promise<number> {
  const registry = new Registry(state, report);
  const startedAt = Date.now();
  let socket = "";
  let finish: (code: number) => void = () => {};
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const shutdown = async (keepServers: boolean) => {
    const stopped = keepServers ? [] : await registry.stopAll(SHUTDOWN_BOUND);
    registry.detachAll();
    return stopped;
  };
  await registry.adoptAll();
  const handlers = createHandlers(registry, {
    version: packageVersion(),
    stateDir: state,
    startedAt,
    socket: () => socket,
    shutdown,
    exit: () => finish(0),
  });
  const server = createRpcServer(handlers);
  socket = await bind(server, state, runtime);
  writeAgentRecord(state, socket, startedAt);
  const watch = setInterval(() => void rebind(), SOCKET_LOOK);
  const rebind = async () => {
    if (fs.existsSync(socket)) return;
    report(`the socket ${socket} vanished: bound again`);
    await new Promise((resolve) => server.close(resolve));
    socket = await bind(server, state, runtime);
    writeAgentRecord(state, socket, startedAt);
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => void shutdown(false).then(() => finish(0)));
  }
  report(`serves ${registry.all().length} servers on ${socket}`);
  const code = await finished;
  clearInterval(watch);
  fs.rmSync(socket, { force: true });
  fs.rmSync(agentRecordPath(state), { force: true });
  return code;
}

function writeAgentRecord(state: string, socket: string, startedAt: number): void {
  const record = { version: 1, xy: packageVersion(), ...identify(process.pid), socket, startedAt };
  writeAtomic(agentRecordPath(state), JSON.stringify(record, null, 2));
}

/** Binds the first socket path that is usable: one where another agent answers is left alone. Returns the path. */
async function bind(server: Server, state: string, runtime: string | undefined): Promise<string> {
  const candidates = [...(runtime === undefined ? [] : [join(runtime, "xy.sock")]), join(state, "xy.sock")];
  const problems: string[] = [];
  for (const path of candidates) {
    const problem = await tryBind(server, path).catch((error: Error) => error.message);
    if (problem === undefined) return path;
    problems.push(`${path}: ${problem}`);
  }
  throw new Error(`cannot bind a socket: ${problems.join("; ")}`);
}

async function tryBind(server: Server, path: string): Promise<string | undefined> {
  const length = Buffer.byteLength(path);
  if (length > LONGEST_SOCKET_PATH) return `its path has ${length} bytes, ${LONGEST_SOCKET_PATH} at most: set XDG_RUNTIME_DIR to a shorter folder`;
  if (!isPrivateDir(dirname(path))) return "its folder is not private to this account";
  if (await answers(path)) return "another agent answers there";
  fs.rmSync(path, { force: true });
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(path, () => {
        server.removeListener("error", reject);
        resolve();
      });
    });
  } finally {
    process.umask(umask);
  }
  return undefined;
}

function isPrivateDir(dir: string): boolean {
  const stat = fs.statSync(dir, { throwIfNoEntry: false });
  return stat !== undefined && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0;
}

/** True when somebody accepts connections there; a socket file that a crash left refuses them. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => {
      if (isCode(error, "ENOENT", "ECONNREFUSED", "ENOTSOCK")) resolve(false);
      else reject(error);
    });
  });
}

process.on("uncaughtException", (error) => {
  // Servers outlive the agent: to end and be started again is safer than to go on in an unknown state.
  report(`unexpected: ${error.stack ?? error}`);
  process.exit(70);
});

main().then(
  (code) => process.exit(code),
  (error) => {
    report(String(error instanceof Error ? error.message : error));
    process.exit(1);
  },
);
