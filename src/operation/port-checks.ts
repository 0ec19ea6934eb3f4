import type { Diagnostic } from "../model/diagnostic.ts";
import type { Observed } from "../model/observed.ts";
import type { Change } from "../model/plan.ts";
import type { ServerSpec } from "../model/spec.ts";
import { isAnyones } from "../model/spec-parts.ts";
import { isOfAny } from "../system/family.ts";
import { holderText, serverOf } from "../system/holders.ts";
import { holdersOf } from "../system/listeners.ts";
import { isConfigFile } from "../system/projects.ts";
import type { LeftBehind } from "./left-behind.ts";

/** What is to be said before a start of the ports that it would listen on. */

/** What is known of other projects, beside those of a plan. */
export interface Others {
  /** Projects that this configuration was applied as before. */
  readonly left: readonly LeftBehind[];
  /** They are removed before anything is started. */
  readonly moves: boolean;
  /** All that are on record. */
  readonly projects: readonly string[];
}

/** Ports that a start would find taken by a process that is not ours. */
export async function heldPorts(
  changes: readonly Change[],
  observed: readonly Observed[],
  others: Others,
): Promise<Diagnostic[]> {
  const found = await Promise.all(
    changes.filter(bringsUp).map((change) => heldPort(change, observed, others)),
  );
  return found.flat();
}

function bringsUp({ action, held }: Change): boolean {
  return !held && (action === "add" || action === "restart" || action === "start");
}

async function heldPort(
  { server, desired }: Change,
  observed: readonly Observed[],
  others: Others,
): Promise<Diagnostic[]> {
  if (!desired || desired.port === null || desired.wanted !== "start") return [];
  const { port, host } = desired;
  // A process that listens in its place while it runs ends with it.
  const before = observed.find(({ name, pid }) => name === server && pid !== undefined)?.spec;
  if (before?.port === port && isListenedFor(before)) return [];
  // What cannot be seen now is no reason to refuse: the start looks again.
  const holders = await holdersOf(port, host).catch(() => []);
  const mains = observed.flatMap(({ pid, backend }) =>
    pid === undefined ? [] : [{ pid, leads: backend === "agent" }],
  );
  const ours = await Promise.all(holders.map(({ pid }) => isOfAny(pid, mains)));
  const foreign = holders.filter((_, i) => !ours[i]);
  const goes = others.moves ? others.left.map(({ project }) => project) : [];
  const holder = foreign.find(({ pid }) => !goes.includes(projectOf(pid)));
  if (!holder) return [];
  const message = `cannot listen: port ${port} is held by ${holderText(holder)}; ${wayOut(holder.pid, others)}`;
  return [{ severity: "error", server, message, portConflict: true }];
}

/** Empty where no server of xy's has the process. */
const projectOf = (pid: number) => (pid === 0 ? "" : (serverOf(pid)?.split("/")[0] ?? ""));

function wayOut(pid: number, { left, projects }: Others): string {
  const project = projectOf(pid);
  const before = left.find((one) => one.project === project);
  if (before?.movedFrom !== undefined)
    return `this ${isConfigFile(before.movedFrom) ? "file" : "folder"} was moved: keep its servers with \`project "${project}"\` in the configuration, and \`xy apply --adopt-project\``;
  if (before !== undefined)
    return `this configuration was applied as ${project} before: move its servers with \`xy apply --adopt-project\`, or remove them with \`xy destroy --project ${project}\``;
  // It may be of another state folder, or of another account.
  if (projects.includes(project)) return `stop it with \`xy stop ${serverOf(pid)}\`, or choose another port`;
  return "stop that, or choose another port";
}

/** Somebody else may listen in its place. */
function isListenedFor({ readiness, liveness }: ServerSpec): boolean {
  return isAnyones(readiness) || isAnyones(liveness);
}

/** Warns about a server whose checks accept any listener on its port. */
export function strangersWelcome({ server, action, desired }: Change): Diagnostic[] {
  if (desired === undefined || action === "none" || action === "remove" || !isListenedFor(desired)) return [];
  const checks = (["readiness", "liveness"] as const).filter((which) => isAnyones(desired[which]));
  const message = `owner "any" for ${checks.join(" and ")}: any program that listens on port ${desired.port ?? "?"} counts as this server`;
  return [{ severity: "warning", server, message }];
}
