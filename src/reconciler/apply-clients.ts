import { type ClientChange, clientLabel, type EntryChange, type WriteClient } from "../model/client-plan.ts";
import type { ApplyEvent } from "../model/event.ts";
import type { Change, Plan } from "../model/plan.ts";

interface ClientsStep {
  /** Absent: nothing is written. */
  readonly write?: WriteClient | undefined;
  readonly signal: AbortSignal;
  /** How a server's change ended, in words, if it did not end well. */
  readonly fateOf: (change: Change) => string | undefined;
  readonly push: (event: ApplyEvent) => void;
}

/**
 * Writes the files of clients, one after the other. Call it when the servers are over: an entry whose server is not as
 * the plan wants it stays as it was.
 */
export async function applyClients(plan: Plan, step: ClientsStep): Promise<void> {
  const { write, signal, fateOf, push } = step;
  for (const change of plan.clients ?? []) {
    const { client, change: action } = change;
    if (action === "none" || write === undefined) continue;
    const at = { server: clientLabel(client), action };
    if (signal.aborted) {
      push({ type: "skipped", ...at, message: "interrupted before it began", interrupted: true });
      continue;
    }
    const left = leftAsTheyAre(change, plan.changes, fateOf);
    const part = { ...change, entries: change.entries.filter((entry) => !left.has(entry)) };
    const because = [...new Set(left.values())].join("; ");
    if (part.entries.every((entry) => entry.change === "none")) {
      push({ type: "skipped", ...at, message: because });
      continue;
    }
    push({ type: "started", ...at });
    const result = await written(part, write);
    if (!result.ok) push({ type: "failed", ...at, message: result.message, lastLines: [] });
    else if (left.size === 0) push({ type: "done", ...at, detail: result.detail });
    else push({ type: "skipped", ...at, message: `${because}; the other entries are written`, partly: true });
  }
}

async function written(change: ClientChange, write: WriteClient): ReturnType<WriteClient> {
  try {
    return await write(change);
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

/** Entries that must not be written now, and why. */
function leftAsTheyAre(
  { entries }: ClientChange,
  changes: readonly Change[],
  fateOf: ClientsStep["fateOf"],
): ReadonlyMap<EntryChange, string> {
  return new Map(
    entries.flatMap((entry): [EntryChange, string][] => {
      if (entry.change === "none") return [];
      const ofServer = changes.filter(({ server }) => server === entry.server);
      const fate = ofServer.map((change) => fateOf(change)).find((one) => one !== undefined);
      const reason =
        fate ?? (entry.change === "remove" ? undefined : ofServer.map(ailment).find((one) => one));
      return reason === undefined ? [] : [[entry, `${entry.server} ${reason}`]];
    }),
  );
}

/** It matches, and runs, but does not work. */
function ailment({ action, observed, desired }: Change): string | undefined {
  const isRunning = action === "none" && desired?.wanted !== "ignore" && observed?.state === "running";
  return isRunning && observed.ready.status === "failing" ? "is not ready" : undefined;
}
