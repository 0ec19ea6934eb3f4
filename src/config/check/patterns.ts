import type { Diagnostic } from "../../model/diagnostic.ts";
import { understood } from "../../model/expression.ts";
import type { DeclaredServer } from "../declared.ts";

/** What is wrong with the patterns of log probes. What understands them is loaded only where there is one. */
export async function patternProblems(servers: readonly DeclaredServer[]): Promise<Diagnostic[]> {
  const found = await Promise.all(
    servers.map(async ({ name, input: { readiness }, place }): Promise<Diagnostic[]> => {
      if (
        typeof readiness !== "object" ||
        !("type" in readiness) ||
        readiness.type !== "log" ||
        typeof readiness.pattern !== "string"
      )
        return [];
      const pattern = await understood(readiness.pattern);
      if (pattern.ok) return [];
      const message = `cannot use this pattern: ${pattern.fault}`;
      return [{ severity: "error", message, server: name, ...place(["readiness", "pattern"]) }];
    }),
  );
  return found.flat();
}
