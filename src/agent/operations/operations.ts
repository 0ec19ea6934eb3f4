import { waitsSentence } from "../../model/dependency.ts";
import type { StateName } from "../../model/observed.ts";
import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { publicState } from "../../supervisor/state.ts";
import type { Driven } from "../runs/driven.ts";
import { dependenciesFirst, dependentsFirst } from "../servers/ordering.ts";
import type { Registry } from "../servers/registry.ts";
import { isAtRest, type Supervised, stopBound } from "../servers/supervised.ts";

/**
 * What an operator asks of servers: start, stop, restart, kill, pause, resume. Of several, each starts after what it
 * depends on, and stops before it.
 */

type Target = ParsedParams<"start" | "stop" | "restart" | "kill" | "pause" | "resume">;

/** Longest wait of an operator's start for what the server depends on, ms. The server itself waits as long as it takes. */
const DEPENDENCIES_BOUND = 60_000;

export async function start(
  registry: Registry,
  target: ParsedParams<"start">,
  gone: AbortSignal,
): Promise<ResultOf<"start">> {
  const servers = named(registry, target);
  const begun = servers.filter(({ state }) => !isUp(publicState(state)));
  return replacing(registry, begun, target, async () => {
    const acts = startInOrder(
      registry,
      servers,
      { noDeps: target.no_deps, keepsStarter: isAll(target) },
      gone,
    );
    const { yes, no, failed } = await answersOf(acts, target);
    return { started: yes, already_running: no, failed };
  });
}

export async function restart(
  registry: Registry,
  target: ParsedParams<"restart">,
  gone: AbortSignal,
): Promise<ResultOf<"restart">> {
  const servers = named(registry, target);
  return replacing(registry, servers, target, async () => {
    const ran = servers.filter((server) => !isAtRest(server));
    const acts =
      "name" in target && ran.length > 0
        ? new Map(ran.map((server) => [server, restartOne(registry, server)]))
        : await restartInOrder(registry, servers, ran, target.no_deps, gone);
    const { yes, no, failed } = await answersOf(acts, target);
    const asked = new Set(servers.map(({ spec }) => spec.name));
    return { restarted: [...yes, ...no.filter((name) => asked.has(name))], started: no, failed };
  });
}

/** Nobody is named: what runs already stays whose it is. */
const isAll = (target: Target) => !("name" in target || "names" in target);

const isUp = (state: StateName) => state === "running" || state === "starting";

/** Begins with a clean slate: nothing is left of the jobs that the servers had before. */
async function replacing<T extends Pick<ResultOf<"start">, "failed">>(
  { jobs }: Registry,
  servers: readonly Supervised[],
  { replace_existing_jobs }: Pick<ParsedParams<"start">, "replace_existing_jobs">,
  act: () => Promise<T>,
): Promise<T> {
  if (!replace_existing_jobs) return act();
  await Promise.all(servers.map(({ spec }) => jobs.cancelActionsOf(spec.project, spec.name)));
  const mark = jobs.nextId;
  const answer = await act();
  const refused = new Set(answer.failed.map(({ name }) => name));
  // One that was not started keeps what it had.
  for (const { spec } of servers) if (!refused.has(spec.name)) jobs.deleteOver(spec.project, spec.name, mark);
  return answer;
}

export async function stop(registry: Registry, target: ParsedParams<"stop">): Promise<ResultOf<"stop">> {
  if (target.remove_jobs && !target.wait) {
    const message =
      "cannot stop: jobs are removed once their server has stopped, so that has to be waited for";
    throw new RpcError(RPC_ERRORS.invalidParams, message);
  }
  const servers = named(registry, target);
  const { yes, no, failed } = await answersOf(stopInOrder(registry, target, "stop"), target);
  if (target.remove_jobs) {
    for (const { spec } of named(registry, target)) {
      await registry.jobs.cancelActionsOf(spec.project, spec.name);
      registry.jobs.deleteOver(spec.project, spec.name);
    }
  }
  return { stopped: yes, not_running: no, failed, ...leftBy(servers), ...unrecordedOf(servers) };
}

export async function kill(registry: Registry, target: ParsedParams<"kill">): Promise<ResultOf<"kill">> {
  const servers = named(registry, target);
  const { yes, no, failed } = await answersOf(stopInOrder(registry, target, "kill"), target);
  return { killed: yes, not_running: no, failed, ...leftBy(servers), ...unrecordedOf(servers) };
}

/** Those whose end, or the hold, is not on disk: it is done all the same, and written down as soon as that goes. */
function unrecordedOf(servers: readonly Supervised[]): Pick<ResultOf<"stop">, "unrecorded"> {
  const unrecorded = servers.flatMap(({ spec: { name, project }, unrecorded: message }) =>
    message === undefined ? [] : [{ name, project, message }],
  );
  return unrecorded.length === 0 ? {} : { unrecorded };
}

