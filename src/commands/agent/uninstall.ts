import { uninstallAgent } from "../../backends/agent/install.ts";
import { withRunningAgent } from "../agent-calls.ts";
import { BaseCommand } from "../base.ts";
import { loginService, managing } from "../login-service.ts";
import { shortenPath } from "../shorten.ts";

export default class AgentUninstall extends BaseCommand {
  static override summary = "Stop starting the agent at login.";
  static override description =
    "Removes the unit that `xy agent install` wrote. The agent and the servers keep running; `xy agent stop` stops them.";
  static override examples = ["<%= config.bin %> agent uninstall"];
  static override doing = "uninstalling";
  static override enableJsonFlag = true;

  async run(): Promise<void> {
    await this.parse(AgentUninstall);

    const service = loginService();
    const removed = await managing(this, () => uninstallAgent(this.state, service));
    const { kind: manager, file } = service;
    await this.show(
      { removed, manager, file },
      {
        text: async () => {
          if (!removed) return "The agent is not installed. There is nothing to remove.";
          const gone = `Removed ${shortenPath(file)}: the agent no longer starts at login.`;
          const info = await withRunningAgent(this, (client) => client.call("agent_info", {}));
          return info
            ? `${gone}\nThe agent and its servers keep running. \`xy agent stop\` stops them.`
            : gone;
        },
      },
    );
  }
}
