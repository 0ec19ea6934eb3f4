import type { Ask } from "../backends/ask.ts";
import type { Search } from "../config/find/discover.ts";
import type { Finding } from "../model/finding.ts";
import type { Environment } from "../system/paths.ts";
import type { Recorded } from "./recorded.ts";

/** The machine, as far as every check may want to know it. */
export interface Around {
  readonly env: Environment;
  /** Undefined: nobody knows it. */
  readonly home: string | undefined;
  readonly account: { readonly uid: number; readonly username: string };
  readonly os: "linux" | "macos" | "other";
  /** Unix ms. */
  readonly now: number;
  /** Of this xy. */
  readonly version: string;
  /** What runs this xy. `needs`: the oldest version that will do. */
  readonly node: { readonly path: string; readonly version: string; readonly needs: string };
  /** The state folder. Undefined: nobody knows where it is, or others could have put anything there. */
  readonly state: string | undefined;
  /** What is on record there; nothing without a state folder. */
  readonly recorded: Recorded;
  /** How to look for a configuration from here. Absent: there is no home folder. */
  readonly search?: Search;
  /** Runs a program for a few seconds at most. */
  readonly ask: Ask;
}

/** What a check says of its facts. */
interface Judgement {
  /** What was looked at, in one short line. */
  readonly summary: string;
  readonly findings: readonly Finding[];
}

/** One row of the table of checks. */
export interface Check<Facts> {
  readonly id: string;
  readonly title: string;
  /** What it looks at: a clause for the table in the docs. */
  readonly about: string;
  /** Whether it reads the state folder, and so is left out where that cannot be used. */
  readonly needsState?: true;
  /** Looks, and changes nothing. Longer than a few seconds is too long. */
  look(around: Around): Promise<Facts>;
  /** Pure. */
  readonly judge: (facts: Facts) => Judgement;
}

/** A check whose facts are nobody else's business. */
export interface AnyCheck extends Pick<Check<unknown>, "id" | "title" | "about" | "needsState"> {
  made(around: Around): Promise<Judgement>;
}

/** A row as the table has it, with its judgement for whoever has facts. */
export function row<Facts>(check: Check<Facts>): AnyCheck & Pick<Check<Facts>, "judge"> {
  const { id, title, about, judge, needsState } = check;
  const made = async (around: Around) => judge(await check.look(around));
  return { id, title, about, judge, made, ...(needsState && { needsState }) };
}

/** Most names in one line. */
const MOST_NAMED = 4;

/** `a`, `a and b`, `a, b, c, d and 3 more` */
export function named(names: readonly string[]): string {
  const shown = names.length > MOST_NAMED ? names.slice(0, MOST_NAMED) : names.slice(0, -1);
  const last = names.length > MOST_NAMED ? `${names.length - MOST_NAMED} more` : (names.at(-1) ?? "");
  return shown.length === 0 ? last : `${shown.join(", ")} and ${last}`;
}

export const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`;
