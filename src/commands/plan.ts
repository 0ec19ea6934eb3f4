import { boolean } from "@oclif/core/flags";
import { AgentBackend } from "../backends/agent.ts";
import { isEmpty } from "../model/summary.ts";
import { planDocument } from "../views/json.ts";
import { planView } from "../views/plan.ts";
import { EXIT } from "./exit-codes.ts";
import { ProjectCommand, selectionFlags, trustFlags } from "./project-command.ts";

export default class PlanCommand extends ProjectCommand {
  static override summary = "Show what differs between the configuration and what really runs.";
  static override description =
    "Changes nothing. Ends with 1 when a check failed that an apply would stop at.";
  static override examples = [
    "<%= config.bin %> plan",
    "<%= config.bin %> plan --only web --json",
    { description: "4 when there is something to do", command: "<%= config.bin %> plan --detailed-exitcode" },
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...trustFlags,
    ...selectionFlags,
    "detailed-exitcode": boolean({ summary: "Exit code 0: no changes; 4: changes." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanCommand);
    const evaluated = await this.evaluated(flags);
    await this.refuseOtherRoot(evaluated, false);
    const backend = new AgentBackend(this.state);
    const plan = await this.planFor(evaluated, backend, flags);
    await backend.close();
    if (this.json) this.printJson(planDocument(plan));
    else this.print(planView(plan, this.screen));
    if (plan.diagnostics.some(({ severity }) => severity === "error")) process.exitCode = EXIT.failed;
    else if (flags["detailed-exitcode"] && !isEmpty(plan)) process.exitCode = EXIT.changesPending;
  }
}
