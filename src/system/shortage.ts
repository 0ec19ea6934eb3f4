import { isCode } from "./files.ts";

/** What the machine is short of at the moment: descriptors, processes, memory, space. */
const CODES = ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM", "ENOSPC", "EDQUOT"];
/** The same as a program says it that had to do with it, in the C locale. */
const WORDS =
  /Too many open files|Resource temporarily unavailable|Cannot allocate memory|No space left on device|[Qq]uota exceeded/;

/** What keeps a folder of ours from being written to, whatever is written, until somebody sees to it. */
const ROOM_CODES = ["ENOSPC", "EDQUOT", "EROFS"];
const ROOM_WORDS = /No space left on device|[Qq]uota exceeded|Read-only file system/;

/** It failed because nothing can be written where it would write. */
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
 * What a call to the system could not do, and why: `cannot open /x/agent.json: permission denied (EACCES)`. A write to a
 * file that is open names none. Any other error is what it says.
 */
export function failureText(error: unknown): string {
  const { code, syscall, path } = (error ?? {}) as NodeJS.ErrnoException;
  if (!(error instanceof Error)) return String(error);
  // Others than those of files begin with the call.
  if (syscall === undefined || !error.message.startsWith(`${code}: `)) return error.message;
  return `cannot ${syscall} ${path ?? "in the state folder"}: ${causeText(error)}`;
}

/** It failed for want of something that may be there again in a moment. */
export function isShortage(error: unknown): boolean {
  return isCode(error, ...CODES) || WORDS.test(String(error));
}
