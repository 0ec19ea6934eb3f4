import { createHash } from "node:crypto";
import { contentAfter, entriesIn, isSame, isSameContent, keysThere } from "./content.ts";
import { Fault, type Format, type Opened } from "./formats/format.ts";
import type { EntryChanges, Shape } from "./types.ts";

/** Changes of a client's file, as text to text. */

/** What a file was before it had an entry of xy's. */
export interface Origin {
  /** How many of the keys that lead to the entries were there. */
  readonly keep: number;
  /** There was no file. */
  readonly made: boolean;
  /** Hash of what the file was when xy last wrote it, without xy's entries. While that fits, nobody else has changed it. */
  readonly residue: string;
  /** The same of what is being written: it counts as well, because a command that dies may have written it. */
  readonly next?: string | undefined;
}

export interface Edited {
  /** Undefined: there is to be no file. */
  readonly text: string | undefined;
  /** Undefined: it has no entry of xy's any more. */
  readonly origin: Origin | undefined;
  /** It has its first entry of xy's: the text before it is to be kept. */
  readonly isFirst: boolean;
}

export interface EditInput {
  readonly format: Format;
  readonly shape: Shape;
  readonly text: string | undefined;
  /** What a new file begins with. */
  readonly fresh: string;
  /** Names of all entries of xy's, before the change, */
  readonly ours: readonly string[];
  /** and after it. */
  readonly left: readonly string[];
  readonly origin: Origin | undefined;
  /** The text before the first entry of xy's, as it was kept; undefined if there was no file, or it is lost. */
  readonly original: string | undefined;
}

export const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");

/**
 * A file with entries set and removed. Everything else stays as it is, byte for byte; once no entry of xy's is left, so does
 * the whole file, unless somebody else has changed it meanwhile. Throws {@link Fault}.
 */
export function edit(input: EditInput, changes: EntryChanges): Edited {
  const { format, shape, ours, left } = input;
  // Somebody has removed the file: what was before it is gone, too.
  const origin = input.text === undefined ? undefined : input.origin;
  const given = input.text ?? input.fresh;
  const mark = given.startsWith(MARK) ? MARK : "";
  const before = format.open(given.slice(mark.length));
  const keep = origin?.keep ?? keysThere(before.content, shape.path);
  const made = origin?.made ?? input.text === undefined;
  const isUntouched =
    origin === undefined ||
    [origin.residue, origin.next].includes(hashOf(mark + changed(before, shape, allOf(ours), keep)));
  const after = checked(format, before, shape, changes, keep);
  if (left.length > 0) {
    // Once somebody else has changed it, what it was before is no longer what it is to be.
    const residue = isUntouched ? hashOf(mark + changed(after, shape, allOf(left), keep)) : "";
    return { text: mark + after.text, isFirst: origin === undefined, origin: { keep, made, residue } };
  }
  const canGo = made && (isUntouched || isNothing(format, after, input.fresh));
  const original = origin && isUntouched && !made ? input.original : undefined;
  return { text: canGo ? undefined : (original ?? mark + after.text), origin: undefined, isFirst: false };
}

const allOf = (names: readonly string[]): EntryChanges => ({ set: [], remove: names });

function isNothing(format: Format, { text, content }: Opened, fresh: string): boolean {
  return isSame(content ?? {}, format.open(fresh).content ?? {}) && !/\/\/|\/\*|#/.test(text);
}

/** Entries that are not there are not removed. */
function changed(before: Opened, shape: Shape, changes: EntryChanges, keep: number): string {
  const names = new Set(entriesIn(before.content, shape).map(({ name }) => name));
  const remove = changes.remove.filter((name) => names.has(name));
  if (remove.length + changes.set.length === 0) return before.text;
  return before.change(shape, { ...changes, remove }, keep);
}

/** Has the parser check that the text says what it should, and that nothing else is another. */
function checked(format: Format, before: Opened, shape: Shape, changes: EntryChanges, keep: number): Opened {
  const text = changed(before, shape, changes, keep);
  if (text === before.text) return before;
  const after = format.open(text);
  if (!isSameContent(after.content, contentAfter(before.content, shape, changes), shape.path))
    throw new Fault(0, "its entries are written in a way that cannot be changed without changing others");
  return after;
}

/** A byte order mark. */
const MARK = "\ufeff";
