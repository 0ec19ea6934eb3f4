import type { z } from "zod";
import { become, keptObject } from "./field.ts";
import type { FilledServer } from "./server.ts";
import { SERVER_FIELDS } from "./server-fields.ts";
import type { Facts } from "./server-row.ts";

/**
 * What one server is, with every default filled in, every path absolute and every `{…}` expanded: the form that
 * is compared, stored, sent over the wire and run. Durations are milliseconds, sizes bytes.
 */
export const serverSpec = keptObject(SERVER_FIELDS);
export type ServerSpec = z.infer<typeof serverSpec>;

/** Puts the spec together: units as numbers, and the defaults that depend on the machine and on other fields. */
export function specOf(input: FilledServer, facts: Facts): ServerSpec {
  return become(SERVER_FIELDS, input, facts as never) as ServerSpec;
}
