import { userFolder } from "../../config/find/discover.ts";
import type { Plan } from "../../model/plan.ts";
import { isEmpty } from "../../model/summary.ts";
import { readProject } from "../../system/projects.ts";
import { generationOf } from "../comparing.ts";
import { mayBringBack } from "../consent.ts";
import { type Evaluated, evaluateGeneration, type Setting } from "../evaluating.ts";
import { planWith, withFleet } from "../fleet.ts";
import { type Generation, history, previousGeneration } from "../generations.ts";
import { withLock } from "../locking.ts";
import { readMachine } from "../machine.ts";
import { done, type Outcome, settled, stopped } from "../outcome.ts";
import { type Applied, type ApplyFront, type ApplyOptions, type ApplyWorld, agreed, shown } from "./front.ts";
import { applyAsGeneration } from "./generation.ts";

export interface RollbackRequest extends ApplyOptions {
  readonly project: string;
  /** Undefined: the one before the active one. */
  readonly generation: number | undefined;
  readonly setting: Setting;
  /** Do not ask. */
  readonly yes: boolean;
}

/** Makes what runs match an earlier generation. */
export function rollBack(
  front: ApplyFront,
  world: ApplyWorld,
  request: RollbackRequest,
): Promise<Outcome<Applied>> {
  const options = { note: (text: string) => front.note(text) };
  return settled(front.signal, () =>
    withLock(world.state, request.project, () => rollBackLocked(front, world, request), options),
  );
}

async function rollBackLocked(
  front: ApplyFront,
  world: ApplyWorld,
  request: RollbackRequest,
): Promise<Outcome<Applied>> {
  const { project, yes, waitMs, rollback } = request;
  const { state } = world;
  const ready = await evaluated(state, request);
  if (!ready.ok) return ready;
  const { generation, evaluation } = ready.value;
  return withFleet(world.openFleet(project), async (fleet): Promise<Outcome<Applied>> => {
    const made = await planWith(fleet, evaluation, { state });
    if (!made.ok) return made;
    const plan = made.value;
    const sound = await shown(front, plan);
    if (!sound.ok) return sound;
    const question = `Go back to generation ${generation.number}?`;
    const agreement = await agreed(front, yes || isEmpty(plan) ? [] : [question]);
    if (!agreement.ok) return agreement;
    front.begins?.();
    const rollbackOf = generation.rollbackOf ?? generation.number;
    const application = {
      plan,
      evaluated: evaluation,
      fleet,
      waitMs,
      rollback,
      rollbackOf,
      verb: "Rollback",
    } as const;
    return done({ plan, finals: await applyAsGeneration(front, state, application) });
  });
}

/** What going back would do. Takes no lock, as nothing is changed. */
export function planRollBack(
  world: ApplyWorld,
  request: Pick<RollbackRequest, "project" | "generation" | "setting">,
  signal: AbortSignal,
): Promise<Outcome<{ readonly plan: Plan; readonly generation: Generation }>> {
  const { state } = world;
  return settled(signal, async () => {
    const ready = await evaluated(state, request);
    if (!ready.ok) return ready;
    const { generation, evaluation } = ready.value;
    return withFleet(world.openFleet(request.project), async (fleet) => {
      const made = await planWith(fleet, evaluation, { state });
      return made.ok ? done({ plan: made.value, generation }) : made;
    });
  });
}

/** The generation to go back to, with its secrets looked up again. */
async function evaluated(
  state: string,
  { project, generation: asked, setting }: Pick<RollbackRequest, "project" | "generation" | "setting">,
): Promise<Outcome<{ readonly generation: Generation; readonly evaluation: Evaluated }>> {
  const found = wanted(state, project, asked);
  if (!found.ok) return found;
  const generation = found.value;
  const refusal = await consentRefusal(generation, project, setting);
  if (refusal !== undefined) return stopped("untrusted", refusal);
  return done({ generation, evaluation: await evaluateGeneration(generation, project, setting) });
}

/** The generation with this number, or else the one before the active one. */
function wanted(state: string, project: string, asked: number | undefined): Outcome<Generation> {
  const entries = history(state, project);
  const number = asked ?? previousGeneration(entries);
  if (number === undefined) return stopped("failed", "cannot roll back: there is no earlier generation");
  return generationOf(entries, number, "roll back to");
}

/** A generation's secrets are looked up again, so its commands run again. */
async function consentRefusal(
  { servers, actions = [], clients = [], root }: Generation,
  project: string,
  setting: Setting,
): Promise<string | undefined> {
  const { state, env, consent } = setting;
  const record = readProject(state, project) ?? { root, config: root };
  const ownRoot = userFolder({ env, machine: readMachine(env) });
  if (await mayBringBack([...servers, ...actions], clients, record, { ...consent, state, ownRoot }))
    return undefined;
  return `nobody has agreed to ${record.root}, nothing was done: this generation runs commands for its secrets, or writes into files of editors and assistants; agree with --trust`;
}
