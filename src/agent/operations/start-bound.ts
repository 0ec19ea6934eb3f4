import type { SpawnError } from "../../model/environment.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import type { ServerState } from "../../supervisor/state.ts";
import { stopBound } from "../servers/rest.ts";

/** A server that is being started. */
interface Starting {
  readonly spec: ServerSpec;
  readonly state: ServerState;
  readonly isQueued: boolean;
  readonly spawnError: SpawnError | undefined;
  until(condition: () => boolean, timeoutMs: number): Promise<boolean>;
}

/** Settles when the newest incarnation runs, or ended already; throws when it could not be started. */
export async function awaitStart(server: Starting, verb: "start" | "restart" = "start"): Promise<void> {
  const refusal = (why: string) =>
    new RpcError(RPC_ERRORS.spawnFailed, `cannot ${verb} ${server.spec.name}: ${why}`);
  const bound = stopBound(server.spec);
  const isOver = () => {
    const { phase } = server.state;
    return phase.tag !== "starting" && !isMoving(phase);
  };
  // Its time begins with its turn: each one before it has a bound of its own.
  while (server.isQueued && !isOver()) await server.until(() => isOver() || !server.isQueued, bound);
  const settled = await server.until(isOver, bound);
  const { phase } = server.state;
  // It was so before, or the end of what ran was in vain.
  if (phase.tag === "failed" && phase.stuck) throw refusal("its last process cannot be killed");
  if (!settled) throw refusal("it takes too long");
  throwSpawnError(server);
}

/** An end that is followed by a start. */
function isMoving(phase: ServerState["phase"]): boolean {
  return phase.tag === "ending" && phase.after.kind === "start";
}

function throwSpawnError(server: Starting): void {
  const error = server.spawnError;
  if (!error) return;
  throw new RpcError(error.portConflict ? RPC_ERRORS.portConflict : RPC_ERRORS.spawnFailed, error.message);
}
