import { isObject } from "../model/object.ts";
import { visible, visibleJson } from "../model/visible.ts";
import type { Paint, Style } from "./screen.ts";
import { cut } from "./width.ts";

/** Lines that loggers write as JSON (pino, bunyan, zap, slog, logrus, winston, structlog …), for people. */

const TIME = ["time", "ts", "timestamp", "@timestamp", "asctime"];
const LEVEL = ["level", "lvl", "severity", "levelname"];
const MESSAGE = ["msg", "message", "event"];
const STACK = ["stack", "stacktrace"];
const ERROR = ["err", "error"];
/** What pino and bunyan write into each line, and what is the same in each. */
const NOISE = ["v", "pid", "hostname"];

/** Characters of a nested value, keys of a line, and lines of a stack that are shown. */
const LONGEST_VALUE = 1000;
const MOST_KEYS = 50;
const MOST_FRAMES = 30;
const LONGEST_LEVEL = 10;
const LONGEST_TIME = 40;

/** A line as time, level, message and the rest as `key=value`, its stack below it; undefined for any other line. */
export function prettyLine(line: string, paint: Paint): string | undefined {
  try {
    const record: unknown = line.startsWith("{") ? JSON.parse(line) : undefined;
    return isObject(record) && !Array.isArray(record) ? recordText(record, paint) : undefined;
  } catch {
    // Not JSON, or so deep that the engine gives up.
    return undefined;
  }
}

function recordText(record: Readonly<Record<string, unknown>>, paint: Paint): string | undefined {
  const rest = new Map(Object.entries(record));
  const take = (keys: readonly string[]): string | number | undefined => {
    for (const key of keys) {
      const value = rest.get(key);
      if (typeof value !== "string" && typeof value !== "number") continue;
      rest.delete(key);
      return value;
    }
    return undefined;
  };
  const [time, level, message] = [take(TIME), take(LEVEL), take(MESSAGE)];
  if (message === undefined && level === undefined) return undefined;
  if (typeof level === "number") for (const key of NOISE) rest.delete(key);
  const stack = stackIn(rest, take);
  const words = [
    ...(time === undefined ? [] : [paint("dim", timeText(time))]),
    ...(level === undefined ? [] : [levelText(level, paint)]),
    ...(message === undefined ? [] : [visible(String(message))]),
    ...pairs(rest, paint),
  ];
  const frames = stack.slice(0, MOST_FRAMES).map((frame) => `        ${visible(frame.trim())}`);
  const more = stack.length > MOST_FRAMES ? [`        … ${stack.length - MOST_FRAMES} more`] : [];
  return [words.join(" "), ...frames, ...more].join("\n");
}

/** Takes the stack of an error out of its line. What the error says stays. */
function stackIn(
  rest: Map<string, unknown>,
  take: (keys: readonly string[]) => string | number | undefined,
): string[] {
  const own = take(STACK);
  const key = ERROR.find((one) => isObject(rest.get(one)));
  const error = key === undefined ? undefined : (rest.get(key) as Record<string, unknown>);
  if (key === undefined || error === undefined || typeof error.stack !== "string") return linesOf(own);
  const { stack, type, name, message, ...more } = error;
  const kind = [type ?? name, message].filter((one) => typeof one === "string").join(": ");
  rest.set(key, kind === "" ? more : kind);
  if (kind !== "" && Object.keys(more).length > 0) rest.set(`${key}.*`, more);
  return linesOf(stack as string).filter((frame, i) => i > 0 || frame.trim() !== kind);
}

const linesOf = (stack: string | number | undefined) =>
  typeof stack === "string" ? stack.split("\n").filter((line) => line.trim() !== "") : [];

function pairs(rest: ReadonlyMap<string, unknown>, paint: Paint): string[] {
  const all = [...rest];
  const shown = all
    .slice(0, MOST_KEYS)
    .map(([key, value]) => `${paint("dim", `${cut(visible(key), LONGEST_VALUE)}=`)}${valueText(value)}`);
  return all.length > MOST_KEYS ? [...shown, `… ${all.length - MOST_KEYS} more`] : shown;
}

function valueText(value: unknown): string {
  if (typeof value === "string" && /^[^\s"'=\\{}[\]]+$/.test(value)) return visible(value);
  const text = visibleJson(JSON.stringify(value) ?? "null");
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}

/** Levels of pino and bunyan, each the least of its kind. */
const NUMBERS: readonly [number, string][] = [
  [60, "FATAL"],
  [50, "ERROR"],
  [40, "WARN"],
  [30, "INFO"],
  [20, "DEBUG"],
];

const STYLES: readonly [RegExp, Style][] = [
  [/^(ERR|FATAL|CRIT|PANIC|DPANIC|ALERT|EMERG)/, "red"],
  [/^WARN/, "yellow"],
  [/^(INFO|NOTICE)/, "green"],
  [/^(DEBUG|TRACE)/, "cyan"],
];

function levelText(level: string | number, paint: Paint): string {
  const word =
    typeof level === "number"
      ? (NUMBERS.find(([least]) => level >= least)?.[1] ?? "TRACE")
      : cut(visible(level.toUpperCase()), LONGEST_LEVEL);
  const [, style] = STYLES.find(([begins]) => begins.test(word)) ?? [];
  return (style === undefined ? word : paint(style, word)) + " ".repeat(Math.max(0, 5 - word.length));
}

/** The time of day here: the date is that of the lines around it. */
function timeText(time: string | number): string {
  const ms = typeof time === "number" ? unixMs(time) : Date.parse(time);
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return cut(visible(String(time)), LONGEST_TIME);
  const two = (number: number) => String(number).padStart(2, "0");
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(":");
  return `${clock}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

/** Of what may be seconds, or thousandths, millionths or billionths of one. */
function unixMs(time: number): number {
  if (time > 1e17) return time / 1e6;
  if (time > 1e14) return time / 1e3;
  return time > 1e11 ? time : time * 1000;
}
