import type { Mark } from "../../model/family.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { familyNow, unitFamily } from "../../system/family.ts";
import { identify, isRunning, signalExactly } from "../../system/processes.ts";
import { ServiceError } from "../ask.ts";
import type { Unit, UnitManager } from "./manager.ts";

/**
 * Stops a unit, and checks that its process is gone: managers give up after a while, and some still report success.
 * Throws a `ServiceError` that names a process that is left: nothing must be started beside it.
 */
export async function end(manager: UnitManager, unit: Unit, how: "stop" | "kill" = "stop"): Promise<void> {
  const pid = (await manager.look([unit])).get(unit.spec.name)?.pid;
  const process = pid === undefined ? undefined : identify(pid);
  await manager[how](unit);
  if (process === undefined || !isRunning(process)) return;
  throw new ServiceError(
    `cannot ${how} ${unit.spec.name}: its process ${process.pid} cannot be killed; ${manager.kind} still has it`,
  );
}

/** How long a process may take to disappear after SIGKILL, ms. */
const KILL_BOUND = 5000;
/** Pause between two looks, ms. */
const GAP = 20;

/**
 * Stops a server through its manager, and then those of its processes that the manager does not stop: supervisord and
 * launchd signal a process group, which a descendant may have left. `pid`: its main process before that.
 */
export async function endWhole(
  { name, stop }: Pick<ServerSpec, "name" | "stop">,
  pid: number | undefined,
  end: () => Promise<void>,
): Promise<void> {
  const before = await unitFamily(pid);
  await end();
  await endRest(name, before, stop);
}

async function endRest(name: string, before: readonly Mark[], stop: ServerSpec["stop"]): Promise<void> {
  const now = async () =>
    before.length === 0 ? [] : (await familyNow({ seen: [], ending: before, port: null })).own;
  let rest: readonly Mark[] = await now();
  for (const { signal, bound } of [
    { signal: stop.signal, bound: stop.grace },
    { signal: "SIGKILL" as const, bound: KILL_BOUND },
  ]) {
    for (const one of rest) signalExactly(one, signal);
    for (const until = Date.now() + bound; rest.length > 0 && Date.now() < until; rest = await now())
      await new Promise((resolve) => setTimeout(resolve, GAP));
  }
  if (rest.length > 0) throw new ServiceError(`cannot stop ${name}: pid ${rest[0]?.pid} cannot be killed`);
}
