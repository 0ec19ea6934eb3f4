import { ServiceError } from "../backends/ask.ts";
import type { Operated } from "../backends/units/operation.ts";
import { waitsText } from "../model/dependency.ts";
import { EXIT } from "../model/exit-codes.ts";
import type { Observed } from "../model/observed.ts";
import { isProgramAddress } from "../model/other-program.ts";
import type { RpcClient } from "../rpc/client.ts";
import type { Method, ResultOf } from "../rpc/contract.ts";
import { explained, RPC_ERRORS, RpcError } from "../rpc/errors.ts";
import { hasActions } from "../system/projects.ts";
import { type Named, type OperatedDocument, operatedView } from "../views/operated.ts";
import { type Address, addressesOrAll, isOfAgent } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import type { BaseCommand } from "./base.ts";
import { type EvaluationFlags, projectHere } from "./configuration.ts";
import { withHeld } from "./other-programs.ts";
import { fleetOf, withUnits } from "./units.ts";

type Verb = Extract<Method, "start" | "stop" | "restart" | "kill" | "pause" | "resume">;
/** Ms of silence after which a person wonders whether anything happens. */
const PATIENCE = 2000;

interface OperateOptions {
  readonly no_deps?: boolean;
  readonly for_ms?: number;
  readonly replace_existing_jobs?: boolean;
  readonly remove_jobs?: boolean;
  readonly wait?: boolean;
}

/** Defaults are left out, so that agents of earlier versions accept the call. */
export function startOptions(flags: { deps: boolean; "keep-jobs": boolean }): OperateOptions {
  return {
    ...(flags.deps ? {} : { no_deps: true }),
    ...(flags["keep-jobs"] ? { replace_existing_jobs: false } : {}),
  };
}

/** What to say of servers that an operator stops. */
export function endedWords(flags: { wait: boolean }, ended: string) {
  return { yes: flags.wait ? ended : "stopping", no: "was not running; it is held now" };
}

type Failure = ResultOf<"start">["failed"][number];

/** What was asked for on the command line. */
interface Asked {
  readonly names: readonly string[];
  readonly flags: { readonly all: boolean; readonly config?: string | undefined };
  /** Wait until the servers are ready, for so long. */
  readonly ready?: { readonly wait: boolean; readonly "wait-timeout"?: string | undefined };
}

/** The two lists of a verb's result on the wire: servers that it changed, and the others. */
const LISTS = {
  start: { yes: "started", no: "already_running" },
  stop: { yes: "stopped", no: "not_running" },
  restart: { yes: "restarted", no: "started" },
  kill: { yes: "killed", no: "not_running" },
  pause: { yes: "paused", no: "already_paused" },
  resume: { yes: "resumed", no: "not_paused" },
} as const satisfies Record<Verb, { yes: string; no: string }>;

/** In place of a project's name, for programs that belong to none. */
const NOBODYS = "";

/**
 * Calls `verb` for every server that is meant, those of a project at once: the agent knows their order. Shows the merged
 * result of the wire method, or a line for each server. `words`: what to say of a server in each of the two lists.
 */
