import { basename, dirname } from "node:path";
import { baseFolder } from "../model/base-folder.ts";
import type { ClientEntryFacts, ClientFacts } from "../model/client-facts.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { isObject } from "../model/object.ts";
import { isFolder, isTaken } from "../system/files.ts";
import { look, rowOf } from "./look.ts";
import { missingEntries, ownedEntries } from "./owned.ts";
import { backupOf, fileRecords, targetOfRecord } from "./records.ts";
import { type Surroundings, targetsOf } from "./targets.ts";
import type { ClientTarget, OwnedEntry, Shape } from "./types.ts";

/** The clients that are on this machine, as their files tell, and the files that xy has written. In the order of clients. */
export async function clientsHere(state: string, around: Surroundings): Promise<ClientFacts[]> {
  const targets = targetsOf(around).filter((target) => isHere(target, around));
  const known = new Set(targets.map(({ file }) => file));
  const others = fileRecords(state)
    .map(targetOfRecord)
    .filter(({ file }) => !known.has(file));
  return Promise.all([...targets, ...others].map((target) => factsOf(state, target)));
}

/** A client that was started once has a folder of its own, if not its file. */
function isHere({ scope, file }: ClientTarget, { home, env }: Surroundings): boolean {
  if (isTaken(file)) return true;
  const shared = [home, baseFolder(env, "XDG_CONFIG_HOME") ?? `${home}/.config`];
  return scope === "user" && isFolder(dirname(file)) && !shared.includes(dirname(file));
}

async function factsOf(state: string, target: ClientTarget): Promise<ClientFacts> {
  const { client, scope, file } = target;
  const { title, reload } = rowOf(client);
  const backup = backupOf(state, file);
  const known = { client, title, scope, file, reload, backup: isTaken(backup) ? backup : null };
  const seen = await look(target);
  if (!seen.ok) {
    const problem = seen.problems.map(problemText).join("; ");
    return { ...known, exists: true, problem, entries: [], missing: [] };
  }
  const entries = ownedEntries(state, seen.value).map((entry) => entryFacts(entry, seen.value.shape));
  const exists = seen.value.text !== undefined;
  return { ...known, exists, problem: null, entries, missing: missingEntries(state, seen.value) };
}

/** The file is named beside it. */
const problemText = ({ message, line, column }: Diagnostic) =>
  line === undefined ? message : `line ${line}, column ${column}: ${message}`;

function entryFacts({ name, value, owner, isChanged }: OwnedEntry, shape: Shape): ClientEntryFacts {
  const fields = isObject(value) ? value : {};
  const isOff = shape.off !== undefined && fields[shape.off.field] === shape.off.value;
  const isAsWritten = owner !== undefined && !isChanged;
  return {
    name,
    to: whereTo(fields, shape, isAsWritten),
    owner: owner ?? null,
    changed: isChanged,
    off: isOff,
  };
}

function whereTo(
  fields: Readonly<Record<string, unknown>>,
  { http, stdio }: Shape,
  isAsWritten: boolean,
): string | null {
  const url = [http?.url ?? "url", "url", "httpUrl"]
    .map((key) => fields[key])
    .find((each) => typeof each === "string");
  if (typeof url === "string") return isAsWritten ? url : withoutSecrets(url);
  const command = fields[stdio.command];
  const program: unknown = Array.isArray(command) ? command[0] : command;
  return typeof program === "string" ? basename(program) : null;
}

/** What anybody may see of an address: services put keys into its path, too. */
function withoutSecrets(text: string): string {
  if (!URL.canParse(text)) return "…";
  const { protocol, host, pathname, search } = new URL(text);
  const isPlain = /^\/(mcp|sse)?\/?$/.test(pathname) && search === "";
  return `${protocol}//${host}${isPlain ? pathname : "/…"}`;
}
