import { type ActionSpec, actionKey } from "../../model/action.ts";
import { aboutAction, type Diagnostic } from "../../model/diagnostic.ts";
import { accountEnv, systemPath } from "../../model/given-env.ts";
import type { EnvValue, SecretValues } from "../../model/spec-parts.ts";
import { parseDuration } from "../../model/units.ts";
import { expandAction, shebangOf } from "../check/actions.ts";
import type { Declared, DeclaredAction, DeclaredServer } from "../declared.ts";
import { expandPath } from "../paths.ts";
import { asFound, findProgram, folderOf, wordsOf } from "./command.ts";
import { resolveSecrets } from "./environment.ts";
import { limitFaults } from "./process-limits.ts";
import { pathFolders } from "./program.ts";
import { EVERYWHERE, type Report } from "./report.ts";
import { isStarted, type ResolvedServer, workingDirFault } from "./server.ts";
import type { World } from "./world.ts";

export interface ResolvedAction {
  readonly spec: ActionSpec;
  readonly secrets: SecretValues;
  readonly diagnostics: readonly Diagnostic[];
}

/** The server that an action belongs to, as it is declared and as it is on this machine. */
interface Owner {
  readonly declared: DeclaredServer;
  readonly resolved: ResolvedServer;
}

/** Fills in what depends on the machine. `after`: keys of those that it comes after. An action of a server has its environment, folder and umask to begin with. */
export async function resolveAction(
  action: DeclaredAction,
  { owner, after }: { readonly owner: Owner | undefined; readonly after: string[] },
  { project, path }: Pick<Declared, "project" | "path">,
  world: World,
): Promise<ResolvedAction> {
  const diagnostics: Diagnostic[] = [];
  const { input } = action;
  const { machine } = world;
  const reportAs =
    (severity: Diagnostic["severity"]): Report =>
    (at, message, as = {}) =>
      diagnostics.push({
        severity,
        message: `action ${actionKey({ ...action })}: ${message}`,
        ...aboutAction(action),
        ...action.place(at),
        ...as,
      });
  const report = reportAs(owner === undefined || isStarted(owner.declared) ? "error" : "warning");

  const [written, at, ...given] = programOf(action);
  const env = { ...owner?.declared.input.env, ...input.env };
  const found = await findProgram({ input: { env }, folder: action.folder }, written, [at], path, world);
  if (found.kind === "missing") report([at], found.message, asFound(found));
  const server = owner?.resolved.spec;
  const workingDir =
    input.workingDir === undefined
      ? (server?.workingDir ?? machine.home)
      : expandPath(input.workingDir, action.folder(["workingDir"]), machine);
  const fault =
    input.workingDir === undefined || world.isElsewhere ? undefined : await workingDirFault(workingDir);
  if (fault !== undefined) report(["workingDir"], fault);

  const base = baseEnv(server?.env, folderOf(found), path, machine);
  const plainBase = Object.fromEntries(Object.entries(base).filter(([, value]) => typeof value === "string"));
  const facts = {
    project,
    home: machine.home,
    port: server?.port ?? null,
    baseEnv: plainBase as Record<string, string>,
  };
  const expanded = expandAction(action, owner?.declared, facts);
  for (const problem of expanded.problems) report(problem.path, problem.message);
  const secretOwner = { server: action.server, action: action.name };
  const own = { input: { env: input.env, envFile: [] }, folder: action.folder };
  const secret = await resolveSecrets(own, secretOwner, world, reportAs("error"));
  const whole = { ...base, ...expanded.env, ...secret.references };
  const values = { ...owner?.resolved.secrets, ...secret.values };
  // Problems of its server were reported there.
  const ownEnv = Object.fromEntries(Object.entries(whole).filter(([name]) => Object.hasOwn(input.env, name)));
  const started = { program: written, args: expanded.args, env: ownEnv };
  for (const { path, message, isSecret } of limitFaults(started, values, machine.os))
    report(path, message, isSecret ? {} : EVERYWHERE);
  const { schedule } = input;
  return {
    spec: {
      name: action.name,
      project,
      server: action.server,
      command: input.command ?? null,
      program: found.kind === "found" ? found.program : written,
      interpreterArgs: [...wordsOf(found), ...given],
      script: input.script ?? null,
      args: [...expanded.args],
      env: whole,
      workingDir,
      umask: input.umask === undefined ? (server?.umask ?? 0o022) : Number.parseInt(input.umask, 8),
      openFiles: server?.limits.openFiles ?? (machine.os === "macos" ? 256 : 1024),
      timeout: input.timeout === "none" ? null : milliseconds(input.timeout),
      grace: milliseconds(input.grace),
      retries: retriesOf(input.retries),
      schedule:
        schedule === undefined
          ? null
          : typeof schedule === "string"
            ? { cron: schedule, timeZone: localZone(), missed: "once" }
            : { ...schedule, timeZone: schedule.timeZone ?? localZone() },
      concurrency: input.concurrency,
      // Left out where they say nothing: an agent of an earlier version does not know them.
      ...(input.stopSignal === "SIGTERM" ? {} : { stopSignal: input.stopSignal }),
      ...(after.length === 0 ? {} : { after }),
      description: input.description,
      tags: input.tags,
    },
    secrets: Object.fromEntries(
      Object.entries(values).filter(
        ([name]) => Object.hasOwn(whole, name) && typeof whole[name] !== "string",
      ),
    ),
    diagnostics,
  };
}

/** The program as written, its place, and the arguments that come before the action's own. */
function programOf({ input }: DeclaredAction): readonly [string, string, ...string[]] {
  const { command, script = "", interpreter } = input;
  if (command !== undefined) return [command, "command"];
  if (interpreter !== undefined) {
    const [program = "", ...args] = [interpreter].flat();
    return [program, "interpreter", ...args];
  }
  const [program = "", ...args] = shebangOf(script) ?? [];
  return [program, "script", ...args];
}

function baseEnv(
  server: Readonly<Record<string, EnvValue>> | undefined,
  first: readonly string[],
  path: readonly string[],
  machine: World["machine"],
): Record<string, EnvValue> {
  const env = server ?? accountEnv(machine);
  if (env.PATH !== undefined && typeof env.PATH !== "string") return { ...env };
  const rest = env.PATH === undefined ? [...path, ...systemPath(machine)] : pathFolders(env.PATH);
  return { ...env, PATH: [...new Set([...first, ...rest])].join(":") };
}

function retriesOf(retries: DeclaredAction["input"]["retries"]): ActionSpec["retries"] {
  if (typeof retries === "number") return { max: retries, backoffInitial: 1000, backoffMax: 30_000 };
  const { max, backoffInitial, backoffMax } = retries;
  return { max, backoffInitial: milliseconds(backoffInitial), backoffMax: milliseconds(backoffMax) };
}

/** The schema has checked the form. */
const milliseconds = (text: string): number => parseDuration(text) ?? 0;

const localZone = () => Intl.DateTimeFormat().resolvedOptions().timeZone;
