import { actionKey } from "../../model/action.ts";
import type { FinalEvent } from "../../model/event.ts";
import type { Plan } from "../../model/plan.ts";
import { isEmpty } from "../../model/summary.ts";
import { BackendFailure } from "../../model/unreachable.ts";
import { writeBackendSettings } from "../../system/backend-settings.ts";
import { rememberSeen } from "../consent.ts";
import type { Evaluated } from "../evaluating.ts";
import type { ProjectFleet } from "../fleet.ts";
import { beginGeneration, endGeneration } from "../generations.ts";
import { bindProject } from "../project.ts";
import { carryOut, reachSome } from "./carry-out.ts";
import type { ApplyFront, ApplyOptions, Verb } from "./front.ts";

/** A plan for a project's desired state, to be carried out and recorded as a generation. */
export interface Application extends ApplyOptions {
  readonly plan: Plan;
  readonly evaluated: Evaluated;
  readonly fleet: ProjectFleet;
  readonly verb: Verb;
  /** The project moves to this root. */
  readonly adopts?: boolean;
  /** The generation that a rollback goes back to. */
  readonly rollbackOf?: number;
}

/** Binds the project to its root, and carries the plan out as the project's next generation. */
export async function applyAsGeneration(
  front: ApplyFront,
  state: string,
  application: Application,
): Promise<readonly FinalEvent[]> {
  const { plan, evaluated, rollbackOf, fleet } = application;
  const { desired, files, folders, secrets, actionSecrets } = evaluated;
  // A rollback leaves the project where it is, and its servers their ports.
  if (rollbackOf === undefined) {
    bind(state, application);
    await rename(application);
  }
  // There is nothing to do, and the active generation stays the same.
  if (isEmpty(plan) && plan.rolledBack?.of === rollbackOf) return [];
  await reachSome(plan, fleet);
  front.signal.throwIfAborted();
  const generation = beginGeneration(state, { plan, desired, files, folders, rollbackOf, now: Date.now() });
  const { finals, isWhole } = await carryOut(front, { ...application, secrets, actionSecrets });
  // An interrupted apply did not fail: its generation stays "begun".
  if (isWhole || !front.signal.aborted) endGeneration(state, desired.project, generation, isWhole);
  return finals;
}

/** Binds the project's name to its root, and keeps the ports that its servers were given. */
function bind(state: string, { plan, evaluated, adopts = false }: Application): void {
  const { desired, autoPorts, settings, origin, here, host } = evaluated;
  // Nobody was asked about a plan without changes.
  rememberSeen(state, isEmpty(plan) ? undefined : origin);
  // Before the first change, because it must be possible to undo changes without the configuration.
  writeBackendSettings(state, desired.project, settings);
  // A server that was left out keeps its port, and its request for another one.
  const ports = Object.fromEntries(
    Object.entries(autoPorts).filter(([name]) => !plan.skipped.includes(name)),
  );
  bindProject(state, desired.project, here, { ports, host, now: Date.now(), adopts });
}

/** Records that cannot be renamed now, because their backend does not answer, are renamed by the next apply. */
async function rename({ plan, evaluated, fleet }: Application): Promise<void> {
  const specs = plan.changes.flatMap(({ renamed }) => renamed ?? []);
  const actions = plan.actions.flatMap(({ renamed }) => renamed ?? []);
  if (specs.length === 0 && actions.length === 0) return;
  const known = evaluated.actionSecrets;
  const whole = actions.filter((spec) =>
    Object.entries(spec.env).every(
      ([name, value]) => typeof value === "string" || Object.hasOwn(known[actionKey(spec)] ?? {}, name),
    ),
  );
  const secrets = Object.fromEntries(whole.map((spec) => [actionKey(spec), known[actionKey(spec)] ?? {}]));
  try {
    for (const spec of specs) await (await fleet.backend(spec.backend)).rename?.(spec);
    if (whole.length === 0) return;
    const { actions: holder } = await fleet.backend("agent");
    await holder?.take(plan.project, { set: whole, secrets, remove: [] });
  } catch (error) {
    if (!(error instanceof BackendFailure)) throw error;
  }
}
