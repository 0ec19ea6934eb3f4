import { z } from "zod";
import { envValue, name, type SecretValues, STOP_SIGNALS, secretValues } from "./spec-parts.ts";

/**
 * An action: a named command or script that ends, run by hand or on a schedule; of a project, or of one of its servers.
 * In the form that is compared, stored, sent over the wire and run. Durations are milliseconds.
 */

export const CONCURRENCY = ["allow", "forbid", "replace"] as const;
export const MISSED = ["once", "skip"] as const;

/** What is recorded about an action. */
export const ACTION_SHAPE = {
  name,
  project: name,
  /** The server that it belongs to; null: it stands alone. */
  server: name.nullable(),
  /** As declared; null for a script. */
  command: z.string().nullable(),
  /** Absolute path of the program, or of the script's interpreter. */
  program: z.string(),
  /** For a script: its interpreter's arguments. The script's path and `args` follow them. */
  interpreterArgs: z.array(z.string()),
  script: z.string().nullable(),
  args: z.array(z.string()),
  /** The whole environment. */
  env: z.record(z.string(), envValue),
  workingDir: z.string(),
  umask: z.int(),
  openFiles: z.int(),
  /** Longest run of one attempt; null: no limit. */
  timeout: z.number().nullable(),
  /** Time from the stop signal to SIGKILL. */
  grace: z.number(),
  /** Further attempts after a failed one, and the waits before them. */
  retries: z.strictObject({ max: z.int(), backoffInitial: z.number(), backoffMax: z.number() }),
  schedule: z.strictObject({ cron: z.string(), timeZone: z.string(), missed: z.enum(MISSED) }).nullable(),
  concurrency: z.enum(CONCURRENCY),
  /** Absent: SIGTERM. */
  stopSignal: z.enum(STOP_SIGNALS).optional(),
  /** Keys of the actions that run first, see {@link actionKey}. Absent: none. */
  after: z.array(z.string()).optional(),
  description: z.string(),
  tags: z.array(z.string()),
};

/** As with servers, fields of other versions are kept; they make nothing unreadable. */
export const actionSpec = z.looseObject(ACTION_SHAPE) as unknown as z.ZodObject<typeof ACTION_SHAPE>;
export type ActionSpec = z.infer<typeof actionSpec>;

/** How people name an action: `backup`, or `web:backup` of a server. Names contain no colon. */
export function actionKey({ server, name: own }: Pick<ActionSpec, "server" | "name">): string {
  return server === null ? own : `${server}:${own}`;
}

/** What a person may call an action: its server and its own name. Undefined if the text is not a name. */
export function parseActionKey(text: string): { server: string | null; name: string } | undefined {
  const [first = "", second, ...more] = text.split(":");
  if (more.length > 0 || first === "" || second === "") return undefined;
  return second === undefined ? { server: null, name: first } : { server: first, name: second };
}

/** Values of secret references, by {@link actionKey}. */
export const actionSecrets = z.record(z.string(), secretValues);
export type ActionSecrets = Readonly<Record<string, SecretValues>>;
