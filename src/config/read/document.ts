import { closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { extname } from "node:path";
import { problemAt } from "../check/keys.ts";
import type { Reading } from "../place.ts";
import { CONFLICT, conflictLine } from "./conflict.ts";
import { type DataRequest, readData } from "./data.ts";
import { MAX_BYTES, READING_BOUND } from "./limits.ts";
import type { ObjectShape } from "./shape.ts";
import { inThread } from "./thread.ts";
import { type EvaluationOptions, readTypeScript } from "./typescript.ts";

export const PROGRAM_EXTENSIONS = [".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"];

/**
 * Longest text that is parsed in this thread, characters: it takes less than a second, whatever is in it. What is longer
 * is worth the start of a thread that can be ended.
 */
const AT_ONCE = 16 * 1024;

/** Reads one configuration file of any format by its extension. */
export async function readDocument(
  file: string,
  shape: ObjectShape,
  evaluation: EvaluationOptions,
): Promise<Reading> {
  if (evaluation.signal.aborted) return unread(file, TOO_LATE);
  const read = readText(file, "rename or remove it");
  if ("refusal" in read) return unread(file, `cannot read this file: ${read.refusal}`);
  const reading = await parsed(file, read.text, shape, evaluation);
  // Where nothing else is wrong, lines that look like one are in a text.
  const line = reading.problems.length > 0 ? conflictLine(read.text) : undefined;
  return line === undefined ? reading : { problems: [problemAt({ file, line, column: 1 }, CONFLICT)] };
}

async function parsed(
  file: string,
  text: string,
  shape: ObjectShape,
  evaluation: EvaluationOptions,
): Promise<Reading> {
  if (PROGRAM_EXTENSIONS.includes(extname(file))) return readTypeScript(file, shape, evaluation);
  const request = { file, text, shape };
  return text.length > AT_ONCE ? readApart(request, evaluation) : readData(request);
}

const unread = (file: string, message: string): Reading => ({ problems: [problemAt({ file }, message)] });

const TOO_LATE = `cannot read this file within the ${READING_BOUND / 1000} s allowed for a whole configuration: make it smaller or simpler`;

/** In a thread of its own: parsers cannot be interrupted, and for some texts take very long, or all memory. */
async function readApart(data: DataRequest, evaluation: EvaluationOptions): Promise<Reading> {
  const outcome = await inThread<Reading>({ workerData: { data } }, evaluation);
  if (outcome.kind === "answer") return outcome.answer;
  if (outcome.kind === "aborted") return unread(data.file, TOO_LATE);
  if (outcome.kind === "ended")
    throw new Error(`the thread that reads ${data.file} ended with ${outcome.code}`);
  if ((outcome.error as NodeJS.ErrnoException).code !== "ERR_WORKER_OUT_OF_MEMORY") throw outcome.error;
  return unread(
    data.file,
    "cannot read this file: it needs more than 512 MiB of memory; make it smaller or simpler",
  );
}

/**
 * Content of a regular file of at most so many bytes, which must be UTF-8, or why there is none, with the way out.
 * Some files have no size, and no end, or nothing yet: no more is read than is allowed, and nothing is waited for. Read
 * at once: to hand a small file to another thread takes ten times as long as to read it. `keepMark`: a byte order
 * mark is a part of the text.
 */
export function readText(
  file: string,
  wayOut: string,
  { most = MAX_BYTES, keepMark = false } = {},
): { readonly text: string } | { readonly refusal: string } {
  try {
    // To open something else can have effects.
    const refusal = kindFault(file, wayOut);
    if (refusal !== undefined) return { refusal };
    const bytes = readAtMost(file, most);
    if (bytes.length > most) return { refusal: `it has more than ${most / 1024 / 1024} MiB; ${wayOut}` };
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: keepMark }).decode(bytes) };
  } catch (error) {
    return { refusal: readFailure(error) };
  }
}

/** Why this cannot be a file of text, without opening it. */
export function kindFault(file: string, wayOut: string): string | undefined {
  try {
    const info = statSync(file);
    if (info.isDirectory()) return `it is a folder; ${wayOut}`;
    return info.isFile() ? undefined : `it is not a regular file; ${wayOut}`;
  } catch (error) {
    return readFailure(error);
  }
}

/** All of it, or somewhat more than `most` bytes. */
function readAtMost(file: string, most: number): Buffer {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const parts: Buffer[] = [];
    const part = Buffer.allocUnsafe(PART);
    for (let length = 0; length <= most; ) {
      // Always as much: some files of /proc are read by whole records alone.
      const read = readSync(fd, part);
      if (read === 0) break;
      parts.push(Buffer.from(part.subarray(0, read)));
      length += read;
    }
    return Buffer.concat(parts);
  } finally {
    closeSync(fd);
  }
}

/** Read in one step, bytes. */
const PART = 64 * 1024;

export function readFailure(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  switch (code) {
    case "ENOENT":
      return "it does not exist, or is a broken link; correct the path or remove the link";
    case "EACCES":
    case "EPERM":
      return "permission denied; make it readable for your account";
    case "ELOOP":
      return "it is a link to itself; remove the link";
    case "ENOTDIR":
      return "part of its path is not a folder; correct the path";
    case "ERR_ENCODING_INVALID_ENCODED_DATA":
      return "it is not UTF-8 text; save it as UTF-8";
    default:
      return `${(error as Error).message}; check the file`;
  }
}
