import { dirname, extname, isAbsolute } from "node:path";
import type { DeclaredServer } from "../config/declared.ts";
import type { Loaded } from "../config/load.ts";
import { autoPorts } from "../config/resolve/ports.ts";
import { declaredFolders, versionManagerRemark } from "../config/resolve/program.ts";
import { envFilesOf, resolveUnseen } from "../config/resolve/unseen.ts";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import { accountEnv } from "../model/given-env.ts";
import { ACCOUNT, type Machine } from "../model/machine.ts";
import { own } from "../model/own.ts";
import { isAuto } from "../model/port.ts";
import type { ServerSpec } from "../model/spec.ts";
import { type Selection, select } from "../reconciler/select.ts";
import { bridgeLauncherPath, usualStateFolder } from "../system/paths.ts";
import { readConfiguration, type Setting } from "./evaluating.ts";
import { readMachine } from "./machine.ts";
import { portsHere } from "./ports-here.ts";

/** A server to be written as a unit. */
interface ToEmit {
  readonly spec: ServerSpec;
  /** Files in dotenv syntax that it takes secrets from; absolute, and not read. */
  readonly envFiles: readonly string[];
  /** Home folder of the account. */
  readonly home: string;
  /** Login name of the account. */
  readonly user: string;
  /** What runs xy's bridge there. */
  readonly launcher: string;
  /** For any account: the same with a mark for the name, and what is given without a word. */
  readonly portable?: { readonly spec: ServerSpec; readonly given: Readonly<Record<string, string>> };
  /** Where the configuration says a part of it, and whether it does. */
  readonly place: DeclaredServer["place"];
  readonly isSaid: DeclaredServer["isSaid"];
}

export interface Emission {
  readonly project: string;
  /** The files say the name, so it does not depend on where they are. */
  readonly isNamed: boolean;
  /** Selected names that no server bears. */
  readonly unknown: readonly Diagnostic[];
  /** In order of names. */
  readonly servers: readonly ToEmit[];
  /** Names of all that have a unit, here or on another machine, selected or not. */
  readonly declared: readonly string[];
  /** Selected, and left out because the configuration wants nothing done about them. */
  readonly ignored: readonly string[];
  readonly warnings: readonly Diagnostic[];
  /** Placeholder for an unknown home folder: a text that contains it is not a usable unit. */
  readonly unknownHome: string | undefined;
  /** What keeps units from being written: a port that only this machine would choose, a program that is not there. */
  readonly problems: readonly Diagnostic[];
}

/**
 * Evaluates the configuration, for this machine or another, without anything that xy keeps or that runs, and without any secret.
 * `isPortable`: also for any account, where the format of the units has words for that.
 */
