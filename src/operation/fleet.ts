import type { Backend } from "../backends/backend.ts";
import type { BackendSettings } from "../model/backend-settings.ts";
import { formatDiagnostic } from "../model/diagnostic.ts";
import type { Plan } from "../model/plan.ts";
import type { ProcessId } from "../model/process.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import type { ClientFiles } from "./client-files.ts";
import { done, type Outcome, stopped } from "./outcome.ts";
import { makePlan, type ToPlan } from "./planning.ts";

/** The backends of one project, as operations use them. `backends/fleet.ts` makes them. */

type Kind = Backend["kind"];

export interface FleetOptions {
  /** What the agent starts is stopped when this process ends. */
  readonly session?: ProcessId;
  /** How the configuration says that backends are reached. */
  readonly settings?: BackendSettings;
  /** Replace unit files that xy did not write. */
  readonly adopt?: boolean;
}

export interface ProjectFleet {
  backend(kind: Kind): Promise<Backend>;
  /** Those with servers or actions of the project on record, and the named ones. */
  backends(named: readonly Kind[]): Promise<readonly Backend[]>;
  /** Names of the project's servers that this backend has on record. */
  recorded(kind: Kind): readonly string[];
  /** Absent where nothing is done about them. */
  readonly clients?: ClientFiles;
  close(): Promise<void>;
}

/** Runs `work` with a fleet, and closes it however `work` ends. */
export async function withFleet<Fleet extends { close(): Promise<void> }, T>(
  fleet: Fleet,
  work: (fleet: Fleet) => Promise<T>,
): Promise<T> {
  try {
    return await work(fleet);
  } finally {
    await fleet.close();
  }
}

export interface PlanOptions {
  readonly state: string;
  readonly only?: readonly string[] | undefined;
  readonly except?: readonly string[] | undefined;
  /** See `PlanRequest`. */
  readonly strict?: boolean;
  readonly adopts?: boolean;
}

/** The plan from the configuration to what runs. A failure names selected servers that do not exist. */
export async function planWith(
  fleet: ProjectFleet,
  evaluated: ToPlan,
  { state, only, except, strict = false, adopts = false }: PlanOptions,
): Promise<Outcome<Plan>> {
  const made = await makePlan(evaluated, {
    backends: await fleet.backends(backendsOf(evaluated.desired)),
    recorded: (kind) => fleet.recorded(kind),
    ...(fleet.clients && { clients: fleet.clients }),
    selection: withoutUndefined({ only, except }),
    state,
    strict,
    adopts,
  });
  if (made.ok) return done(made.value);
  return stopped(
    "usage",
    made.problems.map((problem) => formatDiagnostic(problem)),
  );
}

/** The agent runs all actions, whatever runs their servers. */
function backendsOf({ servers, actions }: ToPlan["desired"]): Kind[] {
  return [...servers.map(({ backend }) => backend), ...actions.map(() => "agent" as const)];
}
