import { ServiceError } from "../backends/service.ts";
import type { Operated } from "../backends/units/operate.ts";
import { waitsText } from "../model/dependency.ts";
import { type Leftover, leftText } from "../model/leftover.ts";
import type { Observed } from "../model/observed.ts";
import { isProgramAddress } from "../model/other-program.ts";
import type { RpcClient } from "../rpc/client.ts";
import type { Method, ResultOf } from "../rpc/contract.ts";
import { explained, RPC_ERRORS, RpcError } from "../rpc/errors.ts";
import { hasActions } from "../system/projects.ts";
import { type Address, addressesOf, isOfAgent } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import type { BaseCommand } from "./base.ts";
import { type EvaluationFlags, projectHere } from "./configuration.ts";
import { EXIT } from "./exit-codes.ts";
import { withHeld } from "./other-programs.ts";
import { fleetOf, withUnits } from "./units.ts";

type Verb = Extract<Method, "start" | "stop" | "restart" | "kill" | "pause" | "resume">;
/** Silence after which a person asks what goes on, ms. */
const PATIENCE = 2000;

interface OperateOptions {
  readonly no_deps?: boolean;
  readonly for_ms?: number;
  readonly replace_existing_jobs?: boolean;
  readonly remove_jobs?: boolean;
  readonly wait?: boolean;
}

/** What is left out says nothing new: an agent of an earlier version takes it all the same. */
export function startOptions(flags: { deps: boolean; "keep-jobs": boolean }): OperateOptions {
  return {
    ...(flags.deps ? {} : { no_deps: true }),
    ...(flags["keep-jobs"] ? { replace_existing_jobs: false } : {}),
  };
}

/** What a server is said to be that an operator has ended. */
export function endedWords(flags: { wait: boolean }, ended: string) {
  return { yes: flags.wait ? ended : "stopping", no: "did not run; it is held now" };
}

type Failure = ResultOf<"start">["failed"][number];

/** What was asked for on the command line. */
interface Asked {
  readonly names: readonly string[];
  readonly flags: { readonly all: boolean; readonly config?: string | undefined };
}

type Named = Pick<Address, "project" | "name">;

/** What was done counts, for as long as the agent lives. */
const unrecordedText = (name: string, message: string) =>
  `${name} is held, but that is not on disk: ${message}; the agent writes it down as soon as that is possible, and if it dies before, ${name} may be started again`;

/** In the place of a project's name, where something is of none. */
const NOBODYS = "";

/**
 * Calls `verb` for every server that is meant, those of a project at once: the agent knows their order. Prints the
 * merged result of the wire method, or a line for each server.
 */
export async function operate(
  command: BaseCommand,
  verb: Verb,
  asked: Asked,
  words: Record<string, string>,
  options: OperateOptions = {},
): Promise<void> {
  const others = asked.names.filter(isProgramAddress);
  const servers = { ...asked, names: asked.names.filter((name) => !isProgramAddress(name)) };
  const isOthersOnly = others.length > 0 && servers.names.length === 0 && !asked.flags.all;
  const addresses = isOthersOnly ? [] : await addressesOf(command, servers.names, asked.flags);
  const here = await projectHere(command, asked.flags);
  const isHere = (project: string) => project === here || project === NOBODYS;
  const label = ({ project, name }: Named) => (isHere(project) ? name : `${project}/${name}`);
  const merged: Record<string, Named[]> = Object.fromEntries(Object.keys(words).map((key) => [key, []]));
  const failed: (Failure & Named)[] = [];
  const left: (Leftover & Named)[] = [];
  const unrecorded: (Named & { readonly message: string })[] = [];
  const inProject = <T extends { readonly name: string }>(project: string, all: readonly T[]) =>
    all.map((one) => ({ ...one, project }));
  const toNamed = (project: string, names: readonly string[]) => names.map((name) => ({ project, name }));
  const [own, units] = [addresses.filter(isOfAgent), addresses.filter((one) => !isOfAgent(one))];
  const keys = Object.keys(words) as [yes: string, no: string];
  for (const other of others) {
    const outcome = await otherOutcome(command, verb, other, asked.flags, options);
    merged[keys[0]]?.push(...toNamed(NOBODYS, outcome.yes));
    merged[keys[1]]?.push(...toNamed(NOBODYS, outcome.no));
    failed.push(...inProject(NOBODYS, outcome.failed));
  }
  for (const [address, names] of byBackend(units)) {
    const outcome = await unitOutcome(command, verb, address, names, options);
    merged[keys[0]]?.push(...toNamed(address.project, outcome.yes));
    merged[keys[1]]?.push(...toNamed(address.project, outcome.no));
    failed.push(...inProject(address.project, outcome.failed));
    const done = [...outcome.yes, ...(verb === "stop" ? outcome.no : [])];
    await clearJobs(command, verb, address.project, done, options);
  }
  if (own.length > 0)
    await withAgent(command, async (client) => {
      const told = setTimeout(() => void tellWaits(command, client, own, label), PATIENCE);
      await Promise.all(
        byProject(own).map(async ([project, names]) => {
          const [name = "", ...others] = names;
          const one = others.length === 0 ? { name } : { names };
          // With --all nobody is named: what runs already stays whose it is.
          const target = verb === "start" && asked.flags.all ? { all: true as const } : one;
          try {
            const result = (await client.call(verb, { project, ...target, ...options })) as Answer;
            const no = namesIn(result, keys[1]);
            merged[keys[1]]?.push(...toNamed(project, no));
            // A restart names in both of its lists what did not run.
            const yes = namesIn(result, keys[0]).filter((one) => !no.includes(one));
            merged[keys[0]]?.push(...toNamed(project, yes));
            failed.push(...inProject(project, result.failed as Failure[]));
            left.push(...((result.left as typeof left | undefined) ?? []));
            unrecorded.push(...((result.unrecorded as typeof unrecorded | undefined) ?? []));
          } catch (error) {
            if (!(error instanceof RpcError)) throw error;
            failed.push({ name, project, code: error.code, message: explained(error).message });
          }
        }),
      ).finally(() => clearTimeout(told));
    });
  if (command.json)
    command.printJson({
      ...sorted(verb === "restart" ? wholeRestart(merged, addresses) : merged, ({ name }) => name),
      failed: failed.map(({ project: _, ...rest }) => rest),
      ...(left.length === 0 ? {} : { left }),
      ...(unrecorded.length === 0 ? {} : { unrecorded }),
    });
  else tell(command, sorted(merged, label), words);
  if (!command.json)
    for (const name of new Set(left.map(label)))
      command.note(`${name}: ${leftText(left.filter((one) => label(one) === name))}`);
  if (!command.json)
    for (const one of unrecorded) command.note(`xy: ${unrecordedText(label(one), one.message)}`);
  if (failed.length === 0) return;
  if (!command.json)
    for (const { project, message } of failed)
      command.note(`xy: ${message}${isHere(project) ? "" : ` (project ${project})`}`);
  process.exitCode = EXIT.failed;
}

