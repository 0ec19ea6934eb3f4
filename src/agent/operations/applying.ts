import { unknownFields } from "../../model/canonical.ts";
import { waitsText } from "../../model/dependency.ts";
import { understood, unusable } from "../../model/expression.ts";
import type { Missing } from "../../model/observed.ts";
import { LONGEST_PATIENCE } from "../../model/patience.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { isInactive } from "../../model/states.ts";
import { notKnown, RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { publicState } from "../../supervisor/state.ts";
import type { Registry } from "../servers/registry.ts";
import { isDown } from "../servers/rest.ts";
import type { Supervised } from "../servers/supervised.ts";
import { isOwed } from "../servers/waiting.ts";
import { type Applied, type Asked, done, type Request } from "./apply-request.ts";
import { dependenciesBound } from "./bringing-up.ts";
import { bringUpOrBack, updated } from "./putting-back.ts";
import { removeServer, stopServer } from "./removing.ts";
import { wholeServer } from "./whole-spec.ts";

/** Carries out one change of a plan. `gone`: the client has disconnected, and the waiting ends. */
export async function applyChange(registry: Registry, asked: Asked, gone: AbortSignal): Promise<Applied> {
  return carryOut(registry, await filledIn(asked), gone);
}

/** Of what a client leaves out, the default. */
export async function filledIn({ spec, wait_ms, ...asked }: Asked): Promise<Request> {
  const wait = wait_ms === undefined ? { wait_ms: LONGEST_PATIENCE, while_progress: true } : { wait_ms };
  return { ...asked, ...wait, ...(spec === undefined ? {} : { spec: await wholeServer(asked, spec) }) };
}

/** `admit`: throws if an existing server of that name must stay as it is. */
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
          ran: !isDown(found) || isOwed(found),
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
function renamed(request: Request, found: Supervised | undefined): Applied {
  if (found === undefined || found.unreadable || request.action !== "update")
    throw new RpcError(
      RPC_ERRORS.invalidParams,
      `cannot rename places of ${request.server}: the agent does not know it`,
    );
  found.rename(specOf(request));
  return done("changed in place");
}

/** The spec, which must be of the server that is named: what runs is found again by that name alone. */
function specOf({ spec, server, project }: Request): ServerSpec {
  if (spec?.name !== server || spec.project !== project)
    throw new RpcError(RPC_ERRORS.invalidParams, "cannot apply: the spec is missing, or of another server");
  return spec;
}

/** A pattern that another version applied stays, and its fault is shown as its readiness; a new one must be valid. */
async function refuseUnusable({ spec }: Request): Promise<void> {
  if (spec?.readiness.type !== "log") return;
  const pattern = await understood(spec.readiness.pattern);
  if (!pattern.ok)
    throw new RpcError(RPC_ERRORS.invalidParams, `cannot apply ${spec.name}: ${unusable(pattern.fault)}`);
}

function refuseAtEnd({ isEnding }: Registry): void {
  if (isEnding) throw new RpcError(RPC_ERRORS.internalError, "cannot apply: the agent is being stopped");
}

/** What runs or is about to run keeps its starter, also with another spec. */
function ownWhatIsStarted(server: Supervised, { session, kept }: Request): void {
  const state = publicState(server.state);
  if (!isInactive(state) && state !== "stopping") return;
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
  const applies = action === "restart" && spec !== undefined && wait.wait_ms > 0 && !isDown(found);
  return applies ? waiting.lacking(spec, dependenciesBound(wait), gone) : [];
}

function leftAlone(missing: Missing[]): Applied {
  const message = `left as it is, since the new version ${waitsText(missing)}`;
  return { ok: false, message, last_lines: [], waits_for: missing };
}

/** Writes the spec down, for a new server or one that is there. */
function takeOver(registry: Registry, request: Request, found: Supervised | undefined): Supervised {
  const { secrets, held, kept } = request;
  const spec = specOf(request);
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
