import { nearest } from "../../model/nearest.ts";
import { isObject } from "../../model/object.ts";
import { type KeyPath, type KeyStyle, toKebab } from "../place.ts";
import { foreignHint } from "./foreign-words.ts";

/** A file of another tool, pasted where a configuration should be: what it is, and how to say the same here. */
export interface Foreign {
  readonly message: string;
  /** The key that gave it away. */
  readonly path: KeyPath;
}

type Fields = Readonly<Record<string, unknown>>;

interface Kind {
  readonly what: string;
  /** What to write for it here, where `xy import` cannot. */
  readonly advice?: string;
}

const CLIENT: Kind = { what: "an MCP client's list of servers" };
const PM2: Kind = { what: "a pm2 file" };
const COMPOSE: Kind = { what: "a docker compose file" };
const PROCESS_COMPOSE: Kind = { what: "a process-compose file" };
const PROCFILE: Kind = { what: "a Procfile" };
const SUPERVISORD: Kind = { what: "a supervisord configuration" };
const SYSTEMD: Kind = { what: "a systemd unit" };
const LAUNCHD: Kind = { what: "a launchd plist" };
const PACKAGE: Kind = {
  what: "a package.json",
  advice:
    'write a file servers.d/NAME.yaml for each script that should keep running, with the command "npm", the args "run" and its name, and a port',
};
const TOML: Kind = { what: "TOML", advice: "write a file servers.d/NAME.yaml with the same settings" };

function message({ what, advice }: Kind): string {
  const way =
    advice ?? 'move it out of this folder, and run "xy import" on it: that writes a file for each server';
  return `cannot use this as an xy configuration: it is ${what}; ${way}`;
}

/** What a value of any format was written for, where that is another tool. `known`: the keys that may stand there. */
export function foreignValue(value: unknown, known: Iterable<string>, style: KeyStyle): Foreign | undefined {
  const found = kindOf(value, known, style);
  return found && { message: message(found[0]), path: found[1] };
}

function kindOf(value: unknown, known: Iterable<string>, style: KeyStyle): [Kind, KeyPath] | undefined {
  if (Array.isArray(value))
    return value.some((item) => isObject(item) && "script" in item) ? [PM2, []] : undefined;
  if (!isObject(value)) return undefined;
  const client = CLIENT_KEYS.find((key) => typeof value[key] === "object" && value[key] !== null);
  if (client !== undefined) return [CLIENT, [client]];
  const named = NAMED.find(([key, , isIt]) => isIt(value[key], value));
  if (named !== undefined) return [named[1], [named[0]]];
  return isProcfile(value, known, style) ? [PROCFILE, [Object.keys(value)[0] ?? ""]] : undefined;
}

const CLIENT_KEYS = ["mcpServers", "context_servers", "mcp_servers"];
const COMPOSE_KEYS = ["version", "networks", "volumes", "configs", "secrets", "name"];
const SERVICE_KEYS = [
  "image",
  "build",
  "ports",
  "environment",
  "container_name",
  "volumes",
  "depends_on",
  "expose",
];
const TRANSPORTS: readonly unknown[] = [
  "stdio",
  "http",
  "sse",
  "streamable-http",
  "streamableHttp",
  "local",
  "remote",
];

const mapsIn = (value: unknown): Fields[] =>
  typeof value === "object" && value !== null ? Object.values(value).filter(isObject) : [];
/** An entry of a client, and no server of ours: that has a port. */
const isClientEntry = (entry: Fields) =>
  !("port" in entry) &&
  (TRANSPORTS.includes(entry.type) || "url" in entry || "serverUrl" in entry || "cmd" in entry);

const NAMED: readonly (readonly [
  key: string,
  kind: Kind,
  isIt: (value: unknown, whole: Fields) => boolean,
])[] = [
  ["servers", CLIENT, (value) => mapsIn(value).some(isClientEntry)],
  [
    "mcp",
    CLIENT,
    (value) => mapsIn(value).some((entry) => isClientEntry(entry) || mapsIn(entry).some(isClientEntry)),
  ],
  ["extensions", CLIENT, (value) => mapsIn(value).some(isClientEntry)],
  ["apps", PM2, (value) => mapsIn(value).some((app) => "script" in app || "name" in app)],
  ["processes", PROCESS_COMPOSE, (value) => mapsIn(value).length > 0],
  [
    "services",
    COMPOSE,
    (value, whole) =>
      mapsIn(value).some((service) => SERVICE_KEYS.some((key) => key in service)) ||
      (mapsIn(value).length > 0 && COMPOSE_KEYS.some((key) => key in whole)),
  ],
  [
    "scripts",
    PACKAGE,
    (value, { name, version }) => isObject(value) && (name !== undefined || version !== undefined),
  ],
  [
    "dependencies",
    PACKAGE,
    (value, { name, version }) => isObject(value) && name !== undefined && version !== undefined,
  ],
];

/** Lines such as `web: node server.js`: names that are no word for a setting, in any tool. */
function isProcfile(value: Fields, known: Iterable<string>, style: KeyStyle): boolean {
  const entries = Object.entries(value);
  const words = new Map([...known].map((key) => [style === "kebab" ? toKebab(key) : key, key]));
  return (
    entries.length > 0 &&
    entries.every(
      ([name, line]) =>
        typeof line === "string" &&
        /^[\w-]+$/.test(name) &&
        !words.has(name) &&
        foreignHint(name, words, style) === undefined,
    ) &&
    entries.some(([name, line]) => /\S\s+\S/.test(String(line)) && nearest(name, words.keys()) === undefined)
  );
}

/** What a text was written for that is none of the format it should be, or says no more than a text. */
export function foreignText(text: string, known: Iterable<string>, style: KeyStyle): string | undefined {
  const kind = TEXTS.find(([sign, , also = sign]) => sign.test(text) && also.test(text))?.[1];
  if (kind !== undefined) return message(kind);
  const lines = text.split("\n").filter((line) => !/^\s*(?:#|$)/.test(line));
  const pairs = lines.map((line) => /^([\w-]+):[ \t]+(\S.*)$/.exec(line));
  const procfile = Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2]]));
  return Object.keys(procfile).length === lines.length && isProcfile(procfile, known, style)
    ? message(PROCFILE)
    : undefined;
}

const TEXTS: readonly (readonly [sign: RegExp, kind: Kind, also?: RegExp])[] = [
  [
    /^[ \t]*\[(?:(?:program|group|eventlistener|fcgi-program|rpcinterface):[^\]\n]*|supervisord|supervisorctl|unix_http_server|inet_http_server|include)\][ \t\r]*$/m,
    SUPERVISORD,
  ],
  [/^\[(?:Unit|Service|Install|Timer|Socket)\][ \t\r]*$/m, SYSTEMD],
  [/^[ \t]*\[mcp_servers\.[^\]\n]*\][ \t\r]*$/m, CLIENT],
  [/^(?:<\?xml[^>]*>\s*)?(?:<!DOCTYPE plist|<plist)/, LAUNCHD],
  [/^[ \t]*\[\[?[\w."-]+\]\]?[ \t\r]*$/m, TOML, /^[ \t]*[\w."-]+[ \t]*=/m],
];
