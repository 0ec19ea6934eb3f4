import type { Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { Machine } from "../../model/machine.ts";
import { isSticky, othersCanWrite } from "../../model/permissions.ts";
import { shellWord } from "../../model/text.ts";
import { DATA_EXTENSIONS } from "../read/data.ts";

/**
 * Who owns a configuration and who can write to it: somebody else may have put it where a person works.
 * The account and root may own what counts; nobody else may own it or write to it.
 */

export interface Owner extends Pick<Machine, "uid"> {
  /** Whether the account is a group's only member. Absent: of no group. */
  readonly isPrivateGroup?: (gid: number) => boolean;
  /** It was not found by walking: a folder to which everybody may add files is then unsafe, and not somebody else's. */
  readonly isNamed?: boolean;
}

/**
 * The account's, and nobody else can write to it; another account's; or the account's, but not to be used before somebody
 * has run the commands that its `problem` ends with.
 */
export type Standing =
  | { readonly is: "ours" }
  | { readonly is: "another's"; readonly reason: string }
  | { readonly is: "unsafe"; readonly problem: string };

/** What is known of a file or folder that counts. */
interface Part {
  readonly path: string;
  readonly info: Stats;
}

/** How a folder stands that is a configuration root, with the names in it that make it one. */
export async function standingOf(folder: string, names: readonly string[], owner: Owner): Promise<Standing> {
  const [top] = await partsOf([folder]);
  if (top === undefined) return { is: "ours" };
  if (isForeign(top.info, owner)) return { is: "another's", reason: `${folder} belongs to another account` };
  // Such as /tmp, or a folder of root's that a group shares: that a configuration is there says nothing about whose it is.
  const isShared = isSticky(top.info) || top.info.uid !== owner.uid;
  if (!owner.isNamed && isShared && othersCanWrite(top.info, owner.isPrivateGroup))
    return { is: "another's", reason: `others can add files to ${folder}` };
  const inside = names.map((name) => join(folder, name));
  const servers = names.includes("servers.d") ? await serverFiles(join(folder, "servers.d")) : [];
  return judged([top, ...(await partsOf([...inside, ...servers]))], owner);
}

/** The standing of a file that is a configuration on its own. */
export async function standingOfFile(file: string, owner: Owner): Promise<Standing> {
  const parts = await partsOf([dirname(file), file]);
  const another = parts.find(({ info }) => isForeign(info, owner));
  if (another) return { is: "another's", reason: `${another.path} belongs to another account` };
  // In a sticky folder others can add files, and not replace this one.
  return judged(
    parts.filter(({ info }) => info.isFile() || !isSticky(info)),
    owner,
  );
}

async function serverFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => DATA_EXTENSIONS.includes(extname(name))).map((name) => join(folder, name));
}

/** Files and folders only, by their real paths, because chmod -R follows no link. Readers report the rest. */
async function partsOf(paths: readonly string[]): Promise<Part[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const info = await stat(path).catch(() => undefined);
      return info?.isFile() || info?.isDirectory()
        ? [{ path: await realpath(path).catch(() => path), info }]
        : [];
    }),
  );
  return found.flat();
}

function judged(parts: readonly Part[], owner: Owner): Standing {
  const foreign = parts.filter(({ info }) => isForeign(info, owner)).map(pathOf);
  const openParts = parts.filter(({ info }) => othersCanWrite(info, owner.isPrivateGroup));
  const open = openParts.map(pathOf);
  // What belongs to root, root has to mend.
  const sudo = openParts.some(({ info }) => info.uid !== owner.uid) ? "sudo " : "";
  const faults = [
    ...(foreign.length === 0
      ? []
      : [`${listed(foreign)} belong${foreign.length === 1 ? "s" : ""} to another account`]),
    ...(open.length === 0 ? [] : [`others can write to ${listed(open)}`]),
  ];
  if (faults.length === 0) return { is: "ours" };
  const commands = [
    ...command(`sudo chown ${owner.uid}`, foreign),
    ...command(
      `${sudo}chmod go-w`,
      open.filter((path) => !isServer(path)),
    ),
    // A folder is shorter than its files.
    ...command(`${sudo}chmod -R go-w`, [...new Set(open.filter(isServer).map(dirname))]),
  ];
  return { is: "unsafe", problem: `${faults.join(", and ")}; run: ${commands.join(" && ")}` };
}

const ROOT = 0;
const isForeign = ({ uid }: Stats, owner: Owner) => uid !== owner.uid && uid !== ROOT;
const pathOf = ({ path }: Part) => path;
const isServer = (path: string) => basename(dirname(path)) === "servers.d";

function listed([first = "", ...rest]: readonly string[]): string {
  return rest.length === 0 ? first : `${first} and ${rest.length} more`;
}

function command(words: string, paths: readonly string[]): string[] {
  return paths.length === 0 ? [] : [`${words} ${paths.map(shellWord).join(" ")}`];
}
