import type { ClientState, DesiredClient } from "../model/client-plan.ts";
import type { Observed } from "../model/observed.ts";
import type { Change, Desired, Plan } from "../model/plan.ts";
import type { ServerSpec } from "../model/spec.ts";
import { diffClients } from "./diff-clients.ts";
import { buildPlan } from "./plan.ts";

/** Two states of one project that were applied. */
interface Between {
  readonly project: string;
  readonly before: Pick<Desired, "servers" | "actions" | "clients">;
  readonly after: Pick<Desired, "servers" | "actions" | "clients">;
}

/**
 * What differs between two states that were applied, as the plan that leads from one to the other: `add`, `update` and
 * `remove`, whatever ran. Pure; no process and no file is looked at.
 */
export function between({ project, before, after }: Between): Plan {
  const desired: Desired = { project, root: "", leavesNothing: true, ...after };
  const observed = before.servers.map((spec) => resting({ ...spec, project }));
  const { changes: clients } = diffClients(clientStates(before.clients ?? [], after.clients ?? [], project), {
    project,
    adopts: false,
  });
  const built = buildPlan(desired, observed, [], {}, { recorded: before.actions, clients });
  // Without a selection nothing can be wrong with one.
  if (!built.ok) throw new Error(built.problems.map(({ message }) => message).join("; "));
  return { ...built.value, changes: built.value.changes.map(declared) };
}

/** Without what a process would make of it. */
function declared({ observed: _, reasons, action, fields, ...change }: Change): Change {
  const isWhole = action === "add" || action === "remove";
  return {
    ...change,
    fields,
    action: isWhole ? action : fields.length > 0 ? "update" : "none",
    reasons: reasons.filter(({ kind }) => kind === "moved"),
    held: false,
    breaksSessions: false,
  };
}

/** A server that has been applied, and of which nothing else is known. */
function resting(spec: ServerSpec): Observed {
  const unknown = { status: "unknown", evidence: "", at: 0 } as const;
  return {
    ...{ name: spec.name, project: spec.project, backend: spec.backend, spec },
    ...{ state: "stopped", operator: null, since: 0, ready: unknown, healthy: unknown },
  };
}

function clientStates(
  before: readonly DesiredClient[],
  after: readonly DesiredClient[],
  project: string,
): ClientState[] {
  const key = ({ client, scope }: DesiredClient) => `${client} ${scope}`;
  const all = new Map([...before, ...after].map((one) => [key(one), one]));
  return [...all.values()].map((one) => {
    const of = (list: readonly DesiredClient[]) =>
      list.find((other) => key(other) === key(one))?.entries ?? [];
    return {
      ...{ client: one.client, scope: one.scope, file: "", missing: [] },
      wanted: of(after).map(({ server, name, url }) => ({ server, name, value: { url } })),
      entries: of(before).map(({ server, name, url }) => ({
        ...{ name, value: { url }, owner: { project, server }, isChanged: false },
      })),
    };
  });
}
