import { withoutUndefined } from "../../model/without-undefined.ts";
import { pause } from "../log-lines.ts";
import type { UnitStore } from "./record.ts";
import { type Settled, StartWatch, type Wait } from "./start-watch.ts";
import { UnitSigns } from "./unit-signs.ts";

/** Waiting until a server that was started is what was asked for. */

/** A person's stop counts more than an apply. */
export const HELD = "it was told to stop meanwhile";

/** Records what was seen, for later commands. */
export function noteSettled(
  store: UnitStore,
  server: string,
  settled: Settled & { readonly ok: true },
): void {
  const { ready, process: launched, wasReady = ready !== undefined } = settled;
  store.update(server, (now) => ({
    ...now,
    ...withoutUndefined({ launched, ready }),
    ...(wasReady ? { sawReady: true } : {}),
  }));
}

/** Pause between two looks, ms: short at first, since most servers are up soon. */
const FIRST_GAP = 40;
const LONGEST_GAP = 1000;
/** Settles once it is so, once it has failed or exited, or once the wait has taken as long as it may. */
export async function settle(wait: Wait): Promise<Settled> {
  const { manager, unit, signal, patience } = wait;
  const began = performance.now();
  const watch = new StartWatch(wait, Date.now());
  const signs = patience.whileProgress ? new UnitSigns(manager, unit, wait.output) : undefined;
  const bound = began + patience.ms + patience.slack;
  for (let gap = FIRST_GAP; ; gap = Math.min(gap * 1.5, LONGEST_GAP)) {
    const live = (await manager.look([unit])).get(unit.spec.name);
    const settled = live && (await watch.take(live));
    if (settled?.ok) return settled;
    if (!wait.isWanted()) return { ok: false, message: HELD };
    if (settled) return { ...settled, ...watch.facts() };
    if (signal.aborted) return { ok: false, message: "interrupted" };
    const late = watch.late();
    if (late !== undefined) return late;
    const waited = performance.now() - began;
    const isSilent = await signs?.areOver(live?.pid);
    if (isSilent || performance.now() >= bound)
      return watch.givenUp({ how: isSilent ? "silent" : "over", waited, patience });
    await watch.tell(waited);
    await pause(Math.min(gap, Math.max(0, bound - performance.now())), signal);
  }
}
