import type { Diagnostic } from "../../model/diagnostic.ts";
import { FORMATS } from "./formats.ts";
import { type Loss, lossesOf } from "./losses.ts";
import { type Manager, secretNames, type UnitFacts } from "./unit.ts";

/** A server's unit, and what is lost by it. */
export interface RenderedUnit {
  readonly server: string;
  /** Its file's name. */
  readonly name: string;
  readonly text: string;
  readonly losses: readonly Loss[];
  /** Names in its environment that the person gives a value to, where the format has a reference. */
  readonly secrets: readonly string[];
  /** Files in dotenv syntax whose content is to be given in the same way. */
  readonly envFiles: readonly string[];
}

/** A server and where its configuration says it. */
interface Placed extends UnitFacts {
  place(path: readonly (string | number)[]): Pick<Diagnostic, "file" | "line" | "column" | "path">;
}

/** What the manager's format cannot carry of the servers, each at its place. */
export function unitProblems(manager: Manager, servers: readonly Placed[]): Diagnostic[] {
  return servers.flatMap((server) =>
    FORMATS[manager].faults(server).map(
      ({ path, message }): Diagnostic => ({
        severity: "error",
        message,
        server: server.spec.name,
        ...server.place(path),
      }),
    ),
  );
}

/** The units of servers that have no problem. */
export function renderUnits(manager: Manager, servers: readonly UnitFacts[]): Promise<RenderedUnit[]> {
  const format = FORMATS[manager];
  return Promise.all(
    servers.map(async (facts) => ({
      server: facts.spec.name,
      name: format.fileName(facts.spec),
      text: await format.render(facts),
      losses: lossesOf(facts.spec, manager, facts.installed !== undefined),
      secrets: secretNames(facts.spec),
      envFiles: facts.envFiles,
    })),
  );
}
