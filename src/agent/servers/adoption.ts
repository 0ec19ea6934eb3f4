import type { ProcessId } from "../../model/process.ts";
import type { Starter } from "../../model/starter.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { initialState, liveProcess, mayLive, type ServerState } from "../../supervisor/state.ts";
import { bootId, isRunning, signalProcess } from "../../system/processes.ts";
import type { Survivor } from "../../system/survivors.ts";
import type { LogWriter } from "../logs/log-writer.ts";
import { type RuntimeRecord, type ServerStore, stateAfter } from "../records/store.ts";
import { adoptIncarnation } from "../runs/adopting.ts";
import type { Incarnation, IncarnationEvents } from "../runs/incarnation.ts";
import { hasKeeper, madeAt } from "../runs/run-folder.ts";

/** How a server stands that an earlier agent, or the time before a boot, left. */
interface Found {
  readonly state: ServerState;
  /** The machine was started since the record was written. */
  readonly booted: boolean;
  /** A run is alive that the record does not know. */
  readonly isUnrecorded: boolean;
}

/** From what is recorded and what is alive: how the server stands. */
export function stateFound(
  store: ServerStore,
  record: RuntimeRecord | undefined,
  survivors: readonly Survivor[],
  report: (message: string) => void,
): Found {
  const now = Date.now();
  const fresh = initialState(now);
  const recorded = record
    ? stateAfter(record, now, fresh)
    : { state: withoutRecord(store, fresh), booted: false };
  const inc = livingRun(recorded.state, survivors, record !== undefined);
  if (inc === undefined)
    return { ...recorded, state: withProgram(recorded.state, survivors), isUnrecorded: false };
  report(`its run ${inc} is alive, which its record does not say: it is adopted again`);
  const state: ServerState = { ...recorded.state, inc, phase: { tag: "starting" } };
  return { state, booted: false, isUnrecorded: true };
}

/** The server whose runs are adopted. */
interface Adopter {
  readonly store: ServerStore;
  readonly log: LogWriter;
  readonly port: number | null;
  /** As it is now: a command may have changed it since it was found. */
  state(): ServerState;
  report(message: string): void;
  eventsOf(inc: number): IncarnationEvents;
  /** Told before the current run is adopted. `at`: unix ms, when its folder was made. */
  currentBegan(at: number): void;
  hold(incarnation: Incarnation | undefined): void;
}

/** Adopts the current run, and lets every earlier one finish. */
export async function adoptRuns(
  adopter: Adopter,
  survivors: readonly Survivor[],
  isUnrecorded: boolean,
): Promise<void> {
  const found = new Map(survivors.map((one) => [one.server?.inc ?? 0, one]));
  for (const inc of new Set([...adopter.store.runs(), ...found.keys(), adopter.state().inc]))
    await adoptRun(adopter, inc, found.get(inc), isUnrecorded);
}

/** The folder of a run that is over is read one last time. */
async function adoptRun(
  adopter: Adopter,
  inc: number,
  found: Survivor | undefined,
  isUnrecorded: boolean,
): Promise<void> {
  const { store, log, port } = adopter;
  const state = adopter.state();
  const isCurrent = inc === state.inc && mayLive(state);
  if (!isCurrent && found && isWholeRun(found)) return killExtraRun(adopter, found);
  const lost = isUnrecorded && found?.keeper === undefined ? programOf(found) : undefined;
  const known = isCurrent ? (liveProcess(state) ?? lost) : undefined;
  const events = isCurrent ? adopter.eventsOf(inc) : NO_EVENTS;
  if (isCurrent) adopter.currentBegan(madeAt(store.runPath(inc)));
  const seen = isCurrent && found && !found.keeper ? found.processes : [];
  const context = { log, events, port, seen, ...withoutUndefined({ keeper: found?.keeper }) };
  const incarnation = await adoptIncarnation(store.runPath(inc), known, context);
  if (isCurrent) adopter.hold(incarnation);
  else {
    incarnation?.resume();
    incarnation?.release(Date.now());
  }
}

const NO_EVENTS = { spawned: () => {}, exited: () => {}, emptied: () => {}, report: () => {} };

/** A server must not run twice. */
function killExtraRun(adopter: Adopter, { keeper, server }: Survivor): void {
  adopter.report(`its run ${server?.inc} is still alive beside a later one, and is killed`);
  if (keeper && isRunning(keeper)) signalProcess(-keeper.pid, "SIGKILL");
}

/** Without a record, a keeper still proves that something runs, and tells the rest. */
function withoutRecord(store: ServerStore, fresh: ServerState): ServerState {
  const kept = store.runs().filter((inc) => hasKeeper(store.runPath(inc)));
  const inc = Math.max(0, ...kept);
  return inc === 0 ? fresh : { ...fresh, inc, phase: { tag: "starting" } };
}

/** The number of a run that is alive although the record knows none, or only an earlier one. */
function livingRun(
  state: ServerState,
  survivors: readonly Survivor[],
  hasRecord: boolean,
): number | undefined {
  // What a finished run left behind may still print into its fifos: that is no run.
  const runs = survivors.filter((one) => (hasRecord ? isWholeRun(one) : one.processes.length > 0));
  const inc = Math.max(0, ...runs.flatMap(({ server }) => server?.inc ?? []));
  return inc === 0 || (mayLive(state) && state.inc >= inc) ? undefined : inc;
}

/** A record may name a stranger. What the keeper of the run has started is its program. */
function withProgram(state: ServerState, survivors: readonly Survivor[]): ServerState {
  const { phase, inc } = state;
  const found = survivors.find(({ server }) => server?.inc === inc);
  const [program] = found?.keeper ? found.processes : [];
  const recorded = liveProcess(state);
  if (!program || !recorded || (phase.tag !== "running" && phase.tag !== "ending")) return state;
  if (found?.processes.some(({ pid, start }) => pid === recorded.pid && start === recorded.start))
    return state;
  return { ...state, phase: { ...phase, process: { ...program, boot: bootId() } } };
}

/** A keeper with its program. */
const isWholeRun = ({ keeper, processes }: Survivor) => keeper !== undefined && processes.length > 0;

/** The oldest of the processes, where no record names one and no keeper has started it. */
function programOf(found: Survivor | undefined): ProcessId | undefined {
  const [first] = [...(found?.processes ?? [])].sort(
    (a, b) => Number(a.start) - Number(b.start) || a.pid - b.pid,
  );
  return first && { ...first, boot: bootId() };
}

/** The session that started it is gone. */
export function isOrphan(starter: Starter | undefined): boolean {
  return starter?.by === "session" && !isRunning(starter.session);
}
