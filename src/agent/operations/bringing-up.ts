import { hasCompleted, isMet, waitsText } from "../../model/dependency.ts";
import { formatExit, type Missing } from "../../model/observed.ts";
import { atMost, DEPENDENCIES_PATIENCE, type Patience, patienceFor } from "../../model/patience.ts";
import { givenUpText } from "../../model/start-report.ts";
import { RpcError } from "../../rpc/errors.ts";
import { publicState } from "../../supervisor/state.ts";
import { isDown } from "../servers/rest.ts";
import type { Supervised } from "../servers/supervised.ts";
import { standingOf, type Waiting } from "../servers/waiting.ts";
import { type Applied, done, type Request } from "./apply-request.ts";
import { awaitStart } from "./start-bound.ts";
import { causeOf, StartWait } from "./start-wait.ts";

/** Starts a server for an apply, and waits until it is as the apply wants it. */

/** What a start is waited for, and how long. `putsBack`: a version that ran comes back when this one does not come up. */
export type Wait = Pick<Request, "until" | "wait_ms" | "while_progress" | "tell"> & {
  readonly putsBack?: boolean;
};

export function patienceOf(
  { wait_ms, while_progress }: Pick<Request, "wait_ms" | "while_progress">,
  { spec }: Supervised,
  putsBack = false,
): Patience {
  if (!while_progress) return patienceFor(wait_ms, spec, { putsBack });
  return atMost(wait_ms, patienceFor(undefined, spec, { putsBack }));
}

export const dependenciesBound = ({
  wait_ms,
  while_progress,
}: Pick<Request, "wait_ms" | "while_progress">) =>
  while_progress ? Math.min(wait_ms, DEPENDENCIES_PATIENCE) : wait_ms;

/** Starts the server as soon as what it depends on allows it; a wait for that is within the wait for the server. */
export async function bringUp(
  { waiting }: { readonly waiting: Waiting },
  server: Supervised,
  action: "start" | "restart",
  wait: Wait,
  gone: AbortSignal,
): Promise<Applied> {
  const start = new StartWait(server, { patience: patienceOf(wait, server, wait.putsBack), tell: wait.tell });
  try {
    if ((action === "restart" && !isDown(server)) || server.isOutdated)
      server.dispatch({ type: "restart", reason: "an apply restarts it" });
    else waiting.begin(server);
    if (wait.wait_ms === 0) return await handedOver(server, waiting.of(server));
    // A wait for what it depends on is no start yet. Who has said how long has said it for both.
    const began = performance.now();
    const isFree = (now: Supervised) => waiting.of(now).length === 0 || !waiting.isHopeful(now);
    await server.until(isFree, dependenciesBound(wait), gone);
    // Also at rest: failed, ended without a restart, or ended and not to be started during its pause.
    const isSettled = (now: Supervised) =>
      waiting.of(now).length > 0
        ? !waiting.isHopeful(now)
        : isDown(now) || waitsForResume(now) || isMet(standingOf(now), wait.until);
    if (isFree(server)) await start.until(isSettled, gone, performance.now() - began);
    const missing = waiting.of(server);
    if (missing.length === 0) return verdict(server, start, wait.until);
    return { ok: false, message: waitsText(missing), last_lines: [], waits_for: missing };
  } finally {
    start.close();
  }
}

function handedOver(server: Supervised, missing: Missing[]): Applied | Promise<Applied> {
  if (missing.length === 0) return spawned(server);
  return { ok: true, detail: waitsText(missing), waits_for: missing };
}

function waitsForResume({ state }: Supervised): boolean {
  return state.phase.tag === "waiting" && state.paused !== undefined;
}

/** Not waited for, but whether there is a program at all is known in a moment. */
async function spawned(server: Supervised): Promise<Applied> {
  try {
    await awaitStart(server);
    return done("started");
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    return { ok: false, message: error.message, last_lines: [], ...portConflict(server) };
  }
}

/** A run that ended with success is enough, whatever it was waited for. */
export function verdict(server: Supervised, wait: StartWait, until: Request["until"]): Applied {
  const { phase } = server.state;
  if (hasCompleted(standingOf(server))) return done("ran, and ended with success");
  if (phase.tag === "running" && wait.isSettled) {
    const { evidence } = phase.ready.verdict;
    return done(until === "started" ? `running: pid ${phase.process.pid}` : `ready: ${evidence}`);
  }
  const help = wait.help();
  return {
    ok: false,
    message: complaint(server, wait, until),
    last_lines: wait.lines(),
    ...(help.length === 0 ? {} : { help }),
    ...portConflict(server),
  };
}

const portConflict = ({ spawnError }: Supervised) =>
  spawnError?.portConflict ? ({ port_conflict: true } as const) : {};

function complaint(server: Supervised, wait: StartWait, until: Request["until"]): string {
  const { phase, lastExit, reason } = server.state;
  if (phase.tag === "stopped") {
    return lastExit && !lastExit.requested
      ? `ended: ${formatExit(lastExit.exit)}`
      : (reason ?? "was stopped meanwhile");
  }
  const { givenUp } = wait;
  if (givenUp === undefined) return reason ?? "failed";
  const waited = givenUpText(until, givenUp);
  if (phase.tag === "running" && until === "ready")
    return `${waited}: ${phase.ready.verdict.evidence}${wait.runs}`;
  // The supervision was first to give up the start.
  if (reason?.startsWith(waited)) return `${causeOf(reason)}${wait.restarted}`;
  // How its last run failed is the reason for where it is now.
  return `${waited}: ${publicState(server.state)}${reason ? ` (${reason})` : ""}${wait.restarted}`;
}
