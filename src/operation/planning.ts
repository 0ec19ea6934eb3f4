import type { Backend } from "../backends/backend.ts";
import type { Declared } from "../config/declared.ts";
import { load } from "../config/load.ts";
import { type Resolved, resolve } from "../config/resolve.ts";
import { revive } from "../config/revive.ts";
import type { SecretOutcome, World } from "../config/world.ts";
import type { Diagnostic, Result } from "../model/diagnostic.ts";
import type { Machine } from "../model/machine.ts";
import type { Observed } from "../model/observed.ts";
import type { Change, Desired, Plan } from "../model/plan.ts";
import { buildPlan } from "../reconciler/plan.ts";
import type { Selection } from "../reconciler/select.ts";
import { holderOf, holdersOf } from "../system/listeners.ts";
import { processGroups } from "../system/processes.ts";
import { readProject, recordedProjects } from "../system/projects.ts";
import { activeGeneration, type Generation } from "./generations.ts";
import { readMachine } from "./machine.ts";
import { machineHmac, runSecretCommand } from "./secrets.ts";
import { isTrusted, rememberTrust } from "./trust.ts";

/** From a configuration to a plan: evaluate, observe, compare, and check what would fail later. */

export interface Setting {
  /** Absolute. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** State folder. */
  readonly state: string;
  readonly explicit?: { readonly path: string; readonly from: "--config" | "XY_CONFIG" };
  /** Bounds the evaluation of a configuration program. */
  readonly signal: AbortSignal;
  /** Asks whether a configuration program that was found by walking, and never evaluated before, may run. */
  readonly ask: (file: string) => Promise<boolean>;
  /** Gets what a configuration program prints. */
  readonly print: (text: string) => void;
  /** Secret commands are not run: their secrets count as unchanged. */
  readonly noSecrets?: boolean;
}

/** A configuration, evaluated for this machine. */
export interface Evaluated extends Resolved {
  readonly files: readonly string[];
  readonly warnings: readonly Diagnostic[];
  /** Servers that are declared for other machines. */
  readonly elsewhere: readonly string[];
}

/** Longest evaluation of a configuration program, ms. */
const EVALUATION_BOUND = 20_000;

/** Reads the configuration; a failure holds every problem of every file. Asks about a program that was never run here. */
export async function readConfiguration(setting: Setting, machine: Machine): Promise<Result<Declared>> {
  const { cwd, env, state, explicit, print, ask } = setting;
  const asked: string[] = [];
  // A timer of our own: Node 20 collects a timeout signal that only AbortSignal.any holds, and it never fires.
  const bound = new AbortController();
  setting.signal.addEventListener("abort", () => bound.abort(), { once: true });
  const arm = () => setTimeout(() => bound.abort(), EVALUATION_BOUND);
  let timer = arm();
  const trust = async (file: string) => {
    clearTimeout(timer);
    const trusted = isTrusted(state, file) || (await ask(file));
    timer = arm();
    if (trusted) asked.push(file);
    return trusted;
  };
  const { signal } = bound;
  const request = { cwd, env, machine, trust, signal, print, ...(explicit ? { explicit } : {}) };
  const loaded = await load(request).finally(() => clearTimeout(timer));
  if (!loaded.ok) return loaded;
  for (const file of asked) rememberTrust(state, file);
  return loaded;
}

/** Reads and resolves the configuration. */
export async function evaluate(setting: Setting): Promise<Result<Evaluated>> {
  const { env, state } = setting;
  const machine = readMachine(env);
  const loaded = await readConfiguration(setting, machine);
  if (!loaded.ok) return loaded;
  const { project, files, elsewhere } = loaded.value;
  const others = recordedProjects(state).filter((other) => other !== project);
  const kept = readProject(state, project)?.ports ?? {};
  const keptByOthers = new Set(
    others.flatMap((other) => Object.values(readProject(state, other)?.ports ?? {})),
  );
  const resolved = await resolve(loaded.value, {
    machine,
    env,
    keptPort: (server) => kept[server],
    portTaken: async (port) => keptByOthers.has(port) || (await holderOf(port)) !== undefined,
    hmac: machineHmac(state),
    runSecretCommand: secretRunner(setting),
  });
  return {
    ok: true,
    value: { ...resolved, files, elsewhere, warnings: loaded.warnings },
    warnings: loaded.warnings,
  };
}

