import { TOKEN_VARIABLE } from "../model/bridge-token.ts";
import { parseDuration } from "../model/units.ts";
import type { Restart } from "./starts.ts";

/** What can be said to a bridge: for itself, and for its help. */
export const FLAGS = {
  port: { value: "NUMBER", summary: "Port to serve at." },
  host: {
    value: "ADDRESS",
    summary: "Address to listen on. Others than loopback ask for a token.",
    usual: "127.0.0.1",
  },
  path: { value: "PATH", summary: "Path to serve at.", usual: "/mcp" },
  share: {
    value: "session|all",
    summary: "A child for each client, or one for all of them.",
    usual: "session",
  },
  start: {
    value: "eager|on-demand",
    summary: "When a child is started: with its client, or for what only a child can answer.",
    usual: "eager",
  },
  "idle-stop": {
    value: "DURATION",
    summary: "Stop a child that was idle for this long; the next request starts it again.",
  },
  "max-sessions": { value: "NUMBER", summary: "Clients at most.", usual: "100" },
  "max-children": {
    value: "NUMBER",
    summary: "Children at most; the one that was idle longest makes room.",
    usual: "20",
  },
  "max-starts": { value: "NUMBER", summary: "Children started in a second at most.", usual: "10" },
  restart: {
    value: "on-failure|always|never",
    summary: "Whether a child that exited by itself is started again when it is needed.",
    usual: "on-failure",
  },
  "backoff-initial": {
    value: "DURATION",
    summary: "Wait before a restart, from the second quick exit on; doubled for each further one.",
    usual: "1s",
  },
  "backoff-max": { value: "DURATION", summary: "Longest such wait.", usual: "30s" },
  "reset-after": {
    value: "DURATION",
    summary: "A child that ran for this long is restarted without a wait.",
    usual: "10s",
  },
  sessions: {
    value: "FOLDER",
    summary: "Folder of its own in which to keep sessions, so that they outlive the bridge.",
  },
  capability: {
    value: "NAME",
    summary: "What a shared child is told that clients can do, such as sampling; never roots.",
    many: true,
  },
  "allow-host": { value: "NAME", summary: "Further name that clients may use for this machine.", many: true },
  "allow-origin": {
    value: "ORIGIN",
    summary: "Web page that may use the server, such as https://app.example.",
    many: true,
  },
} as const satisfies Readonly<Record<string, FlagRow>>;

export interface FlagRow {
  readonly value: string;
  readonly summary: string;
  readonly usual?: string;
  readonly many?: true;
}

export interface Options {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly share: "session" | "all";
  readonly start: "eager" | "on-demand";
  readonly idleStop?: number | undefined;
  readonly capabilities: readonly string[];
  readonly maxSessions: number;
  /** Undefined: sessions end with the bridge. */
  readonly sessions?: string | undefined;
  readonly maxChildren: number;
  readonly maxStarts: number;
  readonly restart: Restart;
  readonly allowHosts: readonly string[];
  readonly allowOrigins: readonly string[];
  readonly token?: string | undefined;
  readonly command: { readonly program: string; readonly args: readonly string[] };
}

