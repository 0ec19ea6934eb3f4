import * as fs from "node:fs";
import { environmentOf, SpawnError } from "../../model/environment.ts";
import type { Mark } from "../../model/family.ts";
import { type BridgeHere, isBridged, launchEnv, launchOf } from "../../model/launch.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { ownBridge } from "../../system/bridge-program.ts";
import { holderText } from "../../system/holders.ts";
import { holderOf } from "../../system/listeners.ts";
import { hardLimitOfFiles } from "../../system/open-files.ts";
import { signalExactly, signalProcess } from "../../system/processes.ts";
import { isShortage } from "../../system/shortage.ts";
import type { LogWriter } from "../logs/log-writer.ts";
import { Incarnation, type IncarnationEvents } from "./incarnation.ts";
import { type Launched, startKeeper } from "./keeper.ts";
import { doorsOf, openRunFiles } from "./run-folder.ts";
import type { RunFolders } from "./run-folders.ts";
import { closeFiles } from "./run-reader.ts";

export interface SpawnRequest {
  /** The run folder, which does not exist yet. */
  readonly dir: string;
  readonly spec: Launched;
  readonly secrets: SecretValues;
  readonly log: LogWriter;
  readonly events: IncarnationEvents;
  /** Daemons that earlier runs left behind: they belong to this run too. */
  readonly seen?: readonly Mark[];
  readonly runFolders: RunFolders;
  /** Of a server, where its bridge keeps sessions. */
  readonly sessions?: string;
}

/** Starts a server's program in a new run folder. Throws a {@link SpawnError} when it cannot run. */
export async function spawnIncarnation(request: SpawnRequest): Promise<Incarnation> {
  const { dir, log, events, seen = [] } = request;
  checkProgram(request.spec.program);
  const spec = isBridged(request.spec) ? launchOf(request.spec, bridgeHere(request.sessions)) : request.spec;
  checkFolder(spec.workingDir);
  checkLimits(spec.limits);
  const env = launchEnv(spec, environmentOf(spec, request.secrets));
  await checkPort(spec, seen);
  log.open();
  await request.runFolders.make(dir);
  const doors = doorsOf(dir, undefined);
  const files = openRunFiles(doors);
  const keeper = await startKeeper({ dir, spec, env }).catch((error: Error) => {
    closeFiles(files);
    throw new SpawnError(`cannot start ${request.spec.program}: ${error.message}`, {
      passing: isShortage(error),
    });
  });
  const incarnation = new Incarnation(dir, { log, events, port: spec.port, seen });
  try {
    incarnation.begin({ keeper: { ...keeper, answers: true }, doors, files });
  } catch (error) {
    // Nobody would watch this process: it is killed before it does anything.
    signalProcess(-keeper.pid, "SIGKILL");
    incarnation.detach();
    throw error;
  }
  return incarnation;
}

/** A shell would run any text file as a script, so only what the kernel can execute is accepted. */
function checkProgram(program: string): void {
  try {
    fs.accessSync(program, fs.constants.X_OK);
    if (!fs.statSync(program).isFile()) throw new Error("not a file");
  } catch (error) {
    if (isShortage(error)) throw error;
    throw new SpawnError(`cannot start ${program}: it does not exist, or is not an executable file`);
  }
  const head = Buffer.alloc(4);
  const fd = fs.openSync(program, "r");
  try {
    fs.readSync(fd, head, 0, 4, 0);
  } finally {
    fs.closeSync(fd);
  }
  if (head.toString("latin1", 0, 2) !== "#!" && !MAGIC.has(head.toString("hex"))) {
    throw new SpawnError(`cannot start ${program}: it is neither a binary nor a script with a #! line`);
  }
}

/** This agent's own bridge: it is beside the agent, in a copy that no update of the package touches. */
function bridgeHere(sessions: string | undefined): BridgeHere {
  const own = ownBridge();
  if (own !== undefined) return { words: [own.node, own.entry], sessions };
  const wayOut = "`xy agent stop`, and the next apply starts an agent that has one";
  throw new SpawnError(`cannot start: the bridge beside this agent is gone; ${wayOut}`);
}

/** ELF, Mach-O in its byte orders and widths, and the universal binary. */
const MAGIC = new Set(["7f454c46", "feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "bebafeca"]);

function checkFolder(path: string): void {
  if (!fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    throw new SpawnError(`cannot start: the working folder ${path} does not exist`);
  }
}

/** The keeper could not set such a limit, and the server would exit at once with a cryptic message from the shell. */
function checkLimits({ openFiles }: Launched["limits"]): void {
  const most = hardLimitOfFiles();
  if (most === undefined || openFiles <= most) return;
  throw new SpawnError(
    `cannot start: limits.open-files is ${openFiles}, and the agent's hard limit allows ${most} at most; ` +
      "lower it, or raise that limit (ulimit -Hn) and start the agent again",
  );
}

/** Longest wait for a port that is in use, ms: a server that is just moving away from it needs a moment to exit. */
const PORT_GRACE = 2000;
/** Pause between two looks at a port that is in use, ms. */
const PORT_GAP = 50;

/** `seen`: daemons of earlier runs. One that holds the port is stopped: that proves that it is the server's. */
async function checkPort({ port, host }: Launched, seen: readonly Mark[]): Promise<void> {
  if (port === null) return;
  // A failed look prevents nothing: the program itself will find out whether the port is free.
  const look = () => holderOf(port, host).catch(() => undefined);
  const until = Date.now() + PORT_GRACE;
  let holder = await look();
  const asked = new Set<number>();
  while (holder && Date.now() < until) {
    const { pid } = holder;
    const own = seen.find((mark) => mark.pid === pid);
    // After half of the time a process is no longer asked, but killed.
    const isLate = Date.now() > until - PORT_GRACE / 2;
    if (own && (isLate || !asked.has(pid))) signalExactly(own, isLate ? "SIGKILL" : "SIGTERM");
    asked.add(pid);
    await new Promise((resolve) => setTimeout(resolve, PORT_GAP));
    holder = await look();
  }
  if (!holder) return;
  const message = `cannot start: port ${port} is held by ${holderText(holder)}`;
  throw new SpawnError(message, { portConflict: true });
}
