import { canonicalJson, specHash, unknownFields } from "../model/canonical.ts";
import { hasCompleted, isMet, waitsText } from "../model/dependency.ts";
import { understood, unusable } from "../model/expression.ts";
import { formatExit, type Missing } from "../model/observed.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { SecretValues } from "../model/spec-parts.ts";
import { formatDuration } from "../model/units.ts";
import type { ParsedParams, ResultOf } from "../rpc/contract.ts";
import { notKnown, RPC_ERRORS, RpcError } from "../rpc/errors.ts";
import { publicState } from "../supervisor/state.ts";
import { lastLines } from "./observing.ts";
import { awaitRest, awaitStart } from "./operations.ts";
import type { Registry } from "./registry.ts";
import { isAtRest, type Supervised } from "./supervised.ts";
import { isOwed, standingOf } from "./waiting.ts";

type Request = ParsedParams<"apply">;
type Applied = ResultOf<"apply">;

const done = (detail: string): Applied => ({ ok: true, detail });

/** Carries out one change of a plan. `gone`: whoever waited for it is gone, and the waiting ends. */
export async function applyChange(registry: Registry, request: Request, gone: AbortSignal): Promise<Applied> {
  const { project, server: name, action } = request;
  refuseAtEnd(registry);
  const found = registry.find(name, project);
  const before =
    found && !found.unreadable
      ? { spec: found.spec, secrets: found.secrets, ran: !isAtRest(found) || isOwed(found) }
      : undefined;
  if (action === "remove") return found ? removeServer(registry, found) : done("was not there");
  await refuseUnusable(request);
  const missing = found ? await missingForRestart(registry, found, request, gone) : [];
  if (missing.length > 0) return leftAlone(missing);
  refuseAtEnd(registry);
  const server = takeOver(registry, request, found);
  switch (action) {
    case "update":
      return updated(server, before, request, gone);
    case "stop":
      return stopServer(server);
    case "add":
    case "start":
    case "restart":
      if (server.shouldRun) ownWhatIsStarted(server, request);
      return server.shouldRun ? bringUpOrBack(registry, server, before, request, gone) : stopServer(server);
  }
}

/** A pattern that was applied by another version stays, and is told as its readiness; a new one has to be understood. */
async function refuseUnusable({ spec }: Request): Promise<void> {
  if (spec?.readiness.type !== "log") return;
  const pattern = await understood(spec.readiness.pattern);
  if (!pattern.ok)
    throw new RpcError(RPC_ERRORS.invalidParams, `cannot apply ${spec.name}: ${unusable(pattern.fault)}`);
}

function refuseAtEnd({ isEnding }: Registry): void {
  if (isEnding) throw new RpcError(RPC_ERRORS.internalError, "cannot apply: the agent is being stopped");
}

/** What runs, or is about to, stays on the word of whoever started it, also with another spec. */
function ownWhatIsStarted(server: Supervised, { session }: Request): void {
  const state = publicState(server.state);
  if (state !== "stopped" && state !== "failed" && state !== "stopping") return;
  server.setStarter(session ? { by: "session", session } : { by: "apply" });
}

/** What runs is not ended for a version that would have to wait: what that would wait for. */
async function missingForRestart(
  { waiting }: Registry,
  found: Supervised,
  { action, spec, wait_ms }: Request,
  gone: AbortSignal,
): Promise<Missing[]> {
  const applies = action === "restart" && spec !== undefined && wait_ms > 0 && !isAtRest(found);
  return applies ? waiting.lacking(spec, wait_ms, gone) : [];
}

function leftAlone(missing: Missing[]): Applied {
  const message = `left as it is, since the new version ${waitsText(missing)}`;
  return { ok: false, message, last_lines: [], waits_for: missing };
}

/** A running server with another readiness probe has to satisfy that one too, or gets the one before back. */
async function updated(
  server: Supervised,
  before: Before | undefined,
  { wait_ms, rollback }: Request,
  gone: AbortSignal,
): Promise<Applied> {
  const isNewQuestion =
    before !== undefined && canonicalJson(before.spec.readiness) !== canonicalJson(server.spec.readiness);
  if (!isNewQuestion || wait_ms === 0 || server.state.phase.tag !== "running")
    return done("changed in place");
  const wait: Wait = { until: "ready", wait_ms };
  const settled = await server.until(
    (now) => isAtRest(now) || isMet(standingOf(now), "ready"),
    wait_ms,
    gone,
  );
  const outcome = verdict(server, settled, wait);
  if (outcome.ok) return done(`changed in place: ${outcome.detail}`);
  if (!rollback || gone.aborted || server.state.phase.tag !== "running") return outcome;
  server.configure(before.spec, before.secrets, outcome.message);
  return { ...outcome, message: `${outcome.message}; its previous version is put back` };
}

/** What a server was before the change. */
interface Before {
  readonly spec: ServerSpec;
  readonly secrets: SecretValues;
  /** It ran, or was about to. */
  readonly ran: boolean;
}

async function bringUpOrBack(
  registry: Registry,
  server: Supervised,
  before: Before | undefined,
  request: Request,
  gone: AbortSignal,
): Promise<Applied> {
  const { action, wait_ms, rollback } = request;
  const outcome = await bringUp(registry, server, action === "restart" ? "restart" : "start", request, gone);
  if (outcome.ok || outcome.waits_for || !rollback || wait_ms === 0) return outcome;
  // Whoever is gone decides nothing any more: a slow server may still come up. And a server that was told to rest,
  // by its operator or with its agent, has not shown what the new version is worth.
  if (gone.aborted || registry.isEnding || !server.shouldRun) return outcome;
  const isNew = before === undefined || (action === "add" && isSame(before, server));
  const after = isNew
    ? await leaveStopped(server, outcome.message)
    : await putBack(registry, server, before, request, gone, outcome.message);
  return { ...outcome, message: `${outcome.message}${after}` };
}

