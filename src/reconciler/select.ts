import type { Diagnostic } from "../model/diagnostic.ts";
import { nearest } from "../model/nearest.ts";

/** Which servers a plan is about. Without `only`: all of them. */
export interface Selection {
  readonly only?: readonly string[];
  readonly except?: readonly string[];
}

export interface Selected {
  /** Names left out, in name order. */
  readonly skipped: readonly string[];
  /** One error for each name that nobody bears. */
  readonly problems: readonly Diagnostic[];
}

/** Applies `--only` and `--except` to the names there are. A name of both is left out. */
export function select(names: readonly string[], { only = [], except = [] }: Selection): Selected {
  const taken = (name: string) => (only.length === 0 || only.includes(name)) && !except.includes(name);
  const problems = [...unknownNames("--only", only, names), ...unknownNames("--except", except, names)];
  return { skipped: names.filter((name) => !taken(name)).sort(), problems };
}

function unknownNames(flag: string, given: readonly string[], names: readonly string[]): Diagnostic[] {
  const unknown = [...new Set(given)].filter((name) => !names.includes(name));
  return unknown.map((name) => {
    const near = nearest(name, names);
    const wayOut =
      near === undefined ? `known servers: ${names.join(", ") || "none"}` : `did you mean "${near}"?`;
    return { severity: "error", message: `cannot select "${name}" with ${flag}: no such server; ${wayOut}` };
  });
}
