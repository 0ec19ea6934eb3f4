import { dirname } from "node:path";
import { isSticky, othersCanWrite, type Permissions } from "../model/permissions.ts";
import { shellWord } from "../model/text.ts";

/** Judging the way to a file or folder that has to be the account's alone. */

/** A folder or file on the way, or a link that is followed there. */
export interface Step extends Permissions {
  /** Without links above it. */
  readonly path: string;
  readonly kind: "folder" | "link" | "other";
  readonly uid: number;
}

/** The way to a path, from the root of the file system on, through every link. */
export interface Way {
  readonly steps: readonly Step[];
  /** What the path leads to. Absent when that is not there, or cannot be seen. */
  readonly end?: Step;
  /** The last folder of the way that is there. */
  readonly folder: Step;
}

/** Whose it has to be. */
export interface Account {
  readonly uid: number;
  readonly isPrivateGroup: (gid: number) => boolean;
  /** Whether it is how root shows itself here, as in a namespace of users that has no root. */
  readonly isHiddenRoot: (uid: number) => boolean;
}

/** The step that is not as it has to be. `foreign`: of another account; `open`: others can write there. */
export interface Fault {
  readonly step: Step;
  readonly why: "foreign" | "open";
  readonly isEnd: boolean;
}

const ROOT = 0;

/**
 * What is wrong with the way to a path that only the account may write to. What the path leads to has to be the
 * account's, and nobody else may write to it. What is above may also be root's, and others may write to a sticky folder:
 * then nothing on the way can be put there, or replaced, by anybody else.
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

/** Other accounts may show themselves as root does: they are told apart by where they cannot have put anything. */
function isRoots({ uid }: Step, above: Step | undefined, { isHiddenRoot, isPrivateGroup }: Account): boolean {
  if (uid === ROOT) return true;
  return isHiddenRoot(uid) && (above === undefined || !othersCanWrite(above, isPrivateGroup));
}

/** What a path is for, as in "cannot use … as the state folder", and the variable that names another one. */
export interface Purpose {
  readonly what: string;
  readonly variable: string;
}

/** What is wrong, and the way out. */
export function faultText(
  fault: Fault,
  path: string,
  purpose: Purpose,
  account: Pick<Account, "uid">,
): string {
  const { step, why, isEnd } = fault;
  const name = step.path === path ? "it" : step.path;
  const cannot = `cannot use ${path} as ${purpose.what}: `;
  if (why === "foreign") {
    const isRoots = step.uid === ROOT;
    const whose = isRoots ? "root, as after `sudo xy`" : `another account (uid ${step.uid})`;
    const fact = step.kind === "link" ? `${name} is a link of ${whose}` : `${name} belongs to ${whose}`;
    const mend = isRoots ? `run: sudo chown -Rh ${account.uid} ${shellWord(step.path)}, or ` : "";
    return `${cannot}${fact}; ${mend}${elsewhere(purpose, account)}`;
  }
  const chmod = `${step.uid === account.uid ? "" : "sudo "}chmod go-w ${shellWord(step.path)}`;
  const first = isEnd && step.kind === "folder" ? "see that nobody has put anything into it, then " : "";
  return `${cannot}others can write to ${name}; ${first}run: ${chmod}`;
}

/** Root with the environment of somebody else comes from sudo, or from su. */
function elsewhere({ variable }: Purpose, { uid }: Pick<Account, "uid">): string {
  const own = `set ${variable} to a folder of ${uid === ROOT ? "root's" : "your"} own`;
  const other = variable === "XDG_RUNTIME_DIR" ? `unset ${variable}, or ${own}` : own;
  return uid === ROOT ? `run xy without sudo, or with \`sudo -H\`, or ${other}` : other;
}
