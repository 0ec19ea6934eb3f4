import * as fs from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type ActionSpec, actionSpec } from "../model/action.ts";
import { withoutDefaults } from "../model/canonical.ts";
import { SCOPES } from "../model/clients.ts";
import type { Desired, Plan } from "../model/plan.ts";
import { type ServerSpec, serverSpec } from "../model/spec.ts";
import { summary } from "../model/summary.ts";
import { withoutUndefined } from "../model/without-undefined.ts";
import { isCode, makeWayForFolder, readJson, writeAtomic } from "../system/files.ts";
import { ensurePrivateDir, projectDir } from "../system/paths.ts";

/**
 * What was applied, when: each apply of a project writes one numbered file with the evaluated desired state, secrets
 * as references with their keyed hashes.
 */

const clientOfGeneration = z.object({
  // One that another version knows does not make the rest unreadable.
  client: z.string(),
  scope: z.enum(SCOPES),
  entries: z
    .array(
      z.object({
        ...{ server: z.string(), name: z.string(), url: z.string() },
        token: z.object({ variable: z.string().optional() }).optional(),
      }),
    )
    .readonly(),
});

const generationFile = z.object({
  version: z.literal(1),
  number: z.int().min(1),
  /** Unix ms at which the apply began. */
  at: z.number(),
  root: z.string(),
  /** The configuration files it was evaluated from. */
  files: z.array(z.string()),
  /** Where commands for secrets run, of servers and of actions that stand alone (`:name`) of files that are included. */
  folders: z.record(z.string(), z.string()).optional(),
  /** The generation whose state this one brought back. */
  rollbackOf: z.int().optional(),
  /** What --only or --except left out, and servers whose backend did not answer: they stand here as they were before. */
  skipped: z.array(z.string()).optional(),
  /** `begun`: the apply was interrupted before it could tell. */
  outcome: z.enum(["begun", "complete", "incomplete"]),
  changes: z.object({ add: z.array(z.string()), change: z.array(z.string()), remove: z.array(z.string()) }),
  servers: z.array(serverSpec),
  /** Absent in those of earlier versions: there were none. */
  actions: z.array(actionSpec).optional(),
  /** Absent if none were declared. */
  clients: z.array(clientOfGeneration).optional(),
});
export type Generation = z.infer<typeof generationFile>;

/** Generations kept of each project. */
const KEPT = 50;

const dirOf = (state: string, project: string) => join(projectDir(state, project), "generations");
const pathOf = (state: string, project: string, number: number) =>
  join(dirOf(state, project), `${number}.json`);

export interface Begun {
  readonly plan: Plan;
  readonly desired: Desired;
  readonly files: readonly string[];
  readonly folders?: Readonly<Record<string, string>> | undefined;
  readonly rollbackOf?: number | undefined;
  readonly now: number;
}

/** Writes the next generation down, before anything of it is done. */
export function beginGeneration(state: string, begun: Begun): Generation {
  const { plan, desired, files, folders = {}, rollbackOf, now } = begun;
  const { project, root, servers, actions, clients = [] } = desired;
  const { add, change, remove } = summary(plan);
  const left = [...plan.skipped, ...(plan.unreachable ?? []).flatMap(({ servers: lost }) => lost)];
  const agentLeft = plan.unreachable?.some(({ backend }) => backend === "agent") ?? false;
  const generation: Generation = {
    version: 1,
    number: (numbers(state, project).at(-1) ?? 0) + 1,
    at: now,
    root,
    files: [...files],
    ...(Object.keys(folders).length > 0 ? { folders } : {}),
    ...withoutUndefined({ rollbackOf }),
    outcome: "begun",
    changes: { add: [...add], change: [...change], remove: [...remove] },
    ...(left.length > 0 ? { skipped: left } : {}),
    ...asApplied({ servers, actions, clients }, { left, agentLeft }, latestGeneration(state, project)),
  };
  makeWayForFolder(dirOf(state, project));
  ensurePrivateDir(dirOf(state, project));
  write(state, project, generation);
  for (const old of numbers(state, project).slice(0, -KEPT)) {
    fs.rmSync(pathOf(state, project, old), { force: true, recursive: true });
  }
  return generation;
}