export async function operate(
  command: BaseCommand,
  verb: Verb,
  asked: Asked,
  words: { readonly yes: string; readonly no: string },
  options: OperateOptions = {},
): Promise<void> {
  const others = asked.names.filter(isProgramAddress);
  const names = asked.names.filter((name) => !isProgramAddress(name));
  const isOthersOnly = others.length > 0 && names.length === 0 && !asked.flags.all;
  const addresses = isOthersOnly ? [] : await addressesOrAll(command, names, asked.flags);
  const here = await projectHere(command, asked.flags);
  const isHere = (project: string) => project === here || project === NOBODYS;
  const label = ({ project, name }: Named) => (isHere(project) ? name : `${project}/${name}`);
  const waits = asked.ready?.wait
    ? (await import("./until-ready.ts")).waitsFor(command, asked.ready, label)
    : undefined;
  const own = addresses.filter(isOfAgent);
  const found: Found[] = [];
  for (const other of others) {
    const outcome = await otherOutcome(command, verb, other, asked.flags, options);
    found.push({ project: NOBODYS, ...outcome });
  }
  for (const [address, names] of byBackend(addresses.filter((one) => !isOfAgent(one)))) {
    const outcome = await unitOutcome(command, verb, address, names, options);
    found.push({ project: address.project, ...outcome });
    const done = [...outcome.yes, ...(verb === "stop" ? outcome.no : [])];
    await clearJobs(command, verb, address.project, done, options);
  }
  if (own.length > 0)
    await withAgent(command, async (client) => {
      const told = setTimeout(() => void tellWaits(command, client, own, label), PATIENCE);
      const isAll = verb === "start" && asked.flags.all;
      const calls = byProject(own).map((one) => agentOutcome(client, verb, one, isAll, options));
      found.push(...(await Promise.all(calls).finally(() => clearTimeout(told))));
    });
  const document = (await waits?.whenReady(command, merged(verb, found), addresses)) ?? merged(verb, found);
  const wire = verb === "restart" ? { wire: (all: OperatedDocument) => restartedOnWire(all, addresses) } : {};
  await command.show(document, operatedView({ words, label, isHere, ...wire }));
  if (document.failed.length > 0) process.exitCode = EXIT.failed;
}

/** What became of the servers of one project under one backend. */
interface Found {
  readonly project: string;
  readonly yes: readonly string[];
  readonly no: readonly string[];
  readonly failed: readonly Failure[];
  readonly left?: OperatedDocument["left"];
  readonly unrecorded?: OperatedDocument["unrecorded"];
}

function merged(verb: Verb, found: readonly Found[]): OperatedDocument {
  const named = (names: (one: Found) => readonly string[]) =>
    found.flatMap((one) => names(one).map((name) => ({ project: one.project, name })));
  return {
    yes: { key: LISTS[verb].yes, servers: named(({ yes }) => yes) },
    no: { key: LISTS[verb].no, servers: named(({ no }) => no) },
    failed: found.flatMap(({ project, failed }) => failed.map((one) => ({ ...one, project }))),
    left: found.flatMap(({ left = [] }) => left),
    unrecorded: found.flatMap(({ unrecorded = [] }) => unrecorded),
  };
}

async function agentOutcome(
  client: RpcClient,
  verb: Verb,
  [project, names]: [project: string, names: string[]],
  isAll: boolean,
  options: OperateOptions,
): Promise<Found> {
  const [name = "", ...others] = names;
  // With --all, servers that are already running keep the owner they have.
  const target = isAll ? { all: true as const } : others.length === 0 ? { name } : { names };
  try {
    const result = (await client.call(verb, { project, ...target, ...options })) as unknown as Answer;
    const no = result[LISTS[verb].no] as readonly string[];
    // A restart lists servers that were not running in both.
    const yes = (result[LISTS[verb].yes] as readonly string[]).filter((one) => !no.includes(one));
    const { failed, left = [], unrecorded = [] } = result as unknown as Omit<Found, "yes" | "no" | "project">;
    return { project, yes, no, failed, left, unrecorded };
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    const failed = [{ name, code: error.code, message: explained(error).message }];
    return { project, yes: [], no: [], failed };
  }
}

/** Deletes jobs of servers that a service manager runs: the agent runs their actions. */
async function clearJobs(
  command: BaseCommand,
  verb: Verb,
  project: string,
  names: readonly string[],
  { replace_existing_jobs = true, remove_jobs = false }: OperateOptions,
): Promise<void> {
  const isMeant =
    verb === "stop" ? remove_jobs : (verb === "start" || verb === "restart") && replace_existing_jobs;
  if (!isMeant || !hasActions(command.state, project)) return;
  await withAgent(command, async (client) => {
    for (const server of names) await client.call("job_delete", { server, project, cancel: true });
  });
}

