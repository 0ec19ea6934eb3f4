import type { Change, Plan } from "../../model/plan.ts";
import type { ProjectFleet } from "../fleet.ts";
import { done, type Outcome, stopped } from "../outcome.ts";
import { reachSome } from "./carry-out.ts";
import { removeProject } from "./destroy.ts";
import type { ApplyFront, ApplyWorld } from "./front.ts";

/** Moving projects that this configuration was applied as before, by other names, into the one of `plan`. */
export async function moveProjects(
  front: ApplyFront,
  world: ApplyWorld,
  names: readonly string[],
  { plan, fleet }: { readonly plan: Plan; readonly fleet: ProjectFleet },
): Promise<Outcome<undefined>> {
  if (names.length === 0) return done(undefined);
  // If the new project cannot be applied, the old one stays as it is.
  await reachSome(plan, fleet);
  const { project } = plan;
  const moved: Change[] = [];
  for (const name of names) {
    // Their entries stay as they are: the plan of this project has seen to them.
    await fleet.clients?.takeFrom(name);
    const keepAll = async (removal: Plan): Promise<Outcome<undefined>> => {
      const kept = keptIn(removal, plan);
      moved.push(...kept);
      // Held until it has stopped in the old project. An interruption in between leaves it twice rather than not at all.
      return keep(
        front,
        fleet,
        kept.map((change) => ({ ...change, held: true })),
      );
    };
    const removed = await removeProject(front, world, name, keepAll);
    if (!removed.ok) return removed;
    // What is left of it would be in the way.
    if (removed.value.finals.some(({ type }) => type !== "done"))
      return stopped(
        "failed",
        `nothing of project ${project} was applied: project ${name} could not be removed`,
      );
  }
  const started = await keep(
    front,
    fleet,
    moved.filter(({ held }) => !held),
  );
  if (!started.ok) return started;
  // The removal has just reported these as removed, too.
  for (const { server } of moved) front.showMoved(server, project);
  return done(undefined);
}

/** Servers that no configuration declares, as they are added to the new project. One of the same name there wins. */
function keptIn({ changes }: Plan, { project, changes: declared }: Plan): Change[] {
  return changes.flatMap(({ server, observed, held }) => {
    if (!observed?.kept || observed.spec === undefined) return [];
    if (declared.some((one) => one.server === server)) return [];
    const desired = { ...observed.spec, project };
    const base = { reasons: [], fields: [], breaksSessions: false, kept: true } as const;
    return [{ server, action: "add", desired, held, ...base } as const];
  });
}

async function keep(
  { signal }: ApplyFront,
  fleet: ProjectFleet,
  changes: readonly Change[],
): Promise<Outcome<undefined>> {
  for (const change of changes) {
    const agent = await fleet.backend("agent");
    const result = await agent.perform(change, { secrets: {}, waitMs: 0, signal });
    if (!result.ok)
      return stopped(
        "failed",
        `cannot move ${change.server}, which no configuration declares: ${result.message}`,
      );
  }
  return done(undefined);
}
