import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { dependenciesFirst, dependentsFirst } from "../servers/ordering.ts";
import type { Registry } from "../servers/registry.ts";
import { isDown, stopBound } from "../servers/rest.ts";
import type { Supervised } from "../servers/supervised.ts";
import { type Acts, answersOf, named } from "./targets.ts";

/** An operator's stop and kill. Of several servers, each stops before what it depends on. */

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
    .filter(isDown)
    .flatMap(({ spec: { name, project }, leftovers }) =>
      leftovers.map(({ pid, program }) => ({ name, project, pid, program })),
    );
  return left.length === 0 ? {} : { left };
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

/** True: it was stopped, or without `wait` told to stop. False: it did not run. */
async function stopOne(server: Supervised, how: "stop" | "kill", wait: boolean): Promise<boolean> {
  const ran = !isDown(server);
  server.cease(how, { reason: how === "stop" ? "its operator stopped it" : "its operator killed it" });
  if (wait) await awaitRest(server);
  return ran;
}

/**
 * Settles when everything that ran has exited; throws if it cannot be killed. Somebody else may have started the server
 * again by then: a stop does not wait for what it was not asked to stop.
 */
export async function awaitRest(server: Supervised): Promise<void> {
  const { inc } = server.state;
  const settled = await server.until((now) => isDown(now) || now.state.inc > inc, stopBound(server.spec));
  const { phase } = server.state;
  if (!settled || (phase.tag === "failed" && phase.stuck)) {
    throw new RpcError(RPC_ERRORS.internalError, `cannot stop ${server.spec.name}: it cannot be killed`);
  }
}