/** Of those that rest, the daemons that live on. */
function leftBy(servers: readonly Supervised[]): Pick<ResultOf<"stop">, "left"> {
  const left = servers
    .filter(isAtRest)
    .flatMap(({ spec: { name, project }, leftovers }) =>
      leftovers.map(({ pid, program }) => ({ name, project, pid, program })),
    );
  return left.length === 0 ? {} : { left };
}

export async function pause(registry: Registry, target: ParsedParams<"pause">): Promise<ResultOf<"pause">> {
  const until = target.for_ms === undefined ? null : Date.now() + target.for_ms;
  const acts = eachOf(named(registry, target), (server) => {
    const isNew = server.state.paused === undefined;
    server.dispatch({ type: "pause", until });
    return isNew;
  });
  const { yes, no, failed } = await answersOf(acts, target);
  return { paused: yes, already_paused: no, failed };
}

export async function resume(
  registry: Registry,
  target: ParsedParams<"resume">,
): Promise<ResultOf<"resume">> {
  const acts = eachOf(named(registry, target), (server) => {
    const wasPaused = server.state.paused !== undefined;
    server.dispatch({ type: "resume" });
    return wasPaused;
  });
  const { yes, no, failed } = await answersOf(acts, target);
  return { resumed: yes, not_paused: no, failed };
}

function eachOf(servers: readonly Supervised[], act: (server: Supervised) => boolean): Acts {
  return new Map(servers.map((server) => [server, Promise.resolve(server).then(act)]));
}

function named(registry: Registry, target: Target): Supervised[] {
  if ("name" in target) return [registry.get(target.name, target.project)];
  if ("names" in target) return [...new Set(target.names)].map((name) => registry.get(name, target.project));
  return registry.all(target.project);
}

/** What becomes of each server: true or false as the verb says it. */
type Acts = Map<Supervised, Promise<boolean>>;

interface Answers {
  yes: string[];
  no: string[];
  failed: ResultOf<"start">["failed"];
}

/** One named server answers with its error; of several, each failure stands in the list. */
async function answersOf(acts: Acts, target: Target): Promise<Answers> {
  const answers: Answers = { yes: [], no: [], failed: [] };
  const outcomes = await Promise.allSettled(acts.values());
  for (const [i, { spec }] of [...acts.keys()].entries()) {
    const outcome = outcomes[i];
    if (outcome?.status === "fulfilled") (outcome.value ? answers.yes : answers.no).push(spec.name);
    else if (!("name" in target)) answers.failed.push({ name: spec.name, ...failureOf(outcome?.reason) });
    // What was started for the one that was named says nothing: that one waits, and tells what for.
    else if (spec.name === target.name) throw outcome?.reason;
  }
  return answers;
}

/** How a failure stands in an answer about several servers. */
export function failureOf(error: unknown): { code: number; message: string } {
  const code = error instanceof RpcError ? error.code : RPC_ERRORS.internalError;
  return { code, message: error instanceof Error ? error.message : String(error) };
}

interface StartOptions {
  readonly noDeps: boolean;
  /** One that runs already is not made the operator's. */
  readonly keepsStarter?: boolean;
}

/** Begins all at once, dependencies before dependents: those that cannot start yet wait. */
function startInOrder(
  registry: Registry,
  servers: readonly Supervised[],
  options: StartOptions,
  gone: AbortSignal,
): Acts {
  const all = options.noDeps ? servers : registry.waiting.withDependencies(servers);
  const ordered = dependenciesFirst(all);
  return new Map(ordered.map((server) => [server, startOne(registry, server, options, gone)]));
}

/** True: what ran was restarted. False: nothing ran, and it was started. */
async function restartInOrder(
  registry: Registry,
  servers: readonly Supervised[],
  ran: readonly Supervised[],
  noDeps: boolean,
  gone: AbortSignal,
): Promise<Acts> {
  const wereHeld = new Set(servers.filter(isHeld));
  // As with the end of an agent: one that dies in between leaves it to the next to start them.
  const refusals = new Map<Supervised, unknown>();
  const suspend = async (one: Supervised) => {
    try {
      one.insistOnRecord();
      await one.suspend(stopBound(one.spec), "its operator restarts it");
    } catch (error) {
      refusals.set(one, error);
    }
  };
  await Promise.all(dependentsFirst(ran, suspend).values());
  const stopped = new Set(servers.filter((server) => isHeld(server) && !wereHeld.has(server)));
  const goOn = servers.filter((server) => !stopped.has(server) && !refusals.has(server));
  const acts = startInOrder(registry, goOn, { noDeps }, gone);
  return new Map([
    ...[...acts].map(([server, act]) => [server, act.then(() => ran.includes(server))] as const),
    ...[...stopped].map((server) => [server, refusedAfterStop(server)] as const),
    ...[...refusals].map(([server, error]) => [server, Promise.reject(error)] as const),
  ]);
}

const isHeld = ({ operator }: Supervised) => operator === "stop";

/** The later word counts. */
async function refusedAfterStop({ spec }: Supervised): Promise<never> {
  const message = `cannot restart ${spec.name}: it was told to stop meanwhile`;
  throw new RpcError(RPC_ERRORS.notRunning, message);
}