/** Operates programs of a supervisord that are not xy's, one after another. */
async function otherOutcome(
  command: BaseCommand,
  verb: Verb,
  text: string,
  flags: EvaluationFlags,
  { wait = true }: OperateOptions,
): Promise<{ yes: string[]; no: string[]; failed: Failure[] }> {
  if (verb !== "start" && verb !== "stop" && verb !== "restart") {
    const message = `cannot ${verb} ${text}: it is not xy's; it can be started, stopped and restarted`;
    return { yes: [], no: [], failed: [{ name: text, code: RPC_ERRORS.invalidParams, message }] };
  }
  const outcome = { yes: [] as string[], no: [] as string[], failed: [] as Failure[] };
  await withHeld(command, text, flags, async (held) => {
    for (const { program, by } of held) {
      const { name } = program;
      try {
        const stopped =
          verb === "start" ? undefined : await by.stop(program, { wait: wait || verb === "restart" });
        const done = verb === "stop" ? stopped : await by.start(program);
        outcome[done ? "yes" : "no"].push(name);
      } catch (error) {
        if (!(error instanceof ServiceError)) throw error;
        outcome.failed.push({ name, code: RPC_ERRORS.spawnFailed, message: error.message });
      }
    }
  });
  return outcome;
}

/** Operates servers of a service manager. Only the agent can pause. */
async function unitOutcome(
  command: BaseCommand,
  verb: Verb,
  address: Address,
  names: readonly string[],
  { no_deps = false, wait = true }: OperateOptions,
): Promise<Operated> {
  if (verb === "pause" || verb === "resume") {
    const message = (name: string) =>
      `cannot ${verb} ${name}: ${address.backend} restarts it by rules of its own; use \`xy stop ${name}\``;
    const refused = names.map((name) => ({ name, code: RPC_ERRORS.invalidParams, message: message(name) }));
    return { yes: [], no: [], failed: refused };
  }
  const { operate } = await import("../backends/units/operate.ts");
  return withUnits(command, address, (units) =>
    operate(units, verb, names, {
      deps: !no_deps,
      wait,
      others: (name) => observed(command, address, name),
      signal: command.signal,
    }),
  );
}

/** Observes a server of the same project that another backend runs. */
async function observed(
  command: BaseCommand,
  { project, backend }: Address,
  name: string,
): Promise<Observed | undefined> {
  const fleet = fleetOf(command, project);
  const others = (await fleet.backends()).filter(
    ({ kind }) => kind !== backend && fleet.recorded(kind).includes(name),
  );
  const found = await Promise.all(others.map((other) => other.observe(project)));
  await fleet.close();
  return found.flat().find((observed) => observed.name === name);
}

/** Tells a person which servers are waiting for others. */
async function tellWaits(
  command: BaseCommand,
  client: RpcClient,
  addresses: readonly Address[],
  label: (one: Named) => string,
): Promise<void> {
  const entries = await client.call("list", {}).catch(() => []);
  for (const { name, project, waits_for } of entries) {
    const asked = addresses.some((one) => one.name === name && one.project === project);
    if (asked && waits_for) command.hint(`${label({ project, name })} ${waitsText(waits_for)} …`);
  }
}

type Answer = Readonly<Record<string, unknown>>;

/** As on the wire: every server that was asked for and now runs anew was restarted, even if it was not running before. */
function restartedOnWire({ yes, no }: OperatedDocument, asked: readonly Named[]): readonly Named[] {
  const isAsked = (one: Named) =>
    one.project === NOBODYS ||
    asked.some(({ project, name }) => project === one.project && name === one.name);
  return [...yes.servers, ...no.servers.filter(isAsked)];
}

function byProject(addresses: readonly Address[]): [project: string, names: string[]][] {
  const projects = [...new Set(addresses.map(({ project }) => project))];
  const namesOf = (project: string) => addresses.filter((one) => one.project === project);
  return projects.map((project) => [project, [...new Set(namesOf(project).map(({ name }) => name))]]);
}

/** Groups servers by project and manager: `operate` orders each group by dependencies. */
function byBackend(addresses: readonly Address[]): [first: Address, names: string[]][] {
  const key = ({ project, backend }: Address) => `${project} ${backend}`;
  return [...new Set(addresses.map(key))].map((each) => {
    const group = addresses.filter((address) => key(address) === each);
    return [group[0] as Address, [...new Set(group.map(({ name }) => name))]];
  });
}
