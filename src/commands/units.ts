import { ServiceError } from "../backends/ask.ts";
import { Fleet, isManager } from "../backends/fleet.ts";
import type { UnitBackend } from "../backends/units/unit-backend.ts";
import { EXIT } from "../model/exit-codes.ts";
import type { Observed } from "../model/observed.ts";
import { BackendUnreachable } from "../model/unreachable.ts";
import { recordedBackends, recordedProjects } from "../system/projects.ts";
import { type Address, unknownServer } from "./addresses.ts";
import type { BaseCommand } from "./base.ts";
import { reaching } from "./endings.ts";

/** The backends of a project. Close it after use. */
export function fleetOf(
  command: BaseCommand,
  project: string,
  options: ConstructorParameters<typeof Fleet>[3] = {},
): Fleet {
  return new Fleet(command.state, project, process.env, options);
}

/** Servers that service managers run, of all projects or of one. Warns about a manager that does not answer. */
export async function unitServers<T>(
  command: BaseCommand,
  only: string | undefined,
  entryOf: (observed: Observed, now: number) => T,
): Promise<T[]> {
  const projects = recordedProjects(command.state).filter((project) => (only ?? project) === project);
  const found = await Promise.all(
    projects.map(async (project) => {
      const kinds = new Set(recordedBackends(command.state, project).map(({ backend }) => backend));
      const fleet = fleetOf(command, project);
      const observed = await Promise.all(
        [...kinds].filter(isManager).map(async (kind) => {
          try {
            return await (await fleet.units(kind)).observe(project);
          } catch (error) {
            if (!(error instanceof BackendUnreachable)) throw error;
            command.note(`xy: ${error.message} (not shown: ${fleet.recorded(kind).join(", ")})`);
            process.exitCode = EXIT.unreachable;
            return [];
          }
        }),
      );
      await fleet.close();
      return observed.flat();
    }),
  );
  return found.flat().map((observed) => entryOf(observed, Date.now()));
}

/** Runs `work` with the backend of a server that a service manager runs. */
export async function withUnits<T>(
  command: BaseCommand,
  address: Address,
  work: (units: UnitBackend) => Promise<T>,
): Promise<T> {
  const { project, backend } = address;
  if (!isManager(backend)) throw new Error(`${backend} runs no units`);
  const fleet = fleetOf(command, project);
  try {
    return await reaching(command, async () => work(await fleet.units(backend)));
  } catch (error) {
    if (error instanceof ServiceError) command.fail(EXIT.failed, error.message);
    throw error;
  } finally {
    await fleet.close();
  }
}

/** Observes one server that a service manager runs. */
export function observeUnit(command: BaseCommand, address: Address): Promise<Observed> {
  return withUnits(command, address, async (units) => {
    const all = await units.observe(address.project);
    return all.find(({ name }) => name === address.name) ?? unknownServer(command, address.name);
  });
}
