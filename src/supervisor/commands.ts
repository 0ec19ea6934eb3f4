import { cannotHappen } from "../model/cannot-happen.ts";
import type { EndSignal, SupervisedSpec, Turn } from "./events.ts";
import { end, escalate, spawn } from "./incarnation.ts";
import { NO_RETRIES } from "./policy.ts";
import type { After, ServerState } from "./state.ts";

/** A person's words, and those of an apply. */

/** A person's start begins with a clean slate: earlier crashes do not count against it. */
const CLEAN = { retries: NO_RETRIES, restartCount: 0, reason: undefined } as const;

export function onStart(state: ServerState): Turn | undefined {
  const { phase } = state;
  switch (phase.tag) {
    case "starting":
    case "running":
      return undefined;
    case "ending":
      return { change: { ...CLEAN, phase: { ...phase, after: { kind: "start" } } } };
    case "failed":
      return phase.stuck ? undefined : spawn(state, CLEAN);
    case "stopped":
    case "waiting":
      return spawn(state, CLEAN);
    default:
      return cannotHappen(phase);
  }
}

/** An owed start, from the previous agent or a wait. Nobody asked for it during the pause: it happens when that ends. */
export function onStartWithAgent(state: ServerState, now: number): Turn | undefined {
  const { phase, paused } = state;
  if (!paused) return onStart(state);
  const rests = phase.tag === "stopped" || (phase.tag === "failed" && !phase.stuck);
  if (!rests) return undefined;
  return {
    change: {
      phase: { tag: "waiting", until: now },
      reason: "its start came due while it was paused; starts once it is resumed",
    },
  };
}

export function onRestart(state: ServerState, spec: SupervisedSpec, reason?: string): Turn | undefined {
  if (state.phase.tag !== "starting" && state.phase.tag !== "running") return onStart(state);
  return end(state, { kind: "start" }, spec, spec.stop.signal, { ...CLEAN, reason });
}

/** What is known of the wish that it rests. */
interface Wish {
  readonly reason?: string;
  readonly failed?: boolean;
}

export function onStop(
  state: ServerState,
  spec: SupervisedSpec,
  signal: EndSignal,
  { reason, failed = false }: Wish,
): Turn | undefined {
  const { phase } = state;
  switch (phase.tag) {
    case "stopped":
      return undefined;
    case "failed":
      return phase.stuck ? undefined : { change: { phase: { tag: "stopped" }, reason } };
    case "waiting":
      return {
        change: { phase: failed ? { tag: "failed", stuck: false } : { tag: "stopped" }, reason },
        effects: [{ type: "cancelTimers" }],
      };
    case "starting":
    case "running":
      return end(state, { kind: "rest" }, spec, signal, { reason });
    case "ending": {
      const isFailure = failed && (phase.own || phase.after.kind === "backoff");
      const after: After = isFailure && reason !== undefined ? { kind: "fail", reason } : { kind: "rest" };
      if (signal === "SIGKILL" && !phase.killed) return escalate(state, { ...phase, after }, { reason });
      return { change: { phase: { ...phase, after }, reason } };
    }
    default:
      return cannotHappen(phase);
  }
}
