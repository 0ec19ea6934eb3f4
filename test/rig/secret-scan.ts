import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * Every secret of every test holds this word. What xy writes or prints is searched for it at the end of each home,
 * and the process list while the tests run.
 */
export const SECRET_WORD = "s3cr3t";

/** How that word can also be written: in base64, wherever it begins there, and in hexadecimal digits. */
const WRITINGS = [SECRET_WORD, "czNjcjN0", "MzY3Izd", "zM2NyM3", "733363723374"];

/** Whether a text holds the word, in whatever writing. */
export const holdsWord = (text: string): boolean => WRITINGS.some((writing) => text.includes(writing));

/** The places in the state folder that are meant for values of secrets. */
const MEANT =
  /\/projects\/[^/]+\/(servers\/[^/]+\/spec\.json|units\/[^/]+\/[^/]+\.(json|env)|backends\.json|actions\.json)$/;

/** Files below the folder, other than those in `own`, in which a secret stands and should not, or may be read by others. */
export function exposedFiles(folder: string, own: ReadonlySet<string>): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((entry) => join(folder, entry))
    .filter((path) => !own.has(path) && holdsSecret(path))
    .filter((path) => !MEANT.test(path) || (statSync(path).mode & 0o077) !== 0);
}

function holdsSecret(path: string): boolean {
  try {
    return statSync(path).isFile() && holdsWord(readFileSync(path, "latin1"));
  } catch {
    return false;
  }
}

/** Ms between two looks at the process list. */
const LOOK_GAP = 200;
const ENOUGH_LOOKS = 10;

/**
 * Looks at the command lines of all processes whose environment names the folder, again and again. `stop` answers with
 * those that held a secret.
 */
export function watchProcessList(folder: string): { stop(): string[] } {
  const seen = new Set<string>();
  /** How often each process was looked at. A program's arguments are those of its start, or of what it becomes soon. */
  let looks = new Map<string, number>();
  const timer = setInterval(() => {
    const before = looks;
    looks = new Map();
    for (const entry of readdirSync("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      const count = before.get(entry) ?? 0;
      looks.set(entry, count + 1);
      if (count >= ENOUGH_LOOKS) continue;
      const command = read(entry, "cmdline");
      if (command.includes(SECRET_WORD) && read(entry, "environ").includes(folder)) seen.add(command);
    }
  }, LOOK_GAP);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return [...seen];
    },
  };
}

function read(pid: string, file: "cmdline" | "environ"): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
