import type { Diagnostic } from "../model/diagnostic.ts";
import { nothingSelected, type Selectable, selector } from "../model/selector.ts";

/**
 * The servers, with their actions, and the standalone actions that a plan covers: names, patterns and tags. Without
 * `only`: all of them.
 */
export interface Selection {
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

export interface Selected {
  /** Names left out, in name order. */
  readonly skipped: readonly string[];
  /** One error for each word that selects nothing. */
  readonly problems: readonly Diagnostic[];
}

/** Whether it is not left out. */
export function isSelected(one: Selectable, { only = [], except = [] }: Selection): boolean {
  const isIn = (words: readonly string[]) => words.some((word) => selector(word)(one));
  return (only.length === 0 || isIn(only)) && !isIn(except);
}

/** Applies `--only` and `--except` to these. What both select is left out. `kinds`: what the names stand for. */
export function select(
  all: readonly Selectable[],
  selection: Selection,
  kinds?: readonly string[],
): Selected {
  const { only = [], except = [] } = selection;
  const problems = [
    ...withoutMatch("--only", only, all, kinds),
    ...withoutMatch("--except", except, all, kinds),
  ];
  const skipped = all.flatMap((one) => (isSelected(one, selection) ? [] : [one.name]));
  return { skipped: skipped.sort(), problems };
}

function withoutMatch(
  flag: string,
  words: readonly string[],
  all: readonly Selectable[],
  kinds: readonly string[] | undefined,
): Diagnostic[] {
  const idle = [...new Set(words)].filter((word) => !all.some(selector(word)));
  return idle.map((word) => {
    const message = `cannot select "${word}" with ${flag}: ${nothingSelected(word, all, kinds)}`;
    return { severity: "error", message };
  });
}
