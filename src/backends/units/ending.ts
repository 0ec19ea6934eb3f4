import { identify, isRunning } from "../../system/processes.ts";
import { ServiceError } from "../ask.ts";
import type { Unit, UnitManager } from "./manager.ts";

/**
 * Ends what runs of a unit, and sees that its process is gone: a manager gives up after a while, and some say then that
 * all is well. Throws a `ServiceError` that names the process that is left: nothing must be started beside it.
 */
export async function end(manager: UnitManager, unit: Unit, how: "stop" | "kill" = "stop"): Promise<void> {
  const pid = (await manager.look([unit])).get(unit.spec.name)?.pid;
  const process = pid === undefined ? undefined : identify(pid);
  await manager[how](unit);
  if (process === undefined || !isRunning(process)) return;
  throw new ServiceError(
    `cannot ${how} ${unit.spec.name}: its process ${process.pid} cannot be killed; it is left to ${manager.kind}`,
  );
}
