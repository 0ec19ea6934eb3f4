import { ForeignUnit } from "../backends/agent/install.ts";
import { serviceOf } from "../backends/agent/services.ts";
import { ServiceError } from "../backends/ask.ts";
import { EXIT } from "../model/exit-codes.ts";
import type { BaseCommand } from "./base.ts";
import { answering, reaching } from "./endings.ts";

/** The service manager of this account. */
export const loginService = () => serviceOf(process.env);

/** Runs something that installs or removes the agent there. Ends the command if something stands in the way. */
export async function managing<T>(command: BaseCommand, work: () => Promise<T>): Promise<T> {
  try {
    return await answering(command, () => reaching(command, work));
  } catch (error) {
    if (error instanceof ForeignUnit || error instanceof ServiceError)
      command.fail(EXIT.failed, error.message);
    throw error;
  }
}
