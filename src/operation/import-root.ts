import * as fs from "node:fs";
import { basename, extname } from "node:path";
import { problemAt } from "../config/check/keys.ts";
import { isProgram } from "../config/find/discover.ts";
import { readText } from "../config/read/document.ts";
import { type WrittenServer, withServers } from "../config/write/root-text.ts";
import type { ServerFormat } from "../config/write/server-text.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { textIfFile, writeAtomic } from "../system/files.ts";

/** A root's own file, to which servers are added. */
export interface RootText {
  /** Absolute. */
  readonly file: string;
  readonly format: ServerFormat;
  readonly text: string;
}

/** `main`: the root's own file; undefined: it has none. `folder`: the root. */
export function rootText(
  main: string | undefined,
  folder: string,
): RootText | { readonly problem: Diagnostic } {
  const problem = (file: string, why: string) => ({
    problem: problemAt({ file, line: 1, column: 1 }, `cannot add servers to this file: ${why}`),
  });
  if (main === undefined)
    return problem(folder, 'there is no xy.config.* in it; run "xy init", or import without --root');
  const name = basename(main);
  if (isProgram(main))
    return problem(main, `${name} is a program; import without --root: servers.d beside it is read, too`);
  const found = readText(main, "correct it, or import without --root", { keepMark: true });
  if ("refusal" in found) return problem(main, found.refusal);
  const extension = extname(main).slice(1);
  return { file: main, format: extension === "yml" ? "yaml" : (extension as ServerFormat), text: found.text };
}

/** The file with these servers. Undefined: there is no place for them; `why` says so. */
export async function addedTo(
  root: RootText,
  servers: readonly WrittenServer[],
): Promise<{ readonly text: string } | { readonly problem: Diagnostic }> {
  try {
    return { text: await withServers(root.text, root.format, servers) };
  } catch (error) {
    const message = `cannot add servers to this file: ${(error as Error).message}; or import without --root`;
    return { problem: problemAt({ file: root.file, line: 1, column: 1 }, message) };
  }
}

/** Writes it, through a link into what that leads to, unless it has changed meanwhile. */
export function writeRoot({ file, text: before }: RootText, text: string): void {
  const target = fs.realpathSync(file);
  const mode = fs.statSync(target).mode & 0o777;
  const isAsRead = () => textIfFile(target) === before;
  if (!writeAtomic(target, text, { mode, durable: true, onlyIf: isAsRead }))
    throw new Error(`cannot write ${file}: it was changed meanwhile; import again`);
}
