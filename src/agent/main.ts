import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { writeAtomic } from "../system/files.ts";
import { tryLock } from "../system/lock.ts";
import { packageVersion } from "../system/package.ts";
import { agentLockPath, agentRecordPath, closeDir, pathsOf } from "../system/paths.ts";
import { identify } from "../system/processes.ts";
import { createHandlers } from "./methods.ts";
import { Registry } from "./registry.ts";
import { createRpcServer } from "./rpc-server.ts";
import { bindSocket } from "./socket.ts";

/**
 * The agent process. One per state folder: the lock decides. It ends with 0 when it was told to, with 75 when
 * another agent has the lock, with 1 when it cannot run; whoever keeps it alive starts it again after anything else.
 */

/** Between two looks at whether the socket and the record of it are still there, ms. */
const SOCKET_LOOK = 2000;

const report = (message: string) => void process.stderr.write(`${new Date().toISOString()} ${message}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { state: { type: "string" } } });
  // Heard from the beginning, obeyed once it is known what runs.
  const told = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  const paths = pathsOf(process.env);
  const state = values.state ?? paths.state;
  closeDir(state);
  const attempt = tryLock(agentLockPath(state));
  if (!attempt.held) {
    report(`another agent (pid ${attempt.by.pid}) runs for ${state}`);
    return 75;
  }
  try {
    return await serve(state, paths.runtime, told);
  } finally {
    attempt.lock.release();
  }
}

/** `told`: settles when a signal says that it is to end, and its servers with it. */
async function serve(state: string, runtime: string | undefined, told: Promise<void>): Promise<number> {
  const registry = new Registry(state, report);
  const startedAt = Date.now();
  let socket = "";
  let inode = 0;
  let finish: (code: number) => void = () => {};
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const shutdown = async (keepServers: boolean) => {
    const outcome = keepServers ? { stopped: [], left: [] } : await registry.stopAll();
    registry.detachAll();
    return outcome;
  };
  await registry.adoptAll();
  const handlers = createHandlers(registry, {
    version: packageVersion(),
    stateDir: state,
    startedAt,
    socket: () => socket,
    shutdown,
    exit: () => setImmediate(finish, 0),
  });
  const open = async () => {
    socket = await bindSocket(createRpcServer(handlers), state, runtime);
    inode = inodeOf(socket);
    writeAgentRecord(state, socket, startedAt);
  };
  await open();
  // Another agent may have bound the same path after it vanished: then this is not our socket any more.
  const isOurs = () => inodeOf(socket) === inode;
  const renew = async () => (isOurs() ? writeAgentRecord(state, socket, startedAt) : open());
  const watch = setInterval(() => {
    if (isOurs() && fs.existsSync(agentRecordPath(state))) return;
    report(`the socket ${socket}, or the record of it, vanished: it is made again`);
    renew().catch((error) => report(`cannot make it again: ${String(error)}`));
  }, SOCKET_LOOK);
  void told.then(() => shutdown(false)).then(() => finish(0));
  report(`serves ${registry.all().length} servers on ${socket}`);
  const code = await finished;
  clearInterval(watch);
  if (isOurs()) fs.rmSync(socket, { force: true });
  fs.rmSync(agentRecordPath(state), { force: true });
  return code;
}

const inodeOf = (path: string) => fs.statSync(path, { throwIfNoEntry: false })?.ino ?? 0;

function writeAgentRecord(state: string, socket: string, startedAt: number): void {
  const record = { version: 1, xy: packageVersion(), ...identify(process.pid), socket, startedAt };
  writeAtomic(agentRecordPath(state), JSON.stringify(record, null, 2));
}

// Its log is on a disk that may be full.
process.stderr.on("error", () => {});

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
