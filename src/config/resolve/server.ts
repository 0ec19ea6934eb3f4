import { stat } from "node:fs/promises";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { givenEnv } from "../../model/given-env.ts";
import { mcpOf, stdioInput } from "../../model/mcp-fields.ts";
import { isAuto } from "../../model/port.ts";
import { ownerSaid } from "../../model/probe-input.ts";
import type { Facts } from "../../model/server-row.ts";
import { type ServerSpec, specOf } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import { expandTemplates } from "../check/templates.ts";
import type { Declared, DeclaredServer } from "../declared.ts";
import { NO_COMMAND } from "../merge/servers.ts";
import { expandPath } from "../paths.ts";
import { asFound, findProgram, folderOf, wordsOf } from "./command.ts";
import { type ResolvedSecrets, resolveSecrets } from "./environment.ts";
import { limitFaults } from "./process-limits.ts";
import { versionManagerRemark } from "./program.ts";
import { EVERYWHERE, type Report, reporter } from "./report.ts";
import type { World } from "./world.ts";

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
  // The values are recorded even if the server stays stopped.
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
  const bridge = stdioInput(input.mcp);
  const secret = await resolveSecrets(server, { server: server.name }, world, reportSecret, bridge);
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
    mcp: mcpOf(input.mcp),
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

/** Only the arguments of a probe's program are its own. */
const PROBE = { program: "", env: {} };

/** Whether an apply starts it. If not, what only a start needs must not block the apply. */
export const isStarted = ({ input }: Pick<DeclaredServer, "input">): boolean => input.wanted === "start";

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
