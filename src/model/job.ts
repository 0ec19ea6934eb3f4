import { z } from "zod";
import { actionSpec } from "./action.ts";
import { serverSpec } from "./spec.ts";
import { name } from "./spec-parts.ts";

/** A job: one recorded execution of a server's own program, or of an action. */

export const PHASES = ["pending", "running", "succeeded", "failed", "cancelled"] as const;
export type JobPhase = (typeof PHASES)[number];

/** The `action_id` of jobs that are a server's own program; no action has that name. */
export const MAIN_ACTION = "main";

/**
 * What started a job: a person, the clock (`schedule`, or `missed` if it comes late), or `xy job retry`; for a server's own
 * program also an apply, a session, or its restart policy.
 */
const TRIGGERS = ["person", "schedule", "missed", "retry", "apply", "session", "policy"] as const;

export const job = z.object({
  /** Increasing, never given twice. */
  id: z.int().min(1),
  project: name,
  /** The server that it belongs to, itself or one of its actions; null for an action that stands alone. */
  service_id: name.nullable(),
  /** Name of the action; `main` for a server's own program. */
  action_id: name,
  /** A person has typed what it ran, and no action declares that: `action_id` is made from its program's name. */
  inline: z.literal(true).optional(),
  trigger: z.enum(TRIGGERS),
  /** The job that this one repeats. */
  retry_of: z.int().nullable(),
  /** Jobs of the same run that have to succeed before it begins; absent: none. */
  awaits: z.array(z.int()).optional(),
  /** Which attempt runs, or was the last; from 1. */
  attempt: z.int().min(1),
  phase: z.enum(PHASES),
  pid: z.int().nullable(),
  exit_code: z.int().nullable(),
  signal: z.string().nullable(),
  created_at: z.int().describe("Unix milliseconds."),
  started_at: z.int().nullable().describe("Unix milliseconds; of the newest attempt."),
  ended_at: z.int().nullable().describe("Unix milliseconds."),
  /** Why it failed or was cancelled, one clause. */
  error: z.string().nullable(),
  tags: z.array(z.string()),
});
export type Job = z.infer<typeof job>;

/** What ran, secrets as references. */
export const jobSpec = z.union([actionSpec, serverSpec]);
export type JobSpec = z.infer<typeof jobSpec>;

export function isOver({ phase }: Pick<Job, "phase">): boolean {
  return phase !== "pending" && phase !== "running";
}

/** It is a server's own program. */
export function isMainJob({ service_id, action_id }: Pick<Job, "service_id" | "action_id">): boolean {
  return service_id !== null && action_id === MAIN_ACTION;
}

/** How people name what a job ran: `backup`, `web:backup`, or `web` for the server itself. */
export function jobLabel({ service_id, action_id }: Pick<Job, "service_id" | "action_id">): string {
  if (service_id === null) return action_id;
  return isMainJob({ service_id, action_id }) ? service_id : `${service_id}:${action_id}`;
}
