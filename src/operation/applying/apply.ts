import { hasUnknownSecret } from "../../model/environment.ts";
import type { ActionChange, Change, Plan } from "../../model/plan.ts";
import { isEmpty } from "../../model/summary.ts";
import { isSeen } from "../consent.ts";
import { type Evaluated, evaluate, type Setting } from "../evaluating.ts";
import { type FleetOptions, type PlanOptions, type ProjectFleet, planWith, withFleet } from "../fleet.ts";
import { withLocks } from "../locking.ts";
import { done, type Outcome, type Stop, settled, stopped } from "../outcome.ts";
import { projectsToMove, rootRefusal } from "../project.ts";
import { type Applied, type ApplyFront, type ApplyOptions, type ApplyWorld, agreed, shown } from "./front.ts";
import { applyAsGeneration } from "./generation.ts";
import { moveProjects } from "./move.ts";

export interface ApplyRequest extends ApplyOptions, Omit<PlanOptions, "state"> {
  readonly setting: Setting;
  readonly fleet?: Omit<FleetOptions, "settings">;
  /**
   * Which plans need a yes. `changes`: all that change something. `lasting`: those that do something which stopping the
   * new servers does not take back. `unseen`: those of a configuration that was never applied or agreed to. `none`: no
   * plan does.
   */
  readonly asksAbout: "changes" | "lasting" | "unseen" | "none";
  /** Sees the plan before it is shown, and may stop the apply. */
  readonly review?: (plan: Plan) => Stop | undefined;
}

/** Makes what runs match the configuration: evaluate, lock, plan, ask, carry out, record. */
export function applyConfiguration(
  front: ApplyFront,
  world: ApplyWorld,
  request: ApplyRequest,
): Promise<Outcome<Applied>> {
  return settled(front.signal, async () => {
    const evaluation = await evaluate(request.setting);
    if (!evaluation.ok) return { ok: false, stop: { why: "invalid", evaluation } };
    const evaluated = await withAppliedSecrets(evaluation.value, world.state);
    const refusal = rootRefusal(world.state, evaluated, request);
    if (refusal !== undefined) return stopped("failed", refusal);
    const moving = projectsToMove(world.state, evaluated, request);
    if (typeof moving === "string") return stopped("usage", moving);
    const { desired, settings } = evaluated;
    const locked = () =>
      withFleet(world.openFleet(desired.project, { ...request.fleet, settings }), (fleet) =>
        applyLocked(front, world, request, { evaluated, moving, fleet }),
      );
    const options = { note: (text: string) => front.note(text) };
    return withLocks(world.state, [desired.project, ...moving], locked, options);
  });
}

interface Ready {
  readonly evaluated: Evaluated;
  /** Projects that move into this one. */
  readonly moving: readonly string[];
  readonly fleet: ProjectFleet;
}

async function applyLocked(
  front: ApplyFront,
  world: ApplyWorld,
  request: ApplyRequest,
  { evaluated, moving, fleet }: Ready,
): Promise<Outcome<Applied>> {
  const { waitMs, rollback, adopts = false, only, except, strict = false } = request;
  const { state } = world;
  const made = await planWith(fleet, evaluated, { state, only, except, strict, adopts });
  if (!made.ok) return made;
  const plan = made.value;
  const stop = request.review?.(plan);
  if (stop !== undefined) return { ok: false, stop };
  const sound = await shown(front, plan);
  if (!sound.ok) return sound;
  const hasWork = !isEmpty(plan) || moving.length > 0;
  const agreement = await agreed(
    front,
    hasWork ? questions(plan, request, isSeen(state, evaluated.origin)) : [],
  );
  if (!agreement.ok) return agreement;
  front.begins?.();
  const moved = await moveProjects(front, world, moving, { plan, fleet });
  if (!moved.ok) return moved;
  const application = { plan, evaluated, fleet, waitMs, rollback, adopts, verb: "Apply" } as const;
  return done({ plan, finals: await applyAsGeneration(front, state, application) });
}

const APPLY = "Apply these changes?";

/** An earlier generation may run on purpose, so leaving it is a question of its own. */
function questions(plan: Plan, { asksAbout }: ApplyRequest, seen: boolean): string[] {
  if (asksAbout === "none") return [];
  if (asksAbout === "unseen") return seen ? [] : [APPLY];
  if (asksAbout === "lasting" && seen && isTakenBack(plan)) return [];
  if (!plan.rolledBack) return [APPLY];
  const { generation, of } = plan.rolledBack;
  return [APPLY, `Generation ${generation}, a rollback to ${of}, is active. Return to the configuration?`];
}

/** Stopping the new servers leaves nothing of it except records. */
function isTakenBack({ changes, actions, rolledBack }: Plan): boolean {
  const isNew = ({ action }: Change) => action === "none" || action === "add" || action === "start";
  const isAdded = ({ change }: ActionChange) => change === "none" || change === "add";
  return changes.every(isNew) && actions.every(isAdded) && !rolledBack;
}

/** The same, with the values that were applied last where a secret was not looked up. */
async function withAppliedSecrets(evaluated: Evaluated, state: string): Promise<Evaluated> {
  const { desired, unread } = evaluated;
  const envs = [...desired.servers, ...desired.actions];
  if (Object.keys(unread).length === 0 && !envs.some(({ env }) => hasUnknownSecret(env))) return evaluated;
  const { withKeptSecrets } = await import("../kept-secrets.ts");
  return withKeptSecrets(evaluated, state);
}