/** Also for a change that an agent which died had begun: then nobody knows any more what was before. */
function isSame(before: Before, server: Supervised): boolean {
  return specHash(before.spec) === specHash(server.spec);
}

async function leaveStopped(server: Supervised, because: string): Promise<string> {
  if (isAtRest(server)) return "";
  await stopServer(server, { reason: `an apply left it stopped: ${because}`, failed: true });
  return "; it is left stopped";
}

/** The previous version comes back once, whether it becomes what was waited for or not. */
async function putBack(
  registry: Registry,
  server: Supervised,
  before: Before,
  wait: Wait,
  gone: AbortSignal,
  because: string,
): Promise<string> {
  if (isSame(before, server)) return before.ran ? "" : leaveStopped(server, because);
  server.configure(before.spec, before.secrets, because);
  if (!before.ran || !server.shouldRun) {
    await stopServer(server, { reason: "an apply put its previous version back, which did not run" });
    return "; its previous version is put back, and does not run, as before";
  }
  const again = await bringUp(registry, server, "restart", wait, gone);
  return again.ok
    ? `; its previous version is back, and ${GOAL[wait.until]}`
    : `; its previous version is put back, but: ${again.message}`;
}

/** Writes the spec down, for a new server or one that is there. */
function takeOver(registry: Registry, request: Request, found: Supervised | undefined): Supervised {
  const { spec, secrets, held } = request;
  if (!spec || spec.name !== request.server || spec.project !== request.project) {
    throw new RpcError(RPC_ERRORS.invalidParams, "cannot apply: the spec is missing, or of another server");
  }
  const unknown = unknownFields(spec);
  if (unknown.length > 0) throw notKnown(spec.name, unknown);
  if (!found) {
    const added = registry.add(spec, secrets);
    if (held) added.setOperator("stop");
    return added;
  }
  found.configure(spec, secrets);
  return found;
}

async function removeServer(registry: Registry, server: Supervised): Promise<Applied> {
  const ran = !isAtRest(server);
  server.cease("stop", { reason: "an apply removes it" });
  await awaitRest(server);
  if (!isAtRest(server)) {
    throw new RpcError(
      RPC_ERRORS.internalError,
      `cannot remove ${server.spec.name}: somebody started it again meanwhile`,
    );
  }
  await registry.remove(server);
  return done(ran ? "stopped and removed" : "removed");
}

async function stopServer(server: Supervised, wish?: Parameters<Supervised["cease"]>[1]): Promise<Applied> {
  const ran = !isAtRest(server);
  const why = server.operator === "stop" ? "its operator holds it" : "its configuration wants it stopped";
  server.cease("stop", wish ?? { reason: `an apply stopped it: ${why}` });
  await awaitRest(server);
  if (server.operator === "stop") return done(ran ? "stopped: it is held" : "not started: it is held");
  return done(ran ? "stopped" : "not started: it is wanted stopped");
}

/** What a start is waited for, and how long. */
type Wait = Pick<Request, "until" | "wait_ms">;

const GOAL: Readonly<Record<Wait["until"], string>> = {
  started: "running",
  ready: "ready",
  completed: "completed",
};

/** Starts the server as soon as what it depends on allows it; a wait for that is within the wait for the server. */
async function bringUp(
  { waiting }: Registry,
  server: Supervised,
  action: "start" | "restart",
  wait: Wait,
  gone: AbortSignal,
): Promise<Applied> {
  if ((action === "restart" && !isAtRest(server)) || server.isOutdated)
    server.dispatch({ type: "restart", reason: "an apply restarts it" });
  else waiting.begin(server);
  if (wait.wait_ms === 0) return handedOver(server, waiting.of(server));
  // Also at rest: failed, ended without a restart, or ended and not to be started during its pause.
  const isSettled = (now: Supervised) =>
    waiting.of(now).length > 0
      ? !waiting.isHopeful(now)
      : isAtRest(now) || waitsForResume(now) || isMet(standingOf(now), wait.until);
  const settled = await server.until(isSettled, wait.wait_ms, gone);
  const missing = waiting.of(server);
  if (missing.length === 0) return verdict(server, settled, wait);
  return { ok: false, message: waitsText(missing), last_lines: [], waits_for: missing };
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
    return { ok: false, message: error.message, last_lines: [] };
  }
}

/** A run that ended with success is enough, whatever it was waited for. */
function verdict(server: Supervised, settled: boolean, wait: Wait): Applied {
  const { phase } = server.state;
  if (hasCompleted(standingOf(server))) return done("ran, and ended with success");
  if (phase.tag === "running" && settled) {
    const { evidence } = phase.ready.verdict;
    return done(wait.until === "started" ? `running: pid ${phase.process.pid}` : `ready: ${evidence}`);
  }
  return { ok: false, message: complaint(server, settled, wait), last_lines: lastLines(server) };
}

function complaint(server: Supervised, settled: boolean, { until, wait_ms }: Wait): string {
  const { phase, lastExit, reason } = server.state;
  if (phase.tag === "stopped") {
    return lastExit && !lastExit.requested
      ? `ended: ${formatExit(lastExit.exit)}`
      : (reason ?? "was stopped meanwhile");
  }
  if (settled) return reason ?? "failed";
  const waited = `not ${GOAL[until]} after ${formatDuration(wait_ms)}`;
  if (phase.tag === "running" && until === "ready") return `${waited}: ${phase.ready.verdict.evidence}`;
  return `${waited}: ${publicState(server.state)}${reason ? ` (${reason})` : ""}`;
}
