import type { ActionSpec } from "../model/action.ts";
import { type ClientChange, withoutServers } from "../model/client-plan.ts";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import type { Observed } from "../model/observed.ts";
import type { ActionChange, Desired, Plan } from "../model/plan.ts";
import type { Selectable } from "../model/selector.ts";
import { diff, keptServers } from "./diff.ts";
import { diffActions, ownerOf } from "./diff-actions.ts";
import { type Selection, select } from "./select.ts";

/** What a plan covers besides servers. */
interface Beside {
  /** The actions that the agent knows. */
  readonly recorded?: readonly ActionSpec[] | undefined;
  /** What differs in the files of clients. */
  readonly clients?: readonly ClientChange[];
}

/**
 * The plan that makes what exists match what is declared. `diagnostics` are the preflight problems: those of servers and
 * actions outside the selection are dropped, since nothing is done to them. Fails if a selected name is neither declared
 * nor recorded.
 */
export function buildPlan(
  desired: Desired,
  observed: readonly Observed[],
  diagnostics: readonly Diagnostic[] = [],
  selection: Selection = {},
  { recorded = [], clients = [] }: Beside = {},
): Result<Plan> {
  const changes = diff(desired, observed);
  const kept = keptServers(desired, observed);
  const actions = diffActions(desired.actions, recorded, desired.former);
  const planned = [
    ...changes.map(({ server, desired, observed }) => ({
      name: server,
      ...tagsOf(desired ?? observed?.spec),
    })),
    ...actions.map((one) => ({ name: ownerOf(one), ...actionTags(one) })),
    ...clients.flatMap(({ entries }) => entries.map(({ server }) => ({ name: server, tags: [] }))),
  ];
  const all = byName([...planned, ...kept.map(({ name, spec }) => ({ name, ...tagsOf(spec) }))]);
  const alone = actions.some(
    ({ desired: declared, recorded: known }) => (declared ?? known)?.server === null,
  );
  const { skipped: left, problems } = select(all, selection, alone ? ["server", "action"] : ["server"]);
  if (problems.length > 0) return { ok: false, problems };
  // The plan would do nothing about the others anyway.
  const skipped = left.filter((left) => planned.some(({ name }) => name === left));
  const plan: Plan = {
    version: 1,
    project: desired.project,
    root: desired.root,
    changes: changes.filter(({ server }) => !skipped.includes(server)),
    actions: actions.filter((action) => !skipped.includes(ownerOf(action))),
    diagnostics: diagnostics.filter(({ server, action }) => !skipped.includes(server ?? action ?? "")),
    skipped,
    ...(kept.length > 0 ? { kept } : {}),
    ...(clients.length > 0 ? { clients: withoutServers(clients, (name) => skipped.includes(name)) } : {}),
  };
  return { ok: true, value: plan, warnings: [] };
}

const tagsOf = (spec: { readonly tags: readonly string[] } | undefined) => ({ tags: spec?.tags ?? [] });

/** Of an action that stands alone; a server's are selected by the server's. */
function actionTags({ desired, recorded }: ActionChange) {
  const spec = desired ?? recorded;
  return tagsOf(spec?.server === null ? spec : undefined);
}

/** Each name once, with all its tags: a server and an action may share it. */
function byName(all: readonly Selectable[]): Selectable[] {
  const found = new Map<string, Set<string>>();
  for (const { name, tags } of all) found.set(name, new Set([...(found.get(name) ?? []), ...tags]));
  return [...found].map(([name, tags]) => ({ name, tags: [...tags] }));
}
