import { z } from "zod";
import type { BackendKind } from "./backends.ts";

/**
 * A setting as one row: what a person may write, what that becomes, and all that follows from it. The table of a server's
 * rows is in `server-fields.ts`; schemas, conversions, hashes, plans and views are derived from it.
 */

/** For each backend where a new process is needed when this changes: the parts of the value that its start depends on. */
export type Start<Value> = Readonly<Partial<Record<BackendKind, (value: Value) => readonly unknown[]>>>;

/** What a row may say besides its schemas. */
export interface Traits<Value> {
  /** Its value in a record from before the setting existed. Without one, each record must have it. */
  readonly absent?: Value;
  readonly start?: Start<Value>;
  /**
   * Whether a value, or one inside of it by its dotted name, is what a server has of whom nothing is said; where that
   * depends on the server, or is not `absent`.
   */
  readonly isUsual?: (value: never, spec: never, inner: string) => boolean;
  /** The same for people; undefined: as any value of its type. */
  readonly shown?: (value: never, inner: string) => string | undefined;
}

/** A row, for code that derives something from it. */
export interface AnyRow extends Omit<Traits<unknown>, "start"> {
  readonly start?: Start<never>;
  /** Absent if nobody writes it. */
  readonly written?: z.ZodType;
  /** Absent if it is only used on the way to the spec. */
  readonly kept?: z.ZodType;
  readonly becomes?: (written: never, facts: never) => unknown;
  /** For a block: its own rows. */
  readonly rows?: Rows;
}
export type Rows = Readonly<Record<string, AnyRow>>;

type Having<T extends Rows, Key extends "written" | "kept"> = {
  -readonly [K in keyof T as T[K] extends Readonly<Record<Key, z.ZodType>>
    ? K
    : never]: T[K] extends Readonly<Record<Key, infer Schema extends z.ZodType>> ? Schema : never;
};
export type WrittenShape<T extends Rows> = Having<T, "written">;
export type KeptShape<T extends Rows> = Having<T, "kept">;

export function writtenShape<T extends Rows>(rows: T): WrittenShape<T> {
  const entries = Object.entries(rows).flatMap(([name, { written }]) => (written ? [[name, written]] : []));
  return Object.fromEntries(entries);
}

/**
 * The schema of what is stored and sent. Absent means default, and what another version has added is kept: a record is
 * never unreadable for a key more or less.
 */
export function keptObject<T extends Rows>(rows: T): z.ZodObject<KeptShape<T>> {
  const entries = Object.entries(rows).flatMap(([name, { kept, absent }]) =>
    kept ? [[name, absent === undefined ? kept : kept.default(absent as never)]] : [],
  );
  return z.looseObject(Object.fromEntries(entries)) as unknown as z.ZodObject<KeptShape<T>>;
}

/** Several settings in braces. Leaving the block out is the same as leaving it empty. */
export function block<T extends Rows>(
  rows: T,
  about: {
    readonly error: string;
    readonly describe: string;
    readonly start?: Start<z.output<z.ZodObject<KeptShape<T>>>>;
  },
) {
  const { error, describe, start } = about;
  const kept = keptObject(rows);
  return {
    written: z
      .strictObject(writtenShape(rows), { error })
      .prefault({} as never)
      .describe(describe),
    kept,
    becomes: (value: Readonly<Record<string, unknown>>, facts: never) =>
      become(rows, value, facts) as z.output<typeof kept>,
    absent: kept.parse({}),
    rows,
    ...(start ? { start } : {}),
  };
}

/** What is recorded, from what was written. */
export function become(
  rows: Rows,
  written: Readonly<Record<string, unknown>>,
  facts: never,
): Record<string, unknown> {
  const entries = Object.entries(rows).flatMap(([name, { becomes }]) =>
    becomes ? [[name, becomes(written[name] as never, facts)] as const] : [],
  );
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
