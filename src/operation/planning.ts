import type { Backend } from "../backends/backend.ts";
import type { ActionSpec } from "../model/action.ts";
import { unknownFields } from "../model/canonical.ts";
import { withoutServers } from "../model/client-plan.ts";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import type { Observed } from "../model/observed.ts";
import { own } from "../model/own.ts";
import type { Change, Desired, Plan, Unreachable } from "../model/plan.ts";
import { BackendUnreachable } from "../model/unreachable.ts";
import { diffClients } from "../reconciler/diff-clients.ts";
import { buildPlan } from "../reconciler/plan.ts";
import type { Selection } from "../reconciler/select.ts";
import { lostRoots, lostRootText, recordedProjects } from "../system/projects.ts";
import { setAsides, setAsideText } from "../system/set-asides.ts";
import type { ClientFiles } from "./client-files.ts";
import type { Evaluated } from "./evaluating.ts";
import { activeGeneration } from "./generations.ts";
import { leftBehind, leftBehindText } from "./left-behind.ts";
import { otherKey } from "./other-key.ts";
import { heldPorts, strangersWelcome } from "./port-checks.ts";

/** What a plan is made from. */
export type ToPlan = Pick<Evaluated, "desired" | "diagnostics" | "warnings"> &
  Partial<Pick<Evaluated, "place" | "secrets" | "here">>;

/** What else a plan is made with. */
export interface PlanRequest {
  /** All that have servers of the project, or are to have some. */
  readonly backends: readonly Backend[];
  /** Names of the project's servers that a backend has on record. */
  readonly recorded: (kind: Backend["kind"]) => readonly string[];
  /** Absent: nothing is planned for the files of clients. */
  readonly clients?: ClientFiles;
  readonly selection: Selection;
  readonly state: string;
  /** What a backend cannot express is an error, also of servers that match. */
  readonly strict?: boolean;
  /** What the configuration was applied as before, by another name, is removed first. */
  readonly adopts?: boolean;
}

/**
 * The difference between what is desired and what runs, with every preflight problem. Servers whose backend does not
 * answer are left out, and listed in the plan.
 */
export async function makePlan(evaluated: ToPlan, request: PlanRequest): Promise<Result<Plan>> {
  const { backends, selection, state } = request;
  const { observed, actions, unreachable } = await observeAll(evaluated.desired, request);
  const lost = new Set(unreachable.flatMap(({ servers }) => servers));
  const isReached = ({ server }: ActionSpec) => server === null || !lost.has(server);
  const desired = {
    ...evaluated.desired,
    servers: evaluated.desired.servers.filter(({ name }) => !lost.has(name)),
    // Only the agent knows the actions. Those of a server that is left out are left out with it.
    actions: actions === undefined ? [] : evaluated.desired.actions.filter(isReached),
  };
  const reachable = observed.filter(({ name }) => !lost.has(name));
  const { adopts = false } = request;
  const known = evaluated.here ? leftBehind(state, desired.project, evaluated.here) : [];
  const former = adopts ? known.map(({ project }) => project) : [];
  const ofClients = await clientChanges(desired, request, { lost, former });
  const diagnostics = [...evaluated.warnings, ...evaluated.diagnostics, ...ofClients.diagnostics].filter(
    ({ server }) => server === undefined || !lost.has(server),
  );
  const chosen = withoutNames(selection, lost);
  const built = chosen
    ? buildPlan(desired, reachable, diagnostics, chosen, {
        recorded: actions?.filter(isReached),
        clients: ofClients.changes,
      })
    : buildPlan({ ...desired, servers: [], actions: [] }, [], diagnostics);
  if (!built.ok) return built;
  const changes = await Promise.all(built.value.changes.map((change) => withUnit(change, backends)));
  const remarks = changes.flatMap((change) =>
    remarksOn(change, backends, evaluated, request.strict ?? false),
  );
  const units = changes.flatMap(unitDiagnostics);
  const unknown = reachable.flatMap(unknownFieldsOf);
  const hints = hintsOn(changes, backends);
  const projects = recordedProjects(state);
  const left = { left: known, moves: adopts, projects };
  const held = await heldPorts(changes, reachable, left);
  const renames = known.map(
    (one): Diagnostic => ({
      // Nobody moves a folder to have its servers twice.
      severity: one.movedFrom === undefined || adopts ? "warning" : "error",
      message: leftBehindText(one, { moves: adopts, to: desired.project }),
    }),
  );
  const welcome = changes.flatMap(strangersWelcome);
  const away = await managersAway(changes, backends);
  const latest = activeGeneration(state, desired.project);
  const rolledBack =
    latest?.rollbackOf === undefined
      ? {}
      : { rolledBack: { generation: latest.number, of: latest.rollbackOf } };
  // The root of this project is here, and so is what was moved here.
  const here = new Set([desired.project, ...known.map(({ project }) => project)]);
  const others = projects.filter((project) => !here.has(project));
  const rootless = lostRoots(state, others).map(
    (lost): Diagnostic => ({ severity: "warning", message: lostRootText(lost) }),
  );
  const damaged = setAsides(state, desired.project).flatMap((one): Diagnostic[] =>
    one.lost === null ? [] : [{ severity: "warning", message: setAsideText(one) }],
  );
  const all = [
    ...damaged,
    ...otherKey(changes, evaluated.secrets ?? {}, state),
    ...built.value.diagnostics,
    ...renames,
    ...rootless,
    ...remarks,
    ...units,
    ...unknown,
    ...hints,
    ...welcome,
    ...held,
    ...away,
  ];
  const plan = {
    ...built.value,
    changes,
    ...rolledBack,
    ...(unreachable.length > 0 ? { unreachable } : {}),
    diagnostics: all.filter(isTold(changes)),
  };
  return { ...built, value: plan };
}

