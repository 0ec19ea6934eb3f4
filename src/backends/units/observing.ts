import { isBridged } from "../../model/launch.ts";
import { formatExit, type Observed } from "../../model/observed.ts";
import { hasToBeReady } from "../../model/start.ts";
import { withoutUndefined } from "../../model/without-undefined.ts";
import { hasBridgeLauncher } from "../../system/bridge-program.ts";
import { type Inventory, type Known, OTHER_HASH, runningHashOf, UNKNOWN } from "./inventory.ts";
import type { Live, Unit } from "./manager.ts";
import { glanceAt, healthOf } from "./readiness.ts";
import type { UnitRecord } from "./record.ts";

/** The state of servers that run as units, for comparing it with what is declared. */

export async function observeAll(inventory: Inventory): Promise<readonly Observed[]> {
  const known = await inventory.known(inventory.store.names());
  const recorded = await Promise.all([...known.values()].map((each) => observe(inventory, each)));
  const units = inventory.unrecorded(new Set(known.keys()));
  const all = [...recorded, ...(await observeUnrecorded(inventory, units))];
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function observe(inventory: Inventory, { record, live }: Known): Promise<Observed> {
  const now = Date.now();
  const { spec, operator, rests, unfinished = false } = record;
  // What an interrupted apply left behind was not changed by others.
  const drift = unfinished
    ? []
    : [...fileDrift(inventory, record), ...launcherDrift(inventory, record), ...live.drift];
  const rewritten =
    drift.length === 0 && !unfinished && (live.isElsewhere || (await isRewritten(inventory, record)));
  const runningHash = live.pid === undefined ? undefined : runningHashOf(record, live);
  // xy stopped it, whatever its manager reports.
  const atRest = live.state === "stopped" && rests !== undefined;
  const lastExit = live.lastExit && (atRest ? { ...live.lastExit, requested: true } : live.lastExit);
  const neverReady = !atRest && isUnseen(record, live);
  const reason = live.reason ?? (atRest ? rests.reason : endReason(live, neverReady));
  const glance = await glanceAt(record, live, inventory.store.dir, now);
  return {
    name: spec.name,
    project: spec.project,
    backend: inventory.manager.kind,
    spec,
    state: live.state,
    operator,
    since: (atRest ? rests.at : live.since) ?? live.startedAt ?? now,
    ready: glance.ready,
    healthy: healthOf(record, live, now),
    ...withoutUndefined({
      mcp: glance.mcp,
      bridge: glance.bridge,
      runningHash,
      pid: live.pid,
      startedAt: live.startedAt,
      restartCount: live.restartCount,
      lastExit,
      reason,
      restored: record.restored,
    }),
    ...(neverReady ? { neverReady } : {}),
    ...(drift.length === 0 ? {} : { drift: drift.join("; ") }),
    ...(unfinished
      ? { unsettled: "unfinished" as const }
      : rewritten
        ? { unsettled: "rewritten" as const }
        : {}),
  };
}

function fileDrift(inventory: Inventory, { file, text }: UnitRecord): string[] {
  const found = inventory.fileAt(file);
  switch (found.is) {
    case "missing":
      return ["its unit file is gone"];
    case "linked":
      return ["its unit is masked, or its file is a link"];
    case "foreign":
      return ["its unit file was replaced"];
    case "ours":
      return found.text === text ? [] : ["its unit file was edited"];
  }
}

/** Its process lives on without it, and could not be started again. */
function launcherDrift({ store }: Inventory, { spec }: UnitRecord): string[] {
  return isBridged(spec) && !hasBridgeLauncher(store.state) ? ["the launcher of xy's bridge is gone"] : [];
}

/** Whether this xy would write it differently, or in another place. */
async function isRewritten(inventory: Inventory, record: UnitRecord): Promise<boolean> {
  const { manager } = inventory;
  return record.file !== manager.fileOf(record.spec) || record.text !== (await inventory.textOf(record));
}

/** An exit that its policy accepts needs a reason too. */
function endReason({ state, lastExit }: Live, neverReady: boolean): string | undefined {
  if (state !== "stopped" || lastExit === undefined || lastExit.requested) return undefined;
  return `ended: ${formatExit(lastExit.exit)}${neverReady ? ", and nobody saw it ready" : ""}`;
}

/** It exited by itself, should have become ready, and no record says that it did. */
function isUnseen(
  { spec, ready, sawReady = ready !== undefined }: UnitRecord,
  { state, lastExit }: Live,
): boolean {
  if (state !== "stopped" || lastExit === undefined || lastExit.requested || !hasToBeReady(spec))
    return false;
  return !sawReady;
}

async function observeUnrecorded({ manager }: Inventory, units: readonly Unit[]): Promise<Observed[]> {
  const live = await manager.look(units);
  const now = Date.now();
  return units.map(({ spec: { name, project } }): Observed => {
    const { state, pid, startedAt } = live.get(name) ?? UNKNOWN;
    const unknown = { status: "unknown", evidence: "xy has no record of it", at: now } as const;
    return {
      name,
      project,
      backend: manager.kind,
      state,
      operator: null,
      since: startedAt ?? now,
      ready: unknown,
      healthy: unknown,
      ...(pid === undefined ? {} : { pid, runningHash: OTHER_HASH }),
      ...withoutUndefined({ startedAt }),
    };
  });
}
