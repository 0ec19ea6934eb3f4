import type { Exit, StateName } from "../model/observed.ts";
import type { ProcessId } from "../model/process.ts";
import type { ServerSpec } from "../model/spec.ts";
import type { Answer } from "./probes.ts";
import type { ServerState } from "./state.ts";

export type SupervisedSpec = Pick<
  ServerSpec,
  "restart" | "stop" | "readiness" | "liveness" | "startTimeout" | "port" | "mcp"
>;
export type ProbeName = "readiness" | "liveness";
export type TimerName = "grace" | "stuck" | "backoff" | "start" | "start-period" | "pause" | ProbeName;
export type EndSignal = ServerSpec["stop"]["signal"] | "SIGKILL";

export type MachineEvent =
  /** A person's words, and those of an apply. */
  | { readonly type: "start" }
  /**
   * `reason`: who wants it to rest, and why, one clause. `failed`: it is given up, and one that keeps ending by itself is
   * failed then.
   */
  | { readonly type: "stop"; readonly reason?: string; readonly failed?: boolean }
  | { readonly type: "restart"; readonly reason?: string }
  | { readonly type: "kill"; readonly reason?: string }
  /** `until`: unix ms, or null for no end. */
  | { readonly type: "pause"; readonly until: number | null }
  | { readonly type: "resume" }
  /** This agent starts what ran with the one before. During a pause it waits for its end. */
  | { readonly type: "start-with-agent" }
  /** The spec was replaced; the argument `spec` of `step` is the new one. */
  | { readonly type: "configured" }
  /**
   * This agent took the server over from an earlier one. `present`: something of the incarnation was found, alive
   * or as a recorded exit, and more events of it will follow. Not present: nothing of it lives, and how it ended
   * will never be known.
   */
  | { readonly type: "adopted"; readonly present: boolean }
  /** The program of this incarnation runs. */
  | { readonly type: "spawned"; readonly inc: number; readonly process: ProcessId; readonly at: number }
  /**
   * It never ran: nothing of this incarnation is alive. `passing`: for want of something that may be there again soon.
   * `noRoom`: nothing can be written where it would run; whoever drives it tries again as soon as that has changed.
   */
  | {
      readonly type: "spawn-failed";
      readonly inc: number;
      readonly reason: string;
      readonly passing?: boolean;
      readonly noRoom?: boolean;
    }
  /** Its main process ended, at unix ms `at`. */
  | { readonly type: "exited"; readonly inc: number; readonly exit: Exit; readonly at: number }
  /** Nothing of its process group is alive. Follows a signal; never comes before `exited` unless that is lost. */
  | { readonly type: "emptied"; readonly inc: number }
  | { readonly type: "timer"; readonly inc: number; readonly timer: TimerName }
  | { readonly type: "answered"; readonly inc: number; readonly probe: ProbeName; readonly answer: Answer };

export type Effect =
  /**
   * Write down the new state before anything after this effect is done. `soon`: in a moment is early enough, as until
   * then the next agent would hear of the same event again.
   */
  | { readonly type: "record"; readonly soon?: true }
  | { readonly type: "spawn"; readonly inc: number }
  /** Signal the whole group, then report `emptied` once nothing of it lives; at once when nothing does. */
  | { readonly type: "signal"; readonly inc: number; readonly signal: EndSignal }
  /** A timer of the same name is replaced. */
  | { readonly type: "setTimer"; readonly inc: number; readonly timer: TimerName; readonly ms: number }
  | { readonly type: "cancelTimer"; readonly inc: number; readonly timer: TimerName }
  | { readonly type: "cancelTimers" }
  | { readonly type: "probe"; readonly inc: number; readonly probe: ProbeName }
  /** This incarnation and all before it are over: what was kept for them may go. May be said again. */
  | { readonly type: "release"; readonly inc: number }
  | { readonly type: "publish"; readonly from: StateName; readonly to: StateName; readonly reason?: string };

export interface Step {
  readonly state: ServerState;
  readonly effects: readonly Effect[];
}

/** What `step` is given about the moment. */
export interface Moment {
  /** Unix ms. */
  readonly now: number;
  /**
   * Ms by a clock that nobody sets and that stands still while the machine sleeps: the same one for every agent since the
   * machine's boot.
   */
  readonly clock: number;
}

/** What one reaction changes. */
export interface Turn {
  readonly change: Partial<ServerState>;
  readonly effects?: readonly Effect[];
}
