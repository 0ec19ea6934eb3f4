import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { isCode } from "../../system/files.ts";
import { makeWayForServers, recordedBackends } from "../../system/projects.ts";
import { causeText } from "../../system/shortage.ts";
import { type Survivor, survivorsIn } from "../../system/survivors.ts";
import { Jobs } from "../jobs/jobs.ts";
import { type AppliedSpec, recordedServers, ServerStore } from "../records/store.ts";
import { Unwritten } from "../records/unwritten.ts";
import type { RunFolders } from "../runs/run-folders.ts";
import { LaunchQueue } from "./launch-queue.ts";
import { dependenciesFirst, dependentsFirst, keyOf } from "./ordering.ts";
import { isDown, stopBound } from "./rest.ts";
import { Supervised, type SupervisedOptions } from "./supervised.ts";
import { isOwed, Waiting } from "./waiting.ts";

/** All servers of this agent, by project and name. */
export class Registry {
  readonly #servers = new Map<string, Supervised>();
  readonly #state: string;
  readonly #report: (message: string) => void;
  /** Those that start once what they depend on is as they ask. */
  readonly waiting = new Waiting((name, project) => this.find(name, project));
  readonly #unwritten = new Unwritten();
  readonly #launches = new LaunchQueue();
  readonly #runFolders: RunFolders;
  #ending = false;

  /** The jobs of what it runs. */
  readonly jobs: Jobs;

  constructor(state: string, report: (message: string) => void, runFolders: RunFolders) {
    this.#state = state;
    this.#report = report;
    this.#runFolders = runFolders;
    this.jobs = new Jobs({
      state,
      report,
      runFolders,
      findServer: (name, project) => this.find(name, project),
    });
  }

