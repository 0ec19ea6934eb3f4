import type { Manager } from "../../model/backends.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { MANAGER_TABLE } from "../managers.ts";
import { type Loss, lossesOf } from "./losses.ts";
import { secretNames, type UnitFacts } from "./unit.ts";

/** A server's unit, and what is lost by it. */
export interface RenderedUnit {
  readonly server: string;
  /** Its file's name. */
  readonly name: string;
  readonly text: string;
  readonly losses: readonly (Loss & {
    /** The configuration sets what is lost; else it is as by default. */
    readonly declared: boolean;
  })[];
  /** Names in its environment that the person gives a value to, where the format has a reference. */
  readonly secrets: readonly string[];
  /** Files in dotenv syntax whose content is to be given in the same way. */
  readonly envFiles: readonly string[];
}

/** A server, where its configuration says a part of it, and whether it does. */
interface Placed extends UnitFacts {
  isSaid(path: readonly string[]): boolean;
  place(path: readonly (string | number)[]): Pick<Diagnostic, "file" | "line" | "column" | "path">;
}

const toCamel = (key: string) => key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What the manager's format cannot carry of the servers, each at its place. */
export function unitProblems(manager: Manager, servers: readonly Omit<Placed, "isSaid">[]): Diagnostic[] {
  return servers.flatMap((server) =>
    MANAGER_TABLE[manager].format.faults(server).map(
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
export function renderUnits(manager: Manager, servers: readonly Placed[]): Promise<RenderedUnit[]> {
  const { format } = MANAGER_TABLE[manager];
  return Promise.all(
    servers.map(async (facts) => ({
      server: facts.spec.name,
      name: format.fileName(facts.spec),
      text: await format.render(facts),
      losses: lossesOf(facts.spec, manager, facts.installed !== undefined).map((loss) => ({
        ...loss,
        declared: facts.isSaid(loss.field.split(".").map(toCamel)),
      })),
      secrets: secretNames(facts.spec),
      envFiles: facts.envFiles,
    })),
  );
}
