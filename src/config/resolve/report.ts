import type { Diagnostic } from "../../model/diagnostic.ts";
import type { DeclaredServer } from "../declared.ts";
import type { KeyPath } from "../place.ts";

/** Takes a preflight problem. `as`: what differs from most problems. */
export type Report = (
  path: KeyPath,
  message: string,
  as?: Partial<Pick<Diagnostic, "severity" | "everywhere">>,
) => void;

/** A problem of the configuration itself, which no other machine would be without. */
export const EVERYWHERE = { everywhere: true } as const;

/** Reports problems of a server, each where the configuration sets what is wrong. */
export function reporter(
  diagnostics: Diagnostic[],
  severity: Diagnostic["severity"],
  server: Pick<DeclaredServer, "name" | "place">,
): Report {
  return (path, message, as = {}) =>
    diagnostics.push({ severity, message, server: server.name, ...server.place(path), ...as });
}
