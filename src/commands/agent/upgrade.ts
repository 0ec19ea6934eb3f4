import { boolean, string } from "@oclif/core/flags";
import { mendedAgent } from "../../backends/agent/reach.ts";
import { type Upgraded, UpgradeFailed, upgradeAgent } from "../../backends/agent/upgrade.ts";
import { EXIT } from "../../model/exit-codes.ts";
import { parseDuration } from "../../model/units.ts";
import { packageVersion } from "../../system/package.ts";
import { withRunningAgent } from "../agent-calls.ts";
import { BaseCommand } from "../base.ts";
import { reaching } from "../endings.ts";

export default class AgentUpgrade extends BaseCommand {
  static override summary = "Replace the running agent with this version of xy.";
  static override description =
    "No server restarts, and no output is lost. The new agent is tested before it takes over. If it fails anyway, the old " +
    "agent takes over again, and the command says why.";
  static override examples = [
    "<%= config.bin %> agent upgrade",
    {
      description: "Replace an agent of the same version too",
      command: "<%= config.bin %> agent upgrade --force",
    },
  ];
  static override doing = "upgrading the agent";
  static override enableJsonFlag = true;
  static override flags = {
    force: boolean({ summary: "Upgrade even if the agent already has this version." }),
    "wait-timeout": string({
      default: "20s",
      env: "XY_WAIT_TIMEOUT",
      helpValue: "DURATION",
      summary: "How long to wait for the new agent to take over.",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(AgentUpgrade);
    const to = packageVersion();
    const boundSecs = this.#seconds(flags["wait-timeout"]);
    const outcome = await withRunningAgent(
      this,
      async (client) => {
        const { version } = await client.call("agent_info", {});
        if (version === to && !flags.force) return version;
        return this.#trying(version, () => upgradeAgent(this.state, client, boundSecs));
      },
      mendedAgent,
    );
    if (outcome === undefined) return this.#nothing({ running: false, to }, "No agent is running.");
    if (typeof outcome === "string")
      return this.#nothing({ running: true, from: outcome, to }, `The agent has version ${to} already.`);
    const { from, servers, away_ms } = outcome;
    const kept = servers === 1 ? "1 server" : `${servers} servers`;
    await this.show(
      { upgraded: true, running: true, ...outcome },
      { text: () => `Upgraded from ${from} to ${to}: ${kept} kept, control socket away for ${away_ms} ms.` },
    );
  }

  #seconds(text: string): number {
    const ms = parseDuration(text);
    if (ms === undefined || ms < 1000 || ms > 3_600_000)
      this.fail(
        EXIT.usage,
        `cannot read --wait-timeout ${text}: write a duration from 1s to 1h, such as 20s`,
      );
    return Math.ceil(ms / 1000);
  }

  #nothing(facts: object, words: string): Promise<void> {
    return this.show({ upgraded: false, ...facts }, { text: () => `${words} There is nothing to upgrade.` });
  }

  async #trying(from: string, work: () => Promise<Upgraded>): Promise<Upgraded> {
    try {
      return await reaching(this, work);
    } catch (error) {
      if (!(error instanceof UpgradeFailed)) throw error;
      return this.fail(EXIT.failed, `cannot upgrade: ${error.message}. Version ${from} serves again.`);
    }
  }
}
