import { accessSync, constants, rmSync } from "node:fs";
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
import type { Live, Unit, UnitManager } from "./manager.ts";
import { FAULTS, type Pending, type ProcessInfo, STATES, SupervisordClient } from "./supervisord-client.ts";
import { XmlRpcFault } from "./xml-rpc.ts";

/** Read of a log at once by XML-RPC, bytes. */
const LOG_BLOCK = 256 * 1024;
const LOG_GAP = 250;

/** A supervisord that runs already, and takes the units in a folder of its own. */
export class SupervisordManager implements UnitManager {
  readonly kind = "supervisord";
  readonly format = supervisordUnits;
  readonly keepsOutput = false;
  readonly #site: SupervisordSite | undefined;
  readonly #client: SupervisordClient | undefined;
  readonly #logFiles: (name: string) => { out: string; err: string };
  readonly #rereads = new Coalesced(() => this.#reread());
  readonly #lists = new Coalesced(() => this.#reachable().list());

  constructor(site: SupervisordSite | undefined, logFiles: (name: string) => { out: string; err: string }) {
    this.#site = site;
    this.#client = site && new SupervisordClient(site);
    this.#logFiles = logFiles;
  }

  /** One that runs elsewhere, in a container say, does not see the files that are written here. */
  async reach(): Promise<void> {
    const client = this.#reachable();
    const { pid } = await client.identify();
    if (identify(pid) === undefined)
      throw client.unreachable(
        `it says that it is pid ${pid}, and there is none here: it runs on another machine`,
      );
  }

  fileOf(spec: ServerSpec): string {
    if (this.#site === undefined) throw new BackendUnreachable(NOT_SET_UP);
    return join(this.#site.includeDir, supervisordUnits.fileName(spec));
  }

  async look(units: readonly Unit[]): Promise<ReadonlyMap<string, Live>> {
    if (units.length === 0) return new Map();
    const all = new Map((await this.#lists.ask(undefined)).map((info) => [info.name, info]));
    // A file of somebody else that cannot be read keeps nobody from looking at the processes.
    const pending = await this.#rereads.ask(undefined).catch((error) => {
      if (error instanceof ServiceError) return NOTHING_PENDING;
      throw error;
    });
    return new Map(
      units.map((unit) => [unit.spec.name, liveOf(unit, all.get(unitName(unit.spec)), pending)]),
    );
  }

  /** What it has loaded stays while the process runs: a change is taken in by {@link restart}, or when it is started. */
  async load(unit: Unit): Promise<void> {
    const name = unitName(unit.spec);
    const { added, changed } = await this.#rereads.ask(undefined);
    if (!added.includes(name) && !changed.includes(name)) return this.#mustKnow(unit, name);
    // One that starts by itself is started by its loading.
    if (unit.enabled) return;
    await this.#reachable().stop(name, { wait: true, bound: boundOf(unit.spec) });
    await this.#cycle(name);
  }

  async start(unit: Unit): Promise<void> {
    const name = unitName(unit.spec);
    const client = this.#reachable();
    const { added, changed } = await this.#rereads.ask(undefined);
    if (changed.includes(name)) return this.restart(unit);
    await this.#saying("start", unit, async () => {
      if (added.includes(name)) await client.add(name);
      // Also where its loading starts it: what stands in the way of that is said only here.
      await client.start(name);
    });
  }

