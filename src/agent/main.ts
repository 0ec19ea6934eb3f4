import { type StdioOptions, spawn } from "node:child_process";
import * as fs from "node:fs";
import { parseArgs } from "node:util";
import type { ProcessId } from "../model/process.ts";
import { visible } from "../model/visible.ts";
import { RPC_ERRORS, RpcError } from "../rpc/errors.ts";
import { leadsTo, makeWayForFile, readJson, writeAtomic } from "../system/files.ts";
import { tryLock } from "../system/lock.ts";
import { LOOP_VARIABLE, LOOP_VERSION, writeLoopText } from "../system/loop.ts";
import { packageVersion } from "../system/package.ts";
import { agentLockPath, agentLoopPath, agentRecordPath, closeDir, pathsOf } from "../system/paths.ts";
import { whyNotRuntime, whyNotTrusted } from "../system/private-folder.ts";
import { identify } from "../system/processes.ts";
import { mendCopy } from "../system/program.ts";
import { failureText } from "../system/shortage.ts";
import { createHandlers } from "./api/methods.ts";
import { createRpcServer } from "./api/rpc-server.ts";
import { bindSocket } from "./api/socket.ts";
import { takeLock } from "./handover/take-over.ts";
import { confirm, forgetUpgrade, prepareUpgrade, refuseDuringApply, tryOut } from "./handover/upgrade.ts";
import { RunFolders } from "./runs/run-folders.ts";
import { Registry } from "./servers/registry.ts";

/**
 * The agent process. One per state folder: the lock decides. It exits with 0 when it was told to, with 75 when
 * another agent has the lock, with 76 when it hands over to another program, with 1 when it cannot run; the
 * loop starts it again after anything else.
 */
const HANDS_OVER = 76;
const REFUSED = 75;

const OPTIONS = {
  state: { type: "string" },
  /** Pid of the loop that keeps it alive, its parent. */
  loop: { type: "string" },
  /** It is the successor in an upgrade, and goes when it cannot serve. */
  trial: { type: "boolean", default: false },
  /** Loads, looks whether it could run here, and ends. */
  try: { type: "boolean", default: false },
  /** Another agent is asked to give way. */
  "take-over": { type: "boolean", default: false },
  /** A service manager brings the loop back. */
  installed: { type: "boolean", default: false },
} as const;

/** Between two looks at whether the socket and the record of it are still there, ms. */
const SOCKET_LOOK = 2000;

const report = (message: string) =>
  void process.stderr.write(`${new Date().toISOString()} ${visible(message)}\n`);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  // Heard from the beginning, obeyed once it is known what runs.
  const told = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  const paths = pathsOf(process.env);
  const state = values.state ?? paths.state;
  if (values.try) return tryOut(state, report);
  const problem = whyNotTrusted(state) ?? whyNotRuntime(paths.runtime);
  if (problem !== undefined) {
    report(problem);
    return 1;
  }
  closeDir(state);
  const attempt = await takeLock(state, values["take-over"]);
  if (!attempt.held) {
    report(`another agent (pid ${attempt.by.pid}) runs for ${state}`);
    return REFUSED;
  }
  let { lock } = attempt;
  const lockHolder = () => {
    if (lock.isThere()) return undefined;
    const again = tryLock(agentLockPath(state));
    if (!again.held) return again.by;
    lock = again.lock;
    report(`${agentLockPath(state)} is gone: creating it again`);
    return undefined;
  };
  const loop = values.loop === undefined ? undefined : identify(Number(values.loop));
  try {
    const { trial, installed } = values;
    // A loop that is dead already is as good as one that dies now.
    const isSeenTo = values.loop === undefined || installed;
    return await serve({ state, runtime: paths.runtime, loop, trial, isSeenTo, lockHolder }, told);
  } finally {
    lock.release();
  }
}

interface Surroundings {
  readonly state: string;
  readonly runtime: string | undefined;
  readonly loop: ProcessId | undefined;
  readonly trial: boolean;
  /** Whoever started it sees to the loop, or wants none. */
  readonly isSeenTo: boolean;
  /** Another agent that has the lock, which is made again when it has vanished. */
  readonly lockHolder: () => ProcessId | undefined;
}

