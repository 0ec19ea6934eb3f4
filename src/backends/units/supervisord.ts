import { accessSync, constants, existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SupervisordSite } from "../../model/backend-settings.ts";
import type { StateName } from "../../model/observed.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { identify, processGroups, signalProcess } from "../../system/processes.ts";
import { fileLines, type LogLine, type LogRequest, pause } from "../log-lines.ts";
import { supervisordUnits } from "../render/supervisord.ts";
import { unitName } from "../render/unit.ts";
import { ASK_BOUND, ServiceError } from "../service.ts";
import { Coalesced } from "./coalesced.ts";
import type { Live, Site, Unit, UnitManager } from "./manager.ts";
import { isStale } from "./stale.ts";
import { FAULTS, type Pending, type ProcessInfo, STATES, SupervisordClient } from "./supervisord-client.ts";
import { type Endpoint, XmlRpcFault } from "./xml-rpc.ts";

/** Read of a log at once by XML-RPC, bytes. */
const LOG_BLOCK = 256 * 1024;
const LOG_GAP = 250;
/** Between two looks at a program that is being stopped, ms. */
const STOP_GAP = 100;

/** Folder for output, in the one for units: it is there whenever a unit is that names it. */
const LOGS = "xy-logs";

/** One supervisord, and what many ask of it at once. */
interface Door {
  readonly client: SupervisordClient;
  readonly lists: Coalesced<undefined, readonly ProcessInfo[]>;
  readonly rereads: Coalesced<undefined, Pending>;
}

/** A supervisord that runs already, and takes the units in a folder of its own. */
export class SupervisordManager implements UnitManager {
  readonly kind = "supervisord";
  readonly format = supervisordUnits;
  readonly #site: SupervisordSite | undefined;
  readonly #doors = new Map<string, Door>();

  constructor(site: SupervisordSite | undefined) {
    this.#site = site;
  }

  /** One that runs elsewhere, in a container say, does not see the files that are written here. */
  async reach(specs: readonly ServerSpec[]): Promise<void> {
    if (specs.length === 0) return;
    const { client } = this.#here();
    const { pid } = await client.identify();
    if (identify(pid) === undefined)
      throw client.unreachable(
        `it says that it is pid ${pid}, and there is none here: it runs on another machine`,
      );
  }

  siteOf(): Site {
    const { includeDir: _, ...endpoint } = this.#needed();
    return endpoint;
  }

