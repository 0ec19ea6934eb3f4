import { option } from "@oclif/core/flags";
import { probeView } from "../views/probe.ts";
import { EXIT } from "./exit-codes.ts";
import { nameArgument, ServerCommand } from "./server-command.ts";

export default class Probe extends ServerCommand {
  static override summary = "Look at a server once now, and show every step.";
  static override description =
    "Runs its readiness probe, or its liveness probe, as the agent would, and says what was seen. The supervision does not hear of it. The exit code is 1 when the probe says no.";
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
      summary: "Which of its probes.",
    })(),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Probe);
    const address = await this.address(args.name, flags);
    const report = await this.withAgent((client) => client.call("probe", { ...address, which: flags.which }));
    if (this.json) this.printJson(report);
    else this.print(probeView(report, this.screen));
    if (!report.ok) this.exit(EXIT.failed);
  }
}
