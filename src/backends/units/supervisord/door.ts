import { dirname } from "node:path";
import type { ServerSpec } from "../../../model/spec.ts";
import { ASK_BOUND, ServiceError, UnreadUnit } from "../../ask.ts";
import { unitName } from "../../render/unit.ts";
import { Coalesced } from "../coalesced.ts";
import { endWhole } from "../ending.ts";
import type { Unit } from "../manager.ts";
import { FAULTS, type Pending, type ProcessInfo, STATES, SupervisordClient, told } from "./client.ts";
import { type Endpoint, XmlRpcFault } from "./xml-rpc.ts";

/** One supervisord, and what takes more than one call to it. */

/** Pause between two looks at a program that is being stopped, ms. */
const STOP_GAP = 100;

/** One supervisord, with the calls that many callers share. */
export interface Door {
  readonly client: SupervisordClient;
  readonly lists: Coalesced<undefined, readonly ProcessInfo[]>;
  readonly rereads: Coalesced<undefined, Pending>;
}

export function doorTo(endpoint: Endpoint): Door {
  const client = new SupervisordClient(endpoint);
  return {
    client,
    lists: new Coalesced(() => client.list()),
    rereads: new Coalesced(() => reread(client)),
  };
}

/** supervisord itself waits for the grace period. */
const boundOf = ({ stop }: ServerSpec) => stop.grace + ASK_BOUND;

export async function infoOf({ lists }: Door, name: string): Promise<ProcessInfo | undefined> {
  return (await lists.ask(undefined)).find((info) => info.name === name);
}

async function reread(client: SupervisordClient): Promise<Pending> {
  try {
    return await client.reread();
  } catch (error) {
    if (!(error instanceof XmlRpcFault)) throw error;
    throw new ServiceError(`cannot have supervisord read its files: ${told(error)}`);
  }
}

/** Makes it reload a stopped group. */
export async function cycle(client: SupervisordClient, name: string): Promise<void> {
  await client.remove(name);
  await client.add(name);
}

export async function bringDown(client: SupervisordClient, unit: Unit): Promise<void> {
  const { spec } = unit;
  await endWhole(spec, pidIn(await client.get(unitName(spec))), async () => {
    await client.stop(unitName(spec), { wait: true, bound: boundOf(spec) });
    await awaitStopped(client, unit);
  });
}

export const pidIn = (info: ProcessInfo | undefined) => (info && info.pid > 0 ? info.pid : undefined);

/** Waits until it is no longer stopping: somebody else may have told it to stop. */
export async function awaitStopped(
  client: SupervisordClient,
  { spec }: Unit,
): Promise<ProcessInfo | undefined> {
  for (const until = Date.now() + boundOf(spec); ; ) {
    const info = await client.get(unitName(spec));
    if (info?.state !== STATES.stopping) return info;
    if (Date.now() > until)
      throw new ServiceError(`cannot stop ${spec.name}: supervisord did not stop it in time`);
    await new Promise((resolve) => setTimeout(resolve, STOP_GAP));
  }
}

/** Longest wait for what supervisord does in its next turn, which comes within a second, ms. */
const TURN_BOUND = 3000;
const TURN_GAP = 20;

/** The state of a program that has just been loaded, and starts by itself: supervisord begins that in its next turn. */
export async function begunByLoading(client: SupervisordClient, name: string): Promise<number | undefined> {
  for (const until = Date.now() + TURN_BOUND; ; ) {
    const state = (await client.get(name))?.state;
    if (state !== STATES.stopped || Date.now() > until) return state;
    await new Promise((resolve) => setTimeout(resolve, TURN_GAP));
  }
}

/** Throws if supervisord does not read the unit's file, because its `[include]` does not match it. */
export async function mustKnow(client: SupervisordClient, { file, spec }: Unit): Promise<void> {
  if ((await client.get(unitName(spec))) !== undefined) return;
  throw new UnreadUnit(
    `cannot add ${spec.name}: supervisord does not read ${file}; make sure that its [include] section has files = ${dirname(file)}/*.conf`,
  );
}

export async function saying(
  verb: string,
  client: SupervisordClient,
  unit: Unit,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof XmlRpcFault)) throw error;
    if (error.code === FAULTS.badName) await mustKnow(client, unit);
    const why = await client.whyRefused(unitName(unit.spec), error);
    throw new ServiceError(`cannot ${verb} ${unit.spec.name}: ${why}`);
  }
}
