import { z } from "zod";
import { BACKENDS } from "./backends.ts";
import type { Start, Traits } from "./field.ts";
import type { duration } from "./input-parts.ts";
import type { Machine } from "./machine.ts";
import type { Mcp } from "./mcp-fields.ts";
import type { Owner } from "./probe-input.ts";
import type { ProbeCommand } from "./probe-of.ts";
import type { CLASSES, EnvValue } from "./spec-parts.ts";
import { formatDuration, milliseconds } from "./units.ts";

/**
 * What rows of a server's table are made with. Of what may be written, every `error` is the way out: it completes
 * "cannot use … for …: ". Every description is the reference documentation of its field.
 */

/** What was found out about a server on this machine. */
export interface Facts {
  readonly name: string;
  readonly project: string;
  readonly os: Machine["os"];
  readonly class: (typeof CLASSES)[number];
  readonly program: string;
  /** With every template filled in, and the port flag appended. */
  readonly args: readonly string[];
  readonly port: number | null;
  /** Where it listens. */
  readonly host?: string;
  readonly mcp: Mcp;
  readonly env: Readonly<Record<string, EnvValue>>;
  readonly workingDir: string;
  /** For probes that run a program: its path, and its arguments with every template filled in. */
  readonly probes: { readonly [Name in "readiness" | "liveness"]?: ProbeCommand };
  /** Whose listener counts for a probe that does not say so. */
  readonly owner?: Owner;
}

interface Row<W extends z.ZodType, K extends z.ZodType> extends Traits<z.output<K>> {
  readonly written: W;
  readonly kept: K;
  readonly becomes: (written: z.output<W>, facts: Facts) => z.output<K>;
}

export const field = <W extends z.ZodType, K extends z.ZodType>(row: Row<W, K>) => row;
/** A row that follows from the machine and other rows: nobody writes it. */
export const found = <K extends z.ZodType>(row: Omit<Row<z.ZodUndefined, K>, "written">) => row;
/** A row that is only used on the way to the spec. */
export const used = <W extends z.ZodType>(written: W) => ({ written });

/** Every process gets it when it starts, whatever runs it. */
export const everywhere = <Value>(part: (value: Value) => unknown = (value) => value): Start<Value> =>
  inEach((value) => [part(value)]);
/** The same for parts that not every server has. */
export const inEach = <Value>(parts: (value: Value) => readonly unknown[]): Start<Value> =>
  Object.fromEntries(BACKENDS.map((backend) => [backend, parts]));

export const length = (written: z.ZodDefault<typeof duration>) =>
  field({
    written,
    kept: z.number(),
    becomes: milliseconds,
    shown: formatDuration,
    absent: milliseconds(written.parse(undefined)),
  });
