import { stat } from "node:fs/promises";
import type { Diagnostic } from "../model/diagnostic.ts";
import { givenEnv, systemPath } from "../model/given-env.ts";
import { isAuto } from "../model/port.ts";
import { ownerSaid } from "../model/probe-input.ts";
import type { Facts } from "../model/server-row.ts";
import { type ServerSpec, specOf } from "../model/spec.ts";
import type { EnvValue, SecretRef, SecretValues } from "../model/spec-parts.ts";
import { NO_COMMAND } from "./declare.ts";
import type { Declared, DeclaredServer } from "./declared.ts";
import { programThere } from "./elsewhere.ts";
import { expandPath, nameFault } from "./environment.ts";
import type { KeyPath } from "./place.ts";
import { limitFaults } from "./process-limits.ts";
import {
  callersFolders,
  type ProgramSearch,
  pathFolders,
  programAt,
  programOn,
  versionManagerRemark,
} from "./program.ts";
import { absoluteReference, envFileFault, readEnvFile, readSecret } from "./secrets.ts";
import { shellLineFault, shownLine } from "./shell-line.ts";
import { expandTemplates } from "./templates.ts";
import type { SecretOutcome, SecretOwner, World } from "./world.ts";

export interface ResolvedServer {
  readonly spec: ServerSpec;
  readonly secrets: SecretValues;
  readonly unread: ResolvedSecrets["unread"];
  readonly diagnostics: readonly Diagnostic[];
}

/** One server for this machine. `autoPort`: the port it was given, if it asked for one. */
export async function resolveServer(
  server: DeclaredServer,
  declared: Pick<Declared, "project" | "path">,
  autoPort: number | undefined,
  world: World,
): Promise<ResolvedServer> {
  const diagnostics: Diagnostic[] = [];
  const { input } = server;
  const { machine } = world;
  const report = reporter(diagnostics, isStarted(server) ? "error" : "warning", server);
  // The values are recorded, also of what is to stay stopped.
  const reportSecret = reporter(diagnostics, input.wanted === "ignore" ? "warning" : "error", server);

  const found = await findProgram(server, input.command, ["command"], declared.path, world);
  if (found.kind === "missing") {
    if (input.command !== NO_COMMAND) report(["command"], found.message, asFound(found));
  } else if (!world.isElsewhere) {
    const remark = versionManagerRemark(input.command, found.program);
    if (remark !== undefined)
      diagnostics.push({
        severity: "warning",
        message: remark,
        server: server.name,
        ...server.place(["command"]),
      });
  }
  const workingDir = expandPath(input.workingDir, server.folder(["workingDir"]), machine);
  const isThere = world.isElsewhere || (machine.isHomeless && workingDir === machine.home);
  const folderFault = isThere ? undefined : await workingDirFault(workingDir);
  if (folderFault !== undefined) report(["workingDir"], folderFault);

  const baseEnv = givenEnv(machine, [...folderOf(found), ...declared.path]);
  const port = isAuto(input.port) ? (autoPort ?? null) : input.port === "none" ? null : input.port;
  const facts = { name: server.name, project: declared.project, home: machine.home, port, baseEnv };
  const expanded = expandTemplates(input, facts);
  for (const { path, message } of expanded.problems) report(path, message);

  const probes = await resolveProbes(server, declared.path, expanded.probeArguments, world, report);
  const secret = await resolveSecrets(server, { server: server.name }, world, reportSecret);
  const spec = specOf(input, {
    ...facts,
    os: machine.os,
    host: input.host,
    class: input.class,
    program: found.kind === "found" ? found.program : input.command,
    args: [
      ...wordsOf(found),
      ...expanded.args,
      ...(input.portFlag !== undefined && port !== null ? [input.portFlag, String(port)] : []),
    ],
    mcp: input.mcp === undefined ? null : { path: input.mcp === true ? "/mcp" : input.mcp.path },
    probes,
    owner: ownerSaid(input.readiness, input.liveness),
    env: { ...baseEnv, ...secret.fromFiles, ...expanded.env, ...secret.references },
    workingDir,
  });
  for (const { path, message, isSecret } of limitFaults(spec, secret.values, machine.os))
    (isSecret ? reportSecret : report)(path, message, isSecret ? {} : EVERYWHERE);
  for (const name of ["readiness", "liveness"] as const)
    for (const { path, message } of limitFaults(
      { ...PROBE, args: expanded.probeArguments[name] },
      {},
      machine.os,
    ))
      report([name, ...path], message, EVERYWHERE);
  return { spec, secrets: secret.values, unread: secret.unread, diagnostics };
}

