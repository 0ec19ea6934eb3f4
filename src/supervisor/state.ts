import { cannotHappen } from "../model/cannot-happen.ts";
import type { StateName } from "../model/observed.ts";
import type { ProcessId } from "../model/process.ts";
import { hasToBeReady } from "../model/start.ts";
import { NO_RETRIES } from "./policy.ts";
import type { Track } from "./probes.ts";
import type { LastExit, Pause, Retries } from "./recorded.ts";

/** What follows once the process group of an incarnation is empty. */
export type After =
  | { readonly kind: "rest" }
  | { readonly kind: "start" }
  /** Start again, not before `until` (unix ms). */
  | { readonly kind: "backoff"; readonly until: number }
  | { readonly kind: "fail"; readonly reason: string };

/**
 * Where one server stands. Each phase holds only what exists in it; a phase with a living or dying process belongs
 * to the incarnation `ServerState.inc`.
 */
export type Phase =
  | { readonly tag: "stopped" }
  /** The spawn is under way. */
  | { readonly tag: "starting" }
  | {
      readonly tag: "running";
      readonly process: ProcessId;
      readonly startedAt: number;
      /** Unix ms at which it was ready for the first time. Absent in a record of an earlier version. */
      readonly readyAt?: number;
      /**
       * It is in its start. Absent once it was ready, and in a record of an earlier version, which does not say: such a
       * process counts as one that was.
       */
      readonly start?: StartClock;
      readonly ready: Track;
      readonly healthy: Track;
    }
  /** The group was signalled and is not empty yet. `own`: the main process ended by itself. */
  | {
      readonly tag: "ending";
      readonly after: After;
      readonly own: boolean;
      readonly killed: boolean;
      readonly startedAt: number;
      readonly process?: ProcessId;
    }
  /** The backoff runs. */
  | { readonly tag: "waiting"; readonly until: number }
  /** `stuck`: its last incarnation survived SIGKILL, nothing may start beside it. */
  | { readonly tag: "failed"; readonly stuck: boolean };

/** How much of a start is over. */
export interface StartClock {
  /** Ms that count, up to `from`. */
  readonly spent: number;
  /** Since when it runs, by `Moment.clock`; null: it is stopped, as in a pause. */
  readonly from: number | null;
}

export interface ServerState {
  readonly phase: Phase;
  /** Number of the newest incarnation; 0: never spawned. An effect or event of a smaller one is late and ignored. */
  readonly inc: number;
  /** Unix ms at which the public state was entered. */
  readonly since: number;
  /** Why it is in this state, one clause. */
  readonly reason?: string | undefined;
  readonly retries: Retries;
  /** Restarts by policy since the last start by a person. */
  readonly restartCount: number;
  readonly lastExit?: LastExit;
  readonly paused?: Pause | undefined;
}

export function initialState(now: number): ServerState {
  return { phase: { tag: "stopped" }, inc: 0, since: now, retries: NO_RETRIES, restartCount: 0 };
}

/** The state that people and the wire see. */
export function publicState(state: ServerState): StateName {
  const { phase } = state;
  switch (phase.tag) {
    case "stopped":
    case "starting":
    case "running":
    case "failed":
      return phase.tag;
    case "waiting":
      return "restarting";
    case "ending":
      return phase.after.kind === "backoff" || phase.after.kind === "start" ? "restarting" : "stopping";
    default:
      return cannotHappen(phase);
  }
}

/** The process that may be alive now, if any. */
export function liveProcess(state: ServerState): ProcessId | undefined {
  return state.phase.tag === "running" || state.phase.tag === "ending" ? state.phase.process : undefined;
}

/** It is being stopped because something was wrong with it, and not because somebody asked for that. */
export function endsForFault({ phase }: ServerState): boolean {
  return (
    phase.tag === "ending" && !phase.own && (phase.after.kind === "backoff" || phase.after.kind === "fail")
  );
}

/** Something of the newest incarnation may be alive. */
export function mayLive({ phase }: ServerState): boolean {
  switch (phase.tag) {
    case "starting":
    case "running":
    case "ending":
      return true;
    case "failed":
      return phase.stuck;
    case "stopped":
    case "waiting":
      return false;
    default:
      return cannotHappen(phase);
  }
}

/** It was never ready, and is there to be: its end is no success, whatever its exit code. */
export function isEarly({ phase }: ServerState, spec: Parameters<typeof hasToBeReady>[0]): boolean {
  const isNew = phase.tag === "starting" || (phase.tag === "running" && phase.start !== undefined);
  return isNew && hasToBeReady(spec);
}

/** Ms from the moment in which it was ready first to unix ms `at`; undefined: it never was. */
export function readyFor({ phase }: ServerState, at: number): number | undefined {
  if (phase.tag !== "running" || phase.start !== undefined) return undefined;
  return at - (phase.readyAt ?? phase.startedAt);
}
