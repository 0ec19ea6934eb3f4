import { canonicalJson } from "../model/canonical.ts";
import type { Verdict } from "../model/observed.ts";
import type { Probe } from "../model/spec-parts.ts";

export type TimedProbe = Exclude<Probe, { type: "none" }>;

/** How a probe stands: its verdict and the run of equal answers behind it. */
export interface Track {
  readonly verdict: Verdict;
  /** Consecutive answers of the same kind, positive for good ones, negative for bad ones. */
  readonly streak: number;
  /** Probes sent in this incarnation. */
  readonly sent: number;
  /** It was ok once in this incarnation. */
  readonly settled: boolean;
}

export interface Answer {
  readonly ok: boolean;
  readonly evidence: string;
  /** Each look leaves something behind in the server: once it was ready, it is not looked at for readiness again. */
  readonly costly?: boolean;
  /** Whether this process is good can never be known: nothing may follow from that. */
  readonly unknowable?: boolean;
}

/** First gap between readiness probes, ms: it doubles up to the probe's interval, so that a quick server is seen quickly. */
const FIRST_GAP = 50;

/** `evidence`: why nothing is known. */
export function untried(now: number, evidence = "not checked yet"): Track {
  return {
    verdict: { status: "unknown", evidence, at: now },
    streak: 0,
    sent: 0,
    settled: false,
  };
}

/** Takes one answer in. The verdict changes only after the probe's threshold of equal answers in a row. */
export function takeAnswer(track: Track, answer: Answer, probe: Probe, now: number): Track {
  const streak = answer.ok ? Math.max(track.streak, 0) + 1 : Math.min(track.streak, 0) - 1;
  return taken(track, answer, streak, probe, now);
}

/** As {@link takeAnswer}, of a server that may still be starting: a bad answer is shown, and does not count. */
export function takeEarlyAnswer(track: Track, answer: Answer, probe: Probe, now: number): Track {
  return answer.ok ? takeAnswer(track, answer, probe, now) : taken(track, answer, 0, probe, now);
}

function taken(track: Track, answer: Answer, streak: number, probe: Probe, now: number): Track {
  const status = statusAfter(track, streak, probe);
  const settled = track.settled || status === "ok";
  const evidence = evidenceFor(status, streak, answer, probe);
  return { ...track, streak, settled, verdict: { status, evidence, at: now } };
}

/** The evidence of a verdict; answers against it that are too few to change it are marked as such. */
function evidenceFor(
  status: Verdict["status"],
  streak: number,
  { ok, evidence }: Answer,
  probe: Probe,
): string {
  if (probe.type === "none") return evidence;
  if (status === "ok" && !ok) return `failed check ${-streak} of ${probe.failureThreshold}: ${evidence}`;
  if (status === "failing" && ok) return `good check ${streak} of ${probe.successThreshold}: ${evidence}`;
  return evidence;
}

function statusAfter(track: Track, streak: number, probe: Probe): Verdict["status"] {
  if (probe.type === "none") return streak > 0 ? "ok" : "failing";
  if (streak >= probe.successThreshold) return "ok";
  if (-streak >= probe.failureThreshold) return "failing";
  return track.verdict.status;
}

/** Ms until the next probe: close together until the first success, then the probe's interval. */
export function nextGap(track: Track, probe: TimedProbe): number {
  if (track.settled) return probe.interval;
  return Math.min(FIRST_GAP * 2 ** track.sent, probe.interval);
}

/** One check serves both questions when it would look at the same thing. */
export function isSameCheck(a: Probe, b: Probe): boolean {
  if (a.type !== b.type || a.type === "none" || a.type === "log") return false;
  return canonicalJson({ ...a, ...NO_TIMING }) === canonicalJson({ ...b, ...NO_TIMING });
}

const NO_TIMING = { interval: 0, timeout: 0, startPeriod: 0, failureThreshold: 0, successThreshold: 0 };