/** Folders that it adds to PATH: its own, if that is known. */
export const folderOf = (found: ProgramSearch): readonly string[] =>
  found.kind === "found" && found.folder !== undefined ? [found.folder] : [];

/** What stands before its arguments. */
export const wordsOf = (found: ProgramSearch): readonly string[] =>
  (found.kind === "found" && found.words) || [];

/** Of a probe's program only the arguments are its own. */
const PROBE = { program: "", env: {} };
export const EVERYWHERE = { everywhere: true } as const;

/** Whether an apply starts it: what only a start needs stands in the way of nothing else. */
export const isStarted = ({ input }: Pick<DeclaredServer, "input">): boolean => input.wanted === "start";

function reporter(
  diagnostics: Diagnostic[],
  severity: Diagnostic["severity"],
  server: Pick<DeclaredServer, "name" | "place">,
): Report {
  return (path, message, as = {}) =>
    diagnostics.push({ severity, message, server: server.name, ...server.place(path), ...as });
}

/** Takes a preflight problem. `as`: what it is, where it is not what most are. */
export type Report = (
  path: KeyPath,
  message: string,
  as?: Partial<Pick<Diagnostic, "severity" | "everywhere">>,
) => void;

/** What a program that is not there is told as. */
export const asFound = ({ everywhere }: Extract<ProgramSearch, { kind: "missing" }>) =>
  everywhere ? EVERYWHERE : {};

/** What a program is found by: the declared environment, and the folders that relative paths start at. */
interface Holder extends Pick<DeclaredServer, "folder"> {
  readonly input: Pick<DeclaredServer["input"], "env">;
}

/** `at`: where the configuration names it. What cannot be a program at all is told as what it is. */
export async function findProgram(
  server: Holder,
  command: string,
  at: KeyPath,
  path: readonly string[],
  world: World,
): Promise<ProgramSearch> {
  const find = (word: string) => lookUp(server, word, at, path, world);
  const search = await find(command);
  // Elsewhere any name may be that of a program, but for what looks like a line of words.
  const mayBe = world.isElsewhere ? command.includes("/") || !/\s/.test(command) : search.kind === "found";
  if (mayBe || (search.kind === "missing" && !search.absent)) return search;
  const isProgram = async (word: string) => (await find(word)).kind === "found";
  const fault = await shellLineFault(command, String(at.at(-1)), isProgram);
  if (fault === undefined) return search;
  const message = `cannot run ${shownLine(command)}: ${fault}`;
  return { kind: "missing", message, everywhere: true };
}

async function lookUp(
  server: Holder,
  command: string,
  at: KeyPath,
  path: readonly string[],
  { machine, env, programs, isElsewhere }: World,
): Promise<ProgramSearch> {
  const { env: declaredEnv } = server.input;
  const isPath = command.includes("/") || command === "~";
  const written = isPath ? expandPath(command, server.folder(at), machine) : undefined;
  if (isElsewhere) return programThere(command, written);
  if (written !== undefined) return programAt(written, command);
  // What the server itself says comes first, what only this shell says comes last.
  const own = typeof declaredEnv.PATH === "string" ? pathFolders(declaredEnv.PATH) : [];
  return programOn(
    [...new Set([...own, ...path, ...systemPath(machine), ...(await callersFolders(env))])],
    command,
    programs,
  );
}

/** Finds the programs that probes run, as the server's own is found. */
async function resolveProbes(
  server: DeclaredServer,
  path: readonly string[],
  args: { readonly readiness: readonly string[]; readonly liveness: readonly string[] },
  world: World,
  report: Report,
): Promise<Facts["probes"]> {
  const found = async (name: "readiness" | "liveness") => {
    const probe = server.input[name];
    if (typeof probe !== "object" || probe.type !== "command") return {};
    const at = [name, "command"];
    const search = await findProgram(server, probe.command, at, path, world);
    if (search.kind === "missing") report(at, search.message, asFound(search));
    const program = search.kind === "found" ? search.program : probe.command;
    return { [name]: { program, args: [...wordsOf(search), ...args[name]] } };
  };
  return { ...(await found("readiness")), ...(await found("liveness")) };
}

