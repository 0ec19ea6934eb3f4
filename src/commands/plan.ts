import { resolve } from "node:path";
import { boolean, string } from "@oclif/core/flags";
import type { Plan } from "../model/plan.ts";
import { isEmpty } from "../model/summary.ts";
import { planDocument } from "../views/json.ts";
import { planView } from "../views/plan.ts";
import { EXIT } from "./exit-codes.ts";
import { backendFlags, ProjectCommand, selectionFlags, trustFlags } from "./project-command.ts";

export default class PlanCommand extends ProjectCommand {
  static override summary = "Show what differs between the configuration and what really runs.";
  static override description =
    "Changes nothing. Ends with 1 when a check failed that an apply would stop at.";
  static override examples = [
    "<%= config.bin %> plan",
    "<%= config.bin %> plan --only web --json",
    { description: "decide now, apply later", command: "<%= config.bin %> plan -o today.plan" },
    { description: "4 when there is something to do", command: "<%= config.bin %> plan --detailed-exitcode" },
  ];
  static override enableJsonFlag = true;
  static override flags = {
    ...trustFlags,
    ...selectionFlags,
    ...backendFlags,
    out: string({ char: "o", helpValue: "FILE", summary: "Save the plan, for `xy apply FILE`." }),
    "no-secrets": boolean({ summary: "Run no secret commands: their secrets count as unchanged." }),
    "detailed-exitcode": boolean({ summary: "Exit code 0: no changes; 4: changes." }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(PlanCommand);
    const evaluated = await this.evaluated(flags);
    await this.refuseOtherRoot(evaluated, false);
    const { settings } = evaluated;
    const fleet = this.fleet(evaluated.desired.project, { settings, adopt: flags.adopt });
    const plan = await this.planFor(evaluated, fleet, flags);
    await fleet.close();
    // Saved first: when that fails there is one document, that of the failure.
    if (flags.out !== undefined) await this.#save(plan, flags.out, flags);
    if (this.json) this.printJson(planDocument(plan));
    else this.print(planView(plan, this.screen));
    if (flags.out !== undefined && !this.json) {
      this.note(`The plan is saved: \`xy apply ${flags.out}\` carries out exactly this.`);
    }
    if (plan.diagnostics.some(({ severity }) => severity === "error")) process.exitCode = EXIT.failed;
    else if (plan.unreachable) process.exitCode = EXIT.unreachable;
    else if (flags["detailed-exitcode"] && !isEmpty(plan)) process.exitCode = EXIT.changesPending;
  }

  async #save(plan: Plan, out: string, flags: SavedFlags): Promise<void> {
    if (flags["no-secrets"])
      this.fail(EXIT.usage, "cannot save a plan that looked at no secrets: leave --no-secrets out");
    const { savePlan } = await import("../operation/saved-plan.ts");
    const { config = plan.root, only = [], except = [] } = flags;
    try {
      savePlan(this.state, resolve(out), { plan, config: resolve(config), only, except, now: Date.now() });
    } catch (error) {
      this.fail(EXIT.failed, `cannot save the plan to ${out}: ${(error as Error).message}`);
    }
  }
}

interface SavedFlags {
  readonly config?: string | undefined;
  readonly only?: string[] | undefined;
  readonly except?: string[] | undefined;
  readonly "no-secrets": boolean;
}
