import { CONDITION_VERB, restingOf } from "./dependency.ts";
import { ago, span, uptime } from "./elapsed.ts";
import { formatExit, type Missing, type Observed, writtenAgain } from "./observed.ts";
import { quotedLine } from "./visible.ts";
import { isAcceptedEnd, mayRun } from "./wanted.ts";

/**
 * One paragraph: why a server is in its state, and what would change that. `observed.spec`, what was last applied, is
 * what it is explained from. `now`: unix ms.
 */
export function why(observed: Observed, now: number): string {
  const sentences = observed.spec?.wanted === "ignore" ? ignored(observed) : byState(observed, now);
  return [
    ...sentences,
    ...bridged(observed, now),
    ...unwatched(observed),
    ...paused(observed, now),
    ...restored(observed, now),
    ...remarks(observed),
  ].join(" ");
}

function byState(observed: Observed, now: number): string[] {
  switch (observed.state) {
    case "running":
      return running(observed, now);
    case "starting":
      return starting(observed, now);
    case "restarting":
      return restarting(observed, now);
    case "failed":
      return failed(observed, now);
    case "stopping":
      return stopping(observed, now);
    case "stopped":
      return stopped(observed, now);
  }
}

function running(observed: Observed, now: number): string[] {
  const { name, ready, healthy } = observed;
  const up = observed.startedAt === undefined ? "" : ` for ${uptime(now - observed.startedAt)}`;
  const process = observed.pid === undefined ? "" : ` (pid ${observed.pid})`;
  const seen = `${ready.evidence} (${ago(now - ready.at)})`;
  const sick = healthy.status === "failing" ? [`It is not healthy: ${healthy.evidence}.`] : [];
  switch (ready.status) {
    case "ok":
      return [`${name} has been running${up}${process} and is ready: ${seen}.`, ...sick, whyItRuns(observed)];
    case "failing":
    case "unknown":
      return [
        `${name} has been running${up}${process} but is not ready: ${seen}.`,
        ...sick,
        `It becomes ready when its readiness probe${probeName(observed)} succeeds. \`xy status ${name}\` shows what ` +
          `the probe saw last, \`xy logs ${name}\` what the server printed.`,
      ];
  }
}

function whyItRuns({ name, operator, spec, startedBy, kept }: Observed): string {
  if (kept)
    return `It runs because \`xy run --keep\` added it; no configuration declares it. \`xy stop ${name}\` stops it, and holds it stopped; \`xy forget ${name}\` removes it.`;
  if (startedBy?.by === "session") {
    const { pid } = startedBy.session;
    return `It runs because \`xy up\` (pid ${pid}) started it, and stops when that ends, unless you run \`xy start ${name}\`.`;
  }
  if (operator === "start" && spec?.wanted === "stop") {
    return `It runs because you started it, although the configuration wants it stopped. \`xy stop ${name}\` stops it.`;
  }
  if (operator === "stop") return "You stopped it, but it is running: `xy apply` stops it.";
  if (spec?.wanted === "stop") return "The configuration wants it stopped: `xy apply` stops it.";
  if (spec === undefined) return `\`xy stop ${name}\` stops it, and holds it stopped.`;
  return `It runs because the configuration wants it started. \`xy stop ${name}\` stops it, and holds it stopped.`;
}

function probeName({ spec }: Observed): string {
  if (spec === undefined || spec.readiness.type === "none") return "";
  return ` (${spec.readiness.type}${"port" in spec.readiness ? ` ${spec.readiness.port}` : ""})`;
}

function starting(observed: Observed, now: number): string[] {
  const cause = observed.reason === undefined ? "" : `: ${observed.reason}`;
  return [`${observed.name} began to start ${ago(now - observed.since)}${cause}.`];
}