export async function workingDirFault(folder: string): Promise<string | undefined> {
  const info = await stat(folder).catch(() => undefined);
  if (!info) return `cannot run in ${folder}: it does not exist; create it, or correct the path`;
  return info.isDirectory() ? undefined : `cannot run in ${folder}: it is not a folder; correct the path`;
}

const BYTE_ORDER_MARK =
  "the character U+FEFF, a byte order mark, and the program gets it so: save it without one if it is not meant";

interface ResolvedSecrets {
  readonly fromFiles: Record<string, EnvValue>;
  readonly references: Record<string, EnvValue>;
  readonly values: SecretValues;
  /** Env-files that were left alone, of which no apply has taken anything: what they hold is not known. */
  readonly unread: readonly string[];
}

export async function resolveSecrets(
  server: Holder & { readonly input: Pick<DeclaredServer["input"], "envFile"> },
  owner: SecretOwner,
  around: World,
  report: Report,
): Promise<ResolvedSecrets> {
  const isLeftOut = around.isLeftOut?.(owner.server ?? owner.action ?? "") ?? false;
  const world: World = isLeftOut ? { ...around, secretUse: "leave" } : around;
  const { env, envFile } = server.input;
  const values = new Map<string, string>();
  const fromFiles = new Map<string, EnvValue>();
  const unread: string[] = [];
  const keep = (name: string, ref: SecretRef, outcome: SecretOutcome): EnvValue => {
    if (outcome.kind === "value") values.set(name, outcome.value);
    return { secret: ref, hmac: outcome.kind === "value" ? world.hmac(outcome.value) : "" };
  };

  for (const [i, written] of [envFile].flat().entries()) {
    const path = typeof envFile === "string" ? ["envFile"] : ["envFile", i];
    const file = expandPath(written, server.folder(path), world.machine);
    if (world.secretUse !== undefined && world.secretUse !== "read") {
      const fault = world.secretUse === "find" ? envFileFault(file) : undefined;
      if (fault !== undefined) report(path, fault);
      const names = world.appliedFrom?.(owner, file);
      if (names === undefined && !isLeftOut) {
        unread.push(file);
        if (world.appliedFrom !== undefined && world.secretUse === "leave")
          report(path, `what ${file} sets is not looked at without secrets`, { severity: "warning" });
      }
      for (const name of names ?? [])
        if (!Object.hasOwn(env, name))
          fromFiles.set(name, keep(name, { envFile: file, name }, { kind: "skipped" }));
      continue;
    }
    const read = await readEnvFile(file);
    for (const message of read.problems) report(path, message);
    for (const [name, value] of read.values) {
      const fault = nameFault(name) ?? (value.includes("\0") ? "its value has a NUL character" : undefined);
      if (fault !== undefined) report(path, `cannot take ${name} from ${file}: ${fault}; remove it there`);
      else if (!Object.hasOwn(env, name))
        fromFiles.set(name, keep(name, { envFile: file, name }, { kind: "value", value }));
    }
  }

  const references = new Map<string, EnvValue>();
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === "string") continue;
    const path = ["env", name];
    const folder = server.folder(path);
    const ref = absoluteReference(value, folder, world.machine);
    const found = await readSecret(ref, folder, world);
    const isLocked = found.kind === "missing" && "command" in ref && world.wasApplied?.(owner, name, ref);
    const outcome: SecretOutcome = isLocked ? { kind: "skipped" } : found;
    // A store that is locked is in the way of nothing that it has given before.
    if (isLocked)
      report(path, `the secret for ${name} stays what was applied last: ${found.message}`, {
        severity: "warning",
      });
    if (outcome.kind === "missing") report(path, `cannot get the secret for ${name}: ${outcome.message}`);
    if (outcome.kind === "value" && outcome.value.startsWith("\uFEFF"))
      report(path, `the secret for ${name} begins with ${BYTE_ORDER_MARK}`, { severity: "warning" });
    references.set(name, keep(name, ref, outcome));
  }
  return {
    fromFiles: Object.fromEntries(fromFiles),
    references: Object.fromEntries(references),
    values: Object.fromEntries(values),
    unread,
  };
}
