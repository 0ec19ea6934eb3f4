import { uptime } from "../../model/elapsed.ts";
import { ServerCommand } from "../server-command.ts";

export default class AgentStatus extends ServerCommand {
  static override summary = "Show whether the agent runs, and where.";
  static override enableJsonFlag = true;

  async run(): Promise<void> {
    await this.parse(AgentStatus);
    const info = await this.withRunningAgent((client) => client.call("agent_info", {}));
    if (this.json) return this.printJson({ running: info !== undefined, ...info });
    if (!info) return this.print("No agent runs. It starts by itself when a command needs it.");
    const up = uptime(Date.now() - info.started_at_unix_ms);
    this.print(
      [
        `The agent runs: pid ${info.pid}, version ${info.version}, up ${up}, ${info.servers} servers.`,
        `Socket  ${info.socket}`,
        `State   ${info.state_dir}`,
      ].join("\n"),
    );
  }
}
