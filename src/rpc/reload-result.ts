import { waitsSentence } from "../model/dependency.ts";
import type { FinalEvent } from "../model/event.ts";
import type { Plan } from "../model/plan.ts";
import { group, summary } from "../model/summary.ts";
import type { ResultOf } from "./contract.ts";
import { RPC_ERRORS } from "./errors.ts";

/** The result of a reload, by name: each server and each action is in one list. `finals`: how each change ended. */
export function reloadResult(
  plan: Pick<Plan, "changes" | "actions" | "unreachable">,
  finals: readonly FinalEvent[],
): ResultOf<"reload"> {
  const done = new Set(
    finals.flatMap(({ type, server, action }) => (type === "done" ? [keyOf(server, action)] : [])),
  );
  const { add, remove, change, matching } = summary(plan);
  const unreachable = (plan.unreachable ?? []).flatMap(({ servers, message }) =>
    servers.map((name) => ({ name, code: RPC_ERRORS.internalError, message })),
  );
  return {
    added: add.filter((name) => done.has(keyOf(name, "add"))),
    removed: remove.filter((name) => done.has(keyOf(name, "remove"))),
    changed: change.filter((name) => done.has(keyOf(name, "update"))),
    unchanged: [...matching],
    // By name, not by whose wait ended first.
    failed: [...finals.flatMap(failureOf), ...unreachable].sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** One that moves to another backend is removed and added. */
const keyOf = (server: string, action: FinalEvent["action"]) => `${group(action)} ${server}`;

type Failure = ResultOf<"reload">["failed"][number];

function failureOf(event: FinalEvent): Failure[] {
  const { server: name } = event;
  switch (event.type) {
    case "done":
      return [];
    case "waiting":
      return [{ name, code: RPC_ERRORS.notRunning, message: waitsSentence(event.waitsFor) }];
    case "skipped":
      return [{ name, code: RPC_ERRORS.notRunning, message: event.message }];
    case "failed":
      return [{ name, code: codeOf(event), message: event.message }];
  }
}

function codeOf({ action, portConflict, interrupted }: Extract<FinalEvent, { type: "failed" }>): number {
  if (portConflict) return RPC_ERRORS.portConflict;
  const ends = action === "remove" || action === "stop";
  return ends || interrupted ? RPC_ERRORS.internalError : RPC_ERRORS.spawnFailed;
}
