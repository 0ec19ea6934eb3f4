import { existsSync } from "node:fs";
import { uptime } from "../../model/elapsed.ts";
import { visible } from "../../model/visible.ts";
import type { ResultOf } from "../../rpc/contract.ts";
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
    const document = { running: info !== undefined, ...info, ...(info ? { xy: own } : {}), ...told };
    await this.show(document, {
      warnings: () => asides.map((one) => `xy: ${setAsideText(one)}.`),
      text: () =>
        info ? agentText(info) : "No agent is running. It starts automatically when a command needs it.",
      notes: () => (info ? notesOn(info.version, own) : []),
    });
  }
}

function agentText(info: ResultOf<"agent_info">): string {
  const up = uptime(Date.now() - info.started_at_unix_ms);
  return [
    `The agent is running: pid ${info.pid}, version ${info.version}, up ${up}, ${info.servers} ${info.servers === 1 ? "server" : "servers"}.`,
    `Socket  ${info.socket}`,
    `State   ${info.state_dir}`,
    ...(info.troubles ?? []).map(
      ({ project, name, trouble }) => `Trouble ${visible(`${project}/${name}: ${trouble}`)}`,
    ),
  ].join("\n");
}

function notesOn(version: string, own: string): string[] {
  const { runtime } = pathsOf(process.env);
  const isMissing = runtime !== undefined && !existsSync(runtime);
  return [
    ...(isMissing
      ? [`XDG_RUNTIME_DIR (${runtime}) does not exist: the socket is in the state folder instead.`]
      : []),
    ...(version === own ? [] : [`This xy is version ${own}: \`xy agent upgrade\` switches to it.`]),
  ];
}
