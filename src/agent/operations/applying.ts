import { canonicalJson, specHash, unknownFields } from "../../model/canonical.ts";
import { hasCompleted, isMet, waitsText } from "../../model/dependency.ts";
import { understood, unusable } from "../../model/expression.ts";
import { leftText } from "../../model/leftover.ts";
import { formatExit, type Missing } from "../../model/observed.ts";
import {
  atMost,
  DEPENDENCIES_PATIENCE,
  LONGEST_PATIENCE,
  type Patience,
  patienceFor,
} from "../../model/patience.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { GOAL, givenUpText, type StartProgress } from "../../model/start-report.ts";
import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";
import { notKnown, RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { publicState } from "../../supervisor/state.ts";
import { causeText } from "../../system/shortage.ts";
import type { Registry } from "../servers/registry.ts";
import { isAtRest, type Supervised } from "../servers/supervised.ts";
import { isOwed, standingOf } from "../servers/waiting.ts";
import { awaitRest, awaitStart } from "./operations.ts";
import { causeOf, StartWait } from "./start-wait.ts";
import { wholeServer } from "./whole-spec.ts";

/** `tell`: told how a start is getting on. */
export type Asked = ParsedParams<"apply"> & { readonly tell?: (progress: StartProgress) => void };
/** With nothing left out. `kept`: what is added is declared by no configuration. */
export type Request = Omit<Asked, "spec" | "wait_ms"> & {
  readonly spec?: ServerSpec | undefined;
  readonly wait_ms: number;
  readonly kept?: true;
};
export type Applied = ResultOf<"apply">;

const done = (detail: string): Applied => ({ ok: true, detail });

/** Carries out one change of a plan. `gone`: whoever waited for it is gone, and the waiting ends. */
export async function applyChange(registry: Registry, asked: Asked, gone: AbortSignal): Promise<Applied> {
  return carryOut(registry, await filledIn(asked), gone);
}

/** Of what a client leaves out, the default. */
export async function filledIn({ spec, wait_ms, ...asked }: Asked): Promise<Request> {
  const wait = wait_ms === undefined ? { wait_ms: LONGEST_PATIENCE, while_progress: true } : { wait_ms };
  return { ...asked, ...wait, ...(spec === undefined ? {} : { spec: await wholeServer(asked, spec) }) };
}

/** `admit`: throws where a server of that name must stay as it is. */
export async function carryOut(
  registry: Registry,
  request: Request,
  gone: AbortSignal,
  admit: (present: Supervised) => void = () => {},
): Promise<Applied> {
  const { project, server: name, action } = request;
  refuseAtEnd(registry);
  const found = registry.find(name, project);
  const before =
    found && !found.unreadable
      ? {
          spec: found.spec,
          secrets: found.secrets,
          kept: found.kept,
          ran: !isAtRest(found) || isOwed(found),
        }
      : undefined;
  if (action === "remove") return found ? removeServer(registry, found) : done("was not there");
  if (request.renamed) return renamed(request, found);
  await refuseUnusable(request);
  const missing = found ? await missingForRestart(registry, found, request, gone) : [];
  if (missing.length > 0) return leftAlone(missing);
  refuseAtEnd(registry);
  // Whatever came meanwhile.
  const present = registry.find(name, project);
  if (present) admit(present);
  const server = takeOver(registry, request, present);
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

/** Its secrets are those that it has. */
function renamed({ spec, server: name, action }: Request, found: Supervised | undefined): Applied {
  if (spec === undefined || found === undefined || found.unreadable || action !== "update")
    throw new RpcError(RPC_ERRORS.invalidParams, `cannot rename places of ${name}: nothing is known of it`);
  found.rename(spec);
  return done("changed in place");
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
function ownWhatIsStarted(server: Supervised, { session, kept }: Request): void {
  const state = publicState(server.state);
  if (state !== "stopped" && state !== "failed" && state !== "stopping") return;
  if (kept) server.setStarter({ by: "operator" });
  else server.setStarter(session ? { by: "session", session } : { by: "apply" });
}

/** What runs is not ended for a version that would have to wait: what that would wait for. */
async function missingForRestart(
  { waiting }: Registry,
  found: Supervised,
  { action, spec, ...wait }: Request,
  gone: AbortSignal,
): Promise<Missing[]> {
  const applies = action === "restart" && spec !== undefined && wait.wait_ms > 0 && !isAtRest(found);
  return applies ? waiting.lacking(spec, dependenciesBound(wait), gone) : [];
}

function leftAlone(missing: Missing[]): Applied {
  const message = `left as it is, since the new version ${waitsText(missing)}`;
  return { ok: false, message, last_lines: [], waits_for: missing };
}

/** A running server with another readiness probe has to satisfy that one too, or gets the one before back. */
async function updated(
  server: Supervised,
  before: Before | undefined,
  { rollback, ...request }: Request,
  gone: AbortSignal,
): Promise<Applied> {
  const isNewQuestion =
    before !== undefined && canonicalJson(before.spec.readiness) !== canonicalJson(server.spec.readiness);
  if (!isNewQuestion || request.wait_ms === 0 || server.state.phase.tag !== "running")
    return done("changed in place");
  const { tell } = request;
  const wait = new StartWait(server, { patience: patienceOf(request, server, rollback), tell });
  const isSettled = (now: Supervised) => isAtRest(now) || isMet(standingOf(now), "ready");
  await wait.until(isSettled, gone);
  wait.close();
  const outcome = verdict(server, wait, "ready");
  if (outcome.ok) return done(`changed in place: ${outcome.detail}`);
  if (!rollback || gone.aborted || server.state.phase.tag !== "running") return outcome;
  server.configure(before.spec, before.secrets, { because: outcome.message, kept: before.kept });
  return { ...outcome, message: `${outcome.message}; its previous version is put back` };
}

/** What a server was before the change. */
interface Before {
  readonly spec: ServerSpec;
  readonly secrets: SecretValues;
  readonly kept: true | undefined;
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
  const isNew = before === undefined || (action === "add" && isSame(before, server));
  const putsBack = rollback && !isNew && before.ran && !isSame(before, server);
  const how = action === "restart" ? "restart" : "start";
  const outcome = await bringUp(registry, server, how, { ...request, putsBack }, gone);
  if (outcome.ok || outcome.waits_for || !rollback || wait_ms === 0) return outcome;
  // Whoever is gone decides nothing any more: a slow server may still come up. And a server that was told to rest,
  // by its operator or with its agent, has not shown what the new version is worth.
  if (gone.aborted || registry.isEnding || !server.shouldRun) return outcome;
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
  server.configure(before.spec, before.secrets, { because, kept: before.kept });
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
  const { spec, secrets, held, kept } = request;
  if (!spec || spec.name !== request.server || spec.project !== request.project) {
    throw new RpcError(RPC_ERRORS.invalidParams, "cannot apply: the spec is missing, or of another server");
  }
  const unknown = unknownFields(spec);
  if (unknown.length > 0) throw notKnown(spec.name, unknown);
  if (!found) {
    const added = registry.add(spec, secrets, kept);
    if (held) added.setOperator("stop");
    return added;
  }
  found.configure(spec, secrets, { kept });
  // A person who adds it again wants it to run.
  if (kept && !held && found.operator === "stop") found.setOperator(null);
  return found;
}

/** `reason`: why. */
export async function removeServer(
  registry: Registry,
  server: Supervised,
  reason = "an apply removes it",
): Promise<Applied> {
  const ran = !isAtRest(server);
  server.cease("stop", { reason });
  await awaitRest(server);
  if (!isAtRest(server)) {
    throw new RpcError(
      RPC_ERRORS.internalError,
      `cannot remove ${server.spec.name}: somebody started it again meanwhile`,
    );
  }
  const left = leftText(server.leftovers);
  try {
    await registry.remove(server);
  } catch (error) {
    throw new RpcError(
      RPC_ERRORS.internalError,
      `cannot remove ${server.spec.name}: ${causeText(error)}; it is stopped, and stays recorded`,
    );
  }
  return done(`${ran ? "stopped and removed" : "removed"}${left === undefined ? "" : `; ${left}`}`);
}

async function stopServer(server: Supervised, wish?: Parameters<Supervised["cease"]>[1]): Promise<Applied> {
  const ran = !isAtRest(server);
  const why = server.operator === "stop" ? "its operator holds it" : "its configuration wants it stopped";
  server.cease("stop", wish ?? { reason: `an apply stopped it: ${why}` });
  await awaitRest(server);
  if (server.operator === "stop") return done(ran ? "stopped: it is held" : "not started: it is held");
  return done(ran ? "stopped" : "not started: it is wanted stopped");
}

/** What a start is waited for, and how long. `putsBack`: a version that ran comes back when this one does not come up. */
type Wait = Pick<Request, "until" | "wait_ms" | "while_progress" | "tell"> & { readonly putsBack?: boolean };

function patienceOf(
  { wait_ms, while_progress }: Pick<Request, "wait_ms" | "while_progress">,
  { spec }: Supervised,
  putsBack = false,
): Patience {
  if (!while_progress) return patienceFor(wait_ms, spec, { putsBack });
  return atMost(wait_ms, patienceFor(undefined, spec, { putsBack }));
}

const dependenciesBound = ({ wait_ms, while_progress }: Pick<Request, "wait_ms" | "while_progress">) =>
  while_progress ? Math.min(wait_ms, DEPENDENCIES_PATIENCE) : wait_ms;

/** Starts the server as soon as what it depends on allows it; a wait for that is within the wait for the server. */
async function bringUp(
  { waiting }: Registry,
  server: Supervised,
  action: "start" | "restart",
  wait: Wait,
  gone: AbortSignal,
): Promise<Applied> {
  const start = new StartWait(server, { patience: patienceOf(wait, server, wait.putsBack), tell: wait.tell });
  try {
    if ((action === "restart" && !isAtRest(server)) || server.isOutdated)
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
        : isAtRest(now) || waitsForResume(now) || isMet(standingOf(now), wait.until);
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
function verdict(server: Supervised, wait: StartWait, until: Request["until"]): Applied {
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
