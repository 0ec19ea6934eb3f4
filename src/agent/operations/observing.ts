import { withoutDefaults } from "../../model/canonical.ts";
import type { ProbeReport } from "../../model/probe-report.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { Steps } from "../../probes/steps.ts";
import type { ResultOf } from "../../rpc/contract.ts";
import type { ProbeName } from "../../supervisor/machine.ts";
import type { Pause } from "../../supervisor/recorded.ts";
import { liveProcess, mayLive, publicState, type ServerState } from "../../supervisor/state.ts";
import { type LogQuery, LogSnapshot } from "../logs/log-reader.ts";
import type { Supervised } from "../servers/supervised.ts";

/** What others see of a server. */

const REASON_LINES = 10;

/** What the agent says of one of its servers. */
export type ObservedByAgent = ResultOf<"observe">[number];

/** `withLines`: also the last lines of a failed server, which are long. */
export function observe(server: Supervised, how: { withLines?: boolean } = {}): ObservedByAgent {
  const { spec: _, ...seen } = observeWhole(server, how);
  // An earlier version compares each field with what it knows: fields at their default are left out.
  return server.unreadable ? seen : { ...seen, spec: withoutDefaults(server.spec) };
}

/** The same with the spec that it has here, also of one whose record cannot be read. */
export function observeWhole(
  server: Supervised,
  { withLines = false } = {},
): ObservedByAgent & { readonly spec: ServerSpec } {
  const { phase, since, reason, lastExit, restartCount, paused } = server.state;
  const { spec, runningHash, starter, probing, drift, restored, kept, troubles } = server;
  const { mcp, bridge } = probing;
  const state = publicState(server.state);
  const process = liveProcess(server.state);
  const never = { status: "unknown", evidence: "not running", at: since } as const;
  return {
    name: spec.name,
    project: spec.project,
    backend: "agent",
    spec,
    state,
    operator: server.operator,
    since,
    restartCount,
    ready: phase.tag === "running" ? probing.newest("readiness", phase.ready) : never,
    healthy: phase.tag === "running" ? probing.newest("liveness", phase.healthy) : never,
    ...(mayLive(server.state) && runningHash !== undefined ? { runningHash } : {}),
    ...(process ? { pid: process.pid } : {}),
    ...("startedAt" in phase ? { startedAt: phase.startedAt } : {}),
    ...(lastExit ? { lastExit } : {}),
    ...(mcp ? { mcp } : {}),
    ...(bridge && state === "running" ? { bridge } : {}),
    ...(paused ? { paused: pauseOf(paused) } : nextStart(phase)),
    ...(server.unwatched ? { unwatched: server.unwatched } : {}),
    ...(starter ? { startedBy: starter } : {}),
    ...withoutUndefined({ reason, restored, drift }),
    ...(kept ? { kept } : {}),
    ...(troubles.length === 0 ? {} : { troubles: [...troubles] }),
    ...(withLines && state === "failed" ? { lastLines: lastLines(server) } : {}),
  };
}

/** The last lines of output, for the explanation of a failure: of the newest run when nothing else is said. */
export function lastLines(
  { log, begunAt, redactor }: Supervised,
  query: Partial<Pick<LogQuery, "tail" | "since" | "until">> = {},
): string[] {
  const snapshot = new LogSnapshot(log.dir);
  try {
    return snapshot
      .lastLines({ tail: REASON_LINES, since: begunAt, unfinished: true, ...query })
      .map(({ bytes, unfinished }) => {
        const text = bytes.toString("utf8");
        return redactor.line(unfinished ? redactor.unfinished(text) : text);
      });
  } finally {
    snapshot.close();
  }
}

function pauseOf({ at, until }: Pause): NonNullable<ObservedByAgent["paused"]> {
  return until === null ? { at } : { at, until };
}

function nextStart(phase: ServerState["phase"]): { nextStartAt?: number } {
  if (phase.tag === "waiting") return { nextStartAt: phase.until };
  return phase.tag === "ending" && phase.after.kind === "backoff" ? { nextStartAt: phase.after.until } : {};
}

/** Runs a probe for a person, who sees each step. The state machine does not learn the result; everyone is shown it. */
export async function probeNow(server: Supervised, probe: ProbeName): Promise<ProbeReport> {
  const { spec, secrets, probing } = server;
  const { watch } = probing;
  const report = await watch?.askNow({ spec, secrets, probe: spec[probe] });
  if (!report || !watch) {
    return new Steps().bad("process", `${spec.name} does not run: it is ${publicState(server.state)}`);
  }
  const told = probing.redacted(report);
  // A check that there is none of stays unknown.
  if (spec[probe].type !== "none") probing.note(probe, told, { spec, watch });
  return told;
}
