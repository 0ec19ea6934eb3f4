import { closeSync, openSync, readSync } from "node:fs";
import { NAME_PATTERN } from "../model/name.ts";
import { KEEPER_LABEL, keptFolder } from "./family.ts";
import type { Holder } from "./listeners.ts";
import { lineageOf, wordsOf } from "./processes.ts";
import { isRunIn } from "./survivors.ts";

/** Who holds a port, in words. This relies on what processes say about themselves, so it only decides which port to try. */

/** `pid 7 (node)`, `xy's own work/web: pid 7 (node)`, `a process of another user` */
export function holderText(holder: Holder): string {
  if (holder.pid === 0) return holder.name;
  const server = serverOf(holder.pid);
  const process = `pid ${holder.pid} (${holder.name})`;
  return server === undefined ? process : `xy's own ${server}: ${process}`;
}

/** The xy server, as `project/name`, that a process belongs to, from any state folder. */
export function serverOf(pid: number): string | undefined {
  for (const one of lineageOf(pid)) {
    const found = keptBy(one) ?? unitOf(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Whether a process belongs to this server of this state folder. Another account, or another home, may have one of the
 * same project and name; units have no state folder, and are this account's.
 */
export function isOfServer(pid: number, server: string, state: string): boolean {
  if (serverOf(pid) !== server) return false;
  const kept = lineageOf(pid).flatMap((one) => keptFolder(one) ?? []);
  return kept.every((dir) => isRunIn(state, dir));
}

/** A keeper has its server's name in its command line. */
function keptBy(pid: number): string | undefined {
  const label = wordsOf(pid).find((word) => word.startsWith(KEEPER_LABEL));
  const [project = "", name = "", ...rest] = label?.slice(KEEPER_LABEL.length).split("/") ?? [];
  return rest.length === 0 && isName(project) && isName(name) ? `${project}/${name}` : undefined;
}

const isName = (text: string) => NAME_PATTERN.test(text);

/** How much of a file in /proc to read, bytes. */
const LONGEST = 64 * 1024;

/** systemd puts a unit in a control group of its name; supervisord tells a program its name. */
function unitOf(pid: number): string | undefined {
  const found =
    /\/xy\.([\w-]+)\.([\w-]+)\.service(?:\/|$)/m.exec(startOf(`/proc/${pid}/cgroup`)) ??
    /(?:^|\0)SUPERVISOR_PROCESS_NAME=xy\.([\w-]+)\.([\w-]+)(?:\0|$)/.exec(startOf(`/proc/${pid}/environ`));
  return found ? `${found[1]}/${found[2]}` : undefined;
}

/** Empty if there is no such file, or this account may not read it. */
function startOf(path: string): string {
  try {
    const fd = openSync(path, "r");
    try {
      const buffer = Buffer.alloc(LONGEST);
      return buffer.toString("latin1", 0, readSync(fd, buffer, 0, LONGEST, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    return "";
  }
}