  async restart(unit: Unit): Promise<void> {
    const name = unitName(unit.spec);
    const client = this.#reachable();
    await client.stop(name, { wait: true, bound: boundOf(unit.spec) });
    await this.#rereads.ask(undefined);
    await this.#saying("restart", unit, async () => {
      await this.#cycle(name);
      await client.start(name);
    });
  }

  async stop(unit: Unit): Promise<void> {
    await this.#reachable().stop(unitName(unit.spec), { wait: true, bound: boundOf(unit.spec) });
  }

  async kill(unit: Unit): Promise<void> {
    const name = unitName(unit.spec);
    const client = this.#reachable();
    const info = await client.get(name);
    // Told to stop first, so that nothing starts it again.
    await client.stop(name, { wait: false });
    if (info && info.pid > 0) {
      const groups = await processGroups();
      for (const pid of groups.get(info.pid) ?? [info.pid]) signalProcess(pid, "SIGKILL");
      await client.signal(name, "KILL");
    }
    await client.stop(name, { wait: true, bound: boundOf(unit.spec) });
  }

  async forget(unit: Unit): Promise<void> {
    rmSync(unit.file, { force: true });
    await this.#reachable().remove(unitName(unit.spec));
    await this.#rereads.ask(undefined);
  }

  async *logs({ spec }: Unit, request: LogRequest, signal: AbortSignal): AsyncGenerator<LogLine, void, void> {
    const files = this.#logFiles(spec.name);
    if (isReadable(files.out)) yield* fileLines(files, request, signal);
    else yield* this.#tail(unitName(spec), request, signal);
  }

  /** Has it take in a group anew, which is stopped. */
  async #cycle(name: string): Promise<void> {
    const client = this.#reachable();
    await client.remove(name);
    await client.add(name);
  }

  /** A file that its `[include]` does not name is none for it. */
  async #mustKnow({ file, spec }: Unit, name: string): Promise<void> {
    if ((await this.#reachable().get(name)) !== undefined) return;
    throw new ServiceError(
      `cannot add ${spec.name}: supervisord does not read ${file}; see that its [include] section has files = ${dirname(file)}/*.conf`,
    );
  }

  async #reread(): Promise<Pending> {
    try {
      return await this.#reachable().reread();
    } catch (error) {
      if (!(error instanceof XmlRpcFault)) throw error;
      throw new ServiceError(`cannot have supervisord read its files: ${told(error)}`);
    }
  }

  async #saying(verb: string, { spec, file }: Unit, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof XmlRpcFault)) throw error;
      if (error.code === FAULTS.badName) await this.#mustKnow({ spec, file, enabled: true }, unitName(spec));
      const info = await this.#reachable().get(unitName(spec));
      throw new ServiceError(`cannot ${verb} ${spec.name}: ${info?.spawnerr || told(error)}`);
    }
  }

  /** By XML-RPC, where its files cannot be read from here. */
  async *#tail(
    name: string,
    { tail, follow, stream }: LogRequest,
    signal: AbortSignal,
  ): AsyncGenerator<LogLine, void, void> {
    const client = this.#reachable();
    const wanted = (["stdout", "stderr"] as const).filter((each) => stream === undefined || stream === each);
    const ends = new Map<string, number>();
    for (const each of wanted) {
      const { text, offset } = await client.tail(name, each, 0, LOG_BLOCK);
      ends.set(each, offset);
      const lines = text.replace(/\n$/, "").split("\n");
      if (text !== "") for (const line of lines.slice(-tail || Infinity)) yield { stream: each, line };
    }
    while (follow && !signal.aborted) {
      for (const each of wanted) {
        const from = ends.get(each) ?? 0;
        const { text, offset } = await client.tail(name, each, from, LOG_BLOCK);
        ends.set(each, offset);
        // It gives the end of the file whenever something is new.
        const fresh = text.slice(-Math.max(0, offset - from) || Infinity);
        if (offset > from)
          for (const line of fresh.replace(/\n$/, "").split("\n")) yield { stream: each, line };
      }
      await pause(LOG_GAP, signal);
    }
  }

  #reachable(): SupervisordClient {
    if (this.#client === undefined) throw new BackendUnreachable(NOT_SET_UP);
    return this.#client;
  }
}

const NOT_SET_UP =
  "cannot reach supervisord: nobody said where it is; write its url and include-dir under supervisord in xy.config";
const NOTHING_PENDING: Pending = { added: [], changed: [], removed: [] };

/** It waits for the grace by itself. */
const boundOf = ({ stop }: ServerSpec) => stop.grace + ASK_BOUND;

/** Its words, without the list of all variables that it knows. */
const told = ({ message }: XmlRpcFault) =>
  message.replace(/ ?Available names: [\s\S]*?(?= in section|$)/, "").replace(/^[A-Z_]+: /, "");

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function liveOf({ editedAt }: Unit, info: ProcessInfo | undefined, { changed }: Pending): Live {
  if (info === undefined) return { state: "stopped", drift: [], stale: false };
  const state = stateOf(info);
  const isOther = changed.includes(info.name);
  const since = info.stop > 0 && info.pid === 0 ? info.stop : info.start;
  return {
    state,
    drift: [],
    // It runs what its file says, or not: whichever of the two is not what xy wrote.
    stale: info.pid > 0 && isOther === (editedAt === undefined),
    ...(since > 0 ? { since: since * 1000 } : {}),
    ...(info.pid > 0 ? { pid: info.pid, startedAt: info.start * 1000 } : {}),
    ...(info.stop > 0 && info.pid === 0 && info.state !== STATES.fatal ? { lastExit: lastExitOf(info) } : {}),
    ...reasonOf(info),
  };
}

function stateOf({ state }: ProcessInfo): StateName {
  switch (state) {
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
    default:
      return "stopped";
  }
}

/** `stopped` by request, `exited` by itself. */
function lastExitOf({ state, exitstatus, stop }: ProcessInfo): NonNullable<Live["lastExit"]> {
  const exit =
    exitstatus < 0
      ? ({ kind: "signal", signal: "a signal" } as const)
      : ({ kind: "code", code: exitstatus } as const);
  return { exit, at: stop * 1000, ...(state === STATES.stopped ? { requested: true } : {}) };
}

/** What it calls an end in the first second. */
const TOO_QUICK = /^Exited too quickly/;

function reasonOf({ state, exitstatus, spawnerr }: ProcessInfo): Pick<Live, "reason"> {
  if (spawnerr !== "" && !TOO_QUICK.test(spawnerr)) return { reason: spawnerr };
  if (state !== STATES.fatal && state !== STATES.backoff) return {};
  const how = exitstatus < 0 ? "a signal" : `exit ${exitstatus}`;
  return { reason: state === STATES.fatal ? `${how}: it ended too soon each time` : how };
}