/** The desired state, with what is left out as it was applied before. Without the agent no action was taken over. */
function asApplied(
  { servers, actions, clients = [] }: Pick<Desired, "servers" | "actions" | "clients">,
  { left, agentLeft }: { readonly left: readonly string[]; readonly agentLeft: boolean },
  before: Generation | undefined,
): Pick<Generation, "servers" | "actions" | "clients"> {
  const isLeft = (one: ServerSpec | ActionSpec) =>
    "server" in one ? agentLeft || left.includes(one.server ?? one.name) : left.includes(one.name);
  const merged = <One extends ServerSpec | ActionSpec>(now: readonly One[], then: readonly One[] = []) => [
    ...now.filter((one) => !isLeft(one)),
    ...then.filter(isLeft),
  ];
  const files = clientsAsApplied(clients, before?.clients ?? [], (server) => left.includes(server));
  return {
    servers: merged(servers, before?.servers),
    actions: merged(actions, before?.actions),
    ...(files.length > 0 ? { clients: files } : {}),
  };
}

type ClientOfGeneration = NonNullable<Generation["clients"]>[number];

/** The entries of servers that are left out stay as they were, also in the file of a client that is not declared now. */
function clientsAsApplied(
  now: readonly ClientOfGeneration[],
  then: readonly ClientOfGeneration[],
  isLeft: (server: string) => boolean,
): ClientOfGeneration[] {
  const key = ({ client, scope }: ClientOfGeneration) => `${client} ${scope}`;
  const all = new Map([...then, ...now].map((one) => [key(one), one]));
  return [...all.values()].flatMap((one) => {
    const of = (list: readonly ClientOfGeneration[]) =>
      list.find((other) => key(other) === key(one))?.entries ?? [];
    const entries = [
      ...of(now).filter(({ server }) => !isLeft(server)),
      ...of(then).filter(({ server }) => isLeft(server)),
    ];
    return entries.length === 0 && !now.some((other) => key(other) === key(one)) ? [] : [{ ...one, entries }];
  });
}

export function endGeneration(
  state: string,
  project: string,
  generation: Generation,
  complete: boolean,
): void {
  write(state, project, { ...generation, outcome: complete ? "complete" : "incomplete" });
}

function write(state: string, project: string, generation: Generation): void {
  const written = { ...generation, servers: generation.servers.map(withoutDefaults) };
  writeAtomic(pathOf(state, project, generation.number), JSON.stringify(written), { durable: true });
}

/** Numbers of the generations that are there, oldest first. */
function numbers(state: string, project: string): number[] {
  try {
    const entries = fs.readdirSync(dirOf(state, project));
    const digits = entries.flatMap((entry) => /^([1-9]\d*)\.json$/.exec(entry)?.[1] ?? []);
    return digits.map(Number).sort((a, b) => a - b);
  } catch (error) {
    if (isCode(error, "ENOENT", "ENOTDIR", "ELOOP")) return [];
    throw error;
  }
}

/** `generation` is absent for a file that is torn, or not of this version. */
export interface Entry {
  readonly number: number;
  readonly generation?: Generation;
}

/** Every generation of the project, oldest first. */
export function history(state: string, project: string): Entry[] {
  return numbers(state, project).map((number) => {
    const generation = readGeneration(state, project, number);
    return generation ? { number, generation } : { number };
  });
}

function readGeneration(state: string, project: string, number: number): Generation | undefined {
  try {
    return generationFile.parse(readJson(pathOf(state, project, number)));
  } catch {
    return undefined;
  }
}

/** The newest generation: what was applied last. */
export function latestGeneration(state: string, project: string): Generation | undefined {
  const number = numbers(state, project).at(-1);
  return number === undefined ? undefined : readGeneration(state, project, number);
}

/** The newest generation that took effect as a whole: what runs, as far as one generation can say. */
export function activeGeneration(state: string, project: string): Generation | undefined {
  // Each is read only when it is its turn: they hold whole specs, and there may be many.
  for (const number of numbers(state, project).reverse()) {
    const generation = readGeneration(state, project, number);
    if (generation?.outcome === "complete" && generation.skipped === undefined) return generation;
  }
  return undefined;
}

/** The generation that `rollback` without a number goes to: the newest of a state other than the present one. */
export function previousGeneration(entries: readonly Entry[]): number | undefined {
  const active = entries.at(-1);
  const origin = active?.generation?.rollbackOf ?? active?.number ?? 0;
  return entries.findLast(
    ({ number, generation }) =>
      number < origin && generation?.outcome === "complete" && generation.rollbackOf === undefined,
  )?.number;
}