/** A single one that runs is ended and started in one step, however those are that it depends on. */
async function restartOne(registry: Registry, server: Supervised): Promise<boolean> {
  refuseAtEnd(registry, server);
  server.setStarter({ by: "operator" });
  liftHold(server);
  server.insistOnRecord();
  server.dispatch({ type: "restart", reason: "its operator restarts it" });
  await awaitStart(server, "restart");
  return true;
}

/** True: started now. False: it ran already. */
async function startOne(
  registry: Registry,
  server: Supervised,
  { noDeps, keepsStarter = false }: StartOptions,
  gone: AbortSignal,
): Promise<boolean> {
  refuseAtEnd(registry, server);
  const before = publicState(server.state);
  if (!(keepsStarter && isUp(before))) server.setStarter({ by: "operator" });
  liftHold(server);
  if (before === "running") return false;
  if (noDeps) server.dispatch({ type: "start" });
  else registry.waiting.begin(server);
  await registry.waiting.settled(server, DEPENDENCIES_BOUND, gone);
  throwWait(registry, server);
  await awaitStart(server);
  return before !== "starting";
}

/** Nobody would look after it any more. */
function refuseAtEnd({ isEnding }: Registry, { spec }: Supervised): void {
  if (!isEnding) return;
  const message = `cannot start ${spec.name}: the agent is being stopped; say it again when that is over`;
  throw new RpcError(RPC_ERRORS.internalError, message);
}

function throwWait(registry: Registry, server: Supervised): void {
  const missing = registry.waiting.of(server);
  if (missing.length === 0) return;
  throw new RpcError(
    RPC_ERRORS.notRunning,
    `${server.spec.name} ${waitsSentence(missing, registry.waiting.restingBelow(server))}`,
  );
}

function liftHold(server: Supervised): void {
  server.setOperator(server.spec.wanted === "start" ? null : "start");
}

/** Settles when the newest incarnation runs, or ended already; throws when it could not be started. */
export async function awaitStart(
  server: Driven & Pick<Supervised, "spec" | "isInRow">,
  verb: "start" | "restart" = "start",
): Promise<void> {
  const refusal = (why: string) =>
    new RpcError(RPC_ERRORS.spawnFailed, `cannot ${verb} ${server.spec.name}: ${why}`);
  const bound = stopBound(server.spec);
  const isOver = ({ state: { phase } }: Driven) => phase.tag !== "starting" && !isMoving(phase);
  // Its time begins with its turn: each one before it has a bound of its own.
  while (server.isInRow && !isOver(server)) await server.until((now) => isOver(now) || !now.isInRow, bound);
  const settled = await server.until(isOver, bound);
  const { phase } = server.state;
  // It was so before, or the end of what ran was in vain.
  if (phase.tag === "failed" && phase.stuck) throw refusal("its last process cannot be killed");
  if (!settled) throw refusal("it takes too long");
  throwSpawnError(server);
}

/** An end that is followed by a start. */
function isMoving(phase: Supervised["state"]["phase"]): boolean {
  return phase.tag === "ending" && phase.after.kind === "start";
}

function throwSpawnError(server: Driven): void {
  const error = server.spawnError;
  if (!error) return;
  throw new RpcError(error.portConflict ? RPC_ERRORS.portConflict : RPC_ERRORS.spawnFailed, error.message);
}

/** Holds all of them first, so that no later agent, and no wait that comes to its end, starts one again. */
function stopInOrder(registry: Registry, target: ParsedParams<"stop" | "kill">, how: "stop" | "kill"): Acts {
  const servers = named(registry, target);
  for (const server of servers) server.holdStopped();
  const act = (server: Supervised) => stopOne(server, how, target.wait);
  if (how === "stop" && target.wait) return dependentsFirst(servers, act);
  return new Map(
    dependenciesFirst(servers)
      .toReversed()
      .map((server) => [server, act(server)]),
  );
}

/** True: stopped now, or, without `wait`, told to. False: it did not run. */
async function stopOne(server: Supervised, how: "stop" | "kill", wait: boolean): Promise<boolean> {
  const ran = !isAtRest(server);
  server.cease(how, { reason: how === "stop" ? "its operator stopped it" : "its operator killed it" });
  if (wait) await awaitRest(server);
  return ran;
}

/**
 * Settles when nothing of what ran lives any more; throws when that cannot be reached. Somebody else may have started
 * the server anew by then: a stop does not wait for the end of what it was not asked to end.
 */
export async function awaitRest(server: Supervised): Promise<void> {
  const { inc } = server.state;
  const settled = await server.until((now) => isAtRest(now) || now.state.inc > inc, stopBound(server.spec));
  const { phase } = server.state;
  if (!settled || (phase.tag === "failed" && phase.stuck)) {
    throw new RpcError(RPC_ERRORS.internalError, `cannot stop ${server.spec.name}: it cannot be killed`);
  }
}
