import type { Fleet } from "../backends/fleet.ts";
import { type ClientFiles, clientFiles } from "../operation/client-files.ts";
import { launcherPath } from "../system/package.ts";
import type { BaseCommand } from "./base.ts";
import { fleetOf } from "./units.ts";

/** The backends of a project, and the files of editors and assistants: what a plan is about. Close it after use. */
export function plansFleet(
  command: BaseCommand,
  project: string,
  options: ConstructorParameters<typeof Fleet>[3] = {},
): Fleet & { readonly clients: ClientFiles } {
  const { state } = command;
  const clients = clientFiles({
    ...{ state, project, env: process.env, adopts: options.adopt ?? false },
    // Absolute: an editor that was started from a menu has another PATH.
    connect: { command: process.execPath, args: [launcherPath(), "connect"] },
  });
  return Object.assign(fleetOf(command, project, options), { clients });
}
