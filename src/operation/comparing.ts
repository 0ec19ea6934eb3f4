import type { Desired, Plan } from "../model/plan.ts";
import { between } from "../reconciler/between.ts";
import { knownClient } from "./evaluating.ts";
import { type Entry, type Generation, history } from "./generations.ts";
import { done, type Outcome, stopped } from "./outcome.ts";

/** What differs between two generations of a project. */
export interface Compared {
  readonly to: Generation;
  /** What it is compared with; absent for the first. */
  readonly from?: Generation;
  /** Numbers of those before it that cannot be read, and so are not compared with. */
  readonly unreadable: readonly number[];
  /** It is not the first, and none before it is kept. */
  readonly isOldest: boolean;
  readonly plan: Plan;
}

/** What a generation changed, against the one before it. Reads records alone. */
export function whatChanged(state: string, project: string, number: number): Outcome<Compared> {
  const entries = history(state, project);
  const found = generationOf(entries, number, "show");
  if (!found.ok) return found;
  const earlier = entries.filter((entry) => entry.number < number);
  const from = earlier.findLast(({ generation }) => generation !== undefined)?.generation;
  const unreadable = earlier.flatMap((entry) => (entry.number > (from?.number ?? 0) ? [entry.number] : []));
  return done(compared(project, found.value, from, unreadable));
}

/** The difference from one generation to another. */
export function differenceOf(state: string, project: string, from: number, to: number): Outcome<Compared> {
  const entries = history(state, project);
  const before = generationOf(entries, from, "compare");
  if (!before.ok) return before;
  const after = generationOf(entries, to, "compare");
  if (!after.ok) return after;
  return done(compared(project, after.value, before.value, []));
}

function compared(
  project: string,
  to: Generation,
  from: Generation | undefined,
  unreadable: readonly number[],
): Compared {
  const plan = between({ project, before: from ? stateOf(from) : NOTHING, after: stateOf(to) });
  const isOldest = from === undefined && to.number > 1 && unreadable.length === 0;
  return { to, ...(from && { from }), unreadable, isOldest, plan };
}

const NOTHING = { servers: [], actions: [], clients: [] };

const stateOf = ({
  servers,
  actions = [],
  clients = [],
}: Generation): Pick<Desired, "servers" | "actions" | "clients"> => ({
  servers,
  actions,
  clients: clients.flatMap(knownClient),
});

/** The generation of this number, or why it cannot be used; `what` was to be done with it. */
export function generationOf(entries: readonly Entry[], number: number, what: string): Outcome<Generation> {
  const cannot = `cannot ${what} generation ${number}`;
  const entry = entries.find((one) => one.number === number);
  if (entry === undefined)
    return stopped("failed", `${cannot}: there is none; ${numbersText(entries.map((one) => one.number))}`);
  return entry.generation
    ? done(entry.generation)
    : stopped("failed", `${cannot}: its file cannot be read; see \`xy history\``);
}

/** `there are 3 to 17, 19`. */
function numbersText(numbers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last && number === last[1] + 1) last[1] = number;
    else runs.push([number, number]);
  }
  const texts = runs.map(([a, b]) => (a === b ? `${a}` : b === a + 1 ? `${a} and ${b}` : `${a} to ${b}`));
  if (texts.length === 0) return "nothing was applied yet";
  return `${numbers.length === 1 ? "there is" : "there are"} ${texts.join(", ")}`;
}
