import { EXIT } from "../model/exit-codes.ts";
import { nearest } from "../model/nearest.ts";
import { isPattern, matcher, nothingSelected, partsOf, selector } from "../model/selector.ts";
import { STATES } from "../model/states.ts";
import { appliedTags } from "../operation/applied-secrets.ts";
import type { ListEntry } from "../rpc/entry-contract.ts";
import type { BaseCommand } from "./base.ts";
import { usageOfServers } from "./usage-rows.ts";

/** Which servers `xy list` shows, and in which order. Loaded where either is asked for. */

export type Sort = "name" | "state" | "cpu" | "memory" | "uptime" | "restarts" | "port";

/** What its processes use, where that was asked for. */
interface Usage {
  readonly cpu_percent: number;
  readonly memory_bytes: number;
}
export type ListedEntry = ListEntry & Partial<Usage>;

/** Those that the words select, in any project that is shown. A word that selects none ends the command. */
export function chosen(
  command: BaseCommand,
  entries: readonly ListEntry[],
  words: readonly string[],
): ListEntry[] {
  const all = entries.map((entry) => ({
    ...{ entry, name: entry.name, project: entry.project },
    tags: words.some((word) => word.includes("tag:")) ? appliedTags(command.state, entry) : [],
  }));
  const meant = words.map((word) => {
    const { project, rest } = partsOf(word);
    const [inProject, isMeant] = [matcher(project ?? "*"), selector(rest)];
    const found = all.filter((one) => inProject(one.project) && isMeant(one));
    if (found.length > 0) return found;
    const what = isPattern(word) ? `servers with ${word}` : `server ${word}`;
    const known = all.filter((one) => inProject(one.project));
    return command.fail(EXIT.failed, `cannot find ${what}: ${nothingSelected(rest, known)}`);
  });
  return all.flatMap((one) => (meant.some((found) => found.includes(one)) ? [one.entry] : []));
}

/** `running,failed` as states. */
export function statesIn(command: BaseCommand, written: readonly string[]): ReadonlySet<string> {
  const words = written.flatMap((text) => text.split(",")).map((word) => word.trim());
  for (const word of words) {
    if (STATES.some((state) => state === word)) continue;
    const meant = nearest(word, STATES);
    const wayOut = meant === undefined ? `write one of ${STATES.join(", ")}` : `did you mean ${meant}?`;
    command.fail(
      EXIT.usage,
      `cannot show servers in state ${JSON.stringify(word)}: no such state; ${wayOut}`,
    );
  }
  return new Set(words);
}

/** With what each uses, if it is needed. `project`: the only one that is shown. */
export async function withUsage(
  command: BaseCommand,
  entries: readonly ListEntry[],
  project: string | undefined,
): Promise<ListedEntry[]> {
  const used = await usageOfServers(command, project);
  return entries.map((entry) => {
    const found = used.find(({ name, project }) => name === entry.name && project === entry.project);
    if (found === undefined || entry.state !== "running") return entry;
    const { cpu_percent, memory_bytes } = found;
    return { ...entry, cpu_percent, memory_bytes };
  });
}

/** The most first for what servers use or do; by name and port from the beginning. What is not known comes last. */
export function sorted(
  entries: readonly ListedEntry[],
  sort: Sort | undefined,
  reverse: boolean,
): ListedEntry[] {
  const by = sort === undefined ? undefined : KEYS[sort];
  const turned = reverse ? -1 : 1;
  // Equal ones stay in the order of their names, also in reverse.
  if (by === undefined) return reverse ? entries.toReversed() : [...entries];
  return entries.toSorted((a, b) => {
    const [left, right] = [by(a), by(b)];
    if (left === undefined || right === undefined)
      return Number(left === undefined) - Number(right === undefined);
    return turned * (left < right ? -1 : left > right ? 1 : 0);
  });
}

/** By what is sorted, from the lowest. */
const KEYS: Readonly<Record<Sort, (entry: ListedEntry) => number | string | undefined>> = {
  name: ({ name, project }) => `${name}\0${project}`,
  state: ({ state }) => ORDER.indexOf(state),
  cpu: ({ cpu_percent: cpu }) => (cpu === undefined ? undefined : -cpu),
  memory: ({ memory_bytes: memory }) => (memory === undefined ? undefined : -memory),
  uptime: ({ uptime_secs: uptime }) => (uptime === undefined ? undefined : -uptime),
  restarts: ({ restart_count: restarts }) => (restarts === null ? undefined : -restarts),
  port: ({ port }) => port ?? undefined,
};

/** What needs a look comes first. */
const ORDER: readonly string[] = ["failed", "restarting", "starting", "stopping", "running", "stopped"];
