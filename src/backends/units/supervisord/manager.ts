import { rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { SupervisordSite } from "../../../model/backend-settings.ts";
import type { ServerSpec } from "../../../model/spec.ts";
import { targetOf } from "../../../model/target.ts";
import { BackendUnreachable } from "../../../model/unreachable.ts";
import { unitFamily } from "../../../system/family.ts";
import { identify, signalExactly } from "../../../system/processes.ts";
import { ServiceError } from "../../ask.ts";
import { fileLines, type LogLine, type LogRequest } from "../../log-lines.ts";
import { supervisordUnits } from "../../render/supervisord.ts";
import { unitName } from "../../render/unit.ts";
import type { Live, Site, Unit, UnitManager } from "../manager.ts";
import type { UnitRecord } from "../record.ts";
import { STATES } from "./client.ts";
import {
  awaitStopped,
  begunByLoading,
  bringDown,
  cycle,
  type Door,
  doorTo,
  infoOf,
  mustKnow,
  pidIn,
  saying,
} from "./door.ts";
import { includedSuffix, USUAL_SUFFIX } from "./include.ts";
import { isClosed, logsBeside, removeLogs, tail } from "./output.ts";
import { liveOf } from "./state.ts";
import { type Endpoint, XmlRpcFault } from "./xml-rpc.ts";

const HAS_RUN: readonly number[] = [STATES.starting, STATES.running, STATES.exited];

/** A supervisord that already runs, and reads its units from a folder of its own. */
export class SupervisordManager implements UnitManager {
  readonly kind = "supervisord";
  readonly format = supervisordUnits;
  readonly #site: SupervisordSite | undefined;
  readonly #suffix: string;
  readonly #doors = new Map<string, Door>();

  /** `suffix`: the suffix of the files that it reads. `door`: the way to it, if it was asked already. */
  constructor(site: SupervisordSite | undefined, suffix = USUAL_SUFFIX, door?: Door) {
    this.#site = site;
    this.#suffix = suffix;
    if (site && door) this.#doors.set(site.url, door);
  }

  /**
   * Takes the suffix from what is recorded in its folder, else from what it reads. If it does not answer, later calls report
   * that.
   */
  static async open(
    site: SupervisordSite | undefined,
    recorded: readonly Pick<UnitRecord, "spec" | "file">[],
  ): Promise<SupervisordManager> {
    const includeDir = site?.includeDir;
    if (site === undefined || includeDir === undefined) return new SupervisordManager(site);
    const known = recorded.find(({ file }) => dirname(file) === includeDir);
    if (known !== undefined)
      return new SupervisordManager(site, basename(known.file).slice(unitName(known.spec).length));
    const { includeDir: _, ...endpoint } = site;
    const door = doorTo(endpoint);
    try {
      const { pid } = await door.client.identify();
      return new SupervisordManager(site, includedSuffix(pid, includeDir), door);
    } catch (error) {
      if (!(error instanceof BackendUnreachable) && !(error instanceof XmlRpcFault)) throw error;
      return new SupervisordManager(site, USUAL_SUFFIX, door);
    }
  }

  /** A supervisord that runs elsewhere, such as in a container, does not see the files that are written here. */
  async reach(specs: readonly ServerSpec[]): Promise<void> {
    if (specs.length === 0) return;
    const { client } = this.#here();
    const { pid } = await client.identify();
    if (identify(pid) === undefined)
      throw client.unreachable(
        `it says that it is pid ${pid}, which does not exist here: it runs on another machine`,
      );
  }

  siteOf(): Site {
    const { includeDir: _, ...endpoint } = this.#needed();
    return endpoint;
  }

  fileOf(spec: ServerSpec): string {
    const { includeDir } = this.#needed();
    if (includeDir === undefined) throw new BackendUnreachable(NO_FOLDER);
    return join(includeDir, `${unitName(spec)}${this.#suffix}`);
  }

  logFiles(spec: ServerSpec, file = this.fileOf(spec)) {
    return logsBeside(file, spec);
  }

  async look(units: readonly Unit[]): Promise<ReadonlyMap<string, Live>> {
    if (units.length === 0) return new Map();
    const found = await Promise.all(
      units.map(async (unit): Promise<[string, Live]> => {
        const door = await this.#doorOf(unit);
        const info = await infoOf(door, unitName(unit.spec));
        // Somebody else's unreadable file must not prevent a look at the processes.
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

  /** What it has loaded stays while the process runs: a change takes effect when it is started. */
  async load(unit: Unit): Promise<void> {
    const name = unitName(unit.spec);
    const door = await this.#doorOf(unit);
    try {
      const { added, changed } = await door.rereads.ask(undefined);
      if (!added.includes(name) && !changed.includes(name)) return await mustKnow(door.client, unit);
    } catch (error) {
      // Its file already says that it does not start with supervisord.
      if (error instanceof ServiceError && !unit.enabled) return;
      throw error;
    }
    // Loading it also starts it.
    if (unit.enabled) return;
    // It is still stopping, and nobody waits for that: the change takes effect when it is started.
    if ((await door.client.get(name))?.state === STATES.stopping) return;
    await bringDown(door.client, unit);
    await cycle(door.client, name);
  }

  async start(unit: Unit): Promise<void> {
    const name = unitName(unit.spec);
    const { client, rereads } = await this.#doorOf(unit);
    const info = await awaitStopped(client, unit);
    if (info?.state === STATES.running || info?.state === STATES.starting) return;
    const { changed } = await rereads.ask(undefined);
    const isLoadedNow = info === undefined || changed.includes(name);
    await saying("start", client, unit, async () => {
      if (changed.includes(name)) {
        await bringDown(client, unit);
        await cycle(client, name);
      } else if (info === undefined) await client.add(name);
      // Loading it starts it, and a short run may be over by then: it must not run a second time.
      const begun = isLoadedNow && unit.enabled ? await begunByLoading(client, name) : undefined;
      if (begun !== undefined && HAS_RUN.includes(begun)) return;
      // Only this call reports what prevents a start.
      await client.start(name);
    });
  }

  async begin(unit: Unit, how: "stop" | "kill"): Promise<void> {
    const name = unitName(unit.spec);
    const { client } = await this.#doorOf(unit);
    const family = how === "kill" ? await unitFamily(pidIn(await client.get(name))) : [];
    // Told to stop first, so that nothing restarts it.
    await client.stop(name, { wait: false });
    for (const one of family) signalExactly(one, "SIGKILL");
    if (family.length > 0) await client.signal(name, "KILL");
  }

  async stop(unit: Unit): Promise<void> {
    await bringDown((await this.#doorOf(unit)).client, unit);
  }

  async kill(unit: Unit): Promise<void> {
    await this.begin(unit, "kill");
    await this.stop(unit);
  }

  async forget(unit: Unit): Promise<void> {
    const { client, rereads } = await this.#doorOf(unit);
    await client.remove(unitName(unit.spec));
    rmSync(unit.file, { force: true });
    removeLogs(unit);
    // Its file is gone: whether supervisord can read the others does not matter here.
    await rereads.ask(undefined).catch((error) => {
      if (!(error instanceof ServiceError)) throw error;
    });
  }

  discard(unit: Unit): void {
    rmSync(unit.file, { force: true });
    removeLogs(unit);
  }

  async *logs(unit: Unit, request: LogRequest, signal: AbortSignal): AsyncGenerator<LogLine, void, void> {
    const files = logsBeside(unit.file, unit.spec);
    if (isClosed(files.out))
      yield* tail((await this.#doorOf(unit)).client, unitName(unit.spec), request, signal);
    else yield* fileLines(files, request, signal);
  }

  #needed(): SupervisordSite {
    if (this.#site === undefined) throw new BackendUnreachable(NOT_SET_UP);
    return this.#site;
  }

  #here(): Door {
    return this.#door(this.#needed());
  }

  /** The supervisord that loaded a unit last, unless the declared one has it: they may be the same. */
  async #doorOf({ spec, site }: Unit): Promise<Door> {
    const here = this.#here();
    if (site?.url === undefined || targetOf(site.url) === targetOf(this.#needed().url)) return here;
    if ((await infoOf(here, unitName(spec))) !== undefined) return here;
    return this.#door({ url: site.url, user: site.user, password: site.password });
  }

  #door(endpoint: Endpoint): Door {
    const door = this.#doors.get(endpoint.url) ?? doorTo(endpoint);
    this.#doors.set(endpoint.url, door);
    return door;
  }
}

const NOT_SET_UP =
  "cannot reach supervisord: its address is not configured; write its url and include-dir under supervisord in xy.config";

const NO_FOLDER =
  "cannot run a server under supervisord: the folder for its units is not configured; write include-dir under supervisord in xy.config";
