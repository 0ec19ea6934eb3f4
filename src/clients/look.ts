import { setTimeout as wait } from "node:timers/promises";
import type { Scope } from "../model/clients.ts";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import { readClientFile } from "./client-file.ts";
import { entriesIn, shapeFor } from "./content.ts";
import { Fault } from "./formats/format.ts";
import { formatOf } from "./formats/format-of.ts";
import { CLIENT_ROWS } from "./rows/rows.ts";
import type { ClientLook, ClientRow, ClientTarget } from "./types.ts";

export const rowOf = (client: ClientTarget["client"]): ClientRow<Scope> =>
  CLIENT_ROWS[client] as ClientRow<Scope>;

/** How often, and how long apart (ms), a file is read that its client may just be writing. */
const READS = 4;
const PAUSE = 100;

/** A client's file as it is now. That there is none is no problem. */
export async function look(target: ClientTarget): Promise<Result<ClientLook>> {
  for (let reads = 1; ; reads++) {
    const read = readClientFile(target);
    if (!read.ok) return { ok: false, problems: [problemOf(target, read.fault)] };
    const { text, hash } = read;
    const { shapes } = rowOf(target.client);
    try {
      const format = await formatOf(shapes[0].format);
      const content = text === undefined ? undefined : format.open(withoutMark(text)).content;
      const shape = shapeFor(shapes, content);
      const seen: ClientLook = { target, shape, text, hash, entries: entriesIn(content, shape) };
      return { ok: true, value: seen, warnings: [] };
    } catch (error) {
      if (read.isFresh && reads < READS) {
        await wait(PAUSE);
        continue;
      }
      return { ok: false, problems: [problemIn(target, text ?? "", error)] };
    }
  }
}

const withoutMark = (text: string) => (text.startsWith("\ufeff") ? text.slice(1) : text);

/** `fault`: a clause. */
export function problemOf({ client, file }: ClientTarget, fault: string): Diagnostic {
  return { severity: "error", file, message: `cannot use the file of ${rowOf(client).title}: ${fault}` };
}

/** The problem with a text, where it is. Anything but a fault of the text is thrown on. */
export function problemIn(target: ClientTarget, given: string, error: unknown): Diagnostic {
  // Nested without end, as nobody's is.
  if (error instanceof RangeError) return problemOf(target, "it is nested too deeply");
  if (!(error instanceof Fault)) throw error;
  const before = withoutMark(given).slice(0, error.offset).split("\n");
  const problem = problemOf(target, `${error.message}; nothing was changed`);
  return { ...problem, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}
