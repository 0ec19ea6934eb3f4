import { readClientFile } from "../clients/client-file.ts";
import { problemOf, rowOf } from "../clients/look.ts";
import { targetOf } from "../clients/targets.ts";
import type { ClientTarget } from "../clients/types.ts";
import { CLIENT_SCOPES, type ClientName } from "../model/clients.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { homeOf } from "../system/paths.ts";
import { type ReadSource, readSource, type SourceRequest } from "./import-source.ts";
import { readMachine } from "./machine.ts";

export interface ClientRequest extends SourceRequest {
  /** Whose files of a project are read, too. */
  readonly cwd: string;
}

/** What a client's files have: of the account, and of the project in this folder. That there is nothing is a problem. */
export async function readClient(client: ClientName, request: ClientRequest): Promise<Outcome[]> {
  const { cwd, env } = request;
  const around = { os: readMachine(env).os, home: homeOf(env), env, folder: cwd };
  const both = CLIENT_SCOPES[client].flatMap((scope) => targetOf(client, scope, around) ?? []);
  // In the home folder, they are the same.
  const targets = [...new Map(both.map((target) => [target.file, target])).values()];
  const all = await Promise.all(targets.map((target) => readTarget(target, request)));
  const found = all.flatMap((one) => one ?? []);
  if (found.length > 0) return found;
  const looked = targets.map(({ file }) => file).join(", ");
  const message = `cannot import from ${rowOf(client).title}: it has no servers here; looked at ${looked}`;
  return [{ problem: { severity: "error", message } }];
}

type Outcome = ReadSource | { readonly problem: Diagnostic };

async function readTarget(target: ClientTarget, request: SourceRequest): Promise<Outcome | undefined> {
  const read = readClientFile(target);
  if (!read.ok) return { problem: problemOf(target, read.fault) };
  if (read.text === undefined || read.text.trim() === "") return undefined;
  const found = await readSource(target.file, { ...request, tool: "client" });
  const isEmpty = !("problem" in found) && found.drafts.length + found.others.length === 0;
  return isEmpty ? undefined : found;
}