async function observeAll(
  { project, servers }: Desired,
  { backends, recorded }: PlanRequest,
): Promise<{ observed: Observed[]; actions: readonly ActionSpec[] | undefined; unreachable: Unreachable[] }> {
  const unreachable: Unreachable[] = [];
  let actions: readonly ActionSpec[] | undefined = [];
  const observed = await Promise.all(
    backends.map(async (backend) => {
      const { kind } = backend;
      try {
        if (backend.actions) actions = await backend.actions.recorded(project);
        return await backend.observe(project);
      } catch (error) {
        if (!(error instanceof BackendUnreachable)) throw error;
        if (backend.actions) actions = undefined;
        const declared = servers.filter((server) => server.backend === kind).map(({ name }) => name);
        const names = [...new Set([...declared, ...recorded(kind)])].sort();
        unreachable.push({ backend: kind, message: error.message, servers: names });
        return [];
      }
    }),
  );
  return { observed: observed.flat(), actions, unreachable };
}

/** Entries of a server that is left out are left out with it. */
async function clientChanges(
  desired: Desired,
  { clients }: PlanRequest,
  { lost, former }: { readonly lost: ReadonlySet<string>; readonly former: readonly string[] },
): Promise<ReturnType<typeof diffClients>> {
  if (clients === undefined) return { changes: [], diagnostics: [] };
  const { project } = desired;
  const { changes, diagnostics } = diffClients(await clients.states(desired, former), {
    ...{ project, former },
    adopts: clients.adopts,
  });
  return { changes: withoutServers(changes, (server) => lost.has(server)), diagnostics };
}

/**
 * Managers that an apply would not reach. One of whose servers nothing is recorded is not asked when they are observed.
 * The agent is none: an apply starts it.
 */
async function managersAway(changes: readonly Change[], backends: readonly Backend[]): Promise<Diagnostic[]> {
  const found = await Promise.all(
    backends.map(async (backend): Promise<Diagnostic[]> => {
      const specs = changes.flatMap(({ action, desired }) =>
        action !== "none" && desired?.backend === backend.kind ? [desired] : [],
      );
      if (backend.actions || specs.length === 0) return [];
      try {
        await backend.reach(specs);
        return [];
      } catch (error) {
        if (!(error instanceof BackendUnreachable)) throw error;
        const names = specs.map(({ name }) => name).join(", ");
        return [{ severity: "warning", message: `${error.message} (an apply of ${names} would fail)` }];
      }
    }),
  );
  return found.flat();
}

