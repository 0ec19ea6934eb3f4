import { chmodSync, lstatSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { baseFolder } from "../model/base-folder.ts";
import { NAME_PATTERN } from "../model/name.ts";
import { thisAccount } from "./account.ts";

function checkedName(name: string): string {
  if (!NAME_PATTERN.test(name)) throw new Error(`cannot use ${JSON.stringify(name)} as a name`);
  return name;
}

/** Where xy keeps things on this machine, from the environment and the account. */
export interface Paths {
  /** `$XDG_STATE_HOME/xy`, mode 0700: everything below is private to the account. */
  readonly state: string;
  /** `$XDG_CACHE_HOME/xy`: what can be made again. */
  readonly cache: string;
  /** `$XDG_CONFIG_HOME`, where service managers have folders too. */
  readonly config: string;
  /** `$XDG_RUNTIME_DIR` if it is set: the first choice for the socket. */
  readonly runtime: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** $HOME, or the account's home if HOME is not set or not an absolute path. */
export function homeOf(env: Environment): string {
  const home = knownHome(env);
  if (home !== undefined) return home;
  throw new NoHome(`cannot tell where the home folder is: ${whyNoHome()}; set HOME`);
}

/** Neither the environment nor the user database names a home folder. */
export class NoHome extends Error {}

/** The same, or undefined if it is unknown. */
export function knownHome(env: Environment): string | undefined {
  return baseFolder(env, "HOME") ?? thisAccount().homedir;
}

export const whyNoHome = () =>
  `HOME is not set, and passwd has no entry for this account (uid ${thisAccount().uid})`;

/** The working folder as a person entered it, through links: the shell's PWD, if that leads to it. */
export function typedFolder({ PWD }: Environment, cwd: string): string {
  if (PWD === undefined || !PWD.startsWith("/") || PWD.split("/").includes("..")) return cwd;
  try {
    return realpathSync(PWD) === cwd ? resolve(PWD) : cwd;
  } catch {
    return cwd;
  }
}

/** Whether each may be used is decided in `private-folder.ts`. */
export function pathsOf(env: Environment): Paths {
  return {
    state: stateFolder(env),
    cache: join(baseFolder(env, "XDG_CACHE_HOME") ?? join(homeOf(env), ".cache"), "xy"),
    config: baseFolder(env, "XDG_CONFIG_HOME") ?? join(homeOf(env), ".config"),
    runtime: baseFolder(env, "XDG_RUNTIME_DIR"),
  };
}

function stateFolder(env: Environment): string {
  const base = baseFolder(env, "XDG_STATE_HOME");
  return base === undefined ? usualStateFolder(homeOf(env)) : join(base, "xy");
}

/** Of an account whose environment says nothing else. */
export const usualStateFolder = (home: string) => join(home, ".local/state/xy");

/**
 * Makes a folder that only the account can enter, with its parents. Does not use mkdir's own recursion: Node 20 loops for
 * ever in it if a parent exists and refuses children with ENOENT, as /proc does.
 */
export function ensurePrivateDir(path: string): void {
  ensureDir(path, 0o700);
}

export function ensureDir(path: string, mode = 0o777): void {
  if (isDir(path)) return;
  const parent = dirname(path);
  if (parent !== path) ensureDir(parent, mode);
  try {
    mkdirSync(path, mode);
  } catch (error) {
    // Another process may have made it meanwhile.
    if (isDir(path)) return;
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) throw error;
    throw new Error(
      `cannot make the folder ${path}: something else has its name; move it away, and try again`,
    );
  }
}

function isDir(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** As {@link ensurePrivateDir}; an existing folder of ours that others may enter is closed to them. */
export function closeDir(path: string): void {
  ensurePrivateDir(path);
  const { mode, uid } = statSync(path);
  if ((mode & 0o077) !== 0 && uid === process.getuid?.()) chmodSync(path, 0o700);
}

/** This machine's name, if a person has set one. */
export const hostNamePath = (state: string) => join(state, "host");
export const agentRecordPath = (state: string) => join(state, "agent.json");
/** Where the agent's socket may be; the first that can be used is. */
export const socketPaths = (state: string, runtime: string | undefined): string[] =>
  [...(runtime === undefined ? [] : [runtime]), state].map((folder) => join(folder, "xy.sock"));
/** Longest path of a Unix socket, bytes, the terminating NUL left out. */
export const LONGEST_SOCKET_PATH = process.platform === "darwin" ? 103 : 107;
export const agentLockPath = (state: string) => join(state, "agent.lock");
export const agentLogPath = (state: string) => join(state, "agent.log");
/** The shell loop that keeps the agent alive; a service manager's unit refers to it too. */
export const agentLoopPath = (state: string) => join(state, "agent.sh");
/** Which process the loop is, written by what starts it: its agent may never come up to record it. */
export const loopRecordPath = (state: string) => join(state, "agent.loop");
/** Which program the loop runs: see `system/program.ts`. */
export const programPaths = (state: string) => ({
  /** The one to run. */
  current: join(state, "agent.program"),
  /** One that is to take over; exists until it serves or has failed. */
  next: join(state, "agent.next"),
  /** One that was to take over and failed; exists until the next upgrade. */
  failed: join(state, "agent.failed"),
  /** The previous one, in case the current one keeps crashing. */
  previous: join(state, "agent.previous"),
});
/** Copies of programs, which stay the same while a package is replaced. */
export const programsDir = (state: string) => join(state, "agent.programs");
/** What units run in place of a server that speaks over stdin and stdout, and the file that says where the bridge is. */
export const bridgeLauncherPath = (state: string) => join(state, "bridge.sh");
export const bridgeProgramPath = (state: string) => join(state, "bridge.program");
/** Where the bridge of a server keeps its clients' sessions, whatever runs it. */
export const bridgeSessionsPath = (state: string, project: string, server: string) =>
  join(state, "bridges", checkedName(project), checkedName(server));
export const projectsDir = (state: string) => join(state, "projects");
/** What xy has written into the files of MCP clients, a folder for each file. */
export const clientsDir = (state: string) => join(state, "clients");
/** Throws on an invalid name: it could lead anywhere. */
export const projectDir = (state: string, project: string) => join(state, "projects", checkedName(project));
export const serverDir = (state: string, project: string, server: string) =>
  join(projectDir(state, project), "servers", checkedName(server));
export const logPath = (state: string, project: string, server: string) =>
  join(serverDir(state, project, server), "log", "current.log");
