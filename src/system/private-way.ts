import { dirname } from "node:path";
import { isSticky, othersCanWrite, type Permissions } from "../model/permissions.ts";
import { shellWord } from "../model/text.ts";

/** Judging the path to a file or folder that only the account may control. */

/** A folder or file on the way, or a link that is followed. */
export interface Step extends Permissions {
  /** Its path, with the links above it resolved. */
  readonly path: string;
  readonly kind: "folder" | "link" | "other";
  readonly uid: number;
}

/** The way to a path, from the root of the file system, through every link. */
export interface Way {
  readonly steps: readonly Step[];
  /** What the path leads to. Absent if that does not exist, or cannot be seen. */
  readonly end?: Step;
  /** The last existing folder on the way. */
  readonly folder: Step;
}

/** The account that must own it. */
export interface Account {
  readonly uid: number;
  readonly isPrivateGroup: (gid: number) => boolean;
  /** Whether root appears as this uid, as in a user namespace without root. */
  readonly isHiddenRoot: (uid: number) => boolean;
}

/** The step that is wrong. `foreign`: it belongs to another account; `open`: others can write there. */
export interface Fault {
  readonly step: Step;
  readonly why: "foreign" | "open";
  readonly isEnd: boolean;
}

const ROOT = 0;

/**
 * What is wrong with the way to a path that only the account may write to. The target must belong to the account, and
 * nobody else may write to it. Folders above may also belong to root, and others may write to a sticky one: then nobody
 * else can put or replace anything on the way.
 */
export function faultOf({ steps, end }: Way, account: Account): Fault | undefined {
  const folders = new Map(steps.map((step) => [step.path, step]));
  for (const step of steps) {
    const isEnd = step === end;
    const above = step.path === "/" ? undefined : folders.get(dirname(step.path));
    const isOwned = step.uid === account.uid || (!isEnd && isRoots(step, above, account));
    if (!isOwned) return { step, why: "foreign", isEnd };
    if (step.kind === "link") continue;
    if (othersCanWrite(step, account.isPrivateGroup) && (isEnd || !isSticky(step)))
      return { step, why: "open", isEnd };
  }
  return undefined;
}

/** Other accounts may appear as the same uid as root: but those could not have put anything in a folder closed to them. */
function isRoots({ uid }: Step, above: Step | undefined, { isHiddenRoot, isPrivateGroup }: Account): boolean {
  if (uid === ROOT) return true;
  return isHiddenRoot(uid) && (above === undefined || !othersCanWrite(above, isPrivateGroup));
}

/** What a path is for, as in "cannot use … as the state folder", and the variable that can name another one. */
export interface Purpose {
  readonly what: string;
  readonly variable: string;
}

/** A message: what is wrong, and what to do. */
export function faultText(
  fault: Fault,
  path: string,
  purpose: Purpose,
  account: Pick<Account, "uid">,
): string {
  const { step, why, isEnd } = fault;
  const name = step.path === path ? "it" : step.path;
  const cannot = `cannot use ${path} as ${purpose.what}: `;
  const run = faultCommand(fault, account);
  if (why === "foreign") {
    const isRoots = step.uid === ROOT;
    const whose = isRoots ? "root, as after `sudo xy`" : `another account (uid ${step.uid})`;
    const fact = step.kind === "link" ? `${name} is a link of ${whose}` : `${name} belongs to ${whose}`;
    const mend = run === undefined ? "" : `run: ${run}, or `;
    return `${cannot}${fact}; ${mend}${elsewhere(purpose, account)}`;
  }
  const first =
    isEnd && step.kind === "folder" ? "make sure that nobody has put anything into it, then " : "";
  return `${cannot}others can write to ${name}; ${first}run: ${run}`;
}

/** The command that mends it. Undefined where only another account could, or its folder is not to be used at all. */
export function faultCommand({ step, why }: Fault, { uid }: Pick<Account, "uid">): string | undefined {
  if (why === "open") return `${step.uid === uid ? "" : "sudo "}chmod go-w ${shellWord(step.path)}`;
  return step.uid === ROOT ? `sudo chown -Rh ${uid} ${shellWord(step.path)}` : undefined;
}

/** What to use instead. Root with somebody else's environment comes from sudo or su. */
function elsewhere({ variable }: Purpose, { uid }: Pick<Account, "uid">): string {
  const own = `set ${variable} to a folder of ${uid === ROOT ? "root's" : "your"} own`;
  const other = variable === "XDG_RUNTIME_DIR" ? `unset ${variable}, or ${own}` : own;
  return uid === ROOT ? `run xy without sudo, or with \`sudo -H\`, or ${other}` : other;
}