  /** Takes up every server that has a record. One that cannot be read is reported, and harms no other. */
  async adoptAll(): Promise<void> {
    this.#makeWay();
    const survivors = await this.#survivors();
    const found = new Map<string, Survivor[]>();
    for (const { project, name } of recordedServers(this.#state)) found.set(keyOf(project, name), []);
    for (const one of survivors) {
      if (!one.server) continue;
      const key = keyOf(one.server.project, one.server.name);
      found.set(key, [...(found.get(key) ?? []), one]);
    }
    await Promise.all(
      [...found].map(([key, own]) => {
        const [project = "", name = ""] = key.split("/");
        return this.#adopt(project, name, own);
      }),
    );
    await this.jobs.begin(survivors.filter(({ server }) => server === undefined));
    for (const server of dependenciesFirst(this.all())) if (isOwed(server)) this.#resume(server);
  }

  #makeWay(): void {
    try {
      for (const path of makeWayForServers(this.#state))
        this.#report(`${path} was in the way of a server's folder`);
    } catch (error) {
      this.#report(`cannot make way for a server's folder: ${causeText(error)}`);
    }
  }

  /** What runs of this state folder, whatever its records say. */
  async #survivors(): Promise<Survivor[]> {
    try {
      return await survivorsIn(this.#state);
    } catch (error) {
      this.#report(`cannot look for servers that run without a record: ${String(error)}`);
      return [];
    }
  }

  #resume(server: Supervised): void {
    try {
      this.waiting.begin(server, "start-with-agent");
    } catch (error) {
      const { name, project } = server.spec;
      this.#report(`${project}/${name}: cannot start it with the agent: ${String(error)}`);
    }
  }

  #options(store: ServerStore) {
    const changed = (server: Supervised) => this.waiting.changed(server);
    const { main } = this.jobs;
    const stepped: SupervisedOptions["stepped"] = (server, event, before) =>
      main.stepped(server, event, before);
    const shared = { unwritten: this.#unwritten, launches: this.#launches, runFolders: this.#runFolders };
    return { ...shared, store, report: this.#report, changed, stepped };
  }

  async #adopt(project: string, name: string, survivors: readonly Survivor[]): Promise<void> {
    try {
      const store = new ServerStore(this.#state, project, name);
      const applied = this.#read(store) ?? (survivors.length > 0 ? store.unreadable() : undefined);
      if (!applied) return this.#report(`${project}/${name}: its record cannot be read`);
      if (applied.unreadable)
        this.#report(`${project}/${name}: what was applied to it is missing, or unreadable and set aside`);
      const server = new Supervised(applied, this.#options(store));
      this.#servers.set(keyOf(project, name), server);
      this.jobs.main.takeUp(server);
      await this.#takeUp(server, survivors);
    } catch (error) {
      this.#report(`${project}/${name}: cannot adopt it: ${String(error)}`);
    }
  }

  /** One that cannot be opened now is there all the same: nothing may be started beside what may run of it. */
  #read(store: ServerStore): AppliedSpec | undefined {
    try {
      return store.readSpec();
    } catch (error) {
      this.#report(`cannot read what was applied, in ${store.dir}: ${causeText(error)}`);
      return store.unreadable();
    }
  }

  /** Whatever is in the way may be gone in a moment: until then it stays as it was recorded. */
  async #takeUp(server: Supervised, survivors: readonly Survivor[], gap = AGAIN.first): Promise<void> {
    try {
      await server.adopt(server.store.readRecord(), survivors);
      this.jobs.main.tidy(server);
    } catch (error) {
      const reason = `its folder ${server.store.dir} cannot be used: ${causeText(error)}`;
      server.leaveUnwatched(reason);
      const { project, name } = server.spec;
      if (gap === AGAIN.first)
        this.#report(`${project}/${name}: cannot adopt it: ${reason}; trying again until it works`);
      const isWanted = () => !this.#ending && this.find(name, project) === server;
      const again = () => isWanted() && void this.#takeUp(server, survivors, Math.min(2 * gap, AGAIN.last));
      setTimeout(again, gap).unref();
    }
  }

  /** The agent is stopping: nothing may begin any more. */
  get isEnding(): boolean {
    return this.#ending;
  }

  /** In name order. */
  all(project?: string): Supervised[] {
    const servers = [...this.#servers.values()].filter(
      ({ spec }) => project === undefined || spec.project === project,
    );
    return servers.sort((a, b) =>
      keyOf(a.spec.project, a.spec.name) < keyOf(b.spec.project, b.spec.name) ? -1 : 1,
    );
  }

  find(name: string, project: string): Supervised | undefined {
    return this.#servers.get(keyOf(project, name));
  }

  /** The backend that runs a server of that name, if it is not this agent; undefined: there is none. */
  otherHolder(name: string, project: string): ServerSpec["backend"] | undefined {
    return recordedBackends(this.#state, project).find((one) => one.name === name && one.backend !== "agent")
      ?.backend;
  }

  /** The server of that name; without a project the name must be there only once. */
  get(name: string, project?: string): Supervised {
    const found =
      project === undefined
        ? this.all().filter(({ spec }) => spec.name === name)
        : [this.find(name, project)].flatMap((server) => server ?? []);
    const [first] = found;
    if (!first) {
      const where = project === undefined ? "" : ` in project ${project}`;
      throw new RpcError(
        RPC_ERRORS.serverNotFound,
        `cannot find server ${name}${where}: it was never applied`,
      );
    }
    if (found.length > 1) {
      const all = found.map(({ spec }) => `${spec.project}/${spec.name}`).join(", ");
      throw new RpcError(RPC_ERRORS.invalidParams, `cannot tell which ${name} is meant: say one of ${all}`);
    }
    return first;
  }

  /** A server that was not there before. Throws, with nothing left behind, when its record cannot be written. */
  add(spec: ServerSpec, secrets: SecretValues, kept?: true): Supervised {
    const store = new ServerStore(this.#state, spec.project, spec.name);
    try {
      store.writeSpec(spec, secrets, kept);
    } catch (error) {
      store.remove();
      throw error;
    }
    const applied = { spec, secrets, tampered: false, unreadable: false, kept };
    const server = new Supervised(applied, this.#options(store));
    this.#servers.set(keyOf(spec.project, spec.name), server);
    return server;
  }

  /** Throws, with the server known and stopped as before, when what is on disk of it cannot be removed. */
  async remove(server: Supervised): Promise<void> {
    try {
      server.remove();
    } catch (error) {
      if (!isCode(error, "ENOENT")) throw error;
    }
    this.#servers.delete(keyOf(server.spec.project, server.spec.name));
    this.waiting.leave(server);
    this.waiting.changed(server);
    await this.jobs.forgetServer(server);
  }

  /**
   * Stops everything, dependents first, without holding it: the next agent starts it again. Returns the names of what
   * ran and was stopped, and of what could not be.
   */
  async stopAll(): Promise<{ stopped: string[]; left: string[] }> {
    this.#ending = true;
    this.waiting.close();
    const names = (servers: readonly Supervised[]) => servers.map(({ spec }) => spec.name);
    const running = this.all().filter(isAlive);
    const jobsAreOver = this.jobs.stopAll();
    await Promise.all(
      dependentsFirst(running, (server) => server.suspend(stopBound(server.spec), AGENT_OVER)).values(),
    );
    await jobsAreOver;
    const left = running.filter(isAlive);
    return { stopped: names(running.filter((server) => !left.includes(server))), left: names(left) };
  }

  detachAll(): void {
    this.jobs.detachAll();
    for (const server of this.#servers.values()) server.detach();
  }
}

/** Between two attempts to take a server up, ms: each is twice the one before. */
const AGAIN = { first: 500, last: 30_000 };

const AGENT_OVER = "stopped with its agent, and is started again with the next one";

/** Something of it runs, or may come back by itself. */
function isAlive(server: Supervised): boolean {
  const { phase } = server.state;
  return !isDown(server) || (phase.tag === "failed" && phase.stuck);
}
