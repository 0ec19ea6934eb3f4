import { isCode } from "./files.ts";

/** What the machine is short of at the moment: descriptors, processes, memory, space. */
const CODES = ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM", "ENOSPC", "EDQUOT"];
/** The same as a program says it that had to do with it, in the C locale. */
const WORDS =
  /Too many open files|Resource temporarily unavailable|Cannot allocate memory|No space left on device|[Qq]uota exceeded/;

/** It failed for want of something that may be there again in a moment. */
export function isShortage(error: unknown): boolean {
  return isCode(error, ...CODES) || WORDS.test(String(error));
}
