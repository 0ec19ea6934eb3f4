import type { ClientChange, ClientState, WriteClient } from "../model/client-plan.ts";
import type { Desired } from "../model/plan.ts";

/** The files of editors and assistants, for one project. */
export interface ClientFiles {
  /** Entries that xy did not write are taken over. */
  readonly adopts: boolean;
  /** Those that the configuration names, and those that xy wrote something into for the project. */
  states(desired: Desired): Promise<readonly ClientState[]>;
  write(change: ClientChange): ReturnType<WriteClient>;
}