  fileOf(spec: ServerSpec): string {
    return join(this.#needed().includeDir, supervisordUnits.fileName(spec));
  }

  logFiles(spec: ServerSpec) {
    return logsBeside(this.fileOf(spec), spec);
  }

  async look(units: readonly Unit[]): Promise<ReadonlyMap<string, Live>> {
    if (units.length === 0) return new Map();
    const found = await Promise.all(
      units.map(async (unit): Promise<[string, Live]> => {
        const door = await this.#doorOf(unit);
        const info = await infoOf(door, unitName(unit.spec));
        // A file of somebody else that cannot be read keeps nobody from looking at the processes.
        const pending = await door.rereads.ask(undefined).catch((error) => {
          if (error instanceof ServiceError) return undefined;
          throw error;
        });
        const isElsewhere = door !== this.#here();
        return [unit.spec.name, { ...liveOf(unit, info, pending), ...(isElsewhere ? { isElsewhere } : {}) }];
      }),
    );
    return new Map(found);
  }

  /** What it has loaded stays while the process runs: a change is taken in when it is started. */
  async load(unit: Unit): Promise<void> {
    const name = unitName(unit.spec);
    const door = await this.#doorOf(unit);
    try {
      const { added, changed } = await door.rereads.ask(undefined);
      if (!added.includes(name) && !changed.includes(name)) return await mustKnow(door.client, unit);
    } catch (error) {
      // Its file says already that it does not start with supervisord.
      if (error instanceof ServiceError && !unit.enabled) return;
      throw error;
    }
    // One that starts by itself is started by its loading.
    if (unit.enabled) return;
    await bringDown(door.client, unit);
    await cycle(door.client, name);
  }

  async start(unit: Unit): Promise<void> {
    const name = unitName(unit.spec);
    const { client, rereads } = await this.#doorOf(unit);
    const info = await awaitStopped(client, unit);
    if (info?.state === STATES.running || info?.state === STATES.starting) return;
    const { changed } = await rereads.ask(undefined);
    await saying("start", client, unit, async () => {
      if (changed.includes(name)) {
        await bringDown(client, unit);
        await cycle(client, name);
      } else if (info === undefined) await client.add(name);
      // Also where its loading starts it: what stands in the way of that is said only here.
      await client.start(name);
    });
  }

  async stop(unit: Unit): Promise<void> {
    await bringDown((await this.#doorOf(unit)).client, unit);
  }

  async kill(unit: Unit): Promise<void> {
    const name = unitName(unit.spec);
    const { client } = await this.#doorOf(unit);
    const info = await client.get(name);
    // Told to stop first, so that nothing starts it again.
    await client.stop(name, { wait: false });
    if (info && info.pid > 0) {
      const groups = await processGroups();
      for (const pid of groups.get(info.pid) ?? [info.pid]) signalProcess(pid, "SIGKILL");
      await client.signal(name, "KILL");
    }
    await bringDown(client, unit);
  }

  async forget(unit: Unit): Promise<void> {
    const { client, rereads } = await this.#doorOf(unit);
    await client.remove(unitName(unit.spec));
    rmSync(unit.file, { force: true });
    removeLogs(unit);
    // That it has a file no more is no matter of what it can read of the others.
    await rereads.ask(undefined).catch((error) => {
      if (!(error instanceof ServiceError)) throw error;
    });
  }

  async *logs(unit: Unit, request: LogRequest, signal: AbortSignal): AsyncGenerator<LogLine, void, void> {
    const files = logsBeside(unit.file, unit.spec);
    if (isClosed(files.out)) yield* tail((await this.#doorOf(unit)).client, unit, request, signal);
    else yield* fileLines(files, request, signal);
  }

  #needed(): SupervisordSite {
    if (this.#site === undefined) throw new BackendUnreachable(NOT_SET_UP);
    return this.#site;
  }

  #here(): Door {
    return this.#door(this.#needed());
  }

  /** The one that a unit was loaded by last, unless the one that is declared now has it: that may be the same. */
  async #doorOf({ spec, site }: Unit): Promise<Door> {
    const here = this.#here();
    if (site?.url === undefined || site.url === this.#needed().url) return here;
    if ((await infoOf(here, unitName(spec))) !== undefined) return here;
    return this.#door({ url: site.url, user: site.user, password: site.password });
  }

  #door(endpoint: Endpoint): Door {
    const client = new SupervisordClient(endpoint);
    const door = this.#doors.get(endpoint.url) ?? {
      client,
      lists: new Coalesced(() => client.list()),
      rereads: new Coalesced(() => reread(client)),
    };
    this.#doors.set(endpoint.url, door);
    return door;
  }
}

const NOT_SET_UP =
  "cannot reach supervisord: nobody said where it is; write its url and include-dir under supervisord in xy.config";

/** It waits for the grace by itself. */
const boundOf = ({ stop }: ServerSpec) => stop.grace + ASK_BOUND;

async function infoOf({ lists }: Door, name: string): Promise<ProcessInfo | undefined> {
  return (await lists.ask(undefined)).find((info) => info.name === name);
}

async function reread(client: SupervisordClient): Promise<Pending> {
  try {
    return await client.reread();
  } catch (error) {
    if (!(error instanceof XmlRpcFault)) throw error;
    throw new ServiceError(`cannot have supervisord read its files: ${told(error)}`);
  }
}

/** Has it take in a group anew, which is stopped. */
async function cycle(client: SupervisordClient, name: string): Promise<void> {
  await client.remove(name);
  await client.add(name);
}

async function bringDown(client: SupervisordClient, unit: Unit): Promise<void> {
  await client.stop(unitName(unit.spec), { wait: true, bound: boundOf(unit.spec) });
  await awaitStopped(client, unit);
}

/** One that somebody else has told to stop is on its way, and neither runs nor rests. */
async function awaitStopped(client: SupervisordClient, { spec }: Unit): Promise<ProcessInfo | undefined> {
  for (const until = Date.now() + boundOf(spec); ; ) {
    const info = await client.get(unitName(spec));
    if (info?.state !== STATES.stopping) return info;
    if (Date.now() > until)
      throw new ServiceError(`cannot stop ${spec.name}: supervisord does not get it down`);
    await new Promise((resolve) => setTimeout(resolve, STOP_GAP));
  }
}

/** A file that its `[include]` does not name is none for it. */
async function mustKnow(client: SupervisordClient, { file, spec }: Unit): Promise<void> {
  if ((await client.get(unitName(spec))) !== undefined) return;
  throw new ServiceError(
    `cannot add ${spec.name}: supervisord does not read ${file}; see that its [include] section has files = ${dirname(file)}/*.conf`,
  );
}

async function saying(
  verb: string,
  client: SupervisordClient,
  unit: Unit,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof XmlRpcFault)) throw error;
    if (error.code === FAULTS.badName) await mustKnow(client, unit);
    const info = await client.get(unitName(unit.spec));
    throw new ServiceError(`cannot ${verb} ${unit.spec.name}: ${info?.spawnerr || told(error)}`);
  }
}

/** Its words, without the list of all variables that it knows. */
const told = ({ message }: XmlRpcFault) =>
  message.replace(/ ?Available names: [\s\S]*?(?= in section|$)/, "").replace(/^[A-Z_]+: /, "");

// --- output -----------------------------------------------------------------------------------------------------

function logsBeside(file: string, spec: ServerSpec): { out: string; err: string } {
  const folder = join(dirname(file), LOGS);
  return { out: join(folder, `${unitName(spec)}.out.log`), err: join(folder, `${unitName(spec)}.err.log`) };
}

