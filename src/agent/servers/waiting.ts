import { isMet, missing, type Standing } from "../../model/dependency.ts";
import type { Missing } from "../../model/observed.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { isUp } from "../../model/states.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { publicState } from "../../supervisor/state.ts";
import { keyOf } from "./ordering.ts";
import { isDown } from "./rest.ts";
import type { Supervised } from "./supervised.ts";

/**
 * Servers that start as soon as what they depend on is as they ask, however late that is. Nothing runs for it: whenever
 * a server changes, those that wait for it are looked at. That a start is owed stands in the server's record, so the
 * wait outlives this agent. A dependency that this agent does not know holds nobody back.
 */
export class Waiting {
  readonly #find: (name: string, project: string) => Supervised | undefined;
  /** Those that wait, with the beginning of the pause in which they were told to start: that pause does not hold them back. */
  readonly #waiting = new Map<Supervised, number | undefined>();
  /** Who may wait for a server, by its project and name. */
  readonly #byNeed = new Map<string, Set<Supervised>>();
  #closed = false;

  constructor(find: (name: string, project: string) => Supervised | undefined) {
    this.#find = find;
  }

  /**
   * Starts a server now, or has it wait. One that runs is left alone; one that waits for its next start by policy waits
   * for its dependencies instead. Throws when the wait cannot be written down.
   */
  begin(server: Supervised, how: "start" | "start-with-agent" = "start"): void {
    const { phase } = server.state;
    const stuck = phase.tag === "failed" && phase.stuck;
    if (isUp(publicState(server.state)) || stuck || this.#missing(server.spec).length === 0)
      server.dispatch({ type: how });
    else {
      server.owe();
      this.#waiting.set(server, how === "start" ? server.state.paused?.at : undefined);
      this.#index(server);
      // No backoff, and no end of an earlier run, starts it before.
      server.dispatch({ type: "stop", reason: "it starts once its dependencies are ready" });
    }
  }

  /** What the server waits for; empty when it does not wait. */
  of(server: Supervised): Missing[] {
    return isOwed(server) ? this.#missing(server.spec) : [];
  }

  /** Whether what it waits for may happen without a command: nothing that it needs, directly or not, is at rest. */
  isHopeful(server: Supervised): boolean {
    const all = new Set([server]);
    // A set that grows while it is walked: whatever is added is visited too.
    for (const one of all) {
      for (const { server: name, resting } of this.of(one)) {
        const needed = this.#find(name, one.spec.project);
        if (resting || !needed) return false;
        all.add(needed);
      }
    }
    return true;
  }

  /** Names of what rests among all that the server needs, in turn: somebody has to start these. */
  restingBelow(server: Supervised): string[] {
    const names = new Set<string>();
    const all = new Set([server]);
    for (const { spec } of all) {
      for (const { server: name, resting } of this.#missing(spec)) {
        const needed = this.#find(name, spec.project);
        if (resting) names.add(name);
        if (needed) all.add(needed);
      }
    }
    return [...names];
  }

  /** Settles when the server no longer waits, when only a command could help, or when the time is over. */
  async settled(server: Supervised, boundMs: number, signal: AbortSignal): Promise<void> {
    await server.until(() => this.of(server).length === 0 || !this.isHopeful(server), boundMs, signal);
  }

  /** What a server with this spec would wait for, once what is on its way has arrived or the time is over. */
  async lacking(spec: ServerSpec, boundMs: number, signal: AbortSignal): Promise<Missing[]> {
    const arrivals = this.#missing(spec).map(({ server, condition }) => {
      const arrived = (needed: Supervised) =>
        isMet(this.#standing(needed), condition) ||
        (isOwed(needed) ? !this.isHopeful(needed) : isDown(needed));
      return this.#find(server, spec.project)?.until(arrived, boundMs, signal);
    });
    await Promise.all(arrivals);
    return this.#missing(spec);
  }

  /**
   * Servers that are to start, and what they need and is not there: all that rests and is neither held nor wanted
   * stopped, and in turn what that needs.
   */
  withDependencies(servers: readonly Supervised[]): Supervised[] {
    const all = new Set(servers);
    // A set that grows while it is walked: whatever is added is visited too.
    for (const { spec, state } of all) {
      if (isUp(publicState(state))) continue;
      for (const { server } of this.#missing(spec)) {
        const needed = this.#find(server, spec.project);
        if (needed && isDown(needed) && needed.shouldRun) all.add(needed);
      }
    }
    return [...all];
  }

  /** A server has changed: checks the servers that wait for it, and in turn those that wait for them. */
  changed(server: Supervised): void {
    if (this.#closed || this.#waiting.size === 0) return;
    // What it needs may be something else now.
    if (this.#waiting.has(server)) this.#index(server);
    const affected = new Set([server]);
    for (const { spec } of affected) {
      for (const other of this.#byNeed.get(keyOf(spec.project, spec.name)) ?? []) affected.add(other);
    }
    for (const one of affected) if (this.#waiting.has(one)) this.#look(one);
  }

  /** Forgets a server. */
  leave(server: Supervised): void {
    this.#waiting.delete(server);
    for (const [key, others] of this.#byNeed) {
      others.delete(server);
      if (others.size === 0) this.#byNeed.delete(key);
    }
  }

  /** From now on nothing starts. */
  close(): void {
    this.#closed = true;
  }

  #look(server: Supervised): void {
    if (isOwed(server) && (!isDown(server) || this.#missing(server.spec).length > 0))
      server.changes.changed();
    else {
      const isSaid = this.#waiting.get(server) === server.state.paused?.at;
      this.leave(server);
      if (isOwed(server)) server.dispatch({ type: isSaid ? "start" : "start-with-agent" });
    }
  }

  #index(server: Supervised): void {
    const { project, dependsOn } = server.spec;
    for (const { server: needed } of dependsOn) {
      const key = keyOf(project, needed);
      this.#byNeed.set(key, (this.#byNeed.get(key) ?? new Set()).add(server));
    }
  }

  #missing({ project, dependsOn }: Pick<ServerSpec, "project" | "dependsOn">): Missing[] {
    return dependsOn.flatMap(({ server, condition }) => {
      const needed = this.#find(server, project);
      return (needed && missing(server, condition, this.#standing(needed))) ?? [];
    });
  }

  #standing(server: Supervised): Standing {
    if (!isOwed(server)) return standingOf(server);
    const { project, dependsOn } = server.spec;
    const waits = dependsOn.flatMap(({ server: name, condition }) => {
      const needed = this.#find(name, project);
      return needed && (isOwed(needed) || !isMet(standingOf(needed), condition)) ? [name] : [];
    });
    return { ...standingOf(server), waits };
  }
}

/** A start of it is owed. */
export const isOwed = (server: Supervised) => server.resumes && server.shouldRun;

/** How a server stands for those that depend on it, its own waiting apart. */
export function standingOf({ state, operator, spec }: Supervised): Standing {
  const { phase, lastExit, reason } = state;
  const ready =
    phase.tag === "running" ? phase.ready.verdict : ({ status: "unknown", evidence: "not running" } as const);
  return {
    state: publicState(state),
    operator,
    ready,
    spec,
    ...withoutUndefined({ lastExit, reason }),
  };
}