/** Reads the arguments of a bridge; a string is what is wrong with them. */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): Options | string {
  const mark = argv.indexOf("--");
  const [program, ...args] = mark === -1 ? [] : argv.slice(mark + 1);
  if (program === undefined) return "cannot bridge to nothing: write the server's command after --";
  const given = flagsIn(argv.slice(0, mark));
  if (typeof given === "string") return given;
  const value = (name: Single): string | undefined => given[name] as string | undefined;
  const many = (name: Many): readonly string[] => (given[name] as string[] | undefined) ?? [];
  const port = wholeNumber(value("port"), 0, 65_535);
  if (port === undefined) return "cannot tell the port: write --port with a number up to 65535";
  const host = value("host") ?? FLAGS.host.usual;
  const token = env[TOKEN_VARIABLE] || undefined;
  if (token === undefined && !/^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host))
    return `cannot serve ${host} to everybody who reaches it: set ${TOKEN_VARIABLE}, which clients then send as a bearer token`;
  const path = value("path") ?? FLAGS.path.usual;
  if (!/^\/[^\s?#]*$/.test(path))
    return `cannot serve at the path ${path}: it begins with / and has no spaces, ? or #`;
  const share = value("share") ?? FLAGS.share.usual;
  if (share !== "session" && share !== "all") return `cannot share a child as ${share}: write session or all`;
  const start = value("start") ?? FLAGS.start.usual;
  if (start !== "eager" && start !== "on-demand")
    return `cannot start a child ${start}: write eager or on-demand`;
  const capabilities = many("capability");
  if (capabilities.includes("roots"))
    return "cannot tell a shared child of roots: those of one client would count for all; leave out that capability";
  const idle = value("idle-stop");
  const idleStop = idle === undefined ? undefined : parseDuration(idle);
  if (idle !== undefined && !idleStop)
    return `cannot read --idle-stop ${idle}: write a duration, such as 10m`;
  const maxSessions = wholeNumber(value("max-sessions") ?? FLAGS["max-sessions"].usual, 1, 100_000);
  const maxChildren = wholeNumber(value("max-children") ?? FLAGS["max-children"].usual, 1, 10_000);
  const maxStarts = wholeNumber(value("max-starts") ?? FLAGS["max-starts"].usual, 1, 10_000);
  if (maxSessions === undefined || maxChildren === undefined || maxStarts === undefined)
    return "cannot read --max-sessions, --max-children or --max-starts: write a number, 1 at least";
  const restart = restartIn(value);
  if (typeof restart === "string") return restart;
  const sessions = value("sessions");
  if (sessions === "") return "cannot keep sessions in --sessions: it names no folder";
  return {
    ...{ port, host, path, share, start, idleStop, capabilities },
    ...{ maxSessions, maxChildren, maxStarts, restart, token, sessions },
    ...{ allowHosts: many("allow-host"), allowOrigins: many("allow-origin"), command: { program, args } },
  };
}

function restartIn(value: (name: Single) => string | undefined): Restart | string {
  const policy = value("restart") ?? FLAGS.restart.usual;
  if (policy !== "on-failure" && policy !== "always" && policy !== "never")
    return `cannot restart a child ${policy}: write on-failure, always or never`;
  const [backoffInitial, backoffMax, resetAfter] = (
    ["backoff-initial", "backoff-max", "reset-after"] as const
  ).map((name) => parseDuration(value(name) ?? FLAGS[name].usual));
  if (backoffInitial === undefined || backoffMax === undefined || resetAfter === undefined)
    return "cannot read --backoff-initial, --backoff-max or --reset-after: write a duration, such as 10s";
  return { policy, backoffInitial, backoffMax, resetAfter };
}

type Flag = keyof typeof FLAGS;
type Many = { [F in Flag]: (typeof FLAGS)[F] extends { readonly many: true } ? F : never }[Flag];
type Single = Exclude<Flag, Many>;

/** By hand: Node's `parseArgs` takes memory for as long as the bridge runs. */
function flagsIn(args: readonly string[]): Partial<Record<Flag, string | string[]>> | string {
  const given: Partial<Record<string, string | string[]>> = {};
  const rows: Readonly<Record<string, FlagRow>> = FLAGS;
  for (let at = 0; at < args.length; at++) {
    const word = args[at] as string;
    if (!word.startsWith("--")) return `cannot read the arguments: Unexpected argument '${word}'`;
    const mark = word.indexOf("=");
    const name = word.slice(2, mark === -1 ? undefined : mark);
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
    if (row === undefined) return `cannot read the arguments: Unknown option '--${name}'`;
    const value = mark === -1 ? args[++at] : word.slice(mark + 1);
    // A flag instead of a value is a value that was forgotten.
    if (value === undefined || (mark === -1 && value.startsWith("-")))
      return `cannot read the arguments: Option '--${name}' has no value`;
    given[name] = row.many ? [...(given[name] ?? []), value] : value;
  }
  return given;
}

function wholeNumber(text: string | undefined, least: number, most: number): number | undefined {
  const number = /^\d{1,6}$/.test(text ?? "") ? Number(text) : Number.NaN;
  return number >= least && number <= most ? number : undefined;
}
