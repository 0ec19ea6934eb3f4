import { string as argument } from "@oclif/core/args";
import { boolean, option } from "@oclif/core/flags";
import { EXIT } from "../model/exit-codes.ts";
import type { ResultOf } from "../rpc/contract.ts";
import { probeView } from "../views/probe.ts";
import { type Address, addressOf, wireName } from "./addresses.ts";
import { withAgent } from "./agent-calls.ts";
import { BaseCommand } from "./base.ts";
import { withUnits } from "./units.ts";

export default class Probe extends BaseCommand {
  static override summary = "Probe a server once, and show every step.";
  static override description =
    "Runs its readiness or liveness probe as the agent would, and shows the result. `xy list` " +
    "and `xy status` show it too, until the next probe. This never restarts the server. Exits with 1 if the probe fails.\n\n" +
    "With --audit it asks an MCP server, a declared one or any at a URL of this machine, as pages of strangers, clients without a token and clients " +
    "that lost their session would, and says what is wrong with its answers and why that matters. No tool is called. Exits with 1 if " +
    "anything is wrong.";
  static override examples = [
    "<%= config.bin %> probe web",
    "<%= config.bin %> probe web --which liveness",
    "<%= config.bin %> probe web --json",
    "<%= config.bin %> probe --audit notes",
    "<%= config.bin %> probe --audit http://127.0.0.1:3001/mcp",
  ];
  static override doing = "probing";
  static override enableJsonFlag = true;
  static override args = {
    name: argument({
      required: true,
      description: "Server, as NAME or PROJECT/NAME; with --audit also a URL.",
    }),
  };
  static override flags = {
    which: option({
      options: ["readiness", "liveness"] as const,
      default: "readiness" as const,
      summary: "Probe to run.",
    })(),
    audit: boolean({ summary: "Ask an MCP server what it should refuse, and say what it does." }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Probe);
    if (flags.audit) return this.#audit(args.name, flags);
    const address = await addressOf(this, args.name, flags);
    const report = await this.#report(address, flags.which);
    await this.show(report, { text: (shown) => probeView(shown, this.screen) });
    if (!report.ok) this.exit(EXIT.failed);
  }

  async #audit(name: string, flags: { config?: string | undefined }): Promise<void> {
    const [{ auditOf }, { auditView }] = await Promise.all([
      import("./auditing.ts"),
      import("../views/audit.ts"),
    ]);
    const report = await auditOf(this, name, flags);
    await this.show(report, { text: (shown) => auditView(shown, this.screen) });
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
