import { userFolder } from "../../config/find/discover.ts";
import { isEmpty } from "../../model/summary.ts";
import { readProject } from "../../system/projects.ts";
import { mayBringBack } from "../consent.ts";
import { evaluateGeneration, type Setting } from "../evaluating.ts";
import { planWith, withFleet } from "../fleet.ts";
import { type Generation, history, previousGeneration, readGeneration } from "../generations.ts";
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
  const { project, setting, yes, waitMs, rollback } = request;
  const { state } = world;
  const found = wanted(state, project, request.generation);
  if (!found.ok) return found;
  const generation = found.value;
  const refusal = await consentRefusal(generation, project, setting);
  if (refusal !== undefined) return stopped("untrusted", refusal);
  const evaluated = await evaluateGeneration(generation, project, setting);
  return withFleet(world.openFleet(project), async (fleet): Promise<Outcome<Applied>> => {
    const made = await planWith(fleet, evaluated, { state });
    if (!made.ok) return made;
    const plan = made.value;
    const sound = await shown(front, plan);
    if (!sound.ok) return sound;
    const question = `Go back to generation ${generation.number}?`;
    const agreement = await agreed(front, yes || isEmpty(plan) ? [] : [question]);
    if (!agreement.ok) return agreement;
    front.begins?.();
    const rollbackOf = generation.rollbackOf ?? generation.number;
    const application = { plan, evaluated, fleet, waitMs, rollback, rollbackOf, verb: "Rollback" } as const;
    return done({ plan, finals: await applyAsGeneration(front, state, application) });
  });
}

/** The generation with this number, or else the one before the active one. */
function wanted(state: string, project: string, asked: number | undefined): Outcome<Generation> {
  const entries = history(state, project);
  const number = asked ?? previousGeneration(entries);
  if (number === undefined) return stopped("failed", "cannot roll back: there is no earlier generation");
  const cannot = `cannot roll back to generation ${number}`;
  if (!entries.some((entry) => entry.number === number))
    return stopped("failed", `${cannot}: there is none; see \`xy history\``);
  const generation = readGeneration(state, project, number);
  return generation ? done(generation) : stopped("failed", `${cannot}: its file cannot be read`);
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