function restarting(observed: Observed, now: number): string[] {
  const { name, spec, nextStartAt, restartCount, lastExit } = observed;
  if (observed.paused) {
    const how = lastExit === undefined ? cause(observed) : formatExit(lastExit.exit);
    return [
      `${name} ended ${ago(now - (lastExit?.at ?? observed.since))} (${how}) and will be restarted when its pause ends.`,
      `\`xy start ${name}\` starts it now.`,
    ];
  }
  const next = nextStartAt === undefined ? "soon" : `in ${span(nextStartAt - now)}`;
  const limit = spec?.restart.maxRetriesPerMinute;
  const isCounted = observed.backend === "agent" || observed.backend === "systemd";
  const end =
    limit === undefined || !isCounted ? [] : [`After ${limit} restarts within a minute it counts as failed.`];
  return [
    `${name} ended ${ago(now - (observed.lastExit?.at ?? observed.since))} (${cause(observed)}). Its restart policy` +
      `${spec === undefined ? "" : ` \`${spec.restart.policy}\``} starts it again ${next}${restartCount ? ` (restart ${restartCount})` : ""}.`,
    ...end,
    `\`xy start ${name}\` starts it now, \`xy stop ${name}\` keeps it stopped.`,
  ];
}

function failed(observed: Observed, now: number): string[] {
  const { name, lastLines = [] } = observed;
  const last = lastLines.map((line) => quotedLine(line).trim()).findLast((line) => line !== "");
  const said = last === undefined ? [] : [`Its last output was "${shortened(last)}".`];
  return [
    `${name} failed ${ago(now - observed.since)}: ${cause(observed)}.`,
    ...said,
    `It is not restarted automatically. \`xy logs ${name}\` shows what it printed. Once the cause is fixed, ` +
      `${startCommands(observed)} it.`,
  ];
}

/** Most characters of an output line that is quoted in a sentence. */
const LONGEST_QUOTE = 60;

function shortened(line: string): string {
  const characters = [...line];
  return characters.length <= LONGEST_QUOTE ? line : `${characters.slice(0, LONGEST_QUOTE - 1).join("")}…`;
}

function startCommands({ name, spec, operator, kept }: Observed): string {
  const byApply = !kept && (spec === undefined || mayRun(spec, { operator }));
  return byApply ? `\`xy start ${name}\` or \`xy apply\` starts` : `\`xy start ${name}\` starts`;
}

function stopping(observed: Observed, now: number): string[] {
  const grace = observed.spec === undefined ? "" : ` of ${span(observed.spec.stop.grace)}`;
  const reason = observed.reason === undefined ? "" : ` (${observed.reason})`;
  const left = `Its processes have been told to exit, and are killed after a grace period${grace}.`;
  return [`${observed.name} began to stop ${ago(now - observed.since)}${reason}.`, left];
}

function waiting({ name }: Observed, waitsFor: readonly Missing[]): string[] {
  const each = waitsFor.map(
    ({ server, condition, state }) => `for ${server} ${CONDITION_VERB[condition]} (now ${state})`,
  );
  const resting = restingOf(waitsFor);
  const help = resting.length === 0 ? "" : `\`xy start ${resting.join(" ")}\` starts what it waits for, `;
  return [
    `${name} is waiting ${each.join(" and ")}.`,
    `It starts automatically once that happens. ${help}\`xy start --no-deps ${name}\` starts it now, ` +
      `\`xy stop ${name}\` ends the wait.`,
  ];
}

