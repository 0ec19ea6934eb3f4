import { option } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import type { ResultOf } from "../rpc/contract.ts";
import { probeView } from "../views/probe.ts";
import { type Address, addressOf, wireName } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { nameArgument } from "./flags.ts";
import { withUnits } from "./units.ts";

export default class Probe extends BaseCommand {
  static override summary = "Probe a server once, and show every step.";
  static override description =
    "Runs its readiness or liveness probe as the agent would, and shows the result. `xy list` " +
    "and `xy status` show it too, until the next probe. This never restarts the server. Exits with 1 if the probe fails.";
  static override examples = [
    "<%= config.bin %> probe web",
    "<%= config.bin %> probe web --which liveness",
    "<%= config.bin %> probe web --json",
  ];
  static override enableJsonFlag = true;
  static override args = nameArgument;
  static override flags = {
    which: option({
      options: ["readiness", "liveness"] as const,
      default: "readiness" as const,
      summary: "Probe to run.",
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Probe);
    const address = await addressOf(this, args.name, flags);
    const report = await this.#report(address, flags.which);
    await this.show(report, { text: (shown) => probeView(shown, this.screen) });
    if (!report.ok) this.exit(EXIT.failed);
  }

  async #report(address: Address, which: "readiness" | "liveness"): Promise<ResultOf<"probe">> {
    const server = wireName(address);
    if (address.backend === "agent")
      return withAgent(this, (client) => client.call("probe", { ...server, which }));
    return withUnits(this, address, async (units) => {
      const { probeUnit } = await import("../backends/units/probing.ts");
      const { type, ...report } = await probeUnit(units, address.name, which, this.signal);
      return { ...server, which, type, ...report };
    });
  }
}
