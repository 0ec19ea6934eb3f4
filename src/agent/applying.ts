import type { ParsedParams, ResultOf } from "../rpc/contract.ts";
import { formatExit } from "../model/observed.ts";
import { formatDuration } from "../model/units.ts";
import { RPC_ERRORS, RpcError } from "../rpc/errors.ts";
import { publicState } from "../supervisor/state.ts";
import { isSuccess } from "../supervisor/policy.ts";
import type { Registry } from "./registry.ts";
import { awaitRest } from "./operations.ts";
import { isAtRest, type Supervised } from "./supervised.ts";

type Request = ParsedParams<"apply">;
type Applied = ResultOf<"apply">;

const done = (detail: string): Applied => ({ ok: true, detail });

/** Carries out one change of a plan. `gone`: whoever waited for it is gone, and the waiting ends. */
export async function applyChange(registry: Registry, request: Request, gone: AbortSignal): Promise<Applied> {
  const { project, server: name, action } = request;
  const found = registry.find(name, project);
  switch (action) {
    case "remove":
      return found ? removeServer(registry, found) : done("was not there");
    case "stop":
      return found ? stopServer(found) : done("was not there");
    default:
      return ensure(takeOver(registry, request, found), action, request.wait_ms, gone);
  }
}

/** Writes the spec down, for a new server or one that is there. */
function takeOver(registry: Registry, request: Request, found: Supervised | undefined): Supervised {
  const { spec, secrets } = request;
  if (!spec || spec.name !== request.server || spec.project !== request.project) {
    throw new RpcError(RPC_ERRORS.invalidParams, "cannot apply: the spec is missing, or of another server");
  }
  if (!found) return registry.add(spec, secrets);
  found.configure(spec, secrets);
  return found;
}

async function removeServer(registry: Registry, server: Supervised): Promise<Applied> {
  const ran = !isAtRest(server);
  server.dispatch({ type: "stop" });
  await awaitRest(server);
  registry.remove(server);
  return done(ran ? "stopped and removed" : "removed");
}

async function stopServer(server: Supervised): Promise<Applied> {
  server.dispatch({ type: "stop" });
  await awaitRest(server);
  return done("stopped");
}

async function ensure(server: Supervised, action: "add" | "update" | "restart" | "start", waitMs: number, gone: AbortSignal): Promise<Applied> {
  if (action === "update") return done("changed in place");
  if (!server.shouldRun) return settleStopped(server);
  server.dispatch({ type: action === "restart" && !isAtRest(server) ? "restart" : "start" });
  if (waitMs === 0) return done("started");
  const settled = await server.until(isSettled, waitMs, gone);
  return verdict(server, settled, waitMs);
}

/** Its spec is taken over; a process of the old one does not go on. */
async function settleStopped(server: Supervised): Promise<Applied> {
  server.dispatch({ type: "stop" });
  await awaitRest(server);
  return done(server.operator === "stop" ? "held: not started" : "not started: it is wanted stopped");
}

/** Ready, failed, or ended without a restart. */
function isSettled(server: Supervised): boolean {
  const { phase } = server.state;
  return isAtRest(server) || (phase.tag === "running" && phase.ready.verdict.status === "ok");
}

function verdict(server: Supervised, settled: boolean, waitMs: number): Applied {
  const { phase, lastExit, reason } = server.state;
  if (phase.tag === "running" && settled) return done(`ready: ${phase.ready.verdict.evidence}`);
  if (phase.tag === "stopped" && lastExit && isSuccess(lastExit.exit, server.spec)) return done("ran, and ended with success");
  return { ok: false, message: complaint(server, settled, waitMs, reason), last_lines: server.lastLines() };
}

function complaint(server: Supervised, settled: boolean, waitMs: number, reason: string | undefined): string {
  const { phase, lastExit } = server.state;
  if (phase.tag === "stopped") return lastExit ? `ended: ${formatExit(lastExit.exit)}` : "was stopped meanwhile";
  if (settled) return reason ?? "failed";
  const waited = `not ready after ${formatDuration(waitMs)}`;
  if (phase.tag === "running") return `${waited}: ${phase.ready.verdict.evidence}`;
  return `${waited}: ${publicState(server.state)}${reason ? ` (${reason})` : ""}`;
}
