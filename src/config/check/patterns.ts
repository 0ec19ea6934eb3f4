import type { Diagnostic } from "../../model/diagnostic.ts";
import { understood } from "../../model/expression.ts";
import type { DeclaredServer } from "../declared.ts";

/** Problems with the patterns of log probes. The pattern library is loaded only if there is such a probe. */
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
