import { expect, test } from "vitest";
import { outcome } from "../../../src/views/jobs.ts";

type Job = Parameters<typeof outcome>[0];
const job = { phase: "failed", exit_code: null, signal: null, error: null } as Job;

test.each<[Partial<Job>, string]>([
  [{ error: "cannot start web: it is not there" }, "cannot start web: it is not there"],
  [{ error: "it ended while no agent was watching" }, "it ended while no agent was watching"],
  [{ phase: "cancelled", error: "it was told to stop" }, "it was told to stop"],
  [{ exit_code: 3 }, "exit 3"],
  [{ exit_code: 3, error: "exit 3" }, "exit 3"],
  [{ signal: "SIGKILL", error: "not over after 5s" }, "SIGKILL: not over after 5s"],
  [{}, ""],
])("%o ended so: %j", (how, told) => {
  expect(outcome({ ...job, ...how })).toBe(told);
});