/** Runs each command once, however many servers name it. */
function secretRunner({
  noSecrets,
  signal,
}: Pick<Setting, "noSecrets" | "signal">): World["runSecretCommand"] {
  const outcomes = new Map<string, Promise<SecretOutcome>>();
  return (command) => {
    if (noSecrets) return Promise.resolve({ kind: "skipped" });
    const outcome = outcomes.get(command) ?? runSecretCommand(command, { signal });
    outcomes.set(command, outcome);
    return outcome;
  };
}

/** An earlier generation, to be applied again. */
export async function evaluateGeneration(
  generation: Generation,
  project: string,
  setting: Pick<Setting, "env" | "state" | "signal">,
): Promise<Evaluated> {
  const { root, servers, files } = generation;
  const revived = await revive(
    { project, root, servers },
    { env: setting.env, hmac: machineHmac(setting.state), runSecretCommand: secretRunner(setting) },
  );
  return { ...revived, files, elsewhere: [], warnings: [] };
}

/** The difference between what is desired and what runs, with every preflight problem. */
export async function makePlan(
  evaluated: Pick<Evaluated, "desired" | "diagnostics" | "warnings">,
  backends: readonly Backend[],
  selection: Selection,
  state: string,
): Promise<Result<Plan>> {
  const { desired, diagnostics, warnings } = evaluated;
  const observed = (await Promise.all(backends.map((backend) => backend.observe(desired.project)))).flat();
  const built = buildPlan(desired, observed, [...warnings, ...diagnostics], selection);
  if (!built.ok) return built;
  const held = await heldPorts(built.value.changes, observed);
  const latest = activeGeneration(state, desired.project);
  const rolledBack =
    latest?.rollbackOf === undefined
      ? {}
      : { rolledBack: { generation: latest.number, of: latest.rollbackOf } };
  const plan = { ...built.value, ...rolledBack, diagnostics: [...built.value.diagnostics, ...held] };
  return { ...built, value: plan };
}

/** What is wanted once everything of a project is to go. */
export function nothingDesired(project: string, root: string): Desired {
  return { project, root, servers: [] };
}

/** Ports that a start would find taken by a process that is not ours. */
async function heldPorts(changes: readonly Change[], observed: readonly Observed[]): Promise<Diagnostic[]> {
  const found = await Promise.all(changes.filter(bringsUp).map((change) => heldPort(change, observed)));
  return found.flat();
}

function bringsUp({ action, held }: Change): boolean {
  return !held && (action === "add" || action === "restart" || action === "start");
}

async function heldPort({ server, desired }: Change, observed: readonly Observed[]): Promise<Diagnostic[]> {
  if (!desired || desired.port === null || desired.wanted !== "start") return [];
  const { port, host } = desired;
  // What cannot be seen now is no reason to refuse: the start looks again.
  const holders = await holdersOf(port, host).catch(() => []);
  const ours = await Promise.all(holders.map(({ pid }) => isOurs(pid, observed)));
  const holder = holders.find((_, i) => !ours[i]);
  if (!holder) return [];
  const who = holder.pid === 0 ? holder.name : `pid ${holder.pid} (${holder.name})`;
  const message = `cannot listen: port ${port} is held by ${who}; stop that, or choose another port`;
  return [{ severity: "error", server, message }];
}

async function isOurs(pid: number, observed: readonly Observed[]): Promise<boolean> {
  const groups = [...(await processGroups()).values()];
  const group = groups.find((members) => members.includes(pid)) ?? [pid];
  return observed.some((server) => server.pid !== undefined && group.includes(server.pid));
}
