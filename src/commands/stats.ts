import type { StatsEntry } from "../rpc/usage-contract.ts";
import { statsView } from "../views/usage.ts";
import { type Address, addressesOf, inOrder, isOfAgent } from "./addresses.ts";
import { withAgentIfRecorded } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { namesArgument, projectFilter } from "./flags.ts";
import { unitUsage } from "./usage-rows.ts";

export default class Stats extends BaseCommand {
  static override summary = "Show availability, restarts and resource use of servers.";
  static override description =
    "AVAILABLE is the time that a server was running, as a share of the time that it should have been running. Time spent " +
    "starting, waiting for a restart, or failed counts against it; stops and pauses do not count. Counting begins when a " +
    "server is added. Only the agent counts: for servers under a service manager, only current use is known.";
  static override examples = [
    "<%= config.bin %> stats",
    "<%= config.bin %> stats web api --json",
    "<%= config.bin %> stats tag:mcp",
  ];
  static override doing = "measuring";
  static override enableJsonFlag = true;
  static override strict = false;
  static override args = namesArgument;
  static override flags = { ...projectFilter };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(Stats);
    const named = await addressesOf(this, argv as string[], flags);
    const [own, units] = await Promise.all([this.#own(named, flags.project), unitUsage(this, flags.project)]);
    const entries = inOrder([...own, ...units]).filter(
      (entry) => named.length === 0 || isAmong(named, entry),
    );
    await this.show(entries, { text: (shown) => statsView(shown, this.screen) });
  }

  async #own(named: readonly Address[], project: string | undefined): Promise<StatsEntry[]> {
    if (named.length > 0 && !named.some(isOfAgent)) return [];
    const params = project === undefined ? {} : { project };
    return (await withAgentIfRecorded(this, (client) => client.call("stats", params), project)) ?? [];
  }
}

function isAmong(named: readonly Address[], { name, project }: StatsEntry): boolean {
  return named.some((one) => one.name === name && one.project === project);
}
