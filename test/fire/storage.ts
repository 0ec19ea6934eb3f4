import * as fs from "node:fs";
import { join, relative } from "node:path";
import type { Outcome } from "../cli/cli.ts";
import { PROJECT } from "../rig/spec.ts";
import type { Random } from "./random.ts";
import { FAR, type World } from "./world.ts";

/**
 * Faults of single files and folders: each one that the state folder has, found by walking it, is damaged in each of some
 * ways, under a living agent and while there is none.
 */

/** Whether a damage fits what it is done to; a file of another kind is left alone. */
interface Damage {
  readonly fits: (info: fs.Stats) => boolean;
  readonly do: (path: string, world: World) => void;
}

const isFile = (info: fs.Stats) => info.isFile();
const isText = (info: fs.Stats) => info.isFile() && info.size > 1;
const any = () => true;

function replace(path: string, make: () => void): void {
  fs.rmSync(path, { recursive: true, force: true });
  make();
}

const DAMAGES: Readonly<Record<string, Damage>> = {
  gone: { fits: any, do: (path) => fs.rmSync(path, { recursive: true }) },
  empty: { fits: isText, do: (path) => fs.truncateSync(path, 0) },
  torn: { fits: isText, do: (path) => fs.truncateSync(path, Math.floor(fs.statSync(path).size / 2)) },
  junk: { fits: isFile, do: (path) => fs.writeFileSync(path, Buffer.from([0, 255, 10, 123, 0, 7])) },
  "other JSON": { fits: isFile, do: (path) => fs.writeFileSync(path, '{"hello":["world"]}\n') },
  "of a later version": { fits: isText, do: later },
  "a folder": { fits: isFile, do: (path) => replace(path, () => fs.mkdirSync(path, { mode: 0o700 })) },
  "a file": {
    fits: (info) => info.isDirectory(),
    do: (path) => replace(path, () => fs.writeFileSync(path, "")),
  },
  "a dangling link": {
    fits: any,
    do: (path) => replace(path, () => fs.symlinkSync("/nowhere/at/all", path)),
  },
  "a link to itself": { fits: any, do: (path) => replace(path, () => fs.symlinkSync(path, path)) },
};

/** As a later xy may write it; what has no version is torn instead. */
function later(path: string): void {
  const text = fs.readFileSync(path, "utf8");
  const changed = text.replace(/"version": ?\d+/, '"version":99');
  fs.writeFileSync(path, changed === text ? text.slice(0, -2) : changed);
}

export interface Case {
  /** Relative to the state folder. */
  readonly path: string;
  readonly damage: string;
  readonly living: boolean;
}

/** Names of servers, numbers and hashes left out: files that are of one kind. */
export const kindOf = (path: string) =>
  path
    .replace(/[0-9a-f]{8,}/g, "#")
    .replace(/(servers|projects|locks|actions)\/[^/]+/g, "$1/*")
    .replace(/(servers|projects|locks|actions)\/[^/]+/g, "$1/*")
    .replace(/\d+/g, "#");

/** What there is, with what could be done to it. */
export function casesIn(state: string): Case[] {
  const found = fs.readdirSync(state, { recursive: true, encoding: "utf8" });
  return found.flatMap((path) => {
    const info = fs.lstatSync(join(state, path), { throwIfNoEntry: false });
    // What an earlier case has left for a person to look at is no part of it.
    if (!info || path.includes(".set-aside-")) return [];
    return Object.entries(DAMAGES).flatMap(([damage, { fits }]) =>
      fits(info) ? [true, false].map((living) => ({ path, damage, living })) : [],
    );
  });
}

/** Commands that a person would type, each of which has to say something that helps, or to do its work. */
const LOOKS = [
  ["list"],
  ["status", "chatty"],
  ["plan"],
  ["why", "careful"],
  ["logs", "chatty", "-n", "3"],
  ["jobs"],
  ["agent", "status"],
  ["history"],
  ["ports"],
  ["run", "tick"],
];

/** Does one case, then what a person would do, up to a plan that matches. Answers with what happened on the way. */
export async function storageFault(world: World, one: Case, random: Random): Promise<{ helped: boolean }> {
  const path = join(world.home.state, one.path);
  if (!one.living) await world.killAgentAndLoop();
  DAMAGES[one.damage]?.do(path, world);
  for (const look of random.shuffled(LOOKS).slice(0, 2)) await world.said(...look);
  let helped = await untilApplied(world, path);
  helped = (await clearedAway(world, path)) || helped;
  // What a living agent has in mind hides the damage, until another one reads the file.
  if (one.living) {
    await world.killAgentAndLoop();
    helped = (await untilApplied(world, path)) || helped;
    helped = (await clearedAway(world, path)) || helped;
  }
  await world.matches();
  return { helped };
}

/** What a server's entry names as in the way is moved away, as it says there. True: there was something. */
async function clearedAway(world: World, path: string): Promise<boolean> {
  const told = await world.troubles();
  if (!told.some((trouble) => trouble.includes(path) && /(move|remove) it/.test(trouble))) return false;
  fs.rmSync(path, { recursive: true, force: true });
  return true;
}

/** True when a person had to do what a message said. */
async function untilApplied(world: World, path: string): Promise<boolean> {
  // Of one project, or of all.
  const isFar = path.includes("/projects/elsewhere");
  const isOfAll = path.endsWith("/projects");
  for (let attempt = 0; ; attempt++) {
    let outcome = await world.applies(isFar);
    if (outcome.code === 0 && isOfAll) outcome = await world.applies(true);
    if (outcome.code === 0) return attempt > 0;
    if (attempt > 2) throw new Error(`xy apply cannot go on, whatever is done: ${wordsOf(outcome)}`);
    follow(world, path, outcome);
  }
}

const wordsOf = ({ code, stdout, stderr }: Outcome) => `exit ${code}\n${stdout}${stderr}`;

/** Does what the message says: what is in the way is named by its path, and moved away. */
function follow(world: World, path: string, outcome: Outcome): void {
  const said = `${outcome.stdout}${outcome.stderr}`;
  const named = said.match(/\/[^\s:;,"')]+/g)?.filter((word) => word.startsWith(world.home.state)) ?? [];
  const meant = named.find((word) => word === path || path.startsWith(`${word}/`) || word.startsWith(path));
  if (meant === undefined || !/remove|move|correct|make|delete/.test(said))
    throw new Error(
      `xy apply ends with ${wordsOf(outcome)}\nand names no way out with ${relative(world.home.state, path)}`,
    );
  fs.rmSync(path, { recursive: true, force: true });
}

/** Servers of which a file says something that nothing else says: they may be restarted for its loss, once. */
export function serversOf(path: string, world: World): string[] {
  const all: Readonly<Record<string, readonly string[]>> = { [PROJECT]: world.names, elsewhere: [FAR] };
  if (path === "key") return ["careful"];
  if (path === "projects") return Object.values(all).flat();
  const [, project = "", below] = /^projects\/([^/]+)(?:\/(.*))?$/.exec(path) ?? [];
  const names = all[project] ?? [];
  if (below === undefined || below === "servers") return [...names];
  if (below === "project.json") return names.filter((name) => name === "ported");
  const [, server = ""] = /^servers\/([^/]+)/.exec(below) ?? [];
  return names.filter((name) => name === server);
}