export async function evaluateToEmit(
  setting: Setting,
  selection: Selection,
  isPortable: boolean,
): Promise<Result<Emission> & Pick<Loaded, "refused">> {
  const { target } = setting;
  const here = readMachine(setting.env);
  const loaded = await readConfiguration({ ...setting, isFresh: true }, here);
  if (!loaded.ok) return loaded;
  const { warnings } = loaded;
  const machine = lasting(target ?? here);
  const all = loaded.value.servers;
  const { skipped, problems: unknown } = select(
    all.map(({ name, input }) => ({ name, tags: input.tags })),
    selection,
  );
  const selected = all.filter(({ name }) => !skipped.includes(name));
  const wanted = selected.filter(({ input }) => input.wanted !== "ignore");
  // Units hold no actions: nothing about those is in the way.
  const emitted = { ...loaded.value, servers: wanted, actions: [] };
  const around = target ? { isElsewhere: true } : { env: setting.env };
  const { desired, diagnostics } = await resolveUnseen(emitted, { machine, ...around });
  const nameless = isPortable ? { ...machine, user: ACCOUNT } : undefined;
  const portable = nameless && (await resolveUnseen(emitted, { machine: nameless, ...around }));
  const { home, user } = machine;
  const launcher = bridgeLauncherPath(target ? usualStateFolder(home) : setting.state);
  const servers = desired.servers.flatMap((spec, i) => {
    const server = wanted.find(({ name }) => name === spec.name);
    if (server === undefined) return [];
    const general = portable?.desired.servers[i];
    return [
      {
        ...{
          spec,
          home,
          user,
          launcher,
          envFiles: envFilesOf(server, machine),
          place: server.place,
          isSaid: server.isSaid,
        },
        ...(nameless && general ? { portable: { spec: general, given: accountEnv(nameless) } } : {}),
      },
    ];
  });
  const { path } = loaded.value;
  const ofThisShell = (spec: ServerSpec) => {
    const server = wanted.find(({ name }) => name === spec.name);
    return server ? foundByCaller(server, spec, { path, machine }) : [];
  };
  const value = {
    project: desired.project,
    isNamed: loaded.value.isNamed,
    unknown,
    servers,
    declared: [
      ...all.filter(({ input }) => input.wanted !== "ignore").map(({ name }) => name),
      ...loaded.value.elsewhere,
    ],
    ignored: selected.filter((server) => !wanted.includes(server)).map(({ name }) => name),
    warnings: [
      ...warnings,
      ...diagnostics.filter(({ severity }) => severity === "warning"),
      ...(target ? [] : desired.servers.flatMap(ofThisShell)),
    ],
    unknownHome: machine.isHomeless ? home : undefined,
    problems: [
      ...(await autoPortProblems(desired.project, all, wanted, target ? undefined : setting.state)),
      ...diagnostics.filter(({ severity }) => severity === "error"),
    ],
  };
  return { ok: true, value, warnings };
}

/** Without what is different for each login, and each account of a Mac: the service manager provides it. */
function lasting({ runtimeDir: _, ...machine }: Machine): Machine {
  if (machine.os !== "macos") return machine;
  const { tmpdir: __, ...others } = machine;
  return others;
}

/** A program that only the PATH of this shell leads to: where the unit is written next, that may lead to another, or to none. */
function foundByCaller(
  { name, input, place }: DeclaredServer,
  { program }: Pick<ServerSpec, "program">,
  around: { readonly path: readonly string[]; readonly machine: Machine },
): Diagnostic[] {
  const { command, env } = input;
  const own = typeof env.PATH === "string" ? env.PATH : undefined;
  const isPath = command.includes("/") || command === "~";
  if (isPath || !isAbsolute(program) || declaredFolders({ ...around, own }).includes(dirname(program)))
    return [];
  // Another warning already says that it belongs to one version.
  if (versionManagerRemark(command, program) !== undefined) return [];
  const message = `the program ${JSON.stringify(command)} is ${program}, which only the PATH of this shell leads to; add its folder to "path", or write the whole path`;
  return [{ severity: "warning", message, server: name, ...place(["command"]) }];
}

/**
 * Each with the line that mends it, for which nothing else counts than what this machine would choose, or has. `state`:
 * absent for another machine.
 */
async function autoPortProblems(
  project: string,
  all: readonly DeclaredServer[],
  wanted: readonly DeclaredServer[],
  state: string | undefined,
): Promise<Diagnostic[]> {
  if (!wanted.some(({ input }) => isAuto(input.port))) return [];
  const nobody = { keptPort: () => undefined, portTaken: async () => false };
  const ports = await autoPorts(project, all, state === undefined ? nobody : portsHere(state, project));
  return wanted.flatMap(({ name, input, place }): Diagnostic[] => {
    const port = own(ports, name);
    if (!isAuto(input.port) || port === undefined) return [];
    const at = place(["port"]);
    const line = portLine(port, at.file);
    const message =
      state === undefined
        ? `cannot write a unit with port "auto": each machine chooses and keeps a number of its own; write one, such as \`${line}\``
        : `cannot write a unit with port "auto": each machine chooses and keeps a number of its own. On this one it is ${port}; to have it everywhere, write \`${line}\``;
    return [{ severity: "error", message, server: name, ...at }];
  });
}

/** As the file would say it. */
function portLine(port: number, file = ""): string {
  const ext = extname(file);
  return ext === ".kdl" ? `port ${port}` : ext === ".json" ? `"port": ${port}` : `port: ${port}`;
}
