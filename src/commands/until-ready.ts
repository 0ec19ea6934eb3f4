import { setTimeout as pause } from "node:timers/promises";
import { waitsText } from "../model/dependency.ts";
import { patienceFor } from "../model/patience.ts";
import { hasToBeReady } from "../model/start.ts";
import type { StartProgress } from "../model/start-progress.ts";
import { givenUpText, isToTell, runsText } from "../model/start-report.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { statusEntryOf } from "../rpc/entries.ts";
import type { StatusEntry } from "../rpc/entry-contract.ts";
import { RPC_ERRORS } from "../rpc/errors.ts";
import { eventText } from "../views/apply-text.ts";
import type { Named, OperatedDocument } from "../views/operated.ts";
import { type Address, isOfAgent, unknownServer, wireName } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import { waitMsOf } from "./applying.ts";
import type { BaseCommand } from "./base.ts";
import { observeUnit } from "./units.ts";

/** Between two looks at a server, ms. */
const LOOK_GAP = 250;
const UNIT_LOOK_GAP = 1000;

interface Waiting {
  readonly label: (one: Named) => string;
  /** Undefined: as long as its start may take. */
  readonly waitMs: number | undefined;
}

/** A server that did not become ready, and why. */
interface NotReady extends Named {
  readonly why: string;
}

type Label = Waiting["label"];

/** `--wait` of a command that starts servers. Ends the command at once if its duration cannot be read. */
export function waitsFor(
  command: BaseCommand,
  flags: { readonly wait: boolean; readonly "wait-timeout"?: string | undefined },
  label: Label,
) {
  const waitMs = waitMsOf(command, flags);
  const whenReady = (of: BaseCommand, document: OperatedDocument, addresses: readonly Address[]) =>
    readied(of, document, addresses, { label, waitMs });
  return { whenReady };
}

/** What was done, once the servers are ready; one that is not counts as failed. */
async function readied(
  command: BaseCommand,
  document: OperatedDocument,
  addresses: readonly Address[],
  waiting: Waiting,
): Promise<OperatedDocument> {
  const isSame = (a: Named) => (b: Named) => a.name === b.name && a.project === b.project;
  const started = addresses.filter((one) => !document.failed.some(isSame(one)));
  const late = await untilReady(command, started, waiting);
  const without = ({ key, servers }: OperatedDocument["yes"]) => ({
    key,
    servers: servers.filter((one) => !late.some(isSame(one))),
  });
  const failed = late.map(({ why, ...one }) => ({
    ...{ ...one, code: RPC_ERRORS.spawnFailed },
    message: `${waiting.label(one)} is not ready: ${why}; \`xy why ${waiting.label(one)}\` says more`,
  }));
  const { yes, no } = document;
  return { ...document, yes: without(yes), no: without(no), failed: [...document.failed, ...failed] };
}

/** Waits with the bound that an apply has, and answers with those that are not ready. */
async function untilReady(
  command: BaseCommand,
  addresses: readonly Address[],
  waiting: Waiting,
): Promise<NotReady[]> {
  const own = addresses.filter(isOfAgent);
  const units = addresses.filter((one) => !isOfAgent(one));
  const asked = units.map((address) =>
    waitFor(command, address, waiting, () => lookAtUnit(command, address)),
  );
  if (own.length > 0)
    asked.push(
      withAgent(command, async (client) => {
        const look = (address: Address) => client.call("status", wireName(address));
        const found = own.map((one) => waitFor(command, one, waiting, () => look(one)));
        return (await Promise.all(found)).flat();
      }),
    );
  return (await Promise.all(asked)).flat();
}

async function lookAtUnit(command: BaseCommand, address: Address): Promise<StatusEntry> {
  const { spec, ...rest } = await observeUnit(command, address);
  return spec === undefined
    ? unknownServer(command, address.name)
    : statusEntryOf({ ...rest, spec }, "", Date.now());
}

async function waitFor(
  command: BaseCommand,
  address: Address,
  { label, waitMs }: Waiting,
  look: () => Promise<StatusEntry>,
): Promise<NotReady[]> {
  const { project, name } = address;
  const begun = performance.now();
  const notReady = (why: string) => [{ project, name, why }];
  let told: StartProgress | undefined;
  let restarts: number | undefined;
  for (;;) {
    const entry = await look();
    const end = endOf(entry);
    if (end === "ready") return [];
    if (end !== undefined) return notReady(end.why);
    const patience = patienceFor(waitMs, entry.spec, { putsBack: false });
    const waited = performance.now() - begun;
    const evidence =
      entry.state === "running" ? entry.probes.readiness.evidence : (entry.reason ?? entry.state);
    restarts ??= entry.restart_count ?? 0;
    const runs = { restarts: Math.max(0, (entry.restart_count ?? 0) - restarts) };
    if (waited > patience.ms + patience.slack)
      return notReady(
        `${givenUpText("ready", { how: "over", waited, patience })}: ${evidence}${runsText(runs)}`,
      );
    const lastLine = entry.last_lines?.at(-1);
    const progress = {
      ...{ waited_ms: Math.round(waited), bound_ms: patience.ms, evidence, ...runs },
      ...withoutUndefined({ last_line: lastLine }),
    };
    if (isToTell(told, progress)) {
      told = progress;
      command.hint(eventText({ type: "progress", server: label(address), progress }));
    }
    await pause(isOfAgent(address) ? LOOK_GAP : UNIT_LOOK_GAP, undefined, { signal: command.signal });
  }
}

/** Whether there is nothing more to wait for. */
function endOf(entry: StatusEntry): "ready" | { readonly why: string } | undefined {
  const { state, ready, waits_for: waits, reason, last_end: end, spec, held } = entry;
  if (state === "running" && ready === true) return "ready";
  if (held) return { why: "somebody stopped it meanwhile" };
  if (waits?.some(({ resting }) => resting)) return { why: waitsText(waits) };
  if (waits !== undefined) return undefined;
  if (state === "failed") return { why: reason ?? "it failed" };
  if (state !== "stopped") return undefined;
  if (end?.code !== undefined && spec.restart.successExitCodes.includes(end.code) && !hasToBeReady(spec))
    return "ready";
  return { why: `ended: ${reason ?? "it does not run"}` };
}
