import { CONDITION_VERB } from "../model/dependency.ts";
import { ago, span, uptime } from "../model/elapsed.ts";
import {
  formatExit,
  type Missing,
  type Observed,
  type Transition,
  type Verdict,
  writtenAgain,
} from "../model/observed.ts";
import { formatStarter } from "../model/starter.ts";
import { quotedLine, visible } from "../model/visible.ts";
import { childLines, clientsText, sessionLines } from "./bridge.ts";
import { defaultsHidden, type Fact, interestingFacts } from "./facts.ts";
import { stateStyle, stateText } from "./list.ts";
import { type Paint, painter, type Screen, type Style } from "./screen.ts";
import { cut, displayWidth, padEnd, wrapHard } from "./width.ts";

/** What `xy status` shows beside the observation. */
export interface StatusDetails {
  /** Oldest first. */
  readonly transitions?: readonly Transition[];
  readonly logPath?: string;
}

interface Row extends Fact {
  readonly style?: Style | undefined;
}

/** Everything about one server, with a newline at its end. */
export function statusView(observed: Observed, details: StatusDetails, screen: Screen): string {
  const paint = painter(screen);
  const head = `${paint("bold", visible(observed.name))} ${paint("dim", visible(`(project ${observed.project}, ${observed.backend})`))}`;
  const blocks = [
    [head, ...table(stateRows(observed, screen), screen, paint)],
    section(
      "Last output",
      (observed.lastLines ?? []).map((line) => `  ${quotedLine(line)}`),
      screen,
      paint,
    ),
    ...bridgeSections(observed, screen, paint),
    section("Recent transitions", transitionLines(details.transitions ?? [], screen.now), screen, paint),
    specLines(observed, screen, paint),
  ];
  const logs = details.logPath === undefined ? [] : [[`Log: ${shortened(details.logPath, screen)}`]];
  return `${[...blocks, ...logs]
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function stateRows(observed: Observed, { now }: Screen): Row[] {
  const { state, ready, healthy, reason, pid, startedAt, lastExit, drift, operator, paused, startedBy } =
    observed;
  const { restartCount, restored, unwatched } = observed;
  const { waitsFor = [], troubles = [], bridge } = observed;
  const facts = {
    ...{ state, held: operator === "stop", paused: paused !== undefined, unwatched: unwatched !== undefined },
    ...{ sleeping: bridge?.sleeping ?? false, waitsFor: [] },
  };
  const running = state === "running" || state === "starting";
  const rows: (Row | undefined)[] = [
    {
      label: "state",
      value: `${stateText(facts)}, ${since(observed, now)}`,
      style: waitsFor.length > 0 ? "yellow" : stateStyle(state, ready.status),
    },
    ...waitsFor.map(waitRow),
    reason === undefined ? undefined : { label: "reason", value: reason },
    unwatched && { label: "unwatched", value: `${unwatched.reason}; tried again`, style: "yellow" },
    wordRow(observed),
    observed.kept && {
      label: "declared",
      value: `no: \`xy run --keep\` added it, \`xy forget ${observed.name}\` removes it`,
    },
    restored && {
      label: "put back",
      value: `${ago(now - restored.at)}, by an apply: the new version was ${restored.because}`,
      style: "yellow",
    },
    paused && { label: "paused", value: pausedText(paused, now) },
    startedBy && { label: "started by", value: formatStarter(startedBy) },
    pid === undefined ? undefined : { label: "pid", value: String(pid) },
    running && startedAt !== undefined ? { label: "uptime", value: uptime(now - startedAt) } : undefined,
    running ? verdictRow("ready", ready, now) : undefined,
    running ? verdictRow("healthy", healthy, now) : undefined,
    ...mcpRows(observed),
    bridge && { label: "shared", value: sharedText(bridge) },
    restartCount === undefined ? undefined : { label: "restarts", value: restarts(observed, now) },
    lastExit && { label: "last exit", value: `${formatExit(lastExit.exit)}, ${ago(now - lastExit.at)}` },
    drift === undefined
      ? undefined
      : { label: "drift", value: `changed outside xy: ${drift}`, style: "yellow" },
    ...troubles.map((value): Row => ({ label: "trouble", value, style: "yellow" })),
  ];
  return rows.filter((row) => row !== undefined);
}

function waitRow({ server, condition, state }: Missing): Row {
  return {
    label: "waits for",
    value: `${server} ${CONDITION_VERB[condition]}: ${state}`,
    style: "yellow",
  };
}

function since({ since: at }: Observed, now: number): string {
  return `since ${new Date(at).toISOString().replace("T", " ").slice(0, 19)}Z (${ago(now - at)})`;
}

