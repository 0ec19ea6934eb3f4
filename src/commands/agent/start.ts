import { connectNow } from "../../backends/agent/find.ts";
import { withAgent, withRunningAgent } from "../agent-calls.ts";
import { BaseCommand } from "../base.ts";

export default class AgentStart extends BaseCommand {
  static override summary = "Start the agent and the servers that were last applied.";
  static override description =
    "Rarely needed: every command that needs the agent starts it. After a reboot it brings your servers back.";
  static override examples = ["<%= config.bin %> agent start", "<%= config.bin %> agent start --json"];
  static override doing = "starting the agent";
  static override enableJsonFlag = true;

  async run(): Promise<void> {
    await this.parse(AgentStart);
    const before = await withRunningAgent(this, (client) => client.call("agent_info", {}), connectNow);
    const info = before ?? (await withAgent(this, (client) => client.call("agent_info", {})));
    await this.show(info, {
      text: ({ pid }) => `The agent is ${before ? "already " : ""}running (pid ${pid}).`,
    });
  }
}
