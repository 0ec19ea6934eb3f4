import type { ParsedParams, ResultOf } from "../../rpc/contract.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import type { Registry } from "../servers/registry.ts";
import type { Supervised } from "../servers/supervised.ts";

/** The servers that an operator names, and the answer about all of them. */

export type Target = ParsedParams<"start" | "stop" | "restart" | "kill" | "pause" | "resume">;

/** Nobody is named: what runs already stays whose it is. */
export const isAll = (target: Target) => !("name" in target || "names" in target);

export function named(registry: Registry, target: Target): Supervised[] {
  if ("name" in target) return [registry.get(target.name, target.project)];
  if ("names" in target) return [...new Set(target.names)].map((name) => registry.get(name, target.project));
  return registry.all(target.project);
}

/** What happens to each server: true or false, as each command defines it. */
export type Acts = Map<Supervised, Promise<boolean>>;

interface Answers {
  yes: string[];
  no: string[];
  failed: ResultOf<"start">["failed"];
}

/** One named server answers with its error; of several, each failure stands in the list. */
export async function answersOf(acts: Acts, target: Target): Promise<Answers> {
  const answers: Answers = { yes: [], no: [], failed: [] };
  const outcomes = await Promise.allSettled(acts.values());
  for (const [i, { spec }] of [...acts.keys()].entries()) {
    const outcome = outcomes[i];
    if (outcome?.status === "fulfilled") (outcome.value ? answers.yes : answers.no).push(spec.name);
    else if (!("name" in target)) answers.failed.push({ name: spec.name, ...failureOf(outcome?.reason) });
    // What was started for the one that was named says nothing: that one waits, and tells what for.
    else if (spec.name === target.name) throw outcome?.reason;
  }
  return answers;
}

/** How a failure stands in an answer about several servers. */
export function failureOf(error: unknown): { code: number; message: string } {
  const code = error instanceof RpcError ? error.code : RPC_ERRORS.internalError;
  return { code, message: error instanceof Error ? error.message : String(error) };
}
