import { existsSync } from "node:fs";
import { uptime } from "../../model/elapsed.ts";
import { visible } from "../../model/visible.ts";
import { packageVersion } from "../../system/package.ts";
import { pathsOf } from "../../system/paths.ts";
import { setAsides, setAsideText } from "../../system/set-asides.ts";
import { withRunningAgent } from "../agent-calls.ts";
import { BaseCommand } from "../base.ts";

export default class AgentStatus extends BaseCommand {
  static override summary = "Show whether the agent is running, and where its files are.";
  static override description = "Shows its pid, version, uptime, socket and state folder. Does not start it.";
  static override examples = ["<%= config.bin %> agent status", "<%= config.bin %> agent status --json"];
  static override enableJsonFlag = true;

  async run(): Promise<void> {
    await this.parse(AgentStatus);
    const info = await withRunningAgent(this, (client) => client.call("agent_info", {}));
    const own = packageVersion();
    const asides = setAsides(this.state);
    const told = asides.length > 0 ? { set_aside: asides } : {};
    if (this.json)
      return this.printJson({ running: info !== undefined, ...info, ...(info ? { xy: own } : {}), ...told });
    for (const one of asides) this.note(`xy: ${setAsideText(one)}.`);
    if (!info) return this.print("No agent runs. It starts by itself when a command needs it.");
    const up = uptime(Date.now() - info.started_at_unix_ms);
    this.print(
      [
        `The agent runs: pid ${info.pid}, version ${info.version}, up ${up}, ${info.servers} ${info.servers === 1 ? "server" : "servers"}.`,
        `Socket  ${info.socket}`,
        `State   ${info.state_dir}`,
        ...(info.troubles ?? []).map(
          ({ project, name, trouble }) => `Trouble ${visible(`${project}/${name}: ${trouble}`)}`,
        ),
      ].join("\n"),
    );
    const { runtime } = pathsOf(process.env);
    if (runtime !== undefined && !existsSync(runtime))
      this.note(`XDG_RUNTIME_DIR (${runtime}) is not there: the socket is in the state folder instead.`);
    if (info.version !== own) this.note(`This xy is version ${own}: \`xy agent upgrade\` lets it take over.`);
  }
}