function removeLogs({ file, spec }: Unit): void {
  const folder = join(dirname(file), LOGS);
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder))
    if (
      /^(out|err)\.log(\.\d+)?$/.test(entry.slice(unitName(spec).length + 1)) &&
      entry.startsWith(unitName(spec))
    )
      rmSync(join(folder, entry), { force: true });
  if (readdirSync(folder).length === 0) rmdirSync(folder);
}

/** It is there, and another account's. */
function isClosed(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return false;
  } catch {
    return existsSync(path);
  }
}

/** By XML-RPC, where its files cannot be read from here. It tells texts only, and in pieces. */
async function* tail(
  client: SupervisordClient,
  { spec }: Unit,
  { tail: wanted, follow, stream }: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<LogLine, void, void> {
  const name = unitName(spec);
  const streams = (["stdout", "stderr"] as const).filter((each) => stream === undefined || stream === each);
  const ends = new Map<string, number>();
  const rests = new Map<string, string>();
  for (const each of streams) {
    const { text, offset } = await client.tail(name, each, 0, LOG_BLOCK);
    ends.set(each, offset);
    const lines = text.split("\n");
    const rest = lines.pop() ?? "";
    if (follow) rests.set(each, rest);
    const all = follow || rest === "" ? lines : [...lines, rest];
    for (const line of wanted === 0 ? [] : all.slice(-wanted)) yield { stream: each, line };
  }
  while (follow && !signal.aborted) {
    for (const each of streams) {
      const from = ends.get(each) ?? 0;
      const text = await client.read(name, each, from);
      // Shorter than it was: it was rotated.
      ends.set(each, text === undefined ? 0 : from + Buffer.byteLength(text));
      const lines = `${rests.get(each) ?? ""}${text ?? ""}`.split("\n");
      rests.set(each, lines.pop() ?? "");
      for (const line of lines) yield { stream: each, line };
    }
    await pause(LOG_GAP, signal);
  }
}

// --- how it is --------------------------------------------------------------------------------------------------

/** `pending` undefined: it cannot read its files. */
function liveOf(unit: Unit, info: ProcessInfo | undefined, pending: Pending | undefined): Live {
  if (info === undefined) return { state: "stopped", drift: ["supervisord does not have it"], stale: false };
  const { spec, isEdited } = unit;
  const state = stateOf(spec, info);
  const since = info.stop > 0 && info.pid === 0 ? info.stop : info.start;
  const isChanged = pending?.changed.includes(info.name) ?? false;
  const isRemoved = pending?.removed.includes(info.name) ?? false;
  // What it runs is not what its file says: is that because of the file, or of what it has loaded?
  const isOther = isEdited ? pending !== undefined && !isChanged && !isRemoved : isChanged;
  return {
    state,
    drift: [],
    stale: info.pid > 0 && isStale(unit, info.pid, info.start * 1000, isOther),
    ...(since > 0 ? { since: since * 1000 } : {}),
    ...(info.pid > 0 ? { pid: info.pid, startedAt: info.start * 1000 } : {}),
    ...(info.stop > 0 && info.pid === 0 && info.state !== STATES.fatal ? { lastExit: lastExitOf(info) } : {}),
    ...reasonOf(info),
  };
}

function stateOf(spec: ServerSpec, info: ProcessInfo): StateName {
  switch (info.state) {
    case STATES.starting:
      return "starting";
    case STATES.running:
      return "running";
    case STATES.backoff:
      return "restarting";
    case STATES.stopping:
      return "stopping";
    case STATES.fatal:
      return "failed";
    case STATES.exited:
      return isStartedAgain(spec, info) ? "restarting" : "stopped";
    default:
      return "stopped";
  }
}

/** It rests for a moment only: supervisord looks around once a second. */
function isStartedAgain({ restart }: ServerSpec, { exitstatus }: ProcessInfo): boolean {
  if (restart.policy === "never") return false;
  return restart.policy === "always" || !restart.successExitCodes.includes(exitstatus);
}

/** `stopped` by request, `exited` by itself. */
function lastExitOf({ state, exitstatus, stop }: ProcessInfo): NonNullable<Live["lastExit"]> {
  const exit =
    exitstatus < 0
      ? ({ kind: "signal", signal: "a signal" } as const)
      : ({ kind: "code", code: exitstatus } as const);
  return { exit, at: stop * 1000, ...(state === STATES.stopped ? { requested: true } : {}) };
}

/** What it calls an end in the first second, of which it does not tell the code. */
const TOO_QUICK = /^Exited too quickly/;

function reasonOf({ state, exitstatus, spawnerr }: ProcessInfo): Pick<Live, "reason"> {
  if (spawnerr !== "" && !TOO_QUICK.test(spawnerr)) return { reason: spawnerr };
  switch (state) {
    case STATES.fatal:
      return { reason: "it ended too soon each time" };
    case STATES.backoff:
      return { reason: "it ended too soon" };
    case STATES.exited:
      return { reason: exitstatus < 0 ? "ended: a signal" : `ended: exit ${exitstatus}` };
    default:
      return {};
  }
}
