import { constants } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ActionSpec } from "../../model/action.ts";
import { givenEnv, systemPath } from "../../model/given-env.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { EnvValue } from "../../model/spec-parts.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import type { ShortAction, ShortServer } from "../../rpc/short-spec.ts";
import { accountHere } from "../../system/account-here.ts";

/** What a client may leave out of a spec, and depends on the machine. */

/** Throws if no program is named, or none is found. */
export async function wholeServer(
  { project, server }: { readonly project: string; readonly server: string },
  spec: ShortServer,
): Promise<ServerSpec> {
  const started = await startedBy(`cannot apply ${server}`, spec);
  return { ...spec, name: spec.name ?? server, project: spec.project ?? project, ...started };
}

/** As {@link wholeServer}. */
export async function wholeAction(project: string, spec: ShortAction): Promise<ActionSpec> {
  const started = await startedBy(`cannot run ${spec.name}`, spec);
  const { openFiles = accountHere(process.env).os === "macos" ? 256 : 1024, stopSignal } = spec;
  return {
    name: spec.name,
    project,
    server: null,
    ...started,
    ...{ interpreterArgs: [], script: null, args: spec.args, openFiles, umask: spec.umask },
    ...{ timeout: spec.timeout, grace: spec.grace, retries: spec.retries, schedule: null },
    // Whoever types it twice wants it twice.
    concurrency: "allow",
    ...withoutUndefined({ stopSignal }),
    ...{ description: spec.description, tags: spec.tags },
  };
}

type Started = Pick<ServerSpec, "command" | "program" | "env" | "workingDir">;

/** `cannot`: how a refusal begins. */
async function startedBy(
  cannot: string,
  { command, program, env, workingDir }: { readonly [Key in keyof Started]?: Started[Key] | undefined },
): Promise<Started> {
  const said = command ?? program;
  if (said === undefined) throw refusal(`${cannot}: command is missing`);
  const account = accountHere(process.env);
  const folders = foldersOf(env) ?? systemPath(account);
  const found = program ?? (await programOf(cannot, said, folders));
  return {
    command: said,
    program: found,
    env: env ?? givenEnv(account, [dirname(found)]),
    workingDir: workingDir ?? account.home,
  };
}

function foldersOf(env: Readonly<Record<string, EnvValue>> | undefined): string[] | undefined {
  const path = env?.PATH;
  return typeof path === "string" ? path.split(":").filter((folder) => folder.startsWith("/")) : undefined;
}

async function programOf(cannot: string, command: string, folders: readonly string[]): Promise<string> {
  if (command.startsWith("/")) return command;
  if (command.includes("/"))
    throw refusal(
      `${cannot}: ${JSON.stringify(command)} is no absolute path; nothing is known of where you are`,
    );
  for (const folder of folders) {
    const path = join(folder, command);
    if (await isProgram(path)) return path;
  }
  throw refusal(`${cannot}: cannot find the program ${JSON.stringify(command)} in ${folders.join(", ")}`);
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

const refusal = (message: string) => new RpcError(RPC_ERRORS.invalidParams, message);
