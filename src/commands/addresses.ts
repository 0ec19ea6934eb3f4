import { basename } from "node:path";
import { EXIT } from "../model/exit-codes.ts";
import { NAME_PATTERN } from "../model/name.ts";
import { nearest } from "../model/nearest.ts";
import { isProgramAddress } from "../model/other-program.ts";
import { own } from "../model/own.ts";
import { isPattern } from "../model/selector.ts";
import type { ServerSpec } from "../model/spec.ts";
import { recordedBackends, recordedProjects } from "../system/projects.ts";
import type { BaseCommand } from "./base.ts";
import { currentProject } from "./configuration.ts";
import { amongText, knownServers } from "./known-servers.ts";

/** A server by its full name, and what runs it. */
export interface Address {
  readonly project: string;
  readonly name: string;
  readonly backend: ServerSpec["backend"];
}

export const isOfAgent = ({ backend }: Pick<Address, "backend">) => backend === "agent";

/** As parameters of a call to the agent. */
export const wireName = ({ project, name }: Address) => ({ project, name });

/** Sorted by project and name, as the agent sorts them. */
export function inOrder<T extends { readonly project: string; readonly name: string }>(
  entries: readonly T[],
): T[] {
  const key = ({ project, name }: T) => `${project}/${name}`;
  return [...entries].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

interface Around {
  readonly config?: string | undefined;
  /** The project of bare patterns, instead of the current one. */
  readonly project?: string | undefined;
}

/**
 * The full name that a person means: `project/name` as it is; a bare name in the current project first, then in the
 * only other project that has it. A pattern has to match exactly one server.
 */
export async function addressOf(command: BaseCommand, text: string, flags: Around): Promise<Address> {
  if (isPattern(text) && !isProgramAddress(text)) {
    const { matching } = await import("./matching.ts");
    const [one, ...others] = await matching(command, text, flags);
    if (one !== undefined && others.length === 0) return one;
    const all = [one, ...others].map((each) => each && `${each.project}/${each.name}`).join(", ");
    return command.fail(
      EXIT.usage,
      `cannot choose one server with ${text}: it matches ${all}; name one of them`,
    );
  }
  const [project, name, ...rest] = text.split("/");
  if (project && name && rest.length === 0 && NAME_PATTERN.test(project))
    return serverIn(command, project, name) ?? unknownServer(command, text);
  const holders = recordedProjects(command.state).flatMap((one) => serverIn(command, one, text) ?? []);
  if (holders.length === 0) return unknownServer(command, text);
  // Checked for a single holder too: an unsafe configuration here must not make the command act on another project.
  const current = await currentProject(command, flags);
  const holder = holders.length === 1 ? holders[0] : holders.find((one) => one.project === current);
  if (holder !== undefined) return holder;
  const all = holders.map((one) => `${one.project}/${text}`).join(" or ");
  return command.fail(EXIT.usage, `cannot tell which ${text} is meant: write ${all}`);
}

function serverIn(command: BaseCommand, project: string, name: string): Address | undefined {
  const found = recordedBackends(command.state, project).find((one) => one.name === name);
  return found && { project, ...found };
}

/** Ends the command: there is no such server. */
export function unknownServer(command: BaseCommand, name: string): never {
  if (isProgramAddress(name))
    command.fail(
      EXIT.failed,
      `cannot do this with ${name}: it is not xy's; it can be started, stopped and restarted, and \`xy status\` and \`xy logs\` show it`,
    );
  const instead = notOneName(command.id ?? "", name);
  if (instead !== undefined) command.fail(EXIT.usage, `cannot find server ${name}: ${instead}`);
  const isFull = name.includes("/");
  const all = recordedProjects(command.state).flatMap((project) =>
    recordedBackends(command.state, project).map((server) =>
      isFull ? `${project}/${server.name}` : server.name,
    ),
  );
  const meant = nearest(name, all) ?? all.find((one) => isFull && basename(one) === basename(name));
  const hint =
    meant === undefined
      ? "`xy list` shows all servers, `xy apply` adds declared ones"
      : `did you mean ${meant}?`;
  return command.fail(
    EXIT.failed,
    `cannot find server ${name.trim() === "" ? JSON.stringify(name) : name}: ${hint}`,
  );
}

/** Commands about a job whose names are those of commands about a server. */
const OF_JOBS: Readonly<Record<string, string>> = {
  logs: "logs",
  status: "show",
  why: "show",
  stop: "cancel",
  kill: "cancel",
  restart: "retry",
};

/** What to type in place of names with commas, and of the number of a job. */
function notOneName(id: string, text: string): string | undefined {
  const names = text.split(",").filter((name) => name !== "");
  if (text.includes(",") && names.every((name) => NAME_PATTERN.test(name)))
    return `write names with blanks between them, as in \`xy ${id.replace(":", " ")} ${names.join(" ")}\``;
  if (id === "logs" && /^-\d+$/.test(text))
    return `for that many lines, type \`xy logs NAME --tail ${text.slice(1)}\``;
  const verb = /^\d{1,15}$/.test(text) ? own(OF_JOBS, id) : undefined;
  return verb && `that is a number; for a job, type \`xy job ${verb} ${text}\``;
}

/** The servers that words mean, each once: by name, by patterns such as `web-*`, by `tag:x`. */
export async function addressesOf(
  command: BaseCommand,
  words: readonly string[],
  flags: Around,
): Promise<Address[]> {
  const found = await Promise.all(
    words.map(async (word) => {
      if (!isPattern(word)) return [await addressOf(command, word, flags)];
      const { matching } = await import("./matching.ts");
      return matching(command, word, flags);
    }),
  );
  return [...new Map(found.flat().map((one) => [`${one.project}/${one.name}`, one])).values()];
}

/** The addresses that `NAME… | --all` stands for. */
export async function addressesOrAll(
  command: BaseCommand,
  words: readonly string[],
  flags: Around & { readonly all: boolean },
): Promise<Address[]> {
  if (flags.all === words.length > 0)
    command.fail(
      EXIT.usage,
      `cannot tell which servers are meant: give either names or --all${flags.all ? "" : amongText(knownServers(process.env))}`,
    );
  if (!flags.all) return addressesOf(command, words, flags);
  const project = await currentProject(command, flags);
  if (project === undefined)
    command.fail(
      EXIT.failed,
      "cannot tell the current project: no applied configuration was found from here; name one with --config, or write servers as PROJECT/NAME",
    );
  return recordedBackends(command.state, project).map((server) => ({ project, ...server }));
}
