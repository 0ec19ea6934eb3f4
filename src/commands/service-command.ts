import { ForeignUnit } from "../backends/agent/install.ts";
import { serviceOf } from "../backends/agent/services.ts";
import { ServiceError } from "../backends/ask.ts";
import { EXIT } from "./exit-codes.ts";
import { ServerCommand } from "./server-command.ts";

/** What the commands share that hand the agent to the account's service manager, or take it back. */
export abstract class ServiceCommand extends ServerCommand {
  protected readonly service = serviceOf(process.env);

  /** What stands in the way ends the command. */
  protected async managing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.answering(() => this.reaching(work));
    } catch (error) {
      if (error instanceof ForeignUnit || error instanceof ServiceError)
        this.fail(EXIT.failed, error.message);
      throw error;
    }
  }
}
