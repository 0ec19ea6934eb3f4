import type { ParsedParams, ResultOf } from "../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../rpc/errors.ts";
import { publicState } from "../supervisor/state.ts";
import type { Registry } from "./registry.ts";
import { isAtRest, type Supervised, stopBound } from "./supervised.ts";

/** What an operator asks of servers: start, stop, restart, kill. */

type Target = { name: string; project?: string | undefined } | { all: true; project?: string | undefined };

export async function start(registry: Registry, target: Target): Promise<ResultOf<"start">> {
  const { yes, no, failed } = await each(registry, target, startOne);
  return { started: yes, already_running: no, failed };
}

export async function restart(registry: Registry, target: Target): Promise<ResultOf<"restart">> {
  const { yes, no, failed } = await each(registry, target, restartOne);
  return { restarted: yes, started: no, failed };
}

export async function stop(registry: Registry, target: Target): Promise<ResultOf<"stop">> {
  const { yes, no, failed } = await each(registry, target, (server) => stopOne(server, "stop"));
  return { stopped: yes, not_running: no, failed };
}

export async function kill(registry: Registry, target: ParsedParams<"kill">): Promise<ResultOf<"kill">> {
  const { yes, no, failed } = await each(registry, target, (server) => stopOne(server, "kill"));
  return { killed: yes, not_running: no, failed };
}

export async function pause(registry: Registry, target: ParsedParams<"pause">): Promise<ResultOf<"pause">> {
  const until = target.for_ms === undefined ? null : Date.now() + target.for_ms;
  const { yes, no, failed } = await each(registry, target, async (server) => {
    const isNew = server.state.paused === undefined;
    server.dispatch({ type: "pause", until });
    return isNew;
  });
  return { paused: yes, already_paused: no, failed };
}

export async function resume(registry: Registry, target: Target): Promise<ResultOf<"resume">> {
  const { yes, no, failed } = await each(registry, target, async (server) => {
    const wasPaused = server.state.paused !== undefined;
    server.dispatch({ type: "resume" });
    return wasPaused;
  });
  return { resumed: yes, not_paused: no, failed };
}

interface Answers {
  yes: string[];
  no: string[];
  failed: ResultOf<"start">["failed"];
}

/** One named server answers with its error; of `all`, each failure stands in the list. */
async function each(
  registry: Registry,
  target: Target,
  act: (server: Supervised) => Promise<boolean>,
): Promise<Answers> {
  const answers: Answers = { yes: [], no: [], failed: [] };
  if ("name" in target) {
    const server = registry.get(target.name, target.project);
    ((await act(server)) ? answers.yes : answers.no).push(server.spec.name);
    return answers;
  }
  await Promise.all(
    registry.all(target.project).map(async (server) => {
      const { name } = server.spec;
      try {
        ((await act(server)) ? answers.yes : answers.no).push(name);
      } catch (error) {
        const code = error instanceof RpcError ? error.code : RPC_ERRORS.internalError;
        answers.failed.push({ name, code, message: error instanceof Error ? error.message : String(error) });
      }
    }),
  );
  return answers;
}

/** True: started now. False: it ran already. */
async function startOne(server: Supervised): Promise<boolean> {
  liftHold(server);
  const before = publicState(server.state);
  if (before === "running") return false;
  server.dispatch({ type: "start" });
  await awaitStart(server);
  return before !== "starting";
}

/** True: what ran was restarted. False: nothing ran, and it was started. */
async function restartOne(server: Supervised): Promise<boolean> {
  liftHold(server);
  const ran = !isAtRest(server);
  server.dispatch({ type: "restart" });
  await awaitStart(server);
  return ran;
}

/** From now on it is not a session's any more. */
function liftHold(server: Supervised): void {
  server.setStarter({ by: "operator" });
  server.setOperator(server.spec.wanted === "start" ? null : "start");
}

/** Settles when the newest incarnation runs, or ended already; throws when it could not be started. */
export async function awaitStart(server: Supervised): Promise<void> {
  if (server.state.phase.tag === "failed" && server.state.phase.stuck) {
    throw new RpcError(
      RPC_ERRORS.spawnFailed,
      `cannot start ${server.spec.name}: its last process cannot be killed`,
    );
  }
  const bound = stopBound(server.spec);
  const settled = await server.until(
    ({ state: { phase } }) => phase.tag !== "starting" && !isMoving(phase),
    bound,
  );
  if (!settled)
    throw new RpcError(RPC_ERRORS.spawnFailed, `cannot start ${server.spec.name}: it takes too long`);
  throwSpawnError(server);
}

/** An end that is followed by a start. */
function isMoving(phase: Supervised["state"]["phase"]): boolean {
  return phase.tag === "ending" && phase.after.kind === "start";
}

function throwSpawnError(server: Supervised): void {
  const error = server.spawnError;
  if (!error) return;
  throw new RpcError(error.portConflict ? RPC_ERRORS.portConflict : RPC_ERRORS.spawnFailed, error.message);
}

/** True: stopped now. False: it did not run. The hold is written down first, so no later agent starts it again. */
async function stopOne(server: Supervised, how: "stop" | "kill"): Promise<boolean> {
  server.setOperator("stop");
  const ran = !isAtRest(server);
  server.dispatch({ type: how });
  await awaitRest(server);
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
