import { clientLabel } from "../../model/client-plan.ts";
import type { Plan } from "../../model/plan.ts";
import { isEmpty } from "../../model/summary.ts";
import { BackendFailure, BackendUnreachable } from "../../model/unreachable.ts";
import { type ProjectFleet, planWith, withFleet } from "../fleet.ts";
import { withLock } from "../locking.ts";
import { done, type Outcome, settled, stopped } from "../outcome.ts";
import { nothingDesired } from "../planning.ts";
import { forgetProject } from "../project.ts";
import { carryOut, reachSome } from "./carry-out.ts";
import { type Applied, type ApplyFront, type ApplyWorld, agreed, shown } from "./front.ts";

/** Stops and removes all servers and actions of a project, by its records, and forgets the project. */
export function destroy(
  front: ApplyFront,
  world: ApplyWorld,
  { project, yes }: { readonly project: string; readonly yes: boolean },
): Promise<Outcome<Applied>> {
  const review = async (plan: Plan): Promise<Outcome<undefined>> => {
    const sound = await shown(front, plan);
    if (!sound.ok) return sound;
    return agreed(front, yes || isEmpty(plan) ? [] : [`Remove all of project ${project}?`]);
  };
  const options = { removes: true, note: (text: string) => front.note(text) };
  return settled(front.signal, () =>
    withLock(world.state, project, () => removeProject(front, world, project, review), options),
  );
}

/** As {@link destroy}, for a caller that holds the lock. `review` sees the plan first, and may stop it. */
export async function removeProject(
  front: ApplyFront,
  world: ApplyWorld,
  project: string,
  review: (plan: Plan) => Promise<Outcome<undefined>>,
): Promise<Outcome<Applied>> {
  const removed = await withFleet(world.openFleet(project), async (fleet) => {
    const made = await removalPlan(world.state, fleet, project);
    if (!made.ok) return made;
    const plan = made.value;
    const reviewed = await review(plan);
    if (!reviewed.ok) return reviewed;
    front.begins?.();
    await reachSome(plan, fleet);
    const nothing = { secrets: {}, actionSecrets: {}, waitMs: 0, rollback: false };
    const carried = await carryOut(front, { plan, fleet, ...nothing, verb: "Destroy" });
    const { finals } = carried;
    const isWhole = carried.isWhole && brokenClients(plan).length === 0;
    const forgotten = isWhole ? await forgetTyped(fleet, project) : undefined;
    return forgotten ?? done({ plan, finals, isWhole });
  });
  if (!removed.ok) return removed;
  const { plan, finals, isWhole } = removed.value;
  if (isWhole) forgetProject(world.state, project);
  const left = [...(plan.unreachable ?? []).flatMap(({ servers }) => servers), ...brokenClients(plan)];
  if (left.length > 0)
    return stopped(
      "unreachable",
      `not everything could be removed: ${left.join(", ")}; do it again once that can be reached`,
    );
  return done({ plan, finals });
}

/** Those whose files have entries of the project, and cannot be used. */
const brokenClients = ({ clients = [] }: Plan): string[] =>
  clients.flatMap(({ client, fault }) => (fault === undefined ? [] : [clientLabel(client)]));

/** The plan that removes everything that a project has, whatever is declared. */
async function removalPlan(state: string, fleet: ProjectFleet, project: string): Promise<Outcome<Plan>> {
  const none = { desired: nothingDesired(project, ""), diagnostics: [], warnings: [] };
  const made = await planWith(fleet, none, { state });
  if (!made.ok) return made;
  const { rolledBack: _, ...plan } = made.value;
  return done({ ...plan, changes: plan.changes.map((change) => ({ ...change, reasons: [] })) });
}

/** Jobs of typed commands belong to no action, so no change of the plan removes them. */
async function forgetTyped(fleet: ProjectFleet, project: string): Promise<Outcome<never> | undefined> {
  try {
    await (await fleet.backend("agent")).actions?.forgetTyped?.(project);
    return undefined;
  } catch (error) {
    if (error instanceof BackendUnreachable || !(error instanceof BackendFailure)) throw error;
    return stopped("failed", error.message);
  }
}
