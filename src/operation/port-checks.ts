import type { Diagnostic } from "../model/diagnostic.ts";
import type { Observed } from "../model/observed.ts";
import type { Change } from "../model/plan.ts";
import type { ServerSpec } from "../model/spec.ts";
import { isAnyones } from "../model/spec-parts.ts";
import { isOfAny } from "../system/family.ts";
import { holderText } from "../system/holders.ts";
import { holdersOf } from "../system/listeners.ts";

/** What is to be said before a start of the ports that it would listen on. */

/** Ports that a start would find taken by a process that is not ours. */
export async function heldPorts(
  changes: readonly Change[],
  observed: readonly Observed[],
): Promise<Diagnostic[]> {
  const found = await Promise.all(changes.filter(bringsUp).map((change) => heldPort(change, observed)));
  return found.flat();
}

function bringsUp({ action, held }: Change): boolean {
  return !held && (action === "add" || action === "restart" || action === "start");
}

async function heldPort({ server, desired }: Change, observed: readonly Observed[]): Promise<Diagnostic[]> {
  if (!desired || desired.port === null || desired.wanted !== "start") return [];
  const { port, host } = desired;
  // Whoever listens in its place while it runs goes with it.
  const before = observed.find(({ name, pid }) => name === server && pid !== undefined)?.spec;
  if (before?.port === port && isListenedFor(before)) return [];
  // What cannot be seen now is no reason to refuse: the start looks again.
  const holders = await holdersOf(port, host).catch(() => []);
  const mains = observed.flatMap(({ pid, backend }) =>
    pid === undefined ? [] : [{ pid, leads: backend === "agent" }],
  );
  const ours = await Promise.all(holders.map(({ pid }) => isOfAny(pid, mains)));
  const holder = holders.find((_, i) => !ours[i]);
  if (!holder) return [];
  const message = `cannot listen: port ${port} is held by ${holderText(holder)}; stop that, or choose another port`;
  return [{ severity: "error", server, message, portConflict: true }];
}

/** Somebody else may listen in its place. */
function isListenedFor({ readiness, liveness }: ServerSpec): boolean {
  return isAnyones(readiness) || isAnyones(liveness);
}

/** What is said of whoever takes any listener for the server's own. */
export function strangersWelcome({ server, action, desired }: Change): Diagnostic[] {
  if (desired === undefined || action === "none" || action === "remove" || !isListenedFor(desired)) return [];
  const checks = (["readiness", "liveness"] as const).filter((which) => isAnyones(desired[which]));
  const message = `owner "any" for ${checks.join(" and ")}: whoever listens on port ${desired.port ?? "?"} is taken for this server`;
  return [{ severity: "warning", server, message }];
}
