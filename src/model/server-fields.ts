import { z } from "zod";
import { actionInput } from "./action-input.ts";
import { BACKENDS } from "./backends.ts";
import { type AnyRow, block, type Rows, writtenShape } from "./field.ts";
import { oneOf, serverName, size, text, whole } from "./input-parts.ts";
import { LIFECYCLE_FIELDS } from "./lifecycle-fields.ts";
import { onWhen, whenInput } from "./machine-input.ts";
import { own } from "./own.ts";
import { PROCESS_FIELDS } from "./process-fields.ts";
import { field, used } from "./server-row.ts";
import { CLASSES, WANTED } from "./spec-parts.ts";
import { formatSize, parseSize } from "./units.ts";

/**
 * Every setting of a server, a row each: what may be written, what it becomes, what it is in a record without it, which
 * backends need a new process when it changes, and how it is shown. Everything else about settings is derived from this
 * table. Its rows are in `process-fields.ts` (what is started), `lifecycle-fields.ts` (when, and until when) and here.
 */

const logs = block(
  {
    maxSize: field({
      written: size.default("10MiB").describe("Size at which a log file is rotated."),
      kept: z.int(),
      becomes: (written) => parseSize(written) ?? 0,
      shown: formatSize,
      absent: 10 << 20,
    }),
    keep: field({
      written: whole(0, 1000).default(5).describe("Number of rotated files to keep."),
      kept: z.int(),
      becomes: (written) => written,
      absent: 5,
    }),
  },
  {
    error: "write a block with the size and the number of log files",
    describe: "Log files.",
    start: { supervisord: (value) => [value] },
  },
);

export const actionsInput = z.record(serverName, actionInput, { error: "write a map of actions" });
const EVERYWHERE_FIELDS = {
  ...PROCESS_FIELDS,
  backend: field({
    written: oneOf(BACKENDS).optional().describe("What runs it; defaults to the root's `backend`."),
    kept: z.enum(BACKENDS),
    becomes: (written) => written ?? "agent",
  }),
  class: field({
    written: oneOf(CLASSES)
      .optional()
      .describe(
        "`system`: under the machine's systemd or launchd instead of your account's, from boot on. Applying needs root; the server runs as the account that applies.",
      ),
    kept: z.literal("system").optional(),
    becomes: (_, facts) => (facts.class === "system" ? "system" : undefined),
    start: {
      systemd: (value) => [value ?? null],
      launchd: (value) => [value ?? null],
    },
  }),
  ...LIFECYCLE_FIELDS,
  logs,
  actions: used(actionsInput.default({}).describe("Actions of this server by name: `xy run server:action`.")),
  wanted: field({
    written: oneOf(WANTED)
      .default("start")
      .describe(
        "Whether it should run, unless the operator started or stopped it. `ignore`: declared, but never touched.",
      ),
    kept: z.enum(WANTED),
    becomes: (written) => written,
    absent: "start",
  }),
  description: field({
    written: z.string({ error: "write text in quotes" }).default("").describe("One-line description."),
    kept: z.string(),
    becomes: (written) => written,
    absent: "",
  }),
  tags: field({
    written: z
      .array(text(), { error: "write a list of texts" })
      .default([])
      .describe("Words that select it."),
    kept: z.array(z.string()),
    becomes: (written) => written,
    absent: [],
  }),
  when: used(
    whenInput.optional().describe("Machines on which it exists at all; every given key must match."),
  ),
};

/** Settings of a server for some machines. */
export const onInput = z
  .strictObject(writtenShape(EVERYWHERE_FIELDS))
  .omit({ when: true })
  .partial()
  .extend({ when: onWhen });

export const SERVER_FIELDS = {
  ...EVERYWHERE_FIELDS,
  on: used(
    z
      .array(onInput, { error: "write a list of blocks, each with when and settings" })
      .optional()
      .describe(
        "Settings for some machines: blocks that are merged into the server, in order, on machines that their `when` matches.",
      ),
  ),
};

/** The row that a dotted name belongs to, and the rest of the name: `stop.grace`, `readiness` with `interval`. */
export function rowOf(leaf: string): { readonly row: AnyRow | undefined; readonly inner: string } {
  let rows: Rows = SERVER_FIELDS;
  const parts = leaf.split(".");
  for (let depth = 0; ; depth++) {
    const key = parts[depth] ?? "";
    const row = own(rows, key);
    if (row?.rows === undefined || depth === parts.length - 1)
      return { row, inner: parts.slice(depth + 1).join(".") };
    rows = row.rows;
  }
}
