import type { Backend } from "../../backends/backend.ts";
import type { ActionSecrets } from "../../model/action.ts";
import type { ClientChange } from "../../model/client-plan.ts";
import { type ApplyEvent, type FinalEvent, isFinal } from "../../model/event.ts";
import type { Change, Plan } from "../../model/plan.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { BackendUnreachable } from "../../model/unreachable.ts";
import { apply } from "../../reconciler/apply.ts";
import type { ProjectFleet } from "../fleet.ts";
import type { ApplyFront, ApplyOptions, Verb } from "./front.ts";

/** Servers worked on at once. Most of their time is spent waiting to be ready, so the bound is far above what starts. */
const AT_ONCE = 512;

export interface ToCarryOut extends ApplyOptions {
  readonly plan: Plan;
  readonly fleet: ProjectFleet;
  /** Values of secrets, by server. */
  readonly secrets: Readonly<Record<string, SecretValues>>;
  readonly actionSecrets: ActionSecrets;
  readonly verb: Verb;
}

export interface CarriedOut {
  readonly finals: readonly FinalEvent[];
  /** Every change was done, and no server had to be left out. */
  readonly isWhole: boolean;
}

/** Carries out a plan in view of the front. Call {@link reachSome} before. */
export async function carryOut(front: ApplyFront, what: ToCarryOut): Promise<CarriedOut> {
  const { plan, fleet, secrets, actionSecrets, waitMs, rollback, verb } = what;
  const { signal } = front;
  const { clients } = fleet;
  const writeClient = clients && ((change: ClientChange) => clients.write(change));
  const options = { secrets, actionSecrets, writeClient, waitMs, rollback, signal, concurrency: AT_ONCE };
  const finals: FinalEvent[] = [];
  let isAtEnd = false;
  // Counted here: a front that stops reading early has not seen everything.
  async function* counted(): AsyncGenerator<ApplyEvent, void, void> {
    for await (const event of apply(plan, (kind) => fleet.backend(kind), options)) {
      if (isFinal(event)) finals.push(event);
      yield event;
    }
    isAtEnd = true;
  }
  await front.showProgress(plan, counted(), verb);
  const isDone = isAtEnd && finals.every(({ type }) => type === "done");
  return { finals, isWhole: isDone && plan.unreachable === undefined };
}

/** Throws if none of the backends that have something to do answers: that is one failure, and not one for each server. */
export async function reachSome({ changes, actions }: Plan, fleet: ProjectFleet): Promise<void> {
  const active = changes.filter(({ action }) => action !== "none");
  const kinds = new Set(active.map(kindOf));
  if (actions.some(({ change }) => change !== "none")) kinds.add("agent");
  const failures: BackendUnreachable[] = [];
  for (const kind of kinds) {
    const specs = active.flatMap((change) =>
      kindOf(change) === kind ? (change.desired ?? change.observed?.spec ?? []) : [],
    );
    try {
      await (await fleet.backend(kind)).reach(specs);
    } catch (error) {
      if (!(error instanceof BackendUnreachable)) throw error;
      failures.push(error);
    }
  }
  if (failures[0] && failures.length === kinds.size) throw failures[0];
}

const kindOf = ({ desired, observed }: Change): Backend["kind"] =>
  desired?.backend ?? observed?.backend ?? "agent";
