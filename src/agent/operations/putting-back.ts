import { canonicalJson, specHash } from "../../model/canonical.ts";
import { CONDITION_STATE, isMet } from "../../model/dependency.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import type { Registry } from "../servers/registry.ts";
import { isDown } from "../servers/rest.ts";
import type { Supervised } from "../servers/supervised.ts";
import { standingOf } from "../servers/waiting.ts";
import { type Applied, done, type Request } from "./apply-request.ts";
import { bringUp, patienceOf, verdict, type Wait } from "./bringing-up.ts";
import { stopServer } from "./removing.ts";
import { StartWait } from "./start-wait.ts";

/** A version that does not become ready makes way for the previous one. */

/** What a server was before the change. */
interface Before {
  readonly spec: ServerSpec;
  readonly secrets: SecretValues;
  readonly kept: true | undefined;
  /** It ran, or was about to. */
  readonly ran: boolean;
}

/** A running server with another readiness probe has to satisfy that one too, or gets the one before back. */
export async function updated(
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
  const isSettled = (now: Supervised) => isDown(now) || isMet(standingOf(now), "ready");
  await wait.until(isSettled, gone);
  wait.close();
  const outcome = verdict(server, wait, "ready");
  if (outcome.ok) return done(`changed in place: ${outcome.detail}`);
  if (!rollback || gone.aborted || server.state.phase.tag !== "running") return outcome;
  server.configure(before.spec, before.secrets, { because: outcome.message, kept: before.kept });
  return { ...outcome, message: `${outcome.message}; its previous version is put back` };
}

export async function bringUpOrBack(
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
  // A client that has disconnected decides nothing: a slow server may still come up. And a server that was stopped,
  // by its operator or with its agent, has not shown what the new version is worth.
  if (gone.aborted || registry.isEnding || !server.shouldRun) return outcome;
  const after = isNew
    ? await leaveStopped(server, outcome.message)
    : await putBack(registry, server, before, request, gone, outcome.message);
  return { ...outcome, message: `${outcome.message}${after}` };
}

/** Also for a change that an agent began before it died: then what was before is no longer known. */
function isSame(before: Before, server: Supervised): boolean {
  return specHash(before.spec) === specHash(server.spec);
}

async function leaveStopped(server: Supervised, because: string): Promise<string> {
  if (isDown(server)) return "";
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
    return "; its previous version is put back; it does not run, as before";
  }
  const again = await bringUp(registry, server, "restart", wait, gone);
  return again.ok
    ? `; its previous version is back, and ${CONDITION_STATE[wait.until]}`
    : `; its previous version is put back, but: ${again.message}`;
}
