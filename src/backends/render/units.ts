import type { Manager } from "../../model/backends.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { MANAGER_TABLE } from "../managers.ts";
import { type Loss, lossesOf } from "./losses.ts";
import { secretNames, type UnitFacts } from "./unit.ts";

/** A server's unit, and what it loses. */
export interface RenderedUnit {
  readonly server: string;
  /** Its file's name. */
  readonly name: string;
  readonly text: string;
  readonly losses: readonly (Loss & {
    /** Whether the configuration sets the lost field; otherwise it has its default. */
    readonly declared: boolean;
  })[];
  /** Variables whose values a person has to fill in, if the format has a reference. */
  readonly secrets: readonly string[];
  /** Files in dotenv syntax whose content has to be filled in the same way. */
  readonly envFiles: readonly string[];
}

/** A server, with the places of its settings in the configuration, and which of them are set. */
interface Placed extends UnitFacts {
  isSaid(path: readonly string[]): boolean;
  place(path: readonly (string | number)[]): Pick<Diagnostic, "file" | "line" | "column" | "path">;
}

const toCamel = (key: string) => key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** What the manager's format cannot carry, each with its place. */
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

/** The units of servers without problems. */
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