function stopped(observed: Observed, now: number): string[] {
  if (observed.waitsFor !== undefined) return waiting(observed, observed.waitsFor);
  const { name, spec } = observed;
  const startsIt = `${observed.kept ? "" : "`xy apply` or "}\`xy start ${name}\` starts it.`;
  const when = ago(now - observed.since);
  if (observed.operator === "stop") {
    return [
      `${name} is held: you stopped it ${when}.`,
      `It stays stopped, even across applies and reboots, until \`xy start ${name}\`.`,
    ];
  }
  if (spec !== undefined && !mayRun(spec, observed)) {
    return [
      `${name} is stopped because the configuration wants it stopped (wanted is "stop").`,
      `\`xy start ${name}\` starts it anyway. To change that permanently, set wanted to "start" and apply.`,
    ];
  }
  if (spec !== undefined && isAcceptedEnd(spec, observed)) {
    return [
      `${name} ended by itself ${when} (${cause(observed)}), and its restart policy \`${spec.restart.policy}\` does not restart it.`,
      `\`xy start ${name}\` runs it again.`,
    ];
  }
  if (observed.startedBy?.by === "session" && observed.reason !== undefined) {
    return [`${name} stopped ${when}: ${observed.reason}.`, startsIt];
  }
  return [`${name} stopped ${when}${howStopped(observed)}.`, startsIt];
}

function howStopped({ reason, lastExit }: Observed): string {
  if (reason !== undefined) return `: ${reason}`;
  if (lastExit === undefined) return "; nothing asked it to";
  const exit = formatExit(lastExit.exit);
  return lastExit.requested
    ? ` (${exit}): it was told to stop, but there is no record of who did that`
    : ` (${exit}); nothing asked it to`;
}

function ignored({ name, state }: Observed): string[] {
  return [`${name} is ${state}. It is declared with wanted "ignore": apply never touches it.`];
}

function bridged({ bridge, state }: Observed, now: number): string[] {
  if (bridge === undefined || state !== "running") return [];
  const { sleeping, session_count: clients, children, child_count: count } = bridge;
  const uses =
    clients === 0
      ? "No client is connected."
      : `${clients} ${clients === 1 ? "client is" : "clients are"} connected.`;
  if (sleeping) return [uses, "It is asleep: none of its processes runs, and the next request starts one."];
  const [first] = children;
  if (first === undefined) return [uses];
  const oldest = Math.min(...children.map(({ started_at_unix_ms: at }) => at));
  const age = uptime(Math.max(0, now - oldest));
  return [
    uses,
    count === 1
      ? `Process ${first.pid} has worked for ${age}.`
      : `${count} processes work, the oldest for ${age}.`,
  ];
}

function unwatched({ unwatched: how }: Observed): string[] {
  if (how === undefined) return [];
  return [
    `The agent cannot watch it: ${how.reason}. Its output is not read until that is fixed; the agent keeps trying.`,
  ];
}

function paused({ name, paused: pause }: Observed, now: number): string[] {
  if (pause === undefined) return [];
  const end = pause.until === undefined ? "" : ` and stays paused for another ${span(pause.until - now)}`;
  const began = `It was paused ${ago(now - pause.at)}${end}`;
  return [`${began}: nothing restarts it until the pause ends. \`xy resume ${name}\` ends it.`];
}

function restored({ restored: put }: Observed, now: number): string[] {
  return put === undefined
    ? []
    : [
        `It has its previous version: ${ago(now - put.at)} an apply put that back, because the new one was ${put.because}.`,
      ];
}

function remarks({ name, state, drift, spec, kept, troubles = [] }: Observed): string[] {
  const back = kept || spec?.wanted === "ignore" ? "" : " `xy apply` restores it.";
  const drifted = `What was applied was changed outside xy: ${drift}.${back}`;
  const unreadable = `The record of what was applied to ${name} cannot be read; ${writtenAgain(name, kept)} writes it again.`;
  // For a running server, the paragraph says why it runs.
  const isKept = kept && state !== "running";
  return [
    ...(isKept ? [`No configuration declares it; \`xy forget ${name}\` removes it.`] : []),
    ...(drift === undefined ? [] : [drifted]),
    ...(spec === undefined ? [unreadable] : []),
    ...troubles.map((trouble) => `Trouble: ${trouble}.`),
  ];
}

function cause({ reason, lastExit }: Observed): string {
  return reason ?? (lastExit === undefined ? "reason unknown" : formatExit(lastExit.exit));
}
