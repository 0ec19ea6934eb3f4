import type { Diagnostic } from "../model/diagnostic.ts";
import { nearest } from "../model/nearest.ts";

/** The servers, with their actions, and the standalone actions that a plan covers. Without `only`: all of them. */
export interface Selection {
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

export interface Selected {
  /** Names left out, in name order. */
  readonly skipped: readonly string[];
  /** One error for each unknown name. */
  readonly problems: readonly Diagnostic[];
}

/** Whether a name is not left out. */
export function isSelected(name: string, { only = [], except = [] }: Selection): boolean {
  return (only.length === 0 || only.includes(name)) && !except.includes(name);
}

/** Applies `--only` and `--except` to these names. A name in both is left out. `kinds`: what the names stand for. */
export function select(
  names: readonly string[],
  selection: Selection,
  kinds: readonly string[] = ["server"],
): Selected {
  const { only = [], except = [] } = selection;
  const problems = [
    ...unknownNames("--only", only, names, kinds),
    ...unknownNames("--except", except, names, kinds),
  ];
  return { skipped: names.filter((name) => !isSelected(name, selection)).sort(), problems };
}

function unknownNames(
  flag: string,
  given: readonly string[],
  names: readonly string[],
  kinds: readonly string[],
): Diagnostic[] {
  const unknown = [...new Set(given)].filter((name) => !names.includes(name));
  return unknown.map((name) => {
    const near = nearest(name, names);
    const wayOut =
      near === undefined
        ? `known ${kinds.map((kind) => `${kind}s`).join(" and ")}: ${names.join(", ") || "none"}`
        : `did you mean "${near}"?`;
    const message = `cannot select "${name}" with ${flag}: no such ${kinds.join(" or ")}; ${wayOut}`;
    return { severity: "error", message };
  });
}
