import type { Observed, Transition } from "../model/observed.ts";
import { statusView } from "../views/status.ts";
import { nameArgument, ServerCommand } from "./server-command.ts";

export default class Status extends ServerCommand {
  static override summary = "Show everything about one server.";
  static override examples = ["<%= config.bin %> status web", "<%= config.bin %> status dotfiles/web --json"];
  static override enableJsonFlag = true;
  static override args = nameArgument;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Status);
    const address = await this.address(args.name, flags);
    await this.withAgent(async (client) => {
      const status = await client.call("status", address);
      if (this.json) return this.printJson(status);
      const [observed] = await client.call("observe", address);
      const transitions = status.recent_transitions.map(
        ({ at_unix_ms, ...rest }) => ({ ...rest, at: at_unix_ms }) as Transition,
      );
      this.print(statusView(observed as Observed, { transitions, logPath: status.log_path }, this.screen));
    });
  }
}
