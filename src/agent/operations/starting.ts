import { waitsSentence } from "../../model/dependency.ts";
import { isUp } from "../../model/states.ts";
import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { publicState } from "../../supervisor/state.ts";
import { dependenciesFirst, dependentsFirst } from "../servers/ordering.ts";
import type { Registry } from "../servers/registry.ts";
import { isDown, stopBound } from "../servers/rest.ts";
import type { Supervised } from "../servers/supervised.ts";
import { awaitStart } from "./start-bound.ts";
import { type Acts, answersOf, isAll, named } from "./targets.ts";

/** An operator's start and restart. Of several servers, each starts after what it depends on. */

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
    const ran = servers.filter((server) => !isDown(server));
    const acts =
      "name" in target && ran.length > 0
        ? new Map(ran.map((server) => [server, restartOne(registry, server)]))
        : await restartInOrder(registry, servers, ran, target.no_deps, gone);
    const { yes, no, failed } = await answersOf(acts, target);
    const asked = new Set(servers.map(({ spec }) => spec.name));
    return { restarted: [...yes, ...no.filter((name) => asked.has(name))], started: no, failed };
  });
}

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

/** The later command counts. */
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
  if (!(keepsStarter && isUp(publicState(server.state)))) server.setStarter({ by: "operator" });
  liftHold(server);
  if (before === "running") return false;
  if (noDeps) server.dispatch({ type: "start" });
  else registry.waiting.begin(server);
  await registry.waiting.settled(server, DEPENDENCIES_BOUND, gone);
  throwWait(registry, server);
  await awaitStart(server);
  return before !== "starting";
}

/** Nobody would look after it. */
function refuseAtEnd({ isEnding }: Registry, { spec }: Supervised): void {
  if (!isEnding) return;
  const message = `cannot start ${spec.name}: the agent is being stopped; try again once it has stopped`;
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
