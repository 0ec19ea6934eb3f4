import { z } from "zod";
import { CLIENT_NAMES, SCOPES } from "./clients.ts";
import { oneOf, oneOrMore } from "./input-parts.ts";
import { nearest } from "./nearest.ts";

/** What a person may write about the clients of a project. */

function nameAdvice({ input }: { readonly input?: unknown }): string {
  const near = nearest(String(input), CLIENT_NAMES);
  return near === undefined
    ? `no such client is known; write one of ${CLIENT_NAMES.toSorted().join(", ")}`
    : `no such client is known; did you mean "${near}"?`;
}

const clientName = z
  .string()
  .refine((name) => CLIENT_NAMES.some((known) => known === name), { error: nameAdvice })
  .meta({ enum: [...CLIENT_NAMES] });

const clientInput = z.strictObject(
  {
    scope: oneOf(SCOPES)
      .optional()
      .describe(
        "Which file of the client: `user`, the account's own, or `project`, the one in the folder of this configuration. Default: `user`.",
      ),
    only: oneOrMore
      .optional()
      .describe(
        "Servers by name, by a pattern such as `web-*`, or `tag:x` for those with a tag: no others get an entry.",
      ),
    except: oneOrMore.optional().describe("Servers by name, pattern or `tag:x` that get no entry."),
    prefix: z
      .string({ error: "write text in quotes" })
      .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, {
        error: 'write at most 32 of a-z, 0-9, "-" and "_", beginning with a letter or digit',
      })
      .optional()
      .describe("Goes before each server's name in the client's file."),
  },
  { error: "write a block with scope, only, except or prefix" },
);

export const clientsInput = z.record(
  clientName,
  z.union([z.boolean(), clientInput], {
    error: "write true, false, or a block with scope, only, except or prefix",
  }),
  { error: "write a block with the names of clients" },
);

/** One client as it is written. */
export type ClientInput = z.output<typeof clientInput>;