/** The jobs of servers that a service manager runs: their actions are the agent's. */
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

/** What is asked of programs of a supervisord that are not xy's, one after another. */
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

/** What a service manager is asked. A pause is the agent's own. */
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

/** How a server of the same project is that another backend runs. */
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

/** Says why nothing seems to happen. */
async function tellWaits(
  command: BaseCommand,
  client: RpcClient,
  addresses: readonly Address[],
  label: (one: Named) => string,
): Promise<void> {
  if (command.json) return;
  const entries = await client.call("list", {}).catch(() => []);
  for (const { name, project, waits_for } of entries) {
    const asked = addresses.some((one) => one.name === name && one.project === project);
    if (asked && waits_for) command.note(`${label({ project, name })} ${waitsText(waits_for)} …`);
  }
}

function tell(command: BaseCommand, merged: Record<string, string[]>, words: Record<string, string>): void {
  for (const [key, word] of Object.entries(words)) {
    // Nobody but xy holds what is stopped.
    for (const name of merged[key] ?? [])
      command.print(`${name}: ${isProgramAddress(name) ? word.replace(/; .*/, "") : word}`);
  }
}

type Answer = Readonly<Record<string, unknown>>;
const namesIn = (answer: Answer, key: string) => answer[key] as readonly string[];

/** As on the wire: whatever was asked for and runs anew was restarted, also if it did not run before. */
function wholeRestart(merged: Record<string, Named[]>, asked: readonly Named[]): Record<string, Named[]> {
  const { restarted = [], started = [] } = merged;
  const isAsked = (one: Named) =>
    one.project === NOBODYS ||
    asked.some(({ project, name }) => project === one.project && name === one.name);
  return { restarted: [...restarted, ...started.filter(isAsked)], started };
}

function byProject(addresses: readonly Address[]): [project: string, names: string[]][] {
  const projects = [...new Set(addresses.map(({ project }) => project))];
  const namesOf = (project: string) => addresses.filter((one) => one.project === project);
  return projects.map((project) => [project, [...new Set(namesOf(project).map(({ name }) => name))]]);
}

/** Those of one project under one manager at once: they are ordered there. */
function byBackend(addresses: readonly Address[]): [first: Address, names: string[]][] {
  const key = ({ project, backend }: Address) => `${project} ${backend}`;
  return [...new Set(addresses.map(key))].map((each) => {
    const group = addresses.filter((address) => key(address) === each);
    return [group[0] as Address, [...new Set(group.map(({ name }) => name))]];
  });
}

function sorted(merged: Record<string, Named[]>, text: (one: Named) => string): Record<string, string[]> {
  return Object.fromEntries(Object.entries(merged).map(([key, all]) => [key, all.map(text).sort()]));
}
