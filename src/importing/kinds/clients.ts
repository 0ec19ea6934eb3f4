import { isObject } from "../../model/object.ts";
import type { Draft, Other } from "../draft.ts";
import { Drafting } from "../drafting.ts";
import type { Piece } from "../part.ts";
import { type Kind, NO_SETTING, type Origin } from "./kind.ts";

/** Where clients keep their servers: key paths; the list of Continue has a name in each entry. */
const CONTAINERS: readonly (readonly string[])[] = [
  ["mcpServers"],
  ["servers"],
  ["context_servers"],
  ["mcp_servers"],
  ["mcp", "servers"],
  ["mcp"],
  ["extensions"],
  ["amp.mcpServers"],
];
/** Those that are for servers only, whatever is in them. */
const SURE: readonly (string | undefined)[] = [
  "mcpServers",
  "context_servers",
  "mcp_servers",
  "amp.mcpServers",
];
const URL_KEYS = ["url", "serverUrl", "httpUrl", "uri"] as const;
const COMMAND_KEYS = ["command", "cmd"] as const;
const SAYS_STDIO = new Set(["stdio", "local", "custom", undefined]);

const isEntry = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && [...URL_KEYS, ...COMMAND_KEYS, "type", "source"].some((key) => key in value);

function containersIn(top: Piece): Piece[] {
  const found = CONTAINERS.flatMap((path) => {
    const piece = path.reduce<Piece | undefined>((at, key) => at?.at(key), top);
    if (piece === undefined) return [];
    const parts = piece.parts;
    return (SURE.includes(path[0]) && (piece.isMap || piece.isList)) ||
      parts.some((part) => isEntry(part.value))
      ? [piece]
      : [];
  });
  // Claude Code keeps some for each folder that it was started in.
  const projects = top.at("projects");
  return [...found, ...(projects?.parts ?? []).flatMap((part) => part.at("mcpServers") ?? [])];
}

export const clients: Kind = {
  id: "client",
  what: "an MCP client's list of servers",
  format: "json",
  fits: (_name, value) =>
    isObject(value) &&
    CONTAINERS.some((path) => {
      const at = path.reduce<unknown>((of, key) => (isObject(of) ? of[key] : undefined), value);
      if (typeof at !== "object" || at === null) return false;
      return SURE.includes(path[0])
        ? true
        : Object.values(at).some((one) => isEntry(one) && !("port" in one) && !("script" in one));
    }),
  read: (top, origin) => {
    const drafts: Draft[] = [];
    const others: Other[] = [];
    for (const container of containersIn(top))
      for (const entry of container.parts) {
        const read = readEntry(entry, origin);
        if ("why" in read) others.push(read);
        else drafts.push(read);
      }
    return { drafts, others };
  },
  reason: (path) =>
    path.length === 1 || (path[0] === "projects" && path[2] !== "mcpServers")
      ? "it is a setting of the client"
      : NO_SETTING,
};

/** The server that an entry leads to, if that is one of xy's. */
function ownerOf(entry: Piece, name: string, origin: Origin): string | undefined {
  const url = entry.first(...URL_KEYS)?.value;
  const words = [...COMMAND_KEYS, "args"].flatMap((key) => entry.at(key)?.value ?? []);
  return (
    origin.ownerOf?.(entry.path.slice(0, -1), name, entry.value) ??
    (typeof url === "string" ? origin.ownerAt?.(url) : undefined) ??
    connected(words)
  );
}

/** The server that `xy connect` is started for; xy may be run by Node, or by something else. */
function connected(words: readonly unknown[]): string | undefined {
  const at = words.indexOf("connect");
  const isXy = at > 0 && /(?:^|\/)xy(?:\.js)?$/.test(String(words[at - 1]));
  const server = isXy && words.slice(at + 1).find((word) => !String(word).startsWith("-"));
  return typeof server === "string" ? server : undefined;
}

function readEntry(entry: Piece, origin: Origin): Draft | Other {
  const { path, line } = entry;
  const name = entry.at("name")?.text() ?? entry.name;
  const other = (why: string): Other => ({ name, line, path, why });
  if (!entry.isMap) {
    entry.lose("it is not a block with a command");
    return other("it is not a block with a command");
  }
  const command = entry.first(...COMMAND_KEYS);
  const url = entry.first(...URL_KEYS);
  const owner = ownerOf(entry, name, origin);
  if (owner !== undefined) {
    const why = `it is xy's own: it leads to ${owner}`;
    entry.lose(why);
    return other(why);
  }
  const isOff = entry.at("disabled")?.take() === true || entry.at("enabled")?.take() === false;
  const type = entry.first("type", "source", "transport")?.text();
  if (command === undefined) {
    const address = url?.text() ?? "";
    const isHere = /^https?:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::|\/|$)/i.test(address);
    entry.lose(
      url === undefined
        ? "it has neither a command nor an address"
        : isHere
          ? "it only says where a server listens on this machine, not what runs it"
          : "it runs on another machine: there is nothing to run here",
    );
    return other(
      url === undefined
        ? "it has neither a command nor an address"
        : isHere
          ? "it says where a server listens, not what runs it: write its command and port in a file of its own"
          : "it runs on another machine; your clients can go on using its address",
    );
  }
  if ([command.value].flat().every((word) => word === "" || word === null)) {
    entry.lose("its command is empty");
    return other("its command is empty");
  }
  const drafting = new Drafting(name, line, "client");
  const { fields } = drafting;
  // Zed has had the program in a block of its own.
  const inner = command.isMap ? command : entry;
  const words = command.isMap ? (command.first("path", "command")?.texts() ?? []) : command.texts();
  drafting.runs([...words, ...(inner.at("args")?.texts() ?? [])]);
  for (const key of ["env", "environment", "envs"]) {
    const env = inner.at(key);
    if (env?.isMap) drafting.variables(env.pairs());
  }
  const cwd = inner.first("cwd", "workingDirectory", "working_directory")?.text();
  if (cwd !== undefined) fields.workingDir = drafting.path(cwd);
  const envFile = inner.at("envFile")?.text();
  if (envFile !== undefined) fields.envFile = [drafting.path(envFile)];
  const description = entry.at("description")?.text();
  if (description) fields.description = description;
  fields.port = "auto";
  fields.mcp = { transport: "stdio" };
  if (!SAYS_STDIO.has(type)) drafting.doubt(`its type is "${type}", and it has a command`);
  if (isOff) {
    fields.wanted = "stop";
    drafting.remark("It was switched off in the client.");
  }
  if (origin.file !== "" && words[0]?.startsWith("./"))
    drafting.remark("Its path is relative to this file now.");
  return drafting.end();
}