/** A selected server that cannot be reached is not an unknown name. Undefined if no other server is selected. */
function withoutNames(
  { only = [], except = [] }: Selection,
  lost: ReadonlySet<string>,
): Selection | undefined {
  const rest = (names: readonly string[]) => names.filter((name) => !lost.has(name));
  if (only.length > 0 && rest(only).length === 0) return undefined;
  return { only: rest(only), except: rest(except) };
}

async function withUnit(change: Change, backends: readonly Backend[]): Promise<Change> {
  const backend = backends.find(({ kind }) => kind === change.desired?.backend);
  const unit = await backend?.unitChange?.(change);
  return unit === undefined ? change : { ...change, unit };
}

/** What its backend refuses of a server, and what is lost of it where something is done about it. */
function remarksOn(
  { desired, observed, action, server }: Change,
  backends: readonly Backend[],
  { place, secrets = {} }: ToPlan,
  strict: boolean,
): Diagnostic[] {
  const backend = backends.find(({ kind }) => kind === desired?.backend);
  if (desired === undefined || desired.wanted === "ignore" || action === "remove") return [];
  const isSame = observed?.spec !== undefined && observed.backend === desired.backend;
  const told = new Set(isSame ? backend?.check(observed.spec).map(({ message }) => message) : []);
  return (backend?.check(desired, own(secrets, server)) ?? []).flatMap(
    ({ severity, path, message }): Diagnostic[] => {
      // What was lost before was told before.
      if (severity === "warning" && !strict && (action === "none" || told.has(message))) return [];
      return [
        {
          severity: strict ? "error" : severity,
          server,
          message,
          ...(severity === "error" ? place?.(server, path) : {}),
        },
      ];
    },
  );
}

/** What another version has recorded of a server: an apply by this one takes it away. */
function unknownFieldsOf({ name, spec }: Observed): Diagnostic[] {
  const unknown = spec === undefined ? [] : unknownFields(spec);
  if (unknown.length === 0) return [];
  // Without a server, so that it is shown even if nothing changes.
  const message = `another version of xy applied ${name}, with settings that this one does not know (${unknown.join(", ")}): an apply of ${name} with this version loses them`;
  return [{ severity: "warning", message }];
}

/** A file that is not ours is in the way of whatever would be written. */
function unitDiagnostics({ server, unit, action, observed }: Change): Diagnostic[] {
  const isWritten = action !== "none" || observed?.drift !== undefined;
  if (unit === undefined || !isWritten) return [];
  if (unit.obstacle !== undefined) return [{ severity: "error", server, message: unit.obstacle }];
  if (unit.link === undefined) return [];
  const message = `${unit.file} is a link to ${unit.link}: an apply replaces the link with a file, and does not change its target`;
  return [{ severity: "warning", server, message }];
}

function hintsOn(changes: readonly Change[], backends: readonly Backend[]): Diagnostic[] {
  const added = changes.filter(({ action }) => action === "add");
  const hints = added.flatMap(({ desired }) => {
    const backend = backends.find(({ kind }) => kind === desired?.backend);
    return (desired && backend?.hint?.(desired)) ?? [];
  });
  return [...new Set(hints)].map((message) => ({ severity: "warning", message }));
}

/** Warnings about a server are shown only when it changes. */
function isTold(changes: readonly Change[]): (diagnostic: Diagnostic) => boolean {
  const changing = new Set(changes.filter(({ action }) => action !== "none").map(({ server }) => server));
  return ({ severity, server }) => severity === "error" || server === undefined || changing.has(server);
}

/** What is wanted once everything of a project is to go. */
export function nothingDesired(project: string, root: string): Desired {
  return { project, root, servers: [], actions: [], leavesNothing: true };
}
