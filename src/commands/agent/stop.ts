import { boolean } from "@oclif/core/flags";
import { AgentFailing, findAgent } from "../../backends/agent/find.ts";
import { endFailing, shutDown } from "../../backends/agent/process.ts";
import { EXIT } from "../../model/exit-codes.ts";
import { recordedNames, recordedProjects } from "../../system/projects.ts";
import { withRunningAgent } from "../agent-calls.ts";
import { BaseCommand } from "../base.ts";
import { reaching } from "../endings.ts";

const KEPT =
  "The servers keep running. One that prints a lot blocks once its pipe is full, until an agent runs again.";

export default class AgentStop extends BaseCommand {
  static override summary = "Stop all servers, then the agent.";
  static override description =
    "Servers are not held: the next agent starts them again. With --keep-servers they keep running without an agent; " +
    "a server that prints a lot then blocks once its pipe is full, until an agent runs again.";
  static override examples = [
    "<%= config.bin %> agent stop",
    { description: "Leave the servers running", command: "<%= config.bin %> agent stop --keep-servers" },
  ];
  static override doing = "stopping";
  static override enableJsonFlag = true;
  static override flags = { "keep-servers": boolean({ summary: "Leave the servers running." }) };

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentStop);
    const keep_servers = flags["keep-servers"];
    let isFailing = false;
    const found = (state: string) =>
      findAgent(state).catch((error) => {
        if (!(error instanceof AgentFailing)) throw error;
        isFailing = true;
        return undefined;
      });
    const result = await withRunningAgent(
      this,
      (client) => reaching(this, () => shutDown(this.state, client, { keep_servers })),
      found,
    );
    // An agent that fails to start is started again and again by its loop.
    if (isFailing) await this.#endLoop(keep_servers);
    await this.show(result ?? { stopped: [], left: [] }, {
      text: ({ stopped }) => {
        const servers = stopped.length > 0 ? `, and with it ${stopped.join(", ")}` : "";
        return result ? `The agent has stopped${servers}.` : "No agent is running.";
      },
      notes: ({ left }) => {
        if (left.length > 0)
          this.fail(EXIT.failed, `cannot stop ${left.join(", ")}: still running, without an agent`);
        return result && keep_servers ? [KEPT] : [];
      },
    });
  }

  async #endLoop(keepServers: boolean): Promise<void> {
    await reaching(this, () => endFailing(this.state));
    const left = recordedProjects(this.state).flatMap((project) => recordedNames(this.state, project));
    if (left.length > 0 && !keepServers)
      this.fail(
        EXIT.failed,
        `cannot stop the servers: the agent did not come up. It is not restarted any more, and those of ${left.join(", ")} that are running keep running. \`xy agent start\` tries this version`,
      );
  }
}