function wordRow({ operator }: Observed): Row | undefined {
  const word = { start: "said start", stop: "said stop: held until `xy start`" };
  return operator === null ? undefined : { label: "operator", value: word[operator] };
}

function pausedText({ at, until }: NonNullable<Observed["paused"]>, now: number): string {
  const end = until === undefined ? "until `xy resume`" : `for another ${span(until - now)}`;
  return `${ago(now - at)}, ${end}`;
}

function verdictRow(label: string, { status, evidence, at }: Verdict, now: number): Row {
  const seen = `${evidence} (${ago(now - at)})`;
  switch (status) {
    case "ok":
      return { label, value: `yes: ${seen}`, style: "green" };
    case "failing":
      return { label, value: `no: ${seen}`, style: "red" };
    case "unknown":
      return { label, value: `unknown: ${seen}`, style: "yellow" };
  }
}

function mcpRows({ mcp }: Observed): Row[] {
  if (mcp === undefined) return [];
  const { era, protocolVersion, serverName, serverVersion, tools, authorization } = mcp;
  const speaks = [era, protocolVersion].filter((part) => part !== undefined);
  const server = [serverName, serverVersion].filter((part) => part !== undefined);
  const said = [
    ...(speaks.length > 0 ? [speaks.join(" ")] : []),
    ...(server.length > 0 ? [server.join(" ")] : []),
    ...(authorization === "required" ? ["wants authorization"] : []),
  ];
  const rows = [{ label: "mcp", value: said.join(", ") }];
  return tools === undefined
    ? rows
    : [...rows, { label: "tools", value: `${tools.length}: ${tools.join(", ")}` }];
}

function sharedText({ share, start, sleeping, session_count }: NonNullable<Observed["bridge"]>): string {
  const whose = share === "all" ? "one process for all clients" : "a process for each client";
  const when = start === "on-demand" ? ", started on demand" : "";
  const how = sleeping ? "; asleep until the next request" : "";
  return `${whose}${when}; ${clientsText(session_count)}${how}`;
}

function bridgeSections({ bridge }: Observed, screen: Screen, paint: Paint): string[][] {
  if (bridge === undefined) return [];
  return [
    section(`Clients: ${bridge.session_count}`, sessionLines(bridge, screen.now), screen, paint),
    section(`Processes: ${bridge.child_count}`, childLines(bridge, screen.now), screen, paint),
  ];
}

function restarts({ restartCount = 0, state, nextStartAt }: Observed, now: number): string {
  if (state !== "restarting" || nextStartAt === undefined) return String(restartCount);
  return `${restartCount}, the next start in ${uptime(Math.max(0, nextStartAt - now))}`;
}

function specLines({ name, spec, kept }: Observed, screen: Screen, paint: Paint): string[] {
  if (spec === undefined)
    return [paint("yellow", `What was applied cannot be read; ${writtenAgain(name, kept)} writes it again.`)];
  const { facts, hidden } = interestingFacts(spec, screen.given?.([spec.program]), screen.defaults);
  const rest = hidden === 0 ? "" : ` ${paint("dim", defaultsHidden(hidden))}`;
  return [`${paint("bold", kept ? "Added" : "Applied")}${rest}`, ...table(facts, screen, paint)];
}

function transitionLines(transitions: readonly Transition[], now: number): string[] {
  const times = transitions.map(({ at }) => ago(now - at));
  const column = Math.max(0, ...times.map(displayWidth));
  return transitions.map(({ from, to, reason }, i) => {
    const why = reason === undefined ? "" : `: ${reason}`;
    return visible(`  ${padEnd(times[i] ?? "", column)}  ${from} -> ${to}${why}`);
  });
}

function section(title: string, lines: readonly string[], { width }: Screen, paint: Paint): string[] {
  return lines.length === 0 ? [] : [paint("bold", title), ...lines.map((line) => cut(line, width))];
}

function table(rows: readonly Row[], { width }: Screen, paint: Paint): string[] {
  const column = Math.max(...rows.map(({ label }) => displayWidth(label))) + 1;
  return rows.map(({ label, value, style }) => {
    const room = width === undefined ? undefined : width - column - 3;
    const fitting = wrapHard(visible(value), room).replaceAll("\n", `\n${" ".repeat(column + 3)}`);
    return `  ${padEnd(`${label}:`, column)} ${style === undefined ? fitting : paint(style, fitting)}`;
  });
}

function shortened(path: string, { shorten }: Screen): string {
  return visible(shorten === undefined ? path : shorten(path));
}
