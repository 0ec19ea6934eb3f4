import { isCode } from "./files.ts";

/** The machine is temporarily short of something: descriptors, processes, memory, space. */
const CODES = ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM", "ENOSPC", "EDQUOT"];
/** The same, as programs print it in the C locale. */
const WORDS =
  /Too many open files|Resource temporarily unavailable|Cannot allocate memory|No space left on device|[Qq]uota exceeded/;

/** Nothing can be written to a folder of ours until somebody fixes that. */
const ROOM_CODES = ["ENOSPC", "EDQUOT", "EROFS"];
const ROOM_WORDS = /No space left on device|[Qq]uota exceeded|Read-only file system/;

/** Whether it failed because nothing can be written there. */
export function isNoRoom(error: unknown): boolean {
  return isCode(error, ...ROOM_CODES) || ROOM_WORDS.test(String(error));
}

/** Why a file could not be written or removed, one clause: `no space left on device (ENOSPC)`. */
export function causeText(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const [, code, words] = /^(E[A-Z0-9]+): (.+?)(?:, \w+.*)?$/s.exec(message) ?? [];
  return words === undefined ? message : `${words} (${code})`;
}

/**
 * What a system call could not do, and why: `cannot open /x/agent.json: permission denied (EACCES)`. A write to an open
 * file does not name it. For any other error, its own message.
 */
export function failureText(error: unknown): string {
  const { code, syscall, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (!(error instanceof Error)) return String(error);
  // Only the messages of file errors begin with the code.
  if (syscall === undefined || !error.message.startsWith(`${code}: `)) return error.message;
  return `cannot ${DEEDS[syscall] ?? syscall} ${path ?? "in the state folder"}: ${causeText(error)}`;
}

/** Names of system calls that are no words. */
const DEEDS: Readonly<Record<string, string>> = { mkdir: "make the folder", scandir: "list the folder" };

/** Whether it failed for lack of something that may be available again in a moment. */
export function isShortage(error: unknown): boolean {
  return isCode(error, ...CODES) || WORDS.test(String(error));
}
