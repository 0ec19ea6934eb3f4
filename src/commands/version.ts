import { packageRoot, packageVersion } from "../system/package.ts";
import { knownHome } from "../system/paths.ts";
import { withRunningAgent } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { shortenPath } from "./shorten.ts";

export default class Version extends BaseCommand {
  static override summary = "Show the version of xy, of Node and of the agent.";
  static override description =
    "Its first line is that of `xy --version`. Also shows where xy is installed, and the agent's version if one is running. " +
    "Starts nothing.";
  static override examples = ["<%= config.bin %> version", "<%= config.bin %> version --json"];
  static override doing = "asking the agent";
  static override enableJsonFlag = true;

  async run(): Promise<void> {
    await this.parse(Version);
    // Whoever has no home has no agent either, and asks for the version to report just that.
    const isAtHome = knownHome(process.env) !== undefined;
    const info = isAtHome
      ? await withRunningAgent(this, (client) => client.call("agent_info", {}))
      : undefined;
    const document = {
      version: packageVersion(),
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
      path: packageRoot(),
      node_path: process.execPath,
      agent: info ? { version: info.version, pid: info.pid } : null,
    };
    await this.show(document, {
      text: ({ path, node_path, agent, version }) => {
        const same = agent?.version === version ? "" : "; `xy agent upgrade` switches it to this one";
        return [
          this.config.userAgent,
          `xy      ${shortenPath(path)}`,
          `node    ${shortenPath(node_path)}`,
          `agent   ${agent ? `version ${agent.version}, pid ${agent.pid}${same}` : "not running"}`,
        ].join("\n");
      },
    });
  }
}
