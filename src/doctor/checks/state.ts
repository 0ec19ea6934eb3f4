import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname } from "node:path";
import { fileRecords } from "../../clients/records.ts";
import { BASE_FOLDERS } from "../../model/base-folder.ts";
import type { Finding } from "../../model/finding.ts";
import { shellWord } from "../../model/text.ts";
import { keptAgreements } from "../../operation/trust.ts";
import { isCode, isTaken, peekRecord, type ReadRecord } from "../../system/files.ts";
import { LONGEST_SOCKET_PATH, pathsOf, socketPaths, whyNoHome } from "../../system/paths.ts";
import {
  CACHE,
  type OpenWay,
  problemsInState,
  RUNTIME_FOLDER,
  STATE_FOLDER,
  seenProblem,
} from "../../system/private-folder.ts";
import { type SetAside, setAsides } from "../../system/set-asides.ts";
import { type Around, row } from "../check.ts";
import type { Recorded } from "../recorded.ts";

interface StateFacts {
  /** Undefined: nobody knows where it is. */
  readonly folder: string | undefined;
  /** Why there is no home folder. */
  readonly homeless?: string;
  /** Variables whose values are no absolute paths. */
  readonly relative: readonly { readonly name: string; readonly value: string }[];
  /** What others could control: the folder, what is in it, the folder of the socket. */
  readonly open: readonly OpenWay[];
  readonly openCache?: OpenWay;
  /** What exists of the way to the folder cannot be written to. */
  readonly closed?: { readonly path: string; readonly isMount: boolean };
  readonly disk?: { readonly free: number; readonly inodes: number | undefined; readonly on: string };
  readonly setAside: readonly SetAside[];
  /** Records that cannot be trusted. `config`: what `--config` finds the project that can write it again. */
  readonly damaged: readonly { readonly path: string; readonly config?: string }[];
  /** Why its projects cannot be read. */
  readonly problem?: string;
  /** XDG_RUNTIME_DIR, where it names no folder. */
  readonly noRuntime?: string;
  /** A socket path that is too long, and the most that the system allows. */
  readonly socket?: { readonly path: string; readonly bytes: number; readonly most: number };
}

export const stateCheck = row<StateFacts>({
  id: "state",
  title: "State folder",
  about:
    "who can write to it, to the cache and to the socket's folder; free space and inodes; damaged records and what was set aside; the socket's path; relative `XDG_…` variables",
  async look(around) {
    const { env } = around;
    const relative = BASE_FOLDERS.flatMap((name) => {
      const value = env[name];
      return value === undefined || value === "" || value.startsWith("/") ? [] : [{ name, value }];
    });
    const folder = folderOf(around);
    if (folder === undefined)
      return { folder, homeless: whyNoHome(), relative, open: [], setAside: [], damaged: [] };
    return { folder, relative, ...place(folder, around), ...contents(around) };
  },
  judge(facts) {
    const { folder, disk } = facts;
    const room = disk === undefined ? "" : `, ${sizeText(disk.free)} free`;
    const findings = [...placeFindings(facts), ...roomFindings(facts), ...contentFindings(facts)];
    return { summary: folder === undefined ? "its place is not known" : `${folder}${room}`, findings };
  },
});

/** Where it is, whether it may be used or not. */
function folderOf({ env, home, state }: Around): string | undefined {
  return state ?? (home === undefined ? undefined : pathsOf(env).state);
}

function place(folder: string, { env }: Around) {
  const { runtime, cache } = pathsOf(env);
  const above = existing(folder);
  const open = [
    seenProblem(folder, STATE_FOLDER),
    ...problemsInState(folder),
    ...(runtime !== undefined && existsSync(runtime) ? [seenProblem(runtime, RUNTIME_FOLDER)] : []),
  ].flatMap((problem) => problem ?? []);
  const openCache = seenProblem(cache, CACHE);
  const isRuntime = runtime !== undefined && existsSync(runtime);
  const paths = socketPaths(folder, isRuntime ? runtime : undefined);
  return {
    open,
    ...(openCache && { openCache }),
    ...closedAt(above),
    ...diskOf(above),
    ...(runtime !== undefined && !isRuntime && { noRuntime: runtime }),
    ...longSocket(paths),
  };
}

/** The shortest of the paths, if even that is too long. */
function longSocket(paths: readonly string[]): Pick<StateFacts, "socket"> {
  const [shortest] = paths
    .map((path) => ({ path, bytes: Buffer.byteLength(path), most: LONGEST_SOCKET_PATH }))
    .sort((a, b) => a.bytes - b.bytes);
  return shortest !== undefined && shortest.bytes > shortest.most ? { socket: shortest } : {};
}

/** The folder, or the nearest above it that exists. */
function existing(path: string): string {
  return isTaken(path) || path === dirname(path) ? path : existing(dirname(path));
}

function closedAt(path: string): Pick<StateFacts, "closed"> {
  try {
    accessSync(path, constants.W_OK);
    return {};
  } catch (error) {
    return { closed: { path, isMount: isCode(error, "EROFS") } };
  }
}

function diskOf(folder: string): Pick<StateFacts, "disk"> {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    // Some file systems have no table of inodes that could be full.
    return { disk: { free: bavail * bsize, inodes: files > 0 ? ffree : undefined, on: folder } };
  } catch {
    return {};
  }
}