/** `told`: settles when a signal asks it to exit, and to stop its servers. */
async function serve(surroundings: Surroundings, told: Promise<void>): Promise<number> {
  const { state, runtime, loop, trial, lockHolder } = surroundings;
  const runFolders = new RunFolders();
  const registry = new Registry(state, report, runFolders);
  const startedAt = Date.now();
  let socket = "";
  let inode = 0;
  let replaced = false;
  let finish: (code: number) => void = () => {};
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const shutdown = async (how: { keepServers: boolean; replaced: boolean }) => {
    if (how.replaced) refuseDuringApply(state);
    const outcome = how.keepServers ? { stopped: [], left: [] } : await registry.stopAll();
    registry.detachAll();
    replaced = how.replaced;
    return outcome;
  };
  await registry.adoptAll();
  runFolders.keepReady(state, { atOnce: registry.all().length > 0 });
  const handlers = createHandlers(registry, {
    version: packageVersion(),
    stateDir: state,
    startedAt,
    socket: () => socket,
    shutdown,
    prepareUpgrade: (program) =>
      prepareUpgrade(state, program, () => {
        if (!hasLoop(loop)) throw new RpcError(RPC_ERRORS.internalError, NO_LOOP);
        if (registry.isEnding) throw new RpcError(RPC_ERRORS.internalError, AT_ITS_END);
        refuseDuringApply(state);
      }),
    exit: (how) => setImmediate(finish, how === "hand-over" ? HANDS_OVER : 0),
  });
  const open = async () => {
    socket = await bindSocket(createRpcServer(handlers), state, runtime);
    inode = inodeOf(socket);
    record();
  };
  const record = () => writeAgentRecord(state, { socket, startedAt, ...(loop ? { loop } : {}) });
  await open();
  if (trial) await confirm(state, socket);
  else forgetUpgrade(state);
  if (loop && !trial) mendProgram(state);
  // Another agent may have bound the same path after it vanished: then this is not our socket any more.
  const isOurs = () => inodeOf(socket) === inode;
  const renew = async () => (isOurs() ? record() : open());
  const seeToLoop = loopKeeper(surroundings);
  const giveWay = (by: ProcessId) => {
    report(`another agent (pid ${by.pid}) has the lock now: this one leaves the servers to it`);
    registry.detachAll();
    finish(REFUSED);
  };
  const watch = setInterval(() => {
    const other = holderOrNone(lockHolder);
    if (other !== undefined) return giveWay(other);
    seeToLoop();
    if (isOurs() && isRecorded(state)) return;
    report(`the socket ${socket} or its record is gone: creating it again`);
    renew().catch((error) => report(`cannot create it again: ${String(error)}`));
  }, SOCKET_LOOK);
  void told.then(() => shutdown({ keepServers: false, replaced: false })).then(() => finish(0));
  const count = registry.all().length;
  report(`serves ${count} ${count === 1 ? "server" : "servers"} on ${socket}`);
  const code = await finished;
  clearInterval(watch);
  if (code === HANDS_OVER) registry.detachAll();
  runFolders.dropReady();
  remove(() => isOurs() && fs.rmSync(socket, { force: true }));
  // If another agent is about to start, the record stays, so that nobody starts one more.
  if (code !== HANDS_OVER && !replaced && isRecorded(state))
    remove(() => fs.rmSync(agentRecordPath(state), { force: true, recursive: true }));
  return code;
}

/** At the end: what cannot be removed is no reason to end otherwise than told, and to be started again for that. */
function remove(step: () => void): void {
  try {
    step();
  } catch (error) {
    report(`cannot remove what it has left: ${failureText(error)}`);
  }
}

/** Without room for a lock it continues without one: the next look creates it. */
function holderOrNone(look: () => ProcessId | undefined): ProcessId | undefined {
  try {
    return look();
  } catch (error) {
    report(`cannot create the lock again: ${String(error)}`);
    return undefined;
  }
}

/** The loop runs the package itself where the copy of it is damaged. */
function mendProgram(state: string): void {
  try {
    mendCopy(state);
  } catch (error) {
    report(`cannot restore the copy of this agent: ${String(error)}`);
  }
}

const hasLoop = (loop: ProcessId | undefined) => loop !== undefined && process.ppid === loop.pid;

const NO_LOOP =
  "cannot upgrade an agent that nothing restarts, such as one in the foreground: " +
  "stop it with `xy agent stop --keep-servers`, and start it again";

const AT_ITS_END = "cannot upgrade: the agent is being stopped; `xy agent start` starts this version";

/**
 * Somebody may kill the loop, or it is one of an earlier version, which gives up: then another one is started, whose
 * agent takes over from this one.
 */
function loopKeeper({ state, loop, isSeenTo }: Surroundings): () => void {
  let begun = isSeenTo;
  return () => {
    const isThere = hasLoop(loop);
    if (begun || (isThere && isLoopOfToday)) return;
    begun = true;
    const why = isThere ? "is of an earlier version" : "is gone";
    report(`the loop that restarts this agent ${why}: starting another one`);
    try {
      writeLoopText(state);
    } catch (error) {
      report(`cannot write the loop: ${String(error)}`);
    }
    const stdio: StdioOptions = ["ignore", "inherit", "inherit"];
    const child = spawn("/bin/sh", [agentLoopPath(state), state, "--take-over"], { detached: true, stdio });
    child.once("error", (error) => report(`cannot start it: ${String(error)}`));
    // It was killed, was not there, or this agent did not give way in time, such as during a long apply: the next look begins it again.
    child.once("exit", (code) => {
      begun = code === 0;
    });
    child.unref();
  };
}

/** Not for what this agent starts in turn. */
const isLoopOfToday = process.env[LOOP_VARIABLE] === LOOP_VERSION;
delete process.env[LOOP_VARIABLE];

const inodeOf = (path: string) => leadsTo(path)?.ino ?? 0;

function writeAgentRecord(
  state: string,
  more: { socket: string; startedAt: number; loop?: ProcessId },
): void {
  const record = { version: 1, xy: packageVersion(), ...identify(process.pid), ...more };
  makeWayForFile(agentRecordPath(state));
  writeAtomic(agentRecordPath(state), JSON.stringify(record, null, 2));
}

/** What is written down of an agent is of this one. */
function isRecorded(state: string): boolean {
  try {
    return (readJson(agentRecordPath(state)) as { pid?: unknown } | undefined)?.pid === process.pid;
  } catch {
    return false;
  }
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
    report(failureText(error));
    process.exit(1);
  },
);
