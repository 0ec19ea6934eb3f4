import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type Ancestry, type Family, familyOf, type ProcessRow } from "../model/family.ts";
import type { ProcessId } from "../model/process.ts";
import { listeners, ownedBy } from "./listeners.ts";
import { bootId, processTable, wordsOf } from "./processes.ts";

/** How a keeper's label begins: it distinguishes keepers from other processes. */
export const KEEPER_LABEL = "xy-keeper:";

export interface Kin extends Pick<Ancestry, "lead" | "seen" | "ending"> {
  readonly main?: ProcessId | undefined;
  /** The server's port; null if it has none. */
  readonly port: number | null;
}

/** Which of the running processes are the server's. Throws if the system does not say. */
export async function familyNow({ port, main, ...kin }: Kin): Promise<Family> {
  const table = await processTable();
  const known = {
    ...kin,
    main: main?.boot === bootId() ? main : undefined,
    self: process.pid,
    isAnothers: ({ pid }: { readonly pid: number }) => pid !== kin.lead?.number && isKeeper(pid),
  };
  const family = familyOf(table, { ...known, holders: new Set() });
  if (family.left.length === 0 || port === null) return family;
  const sockets = (await listeners()).get(port) ?? [];
  const holds = (pid: number) => sockets.length > 0 && ownedBy([pid], sockets) !== undefined;
  const holders = new Set(family.left.flatMap(({ pid }) => (holds(pid) ? [pid] : [])));
  return holders.size === 0 ? family : familyOf(table, { ...known, holders });
}

/** Whether a process is a keeper, of any state folder. */
export function isKeeper(pid: number): boolean {
  return wordsOf(pid).some((word) => word.startsWith(KEEPER_LABEL));
}

/** The run folder that a keeper was started with; undefined if it is not a keeper. */
export function keptFolder(pid: number): string | undefined {
  const words = wordsOf(pid);
  const label = words.findIndex((word) => word.startsWith(KEEPER_LABEL));
  return label === -1 ? undefined : words[label + 1];
}

/**
 * Whether a process is one of these, descends from one, or is in its process group. `leads`: it also has its own session,
 * not its manager's.
 */
export async function isOfAny(
  pid: number,
  mains: readonly { readonly pid: number; readonly leads: boolean }[],
): Promise<boolean> {
  const { byPid: rows } = await processTable();
  const among = new Set(mains.map((main) => main.pid));
  const known = mains.flatMap((main) => rows.get(main.pid) ?? []);
  const groups = new Set(known.map(({ group }) => group));
  const leading = new Set(mains.flatMap((main) => (main.leads ? [main.pid] : [])));
  const sessions = new Set(known.flatMap(({ pid: main, session }) => (leading.has(main) ? [session] : [])));
  const passed = new Set<number>();
  for (let row = rows.get(pid); row !== undefined && !passed.has(row.pid); row = rows.get(row.parent)) {
    const { group, session } = row;
    if (among.has(row.pid) || groups.has(group) || (session !== undefined && sessions.has(session)))
      return true;
    // Above the keeper of another server is only that server's agent.
    if (row.pid === group && isKeeper(row.pid)) return false;
    passed.add(row.pid);
  }
  return false;
}

/**
 * The processes of a server that a service manager runs, from its main process; none if that is gone. `unit`: for systemd,
 * which has all of them in a control group of that name, whatever they descend from.
 */
export async function unitFamily(pid: number | undefined, unit?: string): Promise<ProcessRow[]> {
  const { rows, byPid } = await processTable();
  const main = byPid.get(pid ?? 0);
  if (main === undefined) return [];
  const kin = { main: { pid: main.pid, start: main.start, boot: bootId() }, seen: [], port: null };
  const { own } = await familyNow(kin);
  const among = new Set(unit === undefined ? [] : controlGroup(main.pid, unit));
  return [...new Set([...own, ...rows.filter((row) => among.has(row.pid))])];
}

/** Pids in a process's control group, if that is the unit's. */
function controlGroup(pid: number, unit: string): number[] {
  try {
    const path = /^0::(.+)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[1];
    if (path === undefined || basename(path) !== unit) return [];
    return readFileSync(`/sys/fs/cgroup${path}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);
  } catch {
    // Not Linux, or without control groups of the second version: then descent alone tells.
    return [];
  }
}
