import { uninstallAgent } from "../../backends/agent-install.ts";
import { withRunningAgent } from "../agent-calls.ts";
import { BaseCommand } from "../base.ts";
import { loginService, managing } from "../login-service.ts";
import { shortenPath } from "../shorten.ts";

export default class AgentUninstall extends BaseCommand {
  static override summary = "Stop starting the agent at login.";
  static override description =
    "Removes the unit that `xy agent install` wrote. The agent and the servers keep running; `xy agent stop` stops them.";
  static override examples = ["<%= config.bin %> agent uninstall"];
  static override enableJsonFlag = true;

  async run(): Promise<void> {
    await this.parse(AgentUninstall);

    const service = loginService();
    const removed = await managing(this, () => uninstallAgent(this.state, service));
    if (this.json) return this.printJson({ removed, manager: service.kind, file: service.file });
    if (!removed) return this.print("The agent is not installed. There is nothing to remove.");
    this.print(`Removed ${shortenPath(service.file)}: the agent no longer starts at login.`);
    const info = await withRunningAgent(this, (client) => client.call("agent_info", {}));
    if (info) this.print("The agent and its servers keep running. `xy agent stop` stops them.");
  }
}
