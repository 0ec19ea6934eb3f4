import { CONDITION_STATE, type Condition } from "./dependency.ts";
import { isStdio } from "./mcp-fields.ts";
import type { Patience } from "./patience.ts";
import type { ServerSpec } from "./spec.ts";
import type { StartProgress } from "./start-progress.ts";
import { formatDuration } from "./units.ts";

/** What is reported about a start while others wait for it: its progress, and how a failed wait ended. */

/** Pause between two checks for news, ms. */
export const TELL_GAP = 1000;
/** Without news, the time waited is reported again after so long, ms. */
const TELL_EVERY = 5000;

/** Whether there is news since the last report. Starts that are over in a moment are not reported at all. */
export function isToTell(last: StartProgress | undefined, now: StartProgress): boolean {
  if (last === undefined) return now.waited_ms >= 2 * TELL_GAP;
  return now.waited_ms - last.waited_ms >= TELL_EVERY || !isSameNews(last, now);
}

/** Only the time differs. */
export function isSameNews(one: StartProgress, other: StartProgress): boolean {
  return (
    one.evidence === other.evidence &&
    one.restarts === other.restarts &&
    one.last_failure === other.last_failure &&
    one.last_line === other.last_line
  );
}

/** How a failed wait ended. `over`: it reached its bound, or the start's own. */
export interface GivenUp {
  readonly how: "over" | "silent";
  /** Ms. */
  readonly waited: number;
  readonly patience: Patience;
}

/** How it ended, before what was last seen: `not ready after 60s`. */
export function givenUpText(until: Condition, { how, waited, patience }: GivenUp): string {
  const goal = CONDITION_STATE[until];
  if (how === "over" && patience.by === "start-timeout" && until === "ready")
    return `not ready within its start-timeout of ${formatDuration(patience.ms)}`;
  if (how === "over") return `not ${goal} after ${formatDuration(patience.ms)}`;
  const whole = formatDuration(Math.round(waited / 1000) * 1000);
  return `not ${goal} after ${whole}, with no sign of life in the last minute`;
}

/** How often it was restarted, to append to a message; empty if it was not. */
export function restartsText(restarts: number): string {
  if (restarts === 0) return "";
  return restarts === 1 ? "; restarted once" : `; restarted ${restarts} times`;
}

/** The runs that failed meanwhile, to append to a message; empty if there were none. */
export function runsText({
  restarts,
  last_failure,
}: Pick<StartProgress, "restarts" | "last_failure">): string {
  const times = restartsText(restarts);
  if (last_failure === undefined) return times;
  return `${times}${times === "" ? ";" : ","} its last failed run: ${last_failure}`;
}

/** What a probe reports when it times out. */
const TIMED_OUT = /\bwithin [\d.]+ ?m?s\b/;
const NOTHING_LISTENS = /\bnothing listens on port\b/;
/** What a probe reports of a server that listens on another port. */
const ELSEWHERE = /; it listens on \S+:(\d+) (?:and|instead)\b/;
/** What a probe reports of a path that the server does not have. */
const NO_MCP = /\binitialize at \S+: 40[45]\b/;

/** Which setting gives a check more time, to append to its report of a timeout; else empty. */
export function timeoutHelp(evidence: string, setting: string, ms: number): string {
  if (!TIMED_OUT.test(evidence) || evidence.includes(".timeout`")) return "";
  return `if a check may take longer, set \`${setting}.timeout\` (${formatDuration(ms)} now)`;
}

interface Facts {
  readonly spec: Pick<ServerSpec, "port" | "readiness"> & Partial<Pick<ServerSpec, "mcp">>;
  /** What was last seen of its readiness; undefined: its program does not run. */
  readonly evidence: string | undefined;
  /** Undefined: it failed on its own. */
  readonly givenUp?: GivenUp | undefined;
}

/** Settings that would help if the server itself is fine: a clause each. */
export function startHelp({ spec, evidence, givenUp }: Facts): string[] {
  const help: string[] = [];
  const { type } = spec.readiness;
  const looks = type === "tcp" || type === "http" || type === "mcp";
  if (evidence !== undefined && type !== "none" && type !== "log") {
    const more = timeoutHelp(evidence, "readiness", spec.readiness.timeout);
    if (more !== "") help.push(more);
  }
  if (givenUp !== undefined) help.push(patienceHelp(givenUp));
  if (evidence !== undefined && spec.port !== null && looks) {
    if (NOTHING_LISTENS.test(evidence)) help.push(portHelp(spec, evidence));
    else if (NO_MCP.test(evidence)) help.push('if it has MCP at another path, set that: `mcp path="/"`');
  }
  return help;
}

/** For a server that runs, and does not listen on its port. */
function portHelp({ readiness, mcp }: Facts["spec"], evidence: string): string {
  const [, other] = ELSEWHERE.exec(evidence) ?? [];
  if (other !== undefined)
    return `set \`port ${other}\`, or pass the port on, as in \`env { PORT "{port}"; }\``;
  if (readiness.type === "mcp" && !isStdio(mcp ?? null))
    return 'if it speaks MCP over stdin and stdout, set `mcp { transport "stdio"; }`';
  return 'if it never listens on a port, set `port "none"`';
}

function patienceHelp({ how, patience }: GivenUp): string {
  if (how === "silent") return "if it starts without a sign of life, wait longer with `--wait-timeout`";
  switch (patience.by) {
    case "wait-timeout":
      return "if it needs longer to start, wait longer with `--wait-timeout`";
    case "start-timeout":
      return `if it needs longer to start, set \`start-timeout\` (${formatDuration(patience.ms)} now)`;
    case "put-back":
      return "if it needs longer to start, set `start-timeout`, or wait longer with `--wait-timeout`";
  }
}