function contents({ state, recorded }: Around): Pick<StateFacts, "setAside" | "damaged" | "problem"> {
  if (state === undefined) return { setAside: [], damaged: [] };
  const damaged = recorded.damaged.map((path) => damagedOf(path, recorded));
  const reading: ReadRecord = (path, parse) =>
    peekRecord(path, parse, (found) => damaged.push({ path: found }));
  keptAgreements(state, reading);
  fileRecords(state, reading);
  const problem = recorded.problem;
  if (problem !== undefined) return { setAside: [], damaged, problem };
  return { setAside: setAsides(state), damaged };
}

/** What was applied is written again by an apply; what else is lost, a plan says. */
function damagedOf(path: string, { projects }: Recorded): StateFacts["damaged"][number] {
  const project = /\/projects\/([^/]+)\/(?:servers|units)\//.exec(path)?.[1];
  const config = projects.find(({ name }) => name === project)?.record?.config;
  return { path, ...(config !== undefined && { config }) };
}

function placeFindings({
  homeless,
  relative,
  open,
  openCache,
  noRuntime,
  socket,
  problem,
}: StateFacts): Finding[] {
  const found: Finding[] = [];
  if (homeless !== undefined)
    found.push({
      id: "state.no-home",
      severity: "error",
      what: `the home folder is not known: ${homeless}`,
      why: "xy keeps its state, and looks for your configuration, below it.",
      mend: "export HOME=/path/to/your/home",
    });
  for (const { name, value } of relative)
    found.push({
      id: "state.relative",
      severity: "warning",
      what: `${name} is relative, and counts for nothing: ${value}`,
      why: "It would mean another folder in each working folder, so the usual place is used.",
      mend: `unset ${name}`,
    });
  for (const { text, command } of open)
    found.push({
      id: "state.open",
      severity: "error",
      what: text,
      why: "Who controls it could have xy run anything, and get your secrets. Until then every command refuses it.",
      mend: command ?? null,
    });
  if (openCache !== undefined)
    found.push({
      id: "state.open-cache",
      severity: "warning",
      what: openCache.text,
      why: "xy works without it, and starts more slowly.",
      mend: openCache.command ?? null,
    });
  if (noRuntime !== undefined)
    found.push({
      id: "state.no-runtime",
      severity: "warning",
      what: `XDG_RUNTIME_DIR does not exist: ${noRuntime}`,
      why: "The agent's socket is in the state folder instead, and `systemctl --user` cannot work.",
      mend: "unset XDG_RUNTIME_DIR",
    });
  if (socket !== undefined)
    found.push({
      id: "state.long-socket",
      severity: "error",
      what: `the path of the agent's socket has ${socket.bytes} bytes, and the system allows ${socket.most}: ${socket.path}`,
      why: "The agent cannot start. Its socket can be in a folder with a shorter path, which must be yours alone.",
      mend: "mkdir -m 700 -p ~/.xy-run && export XDG_RUNTIME_DIR=~/.xy-run",
    });
  if (problem !== undefined)
    found.push({
      id: "state.unreadable",
      severity: "error",
      what: problem,
      why: "Nothing is known of any project.",
      mend: null,
    });
  return found;
}

const MIB = 1 << 20;
/** Below these something fails soon: a build, a log, an install. */
const LITTLE = { bytes: 200 * MIB, inodes: 2000 };
/** Below these records cannot be relied on to be written. */
const NONE = { bytes: 8 * MIB, inodes: 50 };

function roomFindings({ disk, closed }: StateFacts): Finding[] {
  if (closed !== undefined)
    return [
      {
        id: "state.read-only",
        severity: "error",
        what: `cannot write to ${closed.path}`,
        why: closed.isMount
          ? "Its file system is mounted read-only, so nothing can be recorded. Set XDG_STATE_HOME to a folder that can be written to."
          : "Nothing can be recorded there, so nothing can be applied.",
        mend: closed.isMount ? null : `chmod u+rwx ${shellWord(closed.path)}`,
      },
    ];
  if (disk === undefined) return [];
  const { free, inodes = Number.POSITIVE_INFINITY, on } = disk;
  const isNone = free < NONE.bytes || inodes < NONE.inodes;
  if (!isNone && free >= LITTLE.bytes && inodes >= LITTLE.inodes) return [];
  const isBytes = free < LITTLE.bytes;
  return [
    {
      id: "state.no-room",
      severity: isNone ? "error" : "warning",
      what: `${isBytes ? `${sizeText(free)} are` : `${inodes} inodes are`} left on the disk of ${on}`,
      why: "When nothing can be written, servers that exit stay down, output is lost, and nothing can be applied. This shows what takes the room.",
      mend: `du -x${isBytes ? "h" : ""} ${isBytes ? "" : "--inodes "}-d 2 ~ | sort ${isBytes ? "-h" : "-n"} | tail`,
    },
  ];
}

function contentFindings({ setAside, damaged }: StateFacts): Finding[] {
  return [
    ...damaged.map(
      ({ path, config }): Finding => ({
        id: "state.damaged",
        severity: "error",
        what: `this record is damaged: ${path}`,
        why:
          config === undefined
            ? "The next command that needs it sets it aside, and each plan then says what was lost with it."
            : "Nobody knows any more what was applied. An apply writes it again.",
        mend: config === undefined ? "xy plan" : `xy apply --config ${shellWord(config)}`,
      }),
    ),
    ...setAside.map(
      ({ path, lost }): Finding => ({
        id: "state.set-aside",
        severity: "warning",
        what: `this was damaged and set aside: ${path}`,
        why: `${lost === null ? "Nothing was lost with it." : `Lost with it: ${lost}.`} Remove it once you have seen this.`,
        mend: `rm -r ${shellWord(path)}`,
      }),
    ),
  ];
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

function sizeText(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${Math.floor(bytes / 2 ** (10 * power))} ${UNITS[power]}`;
}
