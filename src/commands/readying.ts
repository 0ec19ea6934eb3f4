import { setTimeout as pause } from "node:timers/promises";
import { waitsText } from "../model/dependency.ts";
import { EXIT } from "../model/exit-codes.ts";
import { listEntryOf } from "../rpc/entries.ts";
import type { ListEntry } from "../rpc/entry-contract.ts";
import { type Address, isOfAgent, wireName } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import type { BaseCommand } from "./base.ts";
import { observeUnit, withUnits } from "./units.ts";

/** Having a server run for whoever wants to use it, without going against a person's word. */

/** Longest wait for a server to be ready, ms. */
const READY_BOUND = 90_000;
/** Between two looks, ms. */
const LOOK_GAP = 100;
const UNIT_LOOK_GAP = 500;

interface Looked {
  look(): Promise<ListEntry>;
  /** Throws, or ends the command, when it cannot be started. */
  start(): Promise<unknown>;
  readonly gap: number;
}

/**
 * Settles when the server runs and is ready, or its probe says that it is not, which is then for whoever asks it to find
 * out. It is started, unless it is held: that ends the command.
 */
export async function readyServer(command: BaseCommand, address: Address): Promise<void> {
  if (!isOfAgent(address)) return awaitReady(command, address, ofUnit(command, address));
  await withAgent(command, (client) => {
    const { name } = address;
    const look = () => client.call("status", wireName(address));
    // Its jobs are nobody's concern here.
    const start = () => client.call("start", { ...wireName(address), name, replace_existing_jobs: false });
    return awaitReady(command, address, { look, start, gap: LOOK_GAP });
  });
}

function ofUnit(command: BaseCommand, address: Address): Looked {
  const { name } = address;
  const look = async () => listEntryOf(await observeUnit(command, address), Date.now());
  const start = async () => {
    const { operate } = await import("../backends/units/operate.ts");
    const { failed } = await withUnits(command, address, (units) => operate(units, "start", [name]));
    if (failed[0]) command.fail(EXIT.failed, failed[0].message);
  };
  return { look, start, gap: UNIT_LOOK_GAP };
}

async function awaitReady(
  command: BaseCommand,
  { project, name }: Address,
  { look, start, gap }: Looked,
): Promise<void> {
  const until = Date.now() + READY_BOUND;
  let wasStarted = false;
  for (;;) {
    const entry = await look();
    if (isUsable(entry)) return;
    if (entry.held)
      command.fail(
        EXIT.failed,
        `cannot use ${name}: somebody stopped it, and it is held; \`xy start ${project}/${name}\` starts it`,
      );
    const isResting = entry.state === "stopped" || entry.state === "failed";
    if (isResting && wasStarted && entry.waits_for === undefined)
      command.fail(
        EXIT.failed,
        `cannot use ${name}: it was started, and is ${entry.state} again; \`xy why ${project}/${name}\` says more`,
      );
    if (isResting && !wasStarted) {
      await start();
      wasStarted = true;
      continue;
    }
    if (Date.now() > until) command.fail(EXIT.failed, `cannot use ${name}: ${notReadyText(entry)}`);
    await pause(gap);
  }
}

const isUsable = ({ state, ready }: ListEntry) => state === "running" && ready !== null;

function notReadyText({ project, name, state, waits_for }: ListEntry): string {
  const now = waits_for ? `it ${waitsText(waits_for)}` : state === "running" ? "not ready" : `it is ${state}`;
  return `${now} after ${READY_BOUND / 1000} s; \`xy why ${project}/${name}\` says more`;
}
